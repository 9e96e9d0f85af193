//! `GetSubscriptionAttributes`.

use super::shapes::subscription_id;
use crate::sns::errors::Result;
use crate::sns::rows::State;
use crate::sns::service::{Sns, authorize};
use crate::sns::texts;
use api::Text;
use api::sns::{GetSubscriptionAttributesInput, GetSubscriptionAttributesResponse};
use base::Cx;

/// Shows a subscription to its owner and the topic's.
///
/// # Errors
/// `NotFound`, `InvalidParameter`, `AuthorizationError`.
pub(super) fn get_subscription_attributes(
    service: &Sns,
    cx: &Cx,
    input: &GetSubscriptionAttributesInput,
) -> Result<GetSubscriptionAttributesResponse> {
    let id = subscription_id(cx, &input.subscription_arn)?;
    authorize(cx, "GetSubscriptionAttributes", &input.subscription_arn)?;
    let subscription = service.inner.topics.subscription(&id);
    let row = subscription.map(|subscription| subscription.row());
    // Of another account's nobody learns whether it exists.
    let is_own = |owner: &str| owner == cx.account.as_str() || id.topic.account == cx.account;
    let row = row.filter(|row| row.state != State::Ended && is_own(&row.owner));
    let row = row.ok_or_else(texts::no_such_subscription)?;
    let all = [
        ("SubscriptionArn", id.arn()),
        ("TopicArn", id.topic.arn()),
        ("Protocol", row.protocol().to_owned()),
        ("Endpoint", row.endpoint.to_string()),
        ("Owner", row.owner.to_string()),
        ("SubscriptionPrincipal", row.principal.to_string()),
        ("RawMessageDelivery", row.is_raw.to_string()),
        ("PendingConfirmation", (row.state == State::Pending).to_string()),
        ("ConfirmationWasAuthenticated", row.was_authenticated.to_string()),
    ];
    let attributes = all.map(|(name, value)| (Text::from_static(name), value.into()));
    Ok(GetSubscriptionAttributesResponse { attributes: Some(attributes.into()) })
}
