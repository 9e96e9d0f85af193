//! `Publish`.

use crate::sns::errors::{Result, fail};
use crate::sns::message;
use crate::sns::publishing::Trouble;
use crate::sns::service::Sns;
use crate::sns::texts;
use api::sns::{PublishInput, PublishResponse};
use base::Cx;

/// Publishes a message to a topic. Durable, with whom it goes to, when this answers.
///
/// # Errors
/// `InvalidParameter`, `InvalidParameterValue`; `NotFound` no such topic; `ServiceUnavailable` too
/// many messages wait; `AuthorizationError`; what the store says.
pub(super) async fn publish(
    service: &Sns,
    cx: &Cx,
    input: &PublishInput,
) -> Result<PublishResponse> {
    let row = message::read(input)?;
    if input.phone_number.is_some() {
        return Err(texts::no_phones());
    }
    // Either names the topic.
    let arn = input.topic_arn.as_ref().or(input.target_arn.as_ref());
    let arn = arn.ok_or_else(texts::no_target)?;
    if arn.contains(":endpoint/") {
        return Err(texts::no_platform_endpoints());
    }
    let topic = service.inner.topic(cx, "Publish", arn)?;
    let id = service.inner.publish(&topic, row).await.map_err(|trouble| match trouble {
        Trouble::NoTopic | Trouble::Denied => texts::no_such_topic(),
        Trouble::Busy => texts::outbox_full(),
        Trouble::Store(e) => fail(cx.request_id, &e),
    })?;
    Ok(PublishResponse { message_id: Some((*id).into()), sequence_number: None })
}
