//! Tags that cannot be.

use crate::stream::StreamKey;
use api::kinesis::Error;

/// A colon is taken, though AWS's words do not have it (kinesalite 106).
///
/// Source: observed (kinesalite's suite).
pub(crate) fn tags_characters() -> Error {
    let text = "Some tags contain invalid characters. Valid characters: Unicode letters, digits, \
                white space, _ . / = + - % @.";
    Error::InvalidArgument(text.into())
}

/// `what`: `add tags to` or `remove tags from`.
///
/// Source: observed (kinesalite's suite).
pub(crate) fn tags_percent(what: &str, key: &StreamKey) -> Error {
    let (name, account) = (&key.name, key.account);
    Error::InvalidArgument(format!(
        "Failed to {what} stream {name} under account {account} because some tags contained \
         illegal characters. The allowed characters are Unicode letters, white-spaces, \
         '_',',','/','=','+','-','@'."
    ))
}

/// More than fifty: AWS went on to say ten when it began to take fifty.
///
/// Source: observed (kinesalite 54).
pub(crate) fn too_many_tags(key: &StreamKey) -> Error {
    let (name, account) = (&key.name, key.account);
    Error::InvalidArgument(format!(
        "Failed to add tags to stream {name} under account {account} because a given stream cannot \
         have more than 10 tags associated with it."
    ))
}

/// Source: ours.
pub(crate) fn tag_key_reserved(tag_key: &str) -> Error {
    Error::InvalidArgument(format!("Tag key {tag_key} begins with the reserved prefix aws:."))
}

/// Tags of a resource change only while it is neither being made nor going away.
///
/// Source: ours.
pub(crate) fn not_tagged_now(key: &StreamKey) -> Error {
    let (name, account) = (&key.name, key.account);
    Error::ResourceInUse(format!(
        "Tags of stream {name} under account {account}, or of a consumer of it, cannot be changed \
         while it is being created or deleted."
    ))
}
