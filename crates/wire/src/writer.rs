//! Shapes to bodies: one concrete writer for both formats into one growing buffer.
//!
//! # Cost per record of GetRecords (JSON)
//!
//! Base64 is encoded with SIMD straight into the buffer; text is scanned eight bytes at a time for
//! characters that need an escape and copied; numbers are formatted on the stack. No allocation but
//! the buffer's own growth, which [`Writer::new`]'s hint avoids.
//!
//! CBOR structures have indefinite lengths (as AWS's own), lists, maps and strings definite ones.

use crate::long_body::{LATER_BYTES_MIN, LONG_BYTES, LaterBlob, LongBody};
use crate::rules::Member;
use crate::scan::first_special;
use crate::{Answer, Format};
use base64_simd::STANDARD;
use bytes::Bytes;

/// A body being written.
pub struct Writer {
    format: Format,
    out: Vec<u8>,
    /// The blobs of a long answer, which `out` lacks.
    later: Option<Vec<LaterBlob>>,
}

impl Writer {
    /// Begins a body; `bytes_hint` is about how long it will be.
    pub fn new(format: Format, bytes_hint: usize) -> Self {
        Self { format, out: Vec::with_capacity(bytes_hint), later: None }
    }

    /// Begins an answer; `bytes_hint` is about how long it will be. The blobs of a long one are
    /// encoded as it is sent.
    pub fn answer(format: Format, bytes_hint: usize) -> Self {
        if bytes_hint < LONG_BYTES {
            return Self::new(format, bytes_hint);
        }
        // What is not blobs is mostly less, and grows where it is more.
        Self { format, out: Vec::with_capacity(bytes_hint / 4), later: Some(Vec::new()) }
    }

    /// Goes on behind what `out` holds already.
    pub(crate) fn behind(format: Format, out: Vec<u8>) -> Self {
        Self { format, out, later: None }
    }

    /// The buffer, with what was in it before.
    pub(crate) fn into_buffer(self) -> Vec<u8> {
        self.out
    }

    /// The body.
    pub fn finish(self) -> Bytes {
        Bytes::from(self.out)
    }

    /// The answer.
    pub fn finish_answer(self) -> Answer {
        match self.later {
            Some(later) => Answer::Long(LongBody::new(self.format, self.out, later)),
            None => Answer::Body(self.finish()),
        }
    }

    /// Begins a structure.
    pub fn begin(&mut self) {
        self.out.push(match self.format {
            Format::Json => b'{',
            Format::Cbor => 0xbf,
        });
    }

    /// Ends a structure.
    pub fn end(&mut self) {
        self.out.push(match self.format {
            Format::Json => b'}',
            Format::Cbor => 0xff,
        });
    }

    /// A member's name; its value comes next.
    pub fn key(&mut self, member: Member) {
        match self.format {
            Format::Json => {
                self.comma(b'{');
                self.out.extend_from_slice(member.key.as_bytes());
            }
            Format::Cbor => self.cbor_bytes(3, member.name.as_bytes()),
        }
    }

    /// Why the last byte tells: no value ends with an opening bracket.
    fn comma(&mut self, open: u8) {
        if self.out.last() != Some(&open) {
            self.out.push(b',');
        }
    }

    /// A string.
    pub fn text(&mut self, text: &str) {
        match self.format {
            Format::Json => {
                self.out.reserve(text.len() + 2);
                self.out.push(b'"');
                escape(text, &mut self.out);
                self.out.push(b'"');
            }
            Format::Cbor => self.cbor_bytes(3, text.as_bytes()),
        }
    }

    /// Bytes.
    pub fn blob(&mut self, blob: &Bytes) {
        let is_later = self.later.is_some() && blob.len() >= LATER_BYTES_MIN;
        let now: &[u8] = if is_later { &[] } else { blob };
        match self.format {
            Format::Json => {
                // Why reserve: the encoder itself grows the buffer by exactly what it needs, which
                // copies a long answer once per record.
                self.out.reserve(STANDARD.encoded_length(now.len()) + 2);
                self.out.push(b'"');
                STANDARD.encode_append(now, &mut self.out);
            }
            Format::Cbor => {
                self.cbor_head(2, blob.len() as u64);
                self.out.extend_from_slice(now);
            }
        }
        if let Some(later) = self.later.as_mut().filter(|_| is_later) {
            later.push(LaterBlob { text_at: self.out.len(), bytes: blob.clone() });
        }
        if self.format == Format::Json {
            self.out.push(b'"');
        }
    }

    /// A whole number.
    pub fn long(&mut self, value: i64) {
        match self.format {
            Format::Json => {
                self.out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
            }
            Format::Cbor if value < 0 => self.cbor_head(1, !value as u64),
            Format::Cbor => self.cbor_head(0, value as u64),
        }
    }

    /// A whole number.
    pub fn integer(&mut self, value: i32) {
        self.long(i64::from(value));
    }

    /// A floating point number; JSON has no word for infinities and NaN, SDKs read these strings.
    pub fn double(&mut self, value: f64) {
        match self.format {
            Format::Json if value.is_nan() => self.text("NaN"),
            Format::Json if value.is_infinite() => {
                self.text(if value > 0.0 { "Infinity" } else { "-Infinity" });
            }
            Format::Json => {
                self.out.extend_from_slice(ryu::Buffer::new().format_finite(value).as_bytes());
            }
            Format::Cbor => {
                self.out.push(0xfb);
                self.out.extend_from_slice(&value.to_bits().to_be_bytes());
            }
        }
    }

    /// True or false.
    pub fn boolean(&mut self, value: bool) {
        match self.format {
            Format::Json => {
                self.out.extend_from_slice(if value { b"true" } else { b"false" });
            }
            Format::Cbor => self.out.push(if value { 0xf5 } else { 0xf4 }),
        }
    }

    /// A point in time: seconds with a fraction in JSON, tag 1 and integer milliseconds in CBOR.
    pub fn timestamp(&mut self, at: crate::Timestamp) {
        match self.format {
            Format::Json => {
                let ms = at.0.unsigned_abs();
                if at.0 < 0 {
                    self.out.push(b'-');
                }
                self.out.extend_from_slice(itoa::Buffer::new().format(ms / 1000).as_bytes());
                let ms = (ms % 1000) as u16;
                if ms > 0 {
                    let digit = |n: u16| b'0' + (n % 10) as u8;
                    let digits = [b'.', digit(ms / 100), digit(ms / 10), digit(ms)];
                    self.out.extend_from_slice(&digits);
                }
            }
            Format::Cbor => {
                self.out.push(0xc1);
                self.long(at.0);
            }
        }
    }

    /// Begins a list of `length` elements.
    pub fn begin_list(&mut self, length: usize) {
        match self.format {
            Format::Json => self.out.push(b'['),
            Format::Cbor => self.cbor_head(4, length as u64),
        }
    }

    /// An element of a list comes next.
    pub fn element(&mut self) {
        if self.format == Format::Json {
            self.comma(b'[');
        }
    }

    /// Ends a list.
    pub fn end_list(&mut self) {
        if self.format == Format::Json {
            self.out.push(b']');
        }
    }

    /// Begins a map of `length` entries.
    pub fn begin_map(&mut self, length: usize) {
        match self.format {
            Format::Json => self.out.push(b'{'),
            Format::Cbor => self.cbor_head(5, length as u64),
        }
    }

    /// The key of a map's entry; its value comes next.
    pub fn map_key(&mut self, key: &str) {
        if self.format == Format::Json {
            self.comma(b'{');
            self.text(key);
            self.out.push(b':');
        } else {
            self.text(key);
        }
    }

    /// Ends a map.
    pub fn end_map(&mut self) {
        if self.format == Format::Json {
            self.out.push(b'}');
        }
    }

    fn cbor_head(&mut self, major: u8, argument: u64) {
        let major = major << 5;
        let bytes = argument.to_be_bytes();
        match argument {
            0..=23 => self.out.push(major | argument as u8),
            24..=0xff => self.out.extend_from_slice(&[major | 0x18, argument as u8]),
            0x100..=0xffff => {
                self.out.push(major | 0x19);
                self.out.extend_from_slice(&bytes[6..]);
            }
            0x1_0000..=0xffff_ffff => {
                self.out.push(major | 0x1a);
                self.out.extend_from_slice(&bytes[4..]);
            }
            _ => {
                self.out.push(major | 0x1b);
                self.out.extend_from_slice(&bytes);
            }
        }
    }

    fn cbor_bytes(&mut self, major: u8, bytes: &[u8]) {
        self.cbor_head(major, bytes.len() as u64);
        self.out.extend_from_slice(bytes);
    }
}

/// Bytes that a blob of `bytes` takes in JSON.
pub const fn base64_bytes(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}

/// Appends `text` with JSON's escapes.
fn escape(text: &str, out: &mut Vec<u8>) {
    let mut rest = text.as_bytes();
    while let Some(at) = first_special(rest) {
        out.extend_from_slice(&rest[..at]);
        match rest[at] {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            control => {
                let hex = |n: u8| b"0123456789abcdef"[usize::from(n & 15)];
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', hex(control >> 4), hex(control)]);
            }
        }
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}
