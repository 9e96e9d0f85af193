//! What the model demands of a value: lengths, ranges, patterns, enum sets.
//!
//! The generated crate holds these as statics. Checking is done here, wording in `violations`.

use regex::Regex;
use std::fmt::Write as _;
use std::sync::OnceLock;

/// A bound that is not there, for lengths.
pub const UNBOUNDED: u32 = u32::MAX;

/// One member of a structure.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    pub(crate) name: &'static str,
    /// `"Name":`, so that the writer appends it in one piece.
    pub(crate) key: &'static str,
}

impl Member {
    /// A member by its JSON key: its name in quotes and a colon.
    pub const fn new(key: &'static str) -> Self {
        let (_quote, rest) = key.split_at(1);
        let (name, end) = rest.split_at(rest.len() - 2);
        let [b'"', b':'] = end.as_bytes() else {
            panic!("a JSON key ends with a quote and a colon")
        };
        Self { name, key }
    }

    /// The member's name.
    pub fn name(&self) -> &'static str {
        self.name
    }
}

/// Bounds of the number of bytes of a blob or of elements of a list or map.
#[derive(Debug)]
pub struct SizeRule {
    /// Smallest legal size.
    pub min: u32,
    /// Largest legal size, or [`UNBOUNDED`].
    pub max: u32,
}

impl SizeRule {
    /// No bound.
    pub const ANY: SizeRule = SizeRule { min: 0, max: UNBOUNDED };
}

/// Bounds of an integer.
#[derive(Debug)]
pub struct NumberRule {
    /// Smallest legal value, or `i64::MIN`.
    pub min: i64,
    /// Largest legal value, or `i64::MAX`.
    pub max: i64,
}

impl NumberRule {
    /// No bound.
    pub const ANY: NumberRule = NumberRule { min: i64::MIN, max: i64::MAX };
}

/// Bounds of a floating point number.
#[derive(Debug)]
pub struct DoubleRule {
    /// Smallest legal value, or negative infinity.
    pub min: f64,
    /// Largest legal value, or infinity.
    pub max: f64,
}

impl DoubleRule {
    /// No bound.
    pub const ANY: DoubleRule = DoubleRule { min: f64::NEG_INFINITY, max: f64::INFINITY };
}

/// What a string must satisfy. Lengths count Unicode code points.
#[derive(Debug)]
pub struct TextRule {
    /// Smallest legal length.
    pub min: u32,
    /// Largest legal length, or [`UNBOUNDED`].
    pub max: u32,
    /// The whole string must match.
    pub pattern: Option<&'static Pattern>,
}

/// Which parts of a [`TextRule`] a string breaks.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Broken {
    pub(crate) pattern: bool,
    pub(crate) min: bool,
    pub(crate) max: bool,
}

impl Broken {
    pub(crate) fn any(self) -> bool {
        self.pattern || self.min || self.max
    }
}

impl TextRule {
    /// No bound and no pattern.
    pub const ANY: TextRule = TextRule { min: 0, max: UNBOUNDED, pattern: None };

    /// Why two comparisons first: bytes bound code points from both sides (a code point has one to
    /// four bytes), so that nearly every legal string is never counted.
    pub(crate) fn check(&self, text: &str) -> Broken {
        let pattern = self.pattern.is_some_and(|p| !p.matches(text));
        let bytes = text.len();
        if bytes <= self.max as usize && bytes.div_ceil(4) >= self.min as usize {
            return Broken { pattern, min: false, max: false };
        }
        let length = text.chars().count();
        Broken { pattern, min: length < self.min as usize, max: length > self.max as usize }
    }

    /// The rule as it stands inside `Member must satisfy constraint: [..]`.
    ///
    /// Source: observed (kinesalite's suite).
    pub(crate) fn describe(&self) -> String {
        let mut text = describe_lengths(self.min, self.max);
        if let Some(pattern) = self.pattern {
            if !text.is_empty() {
                text.push_str(", ");
            }
            text.push_str("Member must satisfy regular expression pattern: ");
            text.push_str(pattern.source);
        }
        text
    }
}

/// Source: observed (kinesalite's suite).
fn describe_lengths(min: u32, max: u32) -> String {
    let mut text = String::new();
    if max != UNBOUNDED {
        text.push_str("Member must have length less than or equal to ");
        // Writing to a String cannot fail.
        let _infallible = write!(text, "{max}");
    }
    if min > 0 || max != UNBOUNDED {
        if !text.is_empty() {
            text.push_str(", ");
        }
        let _infallible = write!(text, "Member must have length greater than or equal to {min}");
    }
    text
}

/// A pattern that a whole string must match.
///
/// The shapes that stand on the hot path (one character class, a decimal number) are matched
/// without the regex engine.
pub struct Pattern {
    /// The model's text, as error messages show it.
    source: &'static str,
    kind: Kind,
}

enum Kind {
    Class { ascii: u128, other: bool, empty: bool },
    Decimal { digits_max: usize },
    Regex { rust: &'static str, compiled: OnceLock<Regex> },
}

impl std::fmt::Debug for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.source)
    }
}

impl Pattern {
    /// One character class, repeated: `ascii` has a bit for each legal ASCII character, `other`
    /// allows everything beyond ASCII, `empty` the empty string.
    pub const fn class(source: &'static str, ascii: u128, other: bool, empty: bool) -> Self {
        Self { source, kind: Kind::Class { ascii, other, empty } }
    }

    /// A decimal number without leading zeros of at most `digits_max` digits.
    pub const fn decimal(source: &'static str, digits_max: usize) -> Self {
        Self { source, kind: Kind::Decimal { digits_max } }
    }

    /// Any pattern; `rust` is its translation from Java's dialect, compiled at first use.
    pub const fn regex(source: &'static str, rust: &'static str) -> Self {
        Self { source, kind: Kind::Regex { rust, compiled: OnceLock::new() } }
    }

    /// The model's text.
    pub fn source(&self) -> &'static str {
        self.source
    }

    /// Whether the whole of `text` matches.
    pub fn matches(&self, text: &str) -> bool {
        match &self.kind {
            Kind::Class { ascii, other, empty } => {
                (*empty || !text.is_empty())
                    && text.bytes().all(|b| if b < 128 { ascii >> b & 1 == 1 } else { *other })
            }
            Kind::Decimal { digits_max } => {
                let digits = text.as_bytes();
                digits == b"0"
                    || digits.first().is_some_and(|d| *d != b'0')
                        && digits.len() <= *digits_max
                        && digits.iter().all(u8::is_ascii_digit)
            }
            Kind::Regex { rust, compiled } => compiled
                .get_or_init(|| {
                    Regex::new(rust).expect("`xtask api gen` compiles each pattern it writes")
                })
                .is_match(text),
        }
    }
}

/// An enum of the model.
pub trait Enumeration: Copy + Default + 'static {
    /// Every value's text, in model order.
    const NAMES: &'static [&'static str];
    /// The value at this position of [`Self::NAMES`].
    fn from_index(index: usize) -> Self;
    /// The value's text.
    fn as_str(self) -> &'static str;
}

/// What the keys of a map must satisfy.
#[derive(Clone, Copy, Debug)]
pub enum KeyRule {
    /// A string.
    Text(&'static TextRule),
    /// One of these.
    Names(&'static [&'static str]),
}

impl KeyRule {
    pub(crate) fn holds(&self, key: &str) -> bool {
        match self {
            KeyRule::Text(rule) => !rule.check(key).any(),
            KeyRule::Names(names) => names.contains(&key),
        }
    }

    pub(crate) fn describe(&self) -> String {
        match self {
            KeyRule::Text(rule) => rule.describe(),
            KeyRule::Names(names) => describe_names(names),
        }
    }
}

/// `Member must satisfy enum value set: [A, B]`.
///
/// Source: observed (kinesalite's suite).
pub(crate) fn describe_names(names: &[&str]) -> String {
    format!("Member must satisfy enum value set: [{}]", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_match_whole_strings() {
        let lower = 0x07ff_fffe_u128 << 96;
        let some = Pattern::class("[a-z]+", lower, false, false);
        assert!(some.matches("az"));
        for bad in ["", "a b", "aZ", "é"] {
            assert!(!some.matches(bad), "{bad}");
        }
        assert!(Pattern::class("[a-z]*", lower, false, true).matches(""));
        assert!(Pattern::class("[^A]*", lower, true, true).matches("é"));
    }

    #[test]
    fn decimals_have_no_leading_zero() {
        let pattern = Pattern::decimal("0|([1-9]\\d{0,2})", 3);
        for good in ["0", "1", "10", "999"] {
            assert!(pattern.matches(good), "{good}");
        }
        for bad in ["", "00", "01", "1000", "-1", "1a"] {
            assert!(!pattern.matches(bad), "{bad}");
        }
    }

    #[test]
    fn lengths_count_code_points() {
        let rule = TextRule { min: 2, max: 3, pattern: None };
        assert!(rule.check("é").min);
        assert!(!rule.check("éé").any());
        assert!(!rule.check("𝄞𝄞𝄞").any());
        assert!(rule.check("𝄞𝄞𝄞𝄞").max);
    }
}
