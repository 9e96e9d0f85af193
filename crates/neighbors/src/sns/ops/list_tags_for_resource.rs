//! `ListTagsForResource`.

use super::shapes;
use crate::sns::errors::Result;
use crate::sns::service::Sns;
use api::sns::{ListTagsForResourceRequest, ListTagsForResourceResponse, Tag};
use base::Cx;

/// Lists the tags of a topic.
///
/// # Errors
/// `ResourceNotFound`, `InvalidParameter`, `AuthorizationError`; what the store says.
pub(super) fn list_tags_for_resource(
    service: &Sns,
    cx: &Cx,
    input: &ListTagsForResourceRequest,
) -> Result<ListTagsForResourceResponse> {
    let topic = shapes::tagged(service, cx, "ListTagsForResource", &input.resource_arn)?;
    let tag = |(key, value): (&str, &str)| Tag { key: key.into(), value: value.into() };
    let tags = shapes::tags_of(service, cx, &topic.id)?.iter().map(tag).collect();
    Ok(ListTagsForResourceResponse { tags: Some(tags) })
}
