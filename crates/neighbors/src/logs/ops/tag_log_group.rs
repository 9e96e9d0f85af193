//! `TagLogGroup`.

use super::shapes;
use crate::logs::errors::Result;
use crate::logs::service::Logs;
use api::logs::TagLogGroupRequest;
use base::Cx;

/// Adds tags to a group by its name, as old clients do.
///
/// # Errors
/// `ResourceNotFound`; `TooManyTags`; `InvalidParameter`; `AccessDenied`; what the store says.
pub(super) async fn tag_log_group(service: Logs, cx: Cx, input: TagLogGroupRequest) -> Result<()> {
    let group = service.inner.group(&cx, "TagLogGroup", &input.log_group_name)?;
    let sent = shapes::read_tags(&input.tags)?;
    let add = |tags: &mut kit::Tags| tags.add(sent).map_err(shapes::bad_tag);
    shapes::change_tags(&service, &cx, &group.id, add).await
}
