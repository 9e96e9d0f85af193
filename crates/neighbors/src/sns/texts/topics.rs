//! Words about topics and their attributes.

use super::invalid;
use api::sns::Error;

/// Source: observed, as other implementations recorded it.
pub(in crate::sns) fn no_such_topic() -> Error {
    Error::NotFound("Topic does not exist".into())
}

/// Source: observed, as other implementations recorded it.
pub(in crate::sns) fn invalid_topic_name() -> Error {
    invalid("Topic Name")
}

/// Source: ours.
pub(in crate::sns) fn no_fifo() -> Error {
    invalid("Attributes Reason: FIFO topics are not supported by this server")
}

/// Source: observed.
pub(in crate::sns) fn other_attributes() -> Error {
    invalid("Attributes Reason: Topic already exists with different attributes")
}

/// Source: observed.
pub(in crate::sns) fn other_tags() -> Error {
    invalid("Tags Reason: Topic already exists with different tags")
}

/// Source: ours.
pub(in crate::sns) fn too_many_topics(most: usize) -> Error {
    Error::TopicLimitExceeded(format!("The account has {most} topics in this region already."))
}

/// Source: observed, as other implementations recorded it.
pub(in crate::sns) fn unknown_attribute() -> Error {
    invalid("AttributeName")
}

/// A part of the service that this server does not have.
///
/// Source: ours.
pub(in crate::sns) fn unsupported_attribute(name: &str) -> Error {
    invalid(&format!("{name} Reason: {name} is not supported by this server"))
}

/// Source: ours, in the form that the service has for parameters.
pub(in crate::sns) fn invalid_attribute(name: &str, why: &str) -> Error {
    invalid(&format!("{name} Reason: {why}"))
}

/// Source: observed, its beginning.
pub(in crate::sns) fn invalid_policy(why: &str) -> Error {
    invalid(&format!("Policy Error: {why}"))
}

/// Source: observed.
pub(in crate::sns) fn foreign_action() -> Error {
    invalid("Policy statement action out of service scope!")
}
