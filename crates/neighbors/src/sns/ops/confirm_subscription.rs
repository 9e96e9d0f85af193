//! `ConfirmSubscription`.

use crate::sns::errors::Result;
use crate::sns::service::{Sns, authorize, topic_id};
use crate::sns::subscriptions::Confirmation;
use crate::sns::texts;
use api::sns::{ConfirmSubscriptionInput, ConfirmSubscriptionResponse};
use base::Cx;

/// Confirms a subscription for its endpoint, which proves itself with the token that it was sent:
/// no policy of the topic is asked.
///
/// # Errors
/// `InvalidParameter` the token is none, or too old; `NotFound` no such topic;
/// `AuthorizationError`; what the store says.
pub(super) async fn confirm_subscription(
    service: Sns,
    cx: Cx,
    input: ConfirmSubscriptionInput,
) -> Result<ConfirmSubscriptionResponse> {
    let inner = &service.inner;
    authorize(&cx, "ConfirmSubscription", &input.topic_arn)?;
    let id = topic_id(&cx, &input.topic_arn)?;
    let topic = inner.topics.get(&id).ok_or_else(texts::no_such_topic)?;
    let guards_end = input.authenticate_on_unsubscribe.as_ref();
    let guards_end = guards_end.is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let how = Confirmation { is_signed: true, guards_end };
    let confirmed = inner.confirm(cx.request_id, &topic, &input.token, how).await?;
    Ok(ConfirmSubscriptionResponse { subscription_arn: Some(confirmed.arn().into()) })
}
