//! Error answers: `{"__type": code, "message": text}` in both formats.

use crate::reader::{Read, Reader, decode_lenient};
use crate::rules::{Member, TextRule};
use crate::{Format, Refusal, Text, Writer};
use bytes::Bytes;

/// Longest message; ten violations of usual values take some kilobytes.
const MESSAGE_BYTES_MAX: usize = 64 << 10;

const MEMBERS: &[Member] = &[
    Member::new("\"__type\":"),
    Member::new("\"message\":"),
    Member::new("\"Message\":"),
    Member::new("\"code\":"),
];

impl Refusal {
    /// The name of the message's member: `SerializationException` spells it with a capital
    /// (observed by kinesalite's tests against AWS).
    pub fn message_key(&self) -> &'static str {
        if self.code == "SerializationException" { "Message" } else { "message" }
    }

    /// The answer's body.
    ///
    /// An error without a message has no such key at all (observed by kinesalite's tests against
    /// AWS). A message is cut where only a client that wants it long makes it so: it may hold what
    /// the client sent.
    pub fn body(&self, format: Format) -> Bytes {
        let end = self.message.floor_char_boundary(MESSAGE_BYTES_MAX);
        let message = self.message.get(..end).unwrap_or_default();
        let mut w = Writer::new(format, message.len() + self.code.len() + 64);
        w.begin();
        w.key(MEMBERS[0]);
        w.text(self.code);
        if !message.is_empty() {
            w.key(MEMBERS[if self.message_key() == "Message" { 2 } else { 1 }]);
            w.text(message);
        }
        w.end();
        w.finish()
    }
}

/// An error answer as a client reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorBody {
    /// Name of the error, without a namespace before `#` and without a link behind `:`.
    pub code: Text,
    /// What the server says.
    pub message: Text,
}

impl ErrorBody {
    /// Reads an error answer's body.
    ///
    /// # Errors
    /// `SerializationException` when the body is no such structure.
    pub fn read(format: Format, body: Bytes) -> Result<Self, Refusal> {
        decode_lenient(format, body, read)
    }
}

fn read(r: &mut Reader) -> Read<Option<ErrorBody>> {
    if !r.structure(MEMBERS)? {
        return Ok(None);
    }
    let (mut code, mut message) = (None, None);
    while let Some(index) = r.member()? {
        let text = r.text(&TextRule::ANY)?;
        match index {
            0 => code = text,
            1 | 2 => message = text,
            _ => code = code.or(text),
        }
    }
    r.end();
    let code = code.unwrap_or_default();
    let bare = code.rsplit('#').next().unwrap_or_default();
    let bare = bare.split(':').next().unwrap_or_default();
    Ok(Some(ErrorBody { code: Text::from(bare), message: message.unwrap_or_default() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_spelled_as_aws_does() {
        let check = |refusal: Refusal, want: &str| assert_eq!(refusal.body(Format::Json), want);
        check(Refusal::validation("m"), r#"{"__type":"ValidationException","message":"m"}"#);
        check(Refusal::serialization("m"), r#"{"__type":"SerializationException","Message":"m"}"#);
        check(Refusal::serialization(""), r#"{"__type":"SerializationException"}"#);
    }

    #[test]
    fn clients_read_what_servers_write() {
        for format in [Format::Json, Format::Cbor] {
            for refusal in [Refusal::validation("a \"b\""), Refusal::serialization("c")] {
                let read = ErrorBody::read(format, refusal.body(format)).unwrap();
                assert_eq!(
                    (read.code.as_str(), read.message.as_str()),
                    (refusal.code, refusal.message.as_ref())
                );
            }
        }
        let named = Bytes::from_static(br#"{"__type":"com.amazon#ThrottlingException:http://x"}"#);
        assert_eq!(ErrorBody::read(Format::Json, named).unwrap().code, "ThrottlingException");
    }
}
