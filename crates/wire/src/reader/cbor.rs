//! CBOR tokens (RFC 8949): definite and indefinite lengths, tags passed over.
//!
//! A declared length is believed only as far as the body reaches; nothing is reserved by it.

use super::{INDEFINITE, Number, Raw, Read, Reader, Token, syntax};
use bytes::Bytes;

/// Tags before one value; more have no meaning and only cost time.
const TAGS_MAX: usize = 4;

impl Reader {
    pub(super) fn cbor_token(&mut self) -> Read<Token> {
        for _ in 0..=TAGS_MAX {
            let head = self.cbor_byte()?;
            let (major, info) = (head >> 5, head & 31);
            return match major {
                0 => {
                    let value = self.cbor_length(info)?;
                    Ok(Token::Number(whole(value)))
                }
                1 => {
                    let value = self.cbor_length(info)?;
                    Ok(Token::Number(negative(value)))
                }
                2 => Ok(Token::Blob(self.cbor_string(2, info)?)),
                3 => Ok(Token::Text(self.cbor_string(3, info)?)),
                4 => Ok(Token::List(self.cbor_count(info)?)),
                5 => Ok(Token::Map(self.cbor_count(info)?)),
                6 => {
                    self.cbor_length(info)?;
                    continue;
                }
                _ => self.cbor_simple(info),
            };
        }
        syntax()
    }

    #[inline]
    fn cbor_byte(&mut self) -> Read<u8> {
        let Some(&byte) = self.body.get(self.at) else {
            return syntax();
        };
        self.at += 1;
        Ok(byte)
    }

    /// The argument of a head: in its low five bits or in the 1, 2, 4 or 8 bytes behind it.
    #[inline]
    fn cbor_length(&mut self, info: u8) -> Read<u64> {
        let bytes = match info {
            0..=23 => return Ok(u64::from(info)),
            24..=27 => 1_usize << (info - 24),
            _ => return syntax(),
        };
        let Some(argument) = self.body.get(self.at..self.at + bytes) else {
            return syntax();
        };
        self.at += bytes;
        Ok(argument.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    fn cbor_count(&mut self, info: u8) -> Read<u64> {
        if info == 31 {
            return Ok(INDEFINITE);
        }
        let count = self.cbor_length(info)?;
        // Each element has at least one byte.
        if count > (self.body.len() - self.at) as u64 {
            return syntax();
        }
        Ok(count)
    }

    fn cbor_string(&mut self, major: u8, info: u8) -> Read<Raw> {
        if info != 31 {
            let (from, to) = self.cbor_chunk(info)?;
            return Ok(Raw::Slice(from, to));
        }
        let mut whole = Vec::new();
        loop {
            let head = self.cbor_byte()?;
            if head == 0xff {
                return Ok(Raw::Owned(Box::new(Bytes::from(whole))));
            }
            if head >> 5 != major || head & 31 == 31 {
                return syntax();
            }
            let (from, to) = self.cbor_chunk(head & 31)?;
            whole.extend_from_slice(&self.body[from..to]);
        }
    }

    fn cbor_chunk(&mut self, info: u8) -> Read<(usize, usize)> {
        let length = self.cbor_length(info)?;
        if length > (self.body.len() - self.at) as u64 {
            return syntax();
        }
        let from = self.at;
        self.at += length as usize;
        Ok((from, self.at))
    }

    fn cbor_simple(&mut self, info: u8) -> Read<Token> {
        match info {
            20 => Ok(Token::Bool(false)),
            21 => Ok(Token::Bool(true)),
            22 | 23 => Ok(Token::Null),
            25 => {
                let bits = self.cbor_length(25)? as u16;
                Ok(Token::Number(Number::Float(half(bits))))
            }
            26 => {
                let bits = self.cbor_length(26)? as u32;
                Ok(Token::Number(Number::Float(f64::from(f32::from_bits(bits)))))
            }
            27 => {
                let bits = self.cbor_length(27)?;
                Ok(Token::Number(Number::Float(f64::from_bits(bits))))
            }
            // Unassigned simple values, and a break where a value must stand.
            _ => syntax(),
        }
    }

    /// Steps to the next element or entry of the innermost container.
    #[inline]
    pub(super) fn cbor_next(&mut self) -> Read<bool> {
        let next = self.body.get(self.at).copied();
        let frame = self.top();
        match frame.left {
            0 => Ok(false),
            INDEFINITE => match next {
                Some(0xff) => {
                    self.at += 1;
                    Ok(false)
                }
                Some(_) => Ok(true),
                None => syntax(),
            },
            _ => {
                frame.left -= 1;
                Ok(true)
            }
        }
    }
}

/// A number of major type 0.
fn whole(value: u64) -> Number {
    i64::try_from(value).map_or(Number::Float(value as f64), Number::Int)
}

/// A number of major type 1, which is -1 - value.
fn negative(value: u64) -> Number {
    i64::try_from(value).map_or(Number::Float(-1.0 - value as f64), |v| Number::Int(-1 - v))
}

/// A half-precision float, RFC 8949 appendix D.
fn half(bits: u16) -> f64 {
    let exponent = i32::from(bits >> 10 & 0x1f);
    let mantissa = f64::from(bits & 0x3ff);
    let magnitude = match exponent {
        0 => mantissa * 2_f64.powi(-24),
        31 if mantissa == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (mantissa + 1024.0) * 2_f64.powi(exponent - 25),
    };
    if bits >> 15 == 1 { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    use super::half;

    #[test]
    fn halves_are_read() {
        assert!((half(0x3c00) - 1.0).abs() < f64::EPSILON);
        assert!((half(0xc000) + 2.0).abs() < f64::EPSILON);
        assert!((half(0x7bff) - 65504.0).abs() < f64::EPSILON);
        assert!((half(0x0001) - 5.960_464_477_539_063e-8).abs() < 1e-20);
        assert!(half(0x7c00).is_infinite() && half(0x7e00).is_nan());
    }
}
