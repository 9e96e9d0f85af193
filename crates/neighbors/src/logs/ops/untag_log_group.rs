//! `UntagLogGroup`.

use super::shapes;
use crate::logs::errors::Result;
use crate::logs::service::Logs;
use api::logs::UntagLogGroupRequest;
use base::Cx;

/// Takes tags from a group by its name, as old clients do; those that it lacks are fine.
///
/// # Errors
/// `ResourceNotFound`; `AccessDenied`; what the store says.
pub(super) async fn untag_log_group(
    service: Logs,
    cx: Cx,
    input: UntagLogGroupRequest,
) -> Result<()> {
    let group = service.inner.group(&cx, "UntagLogGroup", &input.log_group_name)?;
    let remove = |tags: &mut kit::Tags| {
        tags.remove(input.tags.iter().map(api::Text::as_str));
        Ok(())
    };
    shapes::change_tags(&service, &cx, &group.id, remove).await
}
