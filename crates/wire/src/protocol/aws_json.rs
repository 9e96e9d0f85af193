//! JSON 1.0 and 1.1, and AWS's CBOR, which differs from them in its grammar alone.

use super::Refusal;
use crate::rules::Member;
use crate::{Format, Writer};
use bytes::Bytes;

pub(super) const CONTENT_TYPE_1_0: &str = "application/x-amz-json-1.0";
pub(super) const CONTENT_TYPE_1_1: &str = "application/x-amz-json-1.1";
pub(super) const CONTENT_TYPE_CBOR: &str = "application/x-amz-cbor-1.1";

const TYPE: Member = Member::new("\"__type\":");
const LOWER: Member = Member::new("\"message\":");
const CAPITAL: Member = Member::new("\"Message\":");

/// `{"__type": code, "message": text}`, and what else the model gives the error.
pub(super) fn error(format: Format, refusal: &Refusal) -> Bytes {
    let message = refusal.bounded_message();
    let mut w = Writer::new(format, message.len() + refusal.code.len() + 64);
    w.begin();
    w.key(TYPE);
    w.text(refusal.code);
    if !message.is_empty() {
        w.key(if refusal.message_key() == CAPITAL.name() { CAPITAL } else { LOWER });
        w.text(message);
    }
    if let Some(members) = refusal.extra.as_ref().and_then(|extra| extra.members.as_ref()) {
        members.write(&mut w);
    }
    w.end();
    w.finish()
}
