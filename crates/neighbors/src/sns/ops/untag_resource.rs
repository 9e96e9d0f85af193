//! `UntagResource`.

use super::shapes;
use crate::sns::errors::Result;
use crate::sns::service::Sns;
use api::sns::{UntagResourceRequest, UntagResourceResponse};
use base::Cx;

/// Takes tags from a topic; those that it lacks are fine.
///
/// # Errors
/// `ResourceNotFound`, `InvalidParameter`, `AuthorizationError`; what the store says.
pub(super) async fn untag_resource(
    service: Sns,
    cx: Cx,
    input: UntagResourceRequest,
) -> Result<UntagResourceResponse> {
    let topic = shapes::tagged(&service, &cx, "UntagResource", &input.resource_arn)?;
    let mut tags = shapes::tags_of(&service, &cx, &topic.id)?;
    tags.remove(input.tag_keys.iter().map(api::Text::as_str));
    shapes::put_tags(&service, &cx, &topic.id, &tags).await?;
    Ok(UntagResourceResponse {})
}
