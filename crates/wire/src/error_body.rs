//! Error answers of JSON and CBOR as a client reads them.

use crate::reader::{Read, Reader, decode_lenient};
use crate::rules::{Member, TextRule};
use crate::{Format, Refusal, Text};
use bytes::Bytes;

const MEMBERS: &[Member] = &[
    Member::new("\"__type\":"),
    Member::new("\"message\":"),
    Member::new("\"Message\":"),
    Member::new("\"code\":"),
];

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
    use crate::Protocol;

    #[test]
    fn bodies_are_spelled_as_aws_does() {
        let check = |refusal: Refusal, want: &str| {
            assert_eq!(Protocol::Json11.error_body(&refusal, "", ""), want);
        };
        check(Refusal::validation("m"), r#"{"__type":"ValidationException","message":"m"}"#);
        check(Refusal::serialization("m"), r#"{"__type":"SerializationException","Message":"m"}"#);
        check(Refusal::serialization(""), r#"{"__type":"SerializationException"}"#);
    }

    #[test]
    fn clients_read_what_servers_write() {
        for protocol in [Protocol::Json11, Protocol::Cbor11, Protocol::RpcCbor] {
            for refusal in [Refusal::validation("a \"b\""), Refusal::serialization("c")] {
                let body = protocol.error_body(&refusal, "", "");
                let read = ErrorBody::read(protocol.format(), body).unwrap();
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
