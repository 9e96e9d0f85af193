//! Words about subscriptions.

use super::invalid;
use api::sns::Error;

/// What a subscription is called until it is confirmed.
///
/// Source: observed.
pub(in crate::sns) const PENDING: &str = "pending confirmation";

/// As [`PENDING`], in lists.
///
/// Source: observed.
pub(in crate::sns) const PENDING_IN_LISTS: &str = "PendingConfirmation";

/// Source: observed, as other implementations recorded it.
pub(in crate::sns) fn no_such_subscription() -> Error {
    Error::NotFound("Subscription does not exist".into())
}

/// Source: observed.
pub(in crate::sns) fn unknown_protocol(protocol: &str) -> Error {
    invalid(&format!("Amazon SNS does not support this protocol string: {protocol}"))
}

/// Source: observed, as other implementations recorded it.
pub(in crate::sns) fn no_endpoint() -> Error {
    Error::NotFound("Endpoint not specified in subscription".into())
}

/// Source: observed, as other implementations recorded it.
pub(in crate::sns) fn endpoint_of_other_protocol() -> Error {
    invalid("Endpoint must match the specified protocol")
}

/// Source: ours, in the form that the service has for parameters.
pub(in crate::sns) fn invalid_endpoint(why: &str) -> Error {
    invalid(&format!("Endpoint Reason: {why}"))
}

/// Source: observed, as other implementations recorded it.
pub(in crate::sns) fn unknown_subscription_attribute() -> Error {
    invalid("Attributes Reason: AttributeName")
}

/// A part of the service that this server does not have.
///
/// Source: ours.
pub(in crate::sns) fn unsupported_subscription_attribute(name: &str) -> Error {
    invalid(&format!("Attributes Reason: {name} is not supported by this server"))
}

/// Source: observed, as other implementations recorded it.
pub(in crate::sns) fn invalid_raw_delivery(value: &str) -> Error {
    invalid(&format!(
        "Attributes Reason: RawMessageDelivery: Invalid value [{value}]. Must be true or false."
    ))
}

/// Source: observed.
pub(in crate::sns) fn other_subscription_attributes() -> Error {
    invalid("Attributes Reason: Subscription already exists with different attributes")
}

/// Source: ours.
pub(in crate::sns) fn too_many_subscriptions(most: usize) -> Error {
    Error::SubscriptionLimitExceeded(format!("The topic has {most} subscriptions already."))
}

/// Source: observed.
pub(in crate::sns) fn invalid_subscription_token() -> Error {
    invalid("Token")
}

/// Source: observed, as other implementations recorded it.
pub(in crate::sns) fn invalid_subscription_id() -> Error {
    invalid("SubscriptionId")
}

/// Source: ours.
pub(in crate::sns) fn unsubscribe_needs_signature() -> Error {
    Error::AuthorizationError(
        "This subscription was confirmed so that only signed requests may end it.".into(),
    )
}

/// Who may do something with a subscription: its owner and the topic's.
///
/// Source: ours.
pub(in crate::sns) fn foreign_subscription() -> Error {
    Error::AuthorizationError("The subscription belongs to another account.".into())
}

/// What an endpoint is told that was subscribed.
///
/// Source: observed.
pub(in crate::sns) fn confirm_message(topic_arn: &str) -> String {
    format!(
        "You have chosen to subscribe to the topic {topic_arn}.\n\
         To confirm the subscription, visit the SubscribeURL included in this message."
    )
}

/// What an endpoint is told that is no longer subscribed.
///
/// Source: observed.
pub(in crate::sns) fn unsubscribed_message(subscription_arn: &str) -> String {
    format!(
        "You have chosen to deactivate subscription {subscription_arn}.\n\
         To cancel this operation and restore the subscription, visit the SubscribeURL included in \
         this message."
    )
}
