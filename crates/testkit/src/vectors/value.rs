//! Bodies as trees, written in both formats by code that shares nothing with `wire`.

use std::fmt::Write as _;

/// A body or a part of one.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// A string.
    Text(String),
    /// Bytes: base64 in JSON, a byte string in CBOR.
    Blob(Vec<u8>),
    /// Milliseconds since the epoch: seconds in JSON, tag 1 in CBOR.
    Time(i64),
    /// Elements.
    List(Vec<Value>),
    /// Entries, repeated keys allowed.
    Map(Vec<(String, Value)>),
}

/// How CBOR containers and strings give their lengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lengths {
    /// In front.
    Definite,
    /// By an end mark; strings in chunks.
    Indefinite,
}

impl Value {
    /// Whether the value takes so long to write and read that one try must do.
    pub(super) fn is_large(&self) -> bool {
        match self {
            Value::Text(text) => text.len() > 10_000,
            Value::Blob(bytes) => bytes.len() > 10_000,
            Value::List(elements) => elements.len() > 600,
            Value::Map(entries) => entries.len() > 600,
            _ => false,
        }
    }

    /// The value as JSON.
    pub fn to_json(&self) -> Vec<u8> {
        let mut out = String::new();
        self.json(&mut out);
        out.into_bytes()
    }

    fn json(&self, out: &mut String) {
        match self {
            Value::Null => out.push_str("null"),
            Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Value::Int(value) => write!(out, "{value}").expect("a String takes all"),
            Value::Float(value) => write!(out, "{value:?}").expect("a String takes all"),
            Value::Text(text) => json_text(text, out),
            Value::Blob(bytes) => base64(bytes, out),
            Value::Time(ms) => {
                let (seconds, ms) = (ms.div_euclid(1000), ms.rem_euclid(1000));
                write!(out, "{seconds}.{ms:03}").expect("a String takes all");
            }
            Value::List(elements) => {
                out.push('[');
                for (i, element) in elements.iter().enumerate() {
                    out.push_str(if i > 0 { "," } else { "" });
                    element.json(out);
                }
                out.push(']');
            }
            Value::Map(entries) => {
                out.push('{');
                for (i, (key, value)) in entries.iter().enumerate() {
                    out.push_str(if i > 0 { "," } else { "" });
                    json_text(key, out);
                    out.push(':');
                    value.json(out);
                }
                out.push('}');
            }
        }
    }

    /// The value as CBOR.
    pub fn to_cbor(&self, lengths: Lengths) -> Vec<u8> {
        let mut out = Vec::new();
        self.cbor(lengths, &mut out);
        out
    }

    fn cbor(&self, lengths: Lengths, out: &mut Vec<u8>) {
        match self {
            Value::Null => out.push(0xf6),
            Value::Bool(value) => out.push(if *value { 0xf5 } else { 0xf4 }),
            Value::Int(value) if *value < 0 => head(1, (-1 - value) as u64, out),
            Value::Int(value) => head(0, *value as u64, out),
            Value::Float(value) => {
                out.push(0xfb);
                out.extend_from_slice(&value.to_be_bytes());
            }
            Value::Text(text) => string(3, text.as_bytes(), lengths, out),
            Value::Blob(bytes) => string(2, bytes, lengths, out),
            Value::Time(ms) => {
                out.push(0xc1);
                Value::Int(*ms).cbor(lengths, out);
            }
            Value::List(elements) => {
                begin(4, elements.len(), lengths, out);
                for element in elements {
                    element.cbor(lengths, out);
                }
                end(lengths, out);
            }
            Value::Map(entries) => {
                begin(5, entries.len(), lengths, out);
                for (key, value) in entries {
                    string(3, key.as_bytes(), lengths, out);
                    value.cbor(lengths, out);
                }
                end(lengths, out);
            }
        }
    }
}

fn json_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            // One plain letter is escaped too, so that every text with it tries that way.
            c if (c as u32) < 0x20 || c == 'q' => {
                write!(out, "\\u{:04x}", c as u32).expect("a String takes all");
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

fn base64(bytes: &[u8], out: &mut String) {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    out.push('"');
    for three in bytes.chunks(3) {
        let word =
            three.iter().fold(0_u32, |word, b| word << 8 | u32::from(*b)) << (24 - 8 * three.len());
        for i in 0..4 {
            let letter = LETTERS[(word >> (18 - 6 * i) & 63) as usize];
            out.push(if i <= three.len() { letter as char } else { '=' });
        }
    }
    out.push('"');
}

fn head(major: u8, argument: u64, out: &mut Vec<u8>) {
    let bytes = argument.to_be_bytes();
    let (info, from) = match argument {
        0..=23 => (argument as u8, 8),
        24..=0xff => (24, 7),
        0x100..=0xffff => (25, 6),
        0x1_0000..=0xffff_ffff => (26, 4),
        _ => (27, 0),
    };
    out.push(major << 5 | info);
    out.extend_from_slice(&bytes[from..]);
}

fn begin(major: u8, count: usize, lengths: Lengths, out: &mut Vec<u8>) {
    match lengths {
        Lengths::Definite => head(major, count as u64, out),
        Lengths::Indefinite => out.push(major << 5 | 31),
    }
}

fn end(lengths: Lengths, out: &mut Vec<u8>) {
    if lengths == Lengths::Indefinite {
        out.push(0xff);
    }
}

fn string(major: u8, bytes: &[u8], lengths: Lengths, out: &mut Vec<u8>) {
    if lengths == Lengths::Definite {
        head(major, bytes.len() as u64, out);
        out.extend_from_slice(bytes);
        return;
    }
    out.push(major << 5 | 31);
    // Chunks of text must each be whole characters.
    let cut =
        (0..=bytes.len() / 2).rev().find(|at| bytes.get(*at).is_none_or(|b| *b & 0xc0 != 0x80));
    let (first, second) = bytes.split_at(cut.unwrap_or(0));
    for chunk in [first, second] {
        head(major, chunk.len() as u64, out);
        out.extend_from_slice(chunk);
    }
    out.push(0xff);
}
