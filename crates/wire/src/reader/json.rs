//! JSON tokens: RFC 8259 and nothing else.
//!
//! Strings without escapes stay slices of the body. A `\u` surrogate without its other half is
//! refused: it has no UTF-8. So are control characters inside strings, and anything behind the
//! value.

use super::{INDEFINITE, Number, Raw, Read, Reader, Token, syntax};
use crate::scan::{first_special, has_control};

/// Bytes of a string that are searched for every special character; behind them only for its end.
pub(super) const SCANNED_BYTES: usize = 64;

impl Reader {
    /// Passes over white space; the byte behind it, 0 at the end.
    #[inline]
    pub(super) fn json_space(&mut self) -> u8 {
        while let Some(&byte) = self.body.get(self.at) {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return byte;
            }
            self.at += 1;
        }
        0
    }

    pub(super) fn json_token(&mut self) -> Read<Token> {
        match self.json_space() {
            b'"' => Ok(Token::Text(self.json_string()?)),
            b'{' => {
                self.at += 1;
                Ok(Token::Map(INDEFINITE))
            }
            b'[' => {
                self.at += 1;
                Ok(Token::List(INDEFINITE))
            }
            b't' => self.json_word(b"true", Token::Bool(true)),
            b'f' => self.json_word(b"false", Token::Bool(false)),
            b'n' => self.json_word(b"null", Token::Null),
            b'-' | b'0'..=b'9' => self.json_number(),
            _ => syntax(),
        }
    }

    fn json_word(&mut self, word: &[u8], token: Token) -> Read<Token> {
        if !self.body[self.at..].starts_with(word) {
            return syntax();
        }
        self.at += word.len();
        Ok(token)
    }

    /// Steps to the next element or key of the innermost container.
    pub(super) fn json_next(&mut self, close: u8) -> Read<bool> {
        let byte = self.json_space();
        let begun = std::mem::replace(&mut self.top().begun, true);
        if byte == close {
            self.at += 1;
            return Ok(false);
        }
        if !begun {
            return Ok(true);
        }
        if byte != b',' {
            return syntax();
        }
        self.at += 1;
        // A container's end behind a comma would be taken for a value's beginning by nobody, since
        // neither a token nor a key begins with it.
        Ok(true)
    }

    pub(super) fn json_key(&mut self) -> Read<Raw> {
        if self.json_space() != b'"' {
            return syntax();
        }
        let key = self.json_string()?;
        if self.json_space() != b':' {
            return syntax();
        }
        self.at += 1;
        Ok(key)
    }

    /// Reads a string whose opening quote comes next.
    ///
    /// Why two searches: most strings are names, keys and numbers, which end before a call to
    /// `memchr` pays; the long ones are data, where nothing is faster.
    fn json_string(&mut self) -> Read<Raw> {
        let from = self.at + 1;
        let rest = &self.body[from..];
        let near = rest.get(..SCANNED_BYTES).unwrap_or(rest);
        let stop = first_special(near).or_else(|| {
            memchr::memchr2(b'"', b'\\', &rest[near.len()..]).map(|at| near.len() + at)
        });
        let Some(stop) = stop else {
            return syntax();
        };
        match rest[stop] {
            b'"' => {
                self.at = from + stop + 1;
                Ok(Raw::Slice(from, from + stop))
            }
            b'\\' => self.json_escaped(from, stop),
            _ => syntax(),
        }
    }

    /// Finds the end of a string that begins at `from` and has its first backslash at `stop`.
    fn json_escaped(&mut self, from: usize, stop: usize) -> Read<Raw> {
        let rest = &self.body[from..];
        let mut at = stop;
        loop {
            // `rest[at]` is a backslash: what follows it is not the end, whatever it is.
            let Some(next) = rest.get(at + 2..).and_then(|r| memchr::memchr2(b'"', b'\\', r))
            else {
                return syntax();
            };
            at += 2 + next;
            if rest[at] == b'"' {
                self.at = from + at + 1;
                return Ok(Raw::Escaped(from, from + at));
            }
        }
    }

    fn json_number(&mut self) -> Read<Token> {
        let from = self.at;
        let rest = &self.body[from..];
        let digits = |at: usize| rest[at..].iter().take_while(|b| b.is_ascii_digit()).count();
        let mut at = usize::from(rest[0] == b'-');
        let whole = digits(at);
        if whole == 0 || (whole > 1 && rest[at] == b'0') {
            return syntax();
        }
        at += whole;
        if rest.get(at) == Some(&b'.') {
            let fraction = digits(at + 1);
            if fraction == 0 {
                return syntax();
            }
            at += 1 + fraction;
        }
        if matches!(rest.get(at), Some(b'e' | b'E')) {
            at += 1 + usize::from(matches!(rest.get(at + 1), Some(b'+' | b'-')));
            let exponent = digits(at.min(rest.len()));
            if exponent == 0 {
                return syntax();
            }
            at += exponent;
        }
        self.at = from + at;
        Ok(Token::Number(Number::Spelled(from, from + at)))
    }
}

/// Refuses control characters, which JSON wants escaped.
pub(super) fn check_controls(bytes: &[u8]) -> Read<()> {
    if has_control(bytes) { syntax() } else { Ok(()) }
}

/// Resolves escapes; the answer is checked for UTF-8 by the caller.
pub(super) fn unescape(escaped: &[u8]) -> Read<Vec<u8>> {
    check_controls(escaped)?;
    let mut out = Vec::with_capacity(escaped.len());
    let mut rest = escaped;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        rest = rest.get(at + 2..).map_or_else(syntax, |behind| {
            let byte = match rest[at + 1] {
                byte @ (b'"' | b'\\' | b'/') => byte,
                b'b' => 8,
                b'f' => 12,
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'u' => return unescape_unicode(behind, &mut out),
                _ => return syntax(),
            };
            out.push(byte);
            Ok(behind)
        })?;
    }
    out.extend_from_slice(rest);
    Ok(out)
}

/// Resolves what follows `\u`, with its other half when it is a surrogate; what is left behind it.
fn unescape_unicode<'a>(digits: &'a [u8], out: &mut Vec<u8>) -> Read<&'a [u8]> {
    let (first, rest) = hex4(digits)?;
    let (code, rest) = match first {
        0xd800..=0xdbff => {
            let Some(low) = rest.strip_prefix(b"\\u") else {
                return syntax();
            };
            let (second, rest) = hex4(low)?;
            if !(0xdc00..=0xdfff).contains(&second) {
                return syntax();
            }
            (0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00), rest)
        }
        code => (code, rest),
    };
    let Some(char) = char::from_u32(code) else {
        return syntax();
    };
    out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
    Ok(rest)
}

fn hex4(digits: &[u8]) -> Read<(u32, &[u8])> {
    let Some((four, rest)) = digits.split_at_checked(4) else {
        return syntax();
    };
    let mut code = 0;
    for digit in four {
        match (*digit as char).to_digit(16) {
            Some(value) => code = code * 16 + value,
            None => return syntax(),
        }
    }
    Ok((code, rest))
}
