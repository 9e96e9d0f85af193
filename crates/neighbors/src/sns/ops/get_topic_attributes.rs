//! `GetTopicAttributes`.

use super::shapes;
use crate::sns::attributes;
use crate::sns::errors::Result;
use crate::sns::service::Sns;
use api::sns::{GetTopicAttributesInput, GetTopicAttributesResponse};
use base::Cx;

/// Shows a topic.
///
/// # Errors
/// `NotFound`, `InvalidParameter`, `AuthorizationError`; what the store says.
pub(super) fn get_topic_attributes(
    service: &Sns,
    cx: &Cx,
    input: &GetTopicAttributesInput,
) -> Result<GetTopicAttributesResponse> {
    let topic = service.inner.topic(cx, "GetTopicAttributes", &input.topic_arn)?;
    let policy = shapes::policy_of(service, cx, &topic)?;
    let delivery = service.inner.delivery_policy(&topic.id);
    let attributes = attributes::shown(&topic, policy, &delivery);
    Ok(GetTopicAttributesResponse { attributes: Some(attributes) })
}
