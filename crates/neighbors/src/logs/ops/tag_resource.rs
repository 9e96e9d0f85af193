//! `TagResource`.

use super::shapes;
use crate::logs::errors::Result;
use crate::logs::service::Logs;
use api::logs::TagResourceRequest;
use base::Cx;

/// Adds tags to a group, or gives them other values.
///
/// # Errors
/// `ResourceNotFound`; `TooManyTags`; `InvalidParameter`; `AccessDenied`; what the store says.
pub(super) async fn tag_resource(service: Logs, cx: Cx, input: TagResourceRequest) -> Result<()> {
    let group = service.inner.tagged(&cx, "TagResource", &input.resource_arn)?;
    let sent = shapes::read_tags(&input.tags)?;
    let add = |tags: &mut kit::Tags| tags.add(sent).map_err(shapes::bad_tag);
    shapes::change_tags(&service, &cx, &group.id, add).await
}
