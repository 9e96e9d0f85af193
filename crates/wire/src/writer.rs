//! Shapes to bodies: one concrete writer for all formats into one growing buffer.
//!
//! # Cost per record of GetRecords (JSON)
//!
//! Base64 is encoded with SIMD straight into the buffer; text is scanned eight bytes at a time for
//! characters that need an escape and copied; numbers are formatted on the stack. No allocation but
//! the buffer's own growth, which [`Writer::new`]'s hint avoids.
//!
//! CBOR structures have indefinite lengths (as AWS's own), lists, maps and strings definite ones.
//! In XML every value stands in an element, which it closes; only the outermost structure, whose
//! element is the protocol's, does not.

use crate::long_body::{LATER_BYTES_MIN, LONG_BYTES, LaterBlob, LongBody};
use crate::rules::Member;
use crate::scan::first_special;
use crate::{Content, Format};
use base64_simd::STANDARD;
use bytes::Bytes;

/// A body being written.
pub struct Writer {
    format: Format,
    out: Vec<u8>,
    /// The blobs of a long answer, which `out` lacks.
    later: Option<Vec<LaterBlob>>,
    /// XML's elements that are open.
    open: Vec<&'static str>,
}

/// What closes an entry of a map in XML, without the first `</` and the last `>`.
const ENTRY_END: &str = "value></entry";

impl Writer {
    /// Begins a body; `bytes_hint` is about how long it will be.
    pub fn new(format: Format, bytes_hint: usize) -> Self {
        Self::behind(format, Vec::with_capacity(bytes_hint))
    }

    /// Begins an answer; `bytes_hint` is about how long it will be. The blobs of a long one are
    /// encoded as it is sent.
    pub fn answer(format: Format, bytes_hint: usize) -> Self {
        if bytes_hint < LONG_BYTES {
            return Self::new(format, bytes_hint);
        }
        // What is not blobs is mostly less, and grows where it is more.
        Self { later: Some(Vec::new()), ..Self::new(format, bytes_hint / 4) }
    }

    /// Goes on behind what `out` holds already.
    pub(crate) fn behind(format: Format, out: Vec<u8>) -> Self {
        Self { format, out, later: None, open: Vec::new() }
    }

    /// The buffer, with what was in it before.
    pub(crate) fn into_buffer(self) -> Vec<u8> {
        self.out
    }

    /// The body.
    pub fn finish(self) -> Bytes {
        Bytes::from(self.out)
    }

    /// The answer's body.
    pub fn finish_answer(self) -> Content {
        match self.later {
            Some(later) => Content::Long(LongBody::new(self.format, self.out, later)),
            None => Content::Whole(self.finish()),
        }
    }

    /// Begins a structure.
    pub fn begin(&mut self) {
        match self.format {
            Format::Json => self.out.push(b'{'),
            Format::Cbor | Format::RpcCbor => self.out.push(0xbf),
            Format::Xml => {}
        }
    }

    /// Ends a structure.
    pub fn end(&mut self) {
        match self.format {
            Format::Json => self.out.push(b'}'),
            Format::Cbor | Format::RpcCbor => self.out.push(0xff),
            Format::Xml => self.close(),
        }
    }

    /// A member's name; its value comes next.
    pub fn key(&mut self, member: Member) {
        match self.format {
            Format::Json => {
                self.comma(b'{');
                self.out.extend_from_slice(member.key.as_bytes());
            }
            Format::Cbor | Format::RpcCbor => self.cbor_bytes(3, member.name.as_bytes()),
            Format::Xml => self.open(member.name),
        }
    }

    fn open(&mut self, element: &'static str) {
        self.out.push(b'<');
        self.out.extend_from_slice(element.as_bytes());
        self.out.push(b'>');
        self.open.push(element);
    }

    /// Ends the innermost element of XML, when there is one.
    fn close(&mut self) {
        if let Some(element) = self.open.pop() {
            self.out.extend_from_slice(b"</");
            self.out.extend_from_slice(element.as_bytes());
            self.out.push(b'>');
        }
    }

    /// A value of XML that needs no escape.
    fn plain(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
        self.close();
    }

    /// Nothing where a value is expected.
    pub fn null(&mut self) {
        match self.format {
            Format::Json => self.out.extend_from_slice(b"null"),
            Format::Cbor | Format::RpcCbor => self.out.push(0xf6),
            Format::Xml => self.close(),
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
            Format::Cbor | Format::RpcCbor => self.cbor_bytes(3, text.as_bytes()),
            Format::Xml => {
                escape_xml(text, &mut self.out);
                self.close();
            }
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
            Format::Cbor | Format::RpcCbor => {
                self.cbor_head(2, blob.len() as u64);
                self.out.extend_from_slice(now);
            }
            Format::Xml => STANDARD.encode_append(now, &mut self.out),
        }
        if let Some(later) = self.later.as_mut().filter(|_| is_later) {
            later.push(LaterBlob { text_at: self.out.len(), bytes: blob.clone() });
        }
        match self.format {
            Format::Json => self.out.push(b'"'),
            Format::Xml => self.close(),
            Format::Cbor | Format::RpcCbor => {}
        }
    }

    /// A whole number.
    pub fn long(&mut self, value: i64) {
        match self.format {
            Format::Json => {
                self.out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
            }
            Format::Cbor | Format::RpcCbor if value < 0 => self.cbor_head(1, !value as u64),
            Format::Cbor | Format::RpcCbor => self.cbor_head(0, value as u64),
            Format::Xml => self.plain(itoa::Buffer::new().format(value)),
        }
    }

    /// A whole number.
    pub fn integer(&mut self, value: i32) {
        self.long(i64::from(value));
    }

    /// A floating point number; JSON has no word for infinities and NaN, SDKs read these strings.
    pub fn double(&mut self, value: f64) {
        match self.format {
            Format::Cbor | Format::RpcCbor => {
                self.out.push(0xfb);
                self.out.extend_from_slice(&value.to_bits().to_be_bytes());
            }
            _ if value.is_nan() => self.text("NaN"),
            _ if value.is_infinite() => {
                self.text(if value > 0.0 { "Infinity" } else { "-Infinity" });
            }
            Format::Json => {
                self.out.extend_from_slice(ryu::Buffer::new().format_finite(value).as_bytes());
            }
            Format::Xml => self.plain(ryu::Buffer::new().format_finite(value)),
        }
    }

    /// True or false.
    pub fn boolean(&mut self, value: bool) {
        match self.format {
            Format::Json => {
                self.out.extend_from_slice(if value { b"true" } else { b"false" });
            }
            Format::Cbor | Format::RpcCbor => self.out.push(if value { 0xf5 } else { 0xf4 }),
            Format::Xml => self.plain(if value { "true" } else { "false" }),
        }
    }

    /// A point in time: seconds with a fraction in JSON, tag 1 and integer milliseconds in AWS's
    /// CBOR, tag 1 and seconds in that of RPC v2, a date in XML.
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
            Format::RpcCbor => {
                self.out.push(0xc1);
                if at.0 % 1000 == 0 {
                    self.long(at.0 / 1000);
                } else {
                    self.double(at.0 as f64 / 1000.0);
                }
            }
            Format::Xml => self.plain(&base::date::format_iso(at.0)),
        }
    }

    /// A point in time as a date, whatever the format: `2015-08-30T12:36:00Z`.
    pub fn timestamp_iso(&mut self, at: crate::Timestamp) {
        self.text(&base::date::format_iso(at.0));
    }

    /// Begins a list of `length` elements.
    pub fn begin_list(&mut self, length: usize) {
        match self.format {
            Format::Json => self.out.push(b'['),
            Format::Cbor | Format::RpcCbor => self.cbor_head(4, length as u64),
            Format::Xml => {}
        }
    }

    /// An element of a list comes next.
    pub fn element(&mut self) {
        match self.format {
            Format::Json => self.comma(b'['),
            Format::Cbor | Format::RpcCbor => {}
            Format::Xml => self.open("member"),
        }
    }

    /// Ends a list.
    pub fn end_list(&mut self) {
        match self.format {
            Format::Json => self.out.push(b']'),
            Format::Cbor | Format::RpcCbor => {}
            Format::Xml => self.close(),
        }
    }

    /// Begins a map of `length` entries.
    pub fn begin_map(&mut self, length: usize) {
        match self.format {
            Format::Json => self.out.push(b'{'),
            Format::Cbor | Format::RpcCbor => self.cbor_head(5, length as u64),
            Format::Xml => {}
        }
    }

    /// The key of a map's entry; its value comes next.
    pub fn map_key(&mut self, key: &str) {
        match self.format {
            Format::Json => {
                self.comma(b'{');
                self.text(key);
                self.out.push(b':');
            }
            Format::Cbor | Format::RpcCbor => self.text(key),
            Format::Xml => {
                self.out.extend_from_slice(b"<entry><key>");
                escape_xml(key, &mut self.out);
                self.out.extend_from_slice(b"</key><value>");
                self.open.push(ENTRY_END);
            }
        }
    }

    /// Ends a map.
    pub fn end_map(&mut self) {
        match self.format {
            Format::Json => self.out.push(b'}'),
            Format::Cbor | Format::RpcCbor => {}
            Format::Xml => self.close(),
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

/// Appends `text` as XML's character data. What XML cannot have becomes a space, or the character
/// that stands for such.
fn escape_xml(text: &str, out: &mut Vec<u8>) {
    for c in text.chars() {
        match c {
            '&' => out.extend_from_slice(b"&amp;"),
            '<' => out.extend_from_slice(b"&lt;"),
            '>' => out.extend_from_slice(b"&gt;"),
            '"' => out.extend_from_slice(b"&quot;"),
            '\r' => out.extend_from_slice(b"&#xD;"),
            '\u{fffe}' | '\u{ffff}' => out.extend_from_slice("\u{fffd}".as_bytes()),
            '\n' | '\t' | ' '.. => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            _ => out.push(b' '),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    const A: Member = Member::new("\"A\":");
    const B: Member = Member::new("\"B\":");

    fn write(format: Format) -> Vec<u8> {
        let mut w = Writer::new(format, 64);
        w.begin();
        w.key(A);
        w.begin_list(2);
        for text in ["<x>", ""] {
            w.element();
            w.begin();
            w.key(B);
            w.text(text);
            w.end();
        }
        w.end_list();
        w.key(B);
        w.begin_map(1);
        w.map_key("k&");
        w.begin_list(1);
        w.element();
        w.long(-5);
        w.end_list();
        w.end_map();
        w.key(A);
        w.timestamp(Timestamp(1_500));
        w.key(B);
        w.blob(&Bytes::from_static(b"ab"));
        w.end();
        w.into_buffer()
    }

    #[test]
    fn xml_closes_what_it_opens() {
        let want = "<A><member><B>&lt;x&gt;</B></member><member><B></B></member></A>\
                    <B><entry><key>k&amp;</key><value><member>-5</member></value></entry></B>\
                    <A>1970-01-01T00:00:01.500Z</A><B>YWI=</B>";
        assert_eq!(String::from_utf8(write(Format::Xml)).unwrap(), want);
    }

    #[test]
    fn xml_has_no_character_that_it_cannot_have() {
        let mut out = Vec::new();
        escape_xml("a\u{1}\u{ffff}\u{fffe}é\r\n", &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "a \u{fffd}\u{fffd}é&#xD;\n");
    }

    #[test]
    fn json_is_as_it_was() {
        let want = r#"{"A":[{"B":"<x>"},{"B":""}],"B":{"k&":[-5]},"A":1.500,"B":"YWI="}"#;
        assert_eq!(String::from_utf8(write(Format::Json)).unwrap(), want);
    }

    #[test]
    fn seconds_of_rpc_are_whole_where_they_can_be() {
        let of = |ms| {
            let mut w = Writer::new(Format::RpcCbor, 16);
            w.timestamp(Timestamp(ms));
            w.into_buffer()
        };
        assert_eq!(of(2_000), [0xc1, 2]);
        assert_eq!(of(1_500), [&[0xc1, 0xfb][..], &1.5_f64.to_bits().to_be_bytes()].concat());
    }
}
