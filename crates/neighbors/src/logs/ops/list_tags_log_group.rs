//! `ListTagsLogGroup`.

use super::shapes;
use crate::logs::errors::Result;
use crate::logs::service::Logs;
use api::logs::{ListTagsLogGroupRequest, ListTagsLogGroupResponse};
use base::Cx;

/// Lists the tags of a group by its name, as old clients do.
///
/// # Errors
/// `ResourceNotFound`; `AccessDenied`; what the store says.
pub(super) fn list_tags_log_group(
    service: &Logs,
    cx: &Cx,
    input: &ListTagsLogGroupRequest,
) -> Result<ListTagsLogGroupResponse> {
    let group = service.inner.group(cx, "ListTagsLogGroup", &input.log_group_name)?;
    let tags = Some(shapes::shown_tags(service, cx, &group.id)?);
    Ok(ListTagsLogGroupResponse { tags })
}
