//! Words about messages.

use super::invalid;
use api::sns::Error;

/// Source: observed, as other implementations recorded it.
pub(in crate::sns) fn no_target() -> Error {
    invalid("TopicArn or TargetArn Reason: no value for required parameter")
}

/// Source: ours.
pub(in crate::sns) fn no_phones() -> Error {
    invalid("PhoneNumber Reason: SMS is not supported by this server")
}

/// Source: ours.
pub(in crate::sns) fn no_platform_endpoints() -> Error {
    invalid("TargetArn Reason: endpoints of platforms are not supported by this server")
}

/// Source: observed.
pub(in crate::sns) fn invalid_subject() -> Error {
    invalid("Subject")
}

/// Source: observed.
pub(in crate::sns) fn empty_message() -> Error {
    invalid("Empty message")
}

/// Source: observed.
pub(in crate::sns) fn message_too_long() -> Error {
    invalid("Message too long")
}

/// Source: observed, as other implementations recorded it.
pub(in crate::sns) fn deduplication_without_fifo() -> Error {
    invalid(
        "MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter \
         that is not valid for this topic type",
    )
}

/// Source: ours, in the form that the service has for parameters.
pub(in crate::sns) fn unknown_structure(structure: &str) -> Error {
    invalid(&format!("MessageStructure Reason: {structure} is none, json is the only one"))
}

/// Source: observed, as other implementations recorded it.
pub(in crate::sns) fn structure_is_no_json() -> Error {
    invalid("Message Structure - JSON message body failed to parse")
}

/// Source: observed, as other implementations recorded it.
pub(in crate::sns) fn structure_without_default() -> Error {
    invalid("Message Structure - No default entry in JSON message body")
}

/// Source: observed, as other implementations recorded it.
pub(in crate::sns) fn attribute_name_character(character: char) -> Error {
    let code = u32::from(character);
    Error::InvalidParameterValue(format!(
        "Invalid non-alphanumeric character '#x{code:X}' was found in the message attribute name. \
         Can only include alphanumeric characters, hyphens, underscores, or dots."
    ))
}

/// Where a dot of the name of an attribute must not stand.
///
/// Source: observed, as other implementations recorded it.
pub(in crate::sns) fn attribute_name_dot(place: &str) -> Error {
    Error::InvalidParameterValue(format!(
        "Invalid message attribute name {place} with character '.' was found."
    ))
}

/// Source: observed, as other implementations recorded it.
pub(in crate::sns) fn attribute_name_dots() -> Error {
    Error::InvalidParameterValue(
        "Message attribute name can not have successive '.' character.".into(),
    )
}

/// Source: ours.
pub(in crate::sns) fn attribute_name_length(most: usize) -> Error {
    Error::InvalidParameterValue(format!(
        "The name of a message attribute must have 1 to {most} characters."
    ))
}

/// Source: observed, as other implementations recorded it.
pub(in crate::sns) fn unknown_attribute_type(name: &str) -> Error {
    Error::InvalidParameterValue(format!(
        "The message attribute '{name}' has an invalid message attribute type, the set of \
         supported type prefixes is Binary, Number, and String."
    ))
}

/// Source: observed, as other implementations recorded it.
pub(in crate::sns) fn empty_attribute(name: &str, data_type: &str) -> Error {
    Error::InvalidParameterValue(format!(
        "The message attribute '{name}' must contain non-empty message attribute value for message \
         attribute type '{data_type}'."
    ))
}

/// Source: observed, as other implementations recorded it.
pub(in crate::sns) fn attribute_of_other_field(name: &str, data_type: &str, field: &str) -> Error {
    Error::InvalidParameterValue(format!(
        "The message attribute '{name}' with type '{data_type}' must use field '{field}'."
    ))
}

/// Source: ours.
pub(in crate::sns) fn attribute_is_no_number(name: &str) -> Error {
    Error::InvalidParameterValue(format!(
        "Could not cast message attribute '{name}' value to number."
    ))
}

/// The outbox is full; SDKs try again. SNS's own code for it is in no operation's model.
///
/// Source: ours.
pub(in crate::sns) fn outbox_full() -> Error {
    Error::ServiceUnavailable(
        "Rate exceeded: too many messages wait for their endpoints, try again later.".into(),
    )
}
