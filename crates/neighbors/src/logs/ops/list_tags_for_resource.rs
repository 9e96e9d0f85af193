//! `ListTagsForResource`.

use super::shapes;
use crate::logs::errors::Result;
use crate::logs::service::Logs;
use api::logs::{ListTagsForResourceRequest, ListTagsForResourceResponse};
use base::Cx;

/// Lists the tags of a group.
///
/// # Errors
/// `ResourceNotFound`; `InvalidParameter`; `AccessDenied`; what the store says.
pub(super) fn list_tags_for_resource(
    service: &Logs,
    cx: &Cx,
    input: &ListTagsForResourceRequest,
) -> Result<ListTagsForResourceResponse> {
    let group = service.inner.tagged(cx, "ListTagsForResource", &input.resource_arn)?;
    let tags = Some(shapes::shown_tags(service, cx, &group.id)?);
    Ok(ListTagsForResourceResponse { tags })
}
