//! `UntagResource`.

use super::shapes;
use crate::logs::errors::Result;
use crate::logs::service::Logs;
use api::logs::UntagResourceRequest;
use base::Cx;

/// Takes tags from a group; those that it lacks are fine.
///
/// # Errors
/// `ResourceNotFound`; `InvalidParameter`; `AccessDenied`; what the store says.
pub(super) async fn untag_resource(
    service: Logs,
    cx: Cx,
    input: UntagResourceRequest,
) -> Result<()> {
    let group = service.inner.tagged(&cx, "UntagResource", &input.resource_arn)?;
    let remove = |tags: &mut kit::Tags| {
        tags.remove(input.tag_keys.iter().map(api::Text::as_str));
        Ok(())
    };
    shapes::change_tags(&service, &cx, &group.id, remove).await
}
