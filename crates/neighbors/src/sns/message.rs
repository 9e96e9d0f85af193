//! What is published, checked.

use super::errors::Result;
use super::rows::{Attribute, Kind, MessageRow};
use super::texts;
use api::sns::{MessageAttributeValue, PublishInput};
use serde_json::{Map, Value};

/// Longest message with its attributes, in bytes (model's documentation).
const MESSAGE_BYTES_MAX: usize = 256 * 1024;
/// Longest subject, in characters (model's documentation: less than a hundred and one).
const SUBJECT_CHARACTERS_MAX: usize = 100;
/// Longest name of an attribute (model's documentation).
const NAME_CHARACTERS_MAX: usize = 256;

/// Reads a message, in the order in which the real service finds fault with it. Its id and its time
/// are its publisher's to give.
///
/// # Errors
/// `InvalidParameter`, `InvalidParameterValue`.
pub(super) fn read(input: &PublishInput) -> Result<MessageRow> {
    if let Some(subject) = &input.subject {
        check_subject(subject)?;
    }
    if input.message.is_empty() {
        return Err(texts::empty_message());
    }
    let sent = input.message_attributes.iter().flatten();
    let attributes =
        sent.map(|(name, value)| attribute(name, value)).collect::<Result<Vec<_>>>()?;
    let of_attribute = |attribute: &Attribute| {
        attribute.name.len() + attribute.data_type.len() + attribute.value.len()
    };
    let bytes = input.message.len() + attributes.iter().map(of_attribute).sum::<usize>();
    if bytes > MESSAGE_BYTES_MAX {
        return Err(texts::message_too_long());
    }
    if input.message_deduplication_id.is_some() {
        return Err(texts::deduplication_without_fifo());
    }
    let (message, https_message) = match input.message_structure.as_deref() {
        None | Some("") => (input.message.to_string(), None),
        Some("json") => by_protocol(&input.message)?,
        Some(other) => return Err(texts::unknown_structure(other)),
    };
    Ok(MessageRow {
        kind: Kind::Notification,
        id: "".into(),
        subject: input.subject.as_ref().map(ToString::to_string),
        message,
        https_message,
        attributes,
        at_ms: 0,
    })
}

/// A line of printable ASCII that begins with no space.
fn check_subject(subject: &str) -> Result<()> {
    let is_line = subject.bytes().all(|b| (b' '..0x7f).contains(&b));
    let has_length = (1..=SUBJECT_CHARACTERS_MAX).contains(&subject.len());
    if is_line && has_length && !subject.starts_with(' ') {
        return Ok(());
    }
    Err(texts::invalid_subject())
}

/// What goes to `http` and to `https` endpoints, when that is something else.
fn by_protocol(message: &str) -> Result<(String, Option<String>)> {
    let parsed = serde_json::from_str::<Map<String, Value>>(message);
    let mut messages = parsed.map_err(|_| texts::structure_is_no_json())?;
    // What is no text counts as absent.
    let mut take = |protocol: &str| match messages.remove(protocol) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let default = take("default").ok_or_else(texts::structure_without_default)?;
    let http = take("http").unwrap_or_else(|| default.clone());
    let https = take("https").unwrap_or(default);
    let https = (https != http).then_some(https);
    Ok((http, https))
}

fn attribute(name: &str, sent: &MessageAttributeValue) -> Result<Attribute> {
    check_name(name)?;
    let data_type = sent.data_type.as_str();
    let (base, _) = data_type.split_once('.').unwrap_or((data_type, ""));
    let value = match base {
        "String" | "Number" => text_of(name, sent)?,
        "Binary" => match &sent.binary_value {
            Some(bytes) if !bytes.is_empty() => base64_simd::STANDARD.encode_to_string(bytes),
            None if sent.string_value.is_some() => {
                return Err(texts::attribute_of_other_field(name, data_type, "Binary"));
            }
            _ => return Err(texts::empty_attribute(name, data_type)),
        },
        _ => return Err(texts::unknown_attribute_type(name)),
    };
    if base == "Number" && !value.parse::<f64>().is_ok_and(f64::is_finite) {
        return Err(texts::attribute_is_no_number(name));
    }
    Ok(Attribute { name: name.into(), data_type: data_type.into(), value })
}

fn text_of(name: &str, sent: &MessageAttributeValue) -> Result<String> {
    match &sent.string_value {
        Some(text) if !text.is_empty() => Ok(text.to_string()),
        None if sent.binary_value.is_some() => {
            Err(texts::attribute_of_other_field(name, &sent.data_type, "String"))
        }
        _ => Err(texts::empty_attribute(name, &sent.data_type)),
    }
}

fn check_name(name: &str) -> Result<()> {
    if name.is_empty() || name.chars().count() > NAME_CHARACTERS_MAX {
        return Err(texts::attribute_name_length(NAME_CHARACTERS_MAX));
    }
    let is_inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if name.starts_with('.') {
        return Err(texts::attribute_name_dot("starting"));
    }
    if name.ends_with('.') {
        return Err(texts::attribute_name_dot("ending"));
    }
    if let Some(other) = name.chars().find(|c| !is_inside(*c)) {
        return Err(texts::attribute_name_character(other));
    }
    if name.contains("..") {
        return Err(texts::attribute_name_dots());
    }
    Ok(())
}
