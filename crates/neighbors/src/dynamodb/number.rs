//! Numbers: up to 38 decimal digits, exact, from 1E-130 to 9.99..E+125 (model's documentation).

use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fmt;

/// Most digits of a number.
const DIGITS_MAX: u32 = 38;
/// Decimal exponents of the first digit: 1E-130 is the smallest number, 9.9..E+125 the greatest.
const MAGNITUDE_MIN: i32 = -130;
const MAGNITUDE_MAX: i32 = 125;
/// Longest text that is read: more digits than a number has are never needed to write it plainly.
const TEXT_BYTES_MAX: usize = 512;

/// `mantissa * 10^exponent`; the mantissa ends with no zero, and zero has the exponent 0, so that
/// equal numbers are equal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Number {
    mantissa: i128,
    exponent: i32,
}

/// Why a text or a sum is no number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NumberTrouble {
    NotNumeric,
    TooManyDigits,
    Overflow,
    Underflow,
}

impl Number {
    pub(super) const ZERO: Number = Number { mantissa: 0, exponent: 0 };

    /// Reads decimal text with an optional exponent.
    pub(super) fn parse(text: &str) -> Result<Self, NumberTrouble> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(NumberTrouble::TooManyDigits);
        }
        let (text, power) = match text.split_once(['e', 'E']) {
            Some((text, power)) => (text, parse_power(power)?),
            None => (text, 0),
        };
        let (is_negative, digits) = match text.as_bytes() {
            [b'-', digits @ ..] => (true, digits),
            [b'+', digits @ ..] | digits => (false, digits),
        };
        let (mut mantissa, mut places, mut zeros) = (0u128, 0i32, 0u32);
        let (mut seen, mut behind_point) = (false, false);
        for byte in digits {
            match byte {
                b'.' if !behind_point => behind_point = true,
                b'0'..=b'9' => {
                    seen = true;
                    places += i32::from(behind_point);
                    // Zeros count once a digit follows: those at the end are the exponent's.
                    zeros += 1;
                    if *byte != b'0' {
                        let grown =
                            10u128.checked_pow(zeros).and_then(|by| mantissa.checked_mul(by));
                        let grown = grown.and_then(|m| m.checked_add(u128::from(byte - b'0')));
                        mantissa = grown.ok_or(NumberTrouble::TooManyDigits)?;
                        zeros = 0;
                    }
                    if mantissa == 0 {
                        zeros = 0;
                    }
                }
                _ => return Err(NumberTrouble::NotNumeric),
            }
        }
        if !seen {
            return Err(NumberTrouble::NotNumeric);
        }
        let mantissa = i128::try_from(mantissa).map_err(|_| NumberTrouble::TooManyDigits)?;
        let mantissa = if is_negative { -mantissa } else { mantissa };
        Self::new(mantissa, power - places + zeros.cast_signed())
    }

    /// The number in its one form, if it is in range.
    fn new(mut mantissa: i128, mut exponent: i32) -> Result<Self, NumberTrouble> {
        if mantissa == 0 {
            return Ok(Self::ZERO);
        }
        while mantissa % 10 == 0 {
            mantissa /= 10;
            exponent += 1;
        }
        let number = Self { mantissa, exponent };
        if number.digits() > DIGITS_MAX {
            return Err(NumberTrouble::TooManyDigits);
        }
        match number.magnitude() {
            MAGNITUDE_MIN..=MAGNITUDE_MAX => Ok(number),
            magnitude if magnitude > MAGNITUDE_MAX => Err(NumberTrouble::Overflow),
            _ => Err(NumberTrouble::Underflow),
        }
    }

    fn digits(self) -> u32 {
        self.mantissa.unsigned_abs().checked_ilog10().map_or(1, |log| log + 1)
    }

    /// The decimal exponent of its first digit.
    fn magnitude(self) -> i32 {
        self.exponent + self.digits().cast_signed() - 1
    }

    /// `self + other`, exact.
    pub(super) fn plus(self, other: Self) -> Result<Self, NumberTrouble> {
        if self.mantissa == 0 || other.mantissa == 0 {
            return Ok(if self.mantissa == 0 { other } else { self });
        }
        let exponent = self.exponent.min(other.exponent);
        // The last digit of the one with the lower exponent is no zero, so that a sum that does not
        // fit here has more digits than a number may have.
        let aligned = |number: Self| {
            let by = 10i128.checked_pow((number.exponent - exponent).cast_unsigned())?;
            number.mantissa.checked_mul(by)
        };
        let sum = aligned(self).zip(aligned(other)).and_then(|(a, b)| a.checked_add(b));
        Self::new(sum.ok_or(NumberTrouble::TooManyDigits)?, exponent)
    }

    /// `self - other`, exact.
    pub(super) fn minus(self, other: Self) -> Result<Self, NumberTrouble> {
        self.plus(Self { mantissa: -other.mantissa, ..other })
    }

    /// Bytes that it counts in an item: a byte for two digits and one, and one for a sign.
    pub(super) fn item_bytes(self) -> usize {
        let sign = usize::from(self.mantissa < 0);
        if self.mantissa == 0 { 1 } else { self.digits().div_ceil(2) as usize + 1 + sign }
    }

    /// Appends bytes whose order is that of the numbers and of which none begins another.
    pub(super) fn write_ordered(self, out: &mut Vec<u8>) {
        const ZERO: u8 = 0x80;
        const POSITIVE: u8 = 0xc0;
        if self.mantissa == 0 {
            return out.push(ZERO);
        }
        let start = out.len();
        out.push(POSITIVE);
        // -130 to 125 in a byte.
        out.push((self.magnitude() - MAGNITUDE_MIN) as u8);
        let digits = self.mantissa.unsigned_abs().to_string();
        out.extend(digits.bytes().map(|digit| digit - b'0' + 1));
        out.push(0);
        if self.mantissa < 0 {
            for byte in out.iter_mut().skip(start) {
                *byte = !*byte;
            }
        }
    }
}

/// The number behind `e`; what is out of range of every number is cut where it still is.
fn parse_power(text: &str) -> Result<i32, NumberTrouble> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(NumberTrouble::NotNumeric);
    }
    let power = digits.parse().unwrap_or(100_000).min(100_000);
    Ok(if text.starts_with('-') { -power } else { power })
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |number: &Self| number.mantissa.signum();
        let by_sign = sign(self).cmp(&sign(other));
        if by_sign.is_ne() || self.mantissa == 0 {
            return by_sign;
        }
        let by_size = self.magnitude().cmp(&other.magnitude()).then_with(|| {
            // As many digits each: the exponents differ by fewer than 38.
            let exponent = self.exponent.min(other.exponent);
            let aligned = |n: &Self| {
                let by = 10u128.pow((n.exponent - exponent).cast_unsigned());
                n.mantissa.unsigned_abs() * by
            };
            aligned(self).cmp(&aligned(other))
        });
        if self.mantissa < 0 { by_size.reverse() } else { by_size }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Number {
    /// Without an exponent, as answers show numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let digits = self.mantissa.unsigned_abs().to_string();
        let point = digits.len() as i32 + self.exponent;
        if self.exponent >= 0 {
            return write!(f, "{sign}{digits}{:0<zeros$}", "", zeros = self.exponent as usize);
        }
        if point <= 0 {
            return write!(f, "{sign}0.{:0<zeros$}{digits}", "", zeros = -point as usize);
        }
        let (whole, rest) = digits.split_at(point as usize);
        write!(f, "{sign}{whole}.{rest}")
    }
}

impl From<usize> for Number {
    fn from(number: usize) -> Self {
        Self::new(number as i128, 0).expect("a `usize` has at most 20 digits")
    }
}

impl From<Number> for String {
    fn from(number: Number) -> Self {
        number.to_string()
    }
}

impl TryFrom<String> for Number {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).map_err(|_| "no number")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap()
    }

    #[test]
    fn texts_have_one_form() {
        for (text, want) in [
            ("0", "0"),
            ("-0.00", "0"),
            ("0e999", "0"),
            ("1.50", "1.5"),
            ("+007", "7"),
            ("-12.340e2", "-1234"),
            ("1e3", "1000"),
            ("1E-3", "0.001"),
            (".5", "0.5"),
            ("5.", "5"),
            ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
            (
                "0.00000000000000000000000000000000000000000000000001",
                "0.00000000000000000000000000000000000000000000000001",
            ),
        ] {
            assert_eq!(number(text).to_string(), want, "{text}");
        }
        assert_eq!(number("9.9999999999999999999999999999999999999E+125").to_string().len(), 126);
        assert_eq!(number("1E-130").to_string().len(), 132);
    }

    #[test]
    fn what_is_no_number() {
        use NumberTrouble::{NotNumeric, Overflow, TooManyDigits, Underflow};
        for (text, want) in [
            ("", NotNumeric),
            ("-", NotNumeric),
            (".", NotNumeric),
            ("1.2.3", NotNumeric),
            ("1e", NotNumeric),
            ("1e1.5", NotNumeric),
            ("0x10", NotNumeric),
            ("NaN", NotNumeric),
            (" 1", NotNumeric),
            ("1_000", NotNumeric),
            ("123456789012345678901234567890123456789", TooManyDigits),
            ("999999999999999999999999999999999999999999", TooManyDigits),
            ("1E126", Overflow),
            ("-1E126", Overflow),
            ("1e99999999999", Overflow),
            ("1E-131", Underflow),
            ("1e-99999999999", Underflow),
        ] {
            assert_eq!(Number::parse(text), Err(want), "{text}");
        }
    }

    #[test]
    fn sums() {
        for (a, b, want) in [
            ("1", "2", Ok("3")),
            ("0.1", "0.2", Ok("0.3")),
            ("1e20", "1e-17", Ok("100000000000000000000.00000000000000001")),
            ("1e20", "1e-18", Err(NumberTrouble::TooManyDigits)),
            ("1e125", "1e-130", Err(NumberTrouble::TooManyDigits)),
            ("9e125", "1e125", Err(NumberTrouble::Overflow)),
            ("5", "-5", Ok("0")),
            ("0", "7", Ok("7")),
        ] {
            let sum = number(a).plus(number(b)).map(|sum| sum.to_string());
            assert_eq!(sum, want.map(str::to_owned), "{a} + {b}");
        }
        assert_eq!(number("1").minus(number("2.5")).unwrap(), number("-1.5"));
    }

    fn any_number() -> impl Strategy<Value = Number> {
        let mantissa = prop_oneof![Just(0), -99i128..100, -(10i128.pow(38) - 1)..10i128.pow(38)];
        (mantissa, -129i32..87).prop_map(|(mantissa, exponent)| {
            Number::new(mantissa, exponent).unwrap_or(Number::ZERO)
        })
    }

    proptest! {
        #[test]
        fn round_trip(number in any_number()) {
            prop_assert_eq!(Number::parse(&number.to_string()), Ok(number));
        }

        /// Order, ordered bytes and differences agree.
        #[test]
        fn one_order(a in any_number(), b in any_number()) {
            let (mut x, mut y) = (Vec::new(), Vec::new());
            a.write_ordered(&mut x);
            b.write_ordered(&mut y);
            prop_assert_eq!(a.cmp(&b), x.cmp(&y));
            prop_assert!(a == b || !y.starts_with(&x));
            if let Ok(difference) = a.minus(b) {
                prop_assert_eq!(a.cmp(&b), difference.cmp(&Number::ZERO));
            }
        }
    }
}
