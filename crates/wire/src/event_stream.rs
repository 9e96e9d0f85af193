//! `application/vnd.amazon.eventstream`: frames of named headers and a payload.
//!
//! | bytes | what |
//! | --- | --- |
//! | 4 | total length, big endian: 16 + headers + payload |
//! | 4 | length of the headers |
//! | 4 | CRC-32 (ISO-HDLC) of the 8 bytes before |
//! | n | headers: 1 name length, name, 1 type (7 string), 2 value length, value |
//! | m | payload |
//! | 4 | CRC-32 of everything before |
//!
//! A subscription's frames: `initial-response` first (botocore fails without it), then events, at
//! the end perhaps one exception.

use crate::{Protocol, Text, Writer};
use bytes::{Buf, Bytes, BytesMut};
use std::fmt;

/// Content type of an answer that is an event stream.
pub const CONTENT_TYPE: &str = "application/vnd.amazon.eventstream";

/// Largest headers of a frame, in bytes; botocore's bound.
pub const HEADERS_BYTES_MAX: usize = 128 << 10;

/// Largest payload of a frame, in bytes; botocore's bound.
pub const PAYLOAD_BYTES_MAX: usize = 24 << 20;

const PRELUDE_BYTES: usize = 12;
const CRC_BYTES: usize = 4;
const STRING: u8 = 7;

/// A frame whose payload is being written into the frame's own buffer.
#[derive(Debug)]
pub struct FrameWriter {
    headers_end: usize,
}

impl FrameWriter {
    /// Begins an event frame; the payload goes into the writer.
    pub fn event(event_type: &str, protocol: Protocol, bytes_hint: usize) -> (Self, Writer) {
        let headers = [
            (":message-type", "event"),
            (":event-type", event_type),
            (":content-type", protocol.content_type()),
        ];
        Self::begin(&headers, protocol, bytes_hint)
    }

    /// Begins an exception frame, `exception_type` being the shape's name.
    pub fn exception(exception_type: &str, protocol: Protocol) -> (Self, Writer) {
        let headers = [
            (":message-type", "exception"),
            (":exception-type", exception_type),
            (":content-type", protocol.content_type()),
        ];
        Self::begin(&headers, protocol, 128)
    }

    fn begin(headers: &[(&str, &str)], protocol: Protocol, bytes_hint: usize) -> (Self, Writer) {
        let mut out = Vec::with_capacity(bytes_hint + 256);
        out.resize(PRELUDE_BYTES, 0);
        for (name, value) in headers {
            out.push(name.len() as u8);
            out.extend_from_slice(name.as_bytes());
            out.push(STRING);
            out.extend_from_slice(&(value.len() as u16).to_be_bytes());
            out.extend_from_slice(value.as_bytes());
        }
        (Self { headers_end: out.len() }, Writer::behind(protocol.format(), out))
    }

    /// Ends the frame: lengths and checksums.
    pub fn finish(self, payload: Writer) -> Bytes {
        let mut out = payload.into_buffer();
        let total = (out.len() + CRC_BYTES) as u32;
        let headers = (self.headers_end - PRELUDE_BYTES) as u32;
        out[..4].copy_from_slice(&total.to_be_bytes());
        out[4..8].copy_from_slice(&headers.to_be_bytes());
        let prelude_crc = crc32fast::hash(&out[..8]);
        out[8..12].copy_from_slice(&prelude_crc.to_be_bytes());
        let crc = crc32fast::hash(&out);
        out.extend_from_slice(&crc.to_be_bytes());
        Bytes::from(out)
    }
}

/// The frame that opens a subscription.
pub fn initial_response(protocol: Protocol) -> Bytes {
    let (frame, mut payload) = FrameWriter::event("initial-response", protocol, 16);
    payload.begin();
    payload.end();
    frame.finish(payload)
}

/// The frame that ends a subscription with a modeled exception.
pub fn exception(exception_type: &str, message: &str, protocol: Protocol) -> Bytes {
    let (frame, mut payload) = FrameWriter::exception(exception_type, protocol);
    payload.begin();
    payload.key(crate::rules::Member::new("\"message\":"));
    payload.text(message);
    payload.end();
    frame.finish(payload)
}

/// A frame, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Headers with string values, in the frame's order; others are passed over.
    pub headers: Vec<(Text, Text)>,
    /// The payload: a body in the format that `:content-type` names.
    pub payload: Bytes,
}

impl Message {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_str())
    }

    /// Name of the event, when the frame is one.
    pub fn event_type(&self) -> Option<&str> {
        self.header(":event-type").filter(|_| self.header(":message-type") == Some("event"))
    }

    /// Name of the exception, when the frame is one; modeled or not.
    pub fn exception_type(&self) -> Option<&str> {
        match self.header(":message-type") {
            Some("exception") => self.header(":exception-type"),
            Some("error") => self.header(":error-code"),
            _ => None,
        }
    }
}

/// A stream of frames that cannot be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadFrame(pub &'static str);

impl fmt::Display for BadFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for BadFrame {}

/// Cuts a stream of bytes into frames.
///
/// Holds at most one frame and what was pushed behind it. A length is believed only once the
/// prelude's checksum holds.
#[derive(Debug, Default)]
pub struct Decoder {
    held: BytesMut,
}

impl Decoder {
    /// A decoder at the beginning of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes bytes of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// Bytes that belong to a frame that is not whole yet; not zero at a stream's end means that
    /// the stream was cut.
    pub fn pending_bytes(&self) -> usize {
        self.held.len()
    }

    /// The next whole frame.
    ///
    /// # Errors
    /// A checksum or a length is wrong; the stream cannot be read on.
    pub fn next_message(&mut self) -> Result<Option<Message>, BadFrame> {
        let Some(prelude) = self.held.first_chunk::<PRELUDE_BYTES>() else {
            return Ok(None);
        };
        let word = |at: usize| {
            u32::from_be_bytes([prelude[at], prelude[at + 1], prelude[at + 2], prelude[at + 3]])
        };
        if crc32fast::hash(&prelude[..8]) != word(8) {
            return Err(BadFrame("the checksum of a frame's prelude is wrong"));
        }
        let (total, headers) = (word(0) as usize, word(4) as usize);
        let Some(payload) = total.checked_sub(PRELUDE_BYTES + CRC_BYTES + headers) else {
            return Err(BadFrame("a frame is shorter than its headers"));
        };
        if headers > HEADERS_BYTES_MAX || payload > PAYLOAD_BYTES_MAX {
            return Err(BadFrame("a frame is too long"));
        }
        if self.held.len() < total {
            // One growth, not one per push.
            self.held.reserve(total - self.held.len());
            return Ok(None);
        }
        let mut frame = self.held.split_to(total).freeze();
        let crc = frame.split_off(total - CRC_BYTES).get_u32();
        if crc32fast::hash(&frame) != crc {
            return Err(BadFrame("the checksum of a frame is wrong"));
        }
        frame.advance(PRELUDE_BYTES);
        let headers = read_headers(frame.split_to(headers))?;
        Ok(Some(Message { headers, payload: frame }))
    }
}

fn read_headers(mut bytes: Bytes) -> Result<Vec<(Text, Text)>, BadFrame> {
    let mut headers = Vec::new();
    while bytes.has_remaining() {
        let name_bytes = bytes.get_u8() as usize;
        let name = take_text(&mut bytes, name_bytes)?;
        let kind = take(&mut bytes, 1)?.get_u8();
        let value_bytes = match kind {
            0 | 1 => 0,
            2 => 1,
            3 => 2,
            4 => 4,
            5 | 8 => 8,
            6 | STRING => take(&mut bytes, 2)?.get_u16() as usize,
            9 => 16,
            _ => return Err(BadFrame("a header has an unknown type")),
        };
        if kind == STRING {
            headers.push((name, take_text(&mut bytes, value_bytes)?));
        } else {
            take(&mut bytes, value_bytes)?;
        }
    }
    Ok(headers)
}

fn take(bytes: &mut Bytes, count: usize) -> Result<Bytes, BadFrame> {
    if bytes.len() < count {
        return Err(BadFrame("a header is cut"));
    }
    Ok(bytes.split_to(count))
}

fn take_text(bytes: &mut Bytes, count: usize) -> Result<Text, BadFrame> {
    Text::from_utf8(take(bytes, count)?).map_err(|_| BadFrame("a header is no UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode_all(bytes: &[u8], piece: usize) -> Result<Vec<Message>, BadFrame> {
        let mut decoder = Decoder::new();
        let mut messages = Vec::new();
        for piece in bytes.chunks(piece.max(1)) {
            decoder.push(piece);
            while let Some(message) = decoder.next_message()? {
                messages.push(message);
            }
        }
        assert_eq!(decoder.pending_bytes(), 0);
        Ok(messages)
    }

    #[test]
    fn the_first_frame_is_as_botocore_wants_it() {
        let bytes = initial_response(Protocol::Json11);
        let message = decode_all(&bytes, 1).unwrap().remove(0);
        assert_eq!(message.event_type(), Some("initial-response"));
        assert_eq!(message.header(":content-type"), Some("application/x-amz-json-1.1"));
        assert_eq!(message.payload, "{}");
        assert_eq!(bytes.len(), u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize);
    }

    #[test]
    fn exceptions_carry_their_shape() {
        let bytes = exception("ResourceInUseException", "taken over", Protocol::Json11);
        let message = decode_all(&bytes, 7).unwrap().remove(0);
        assert_eq!(message.exception_type(), Some("ResourceInUseException"));
        assert_eq!(message.event_type(), None);
        assert_eq!(message.payload, r#"{"message":"taken over"}"#);
    }

    #[test]
    fn a_length_without_its_checksum_is_not_believed() {
        let mut bytes = initial_response(Protocol::Json11).to_vec();
        bytes[0] = 0x7f;
        let mut decoder = Decoder::new();
        decoder.push(&bytes);
        assert!(decoder.next_message().is_err());
    }

    #[test]
    fn long_frames_are_refused_before_they_arrive() {
        let mut prelude = Vec::new();
        prelude.extend_from_slice(&u32::MAX.to_be_bytes());
        prelude.extend_from_slice(&0_u32.to_be_bytes());
        prelude.extend_from_slice(&crc32fast::hash(&prelude.clone()).to_be_bytes());
        let mut decoder = Decoder::new();
        decoder.push(&prelude);
        assert_eq!(decoder.next_message(), Err(BadFrame("a frame is too long")));
    }

    proptest! {
        #[test]
        fn frames_come_back(names in prop::collection::vec("[a-zA-Z-]{1,40}", 1..4), texts in
            prop::collection::vec(".{0,200}", 1..4), piece in 1_usize..300)
        {
            let mut bytes = Vec::new();
            let pairs: Vec<_> = names.iter().zip(&texts).collect();
            for (name, text) in &pairs {
                let (frame, mut payload) = FrameWriter::event(name, Protocol::Json11, 0);
                payload.begin();
                payload.key(crate::rules::Member::new("\"T\":"));
                payload.text(text);
                payload.end();
                bytes.extend_from_slice(&frame.finish(payload));
            }
            let messages = decode_all(&bytes, piece).unwrap();
            prop_assert_eq!(messages.len(), pairs.len());
            for (message, (name, _)) in messages.iter().zip(&pairs) {
                prop_assert_eq!(message.event_type(), Some(name.as_str()));
            }
        }

        #[test]
        fn a_flipped_bit_is_found(at in 0_usize..100, bit in 0_u8..8) {
            let mut bytes = exception("X", "a message of some length", Protocol::Json11).to_vec();
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            let mut decoder = Decoder::new();
            decoder.push(&bytes);
            prop_assert!(decoder.next_message().is_err());
        }

        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut decoder = Decoder::new();
            decoder.push(&bytes);
            while let Ok(Some(_)) = decoder.next_message() {}
        }
    }
}
