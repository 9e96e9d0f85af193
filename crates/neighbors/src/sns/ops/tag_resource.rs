//! `TagResource`.

use super::shapes;
use crate::sns::errors::Result;
use crate::sns::service::Sns;
use api::sns::{TagResourceRequest, TagResourceResponse};
use base::Cx;

/// Adds tags to a topic, or gives them other values.
///
/// # Errors
/// `ResourceNotFound`, `TagLimitExceeded`, `InvalidParameter`, `AuthorizationError`; what the store
/// says.
pub(super) async fn tag_resource(
    service: Sns,
    cx: Cx,
    input: TagResourceRequest,
) -> Result<TagResourceResponse> {
    let topic = shapes::tagged(&service, &cx, "TagResource", &input.resource_arn)?;
    let mut tags = shapes::tags_of(&service, &cx, &topic.id)?;
    tags.add(shapes::read_tags(&input.tags)?).map_err(shapes::bad_tag)?;
    shapes::put_tags(&service, &cx, &topic.id, &tags).await?;
    Ok(TagResourceResponse {})
}
