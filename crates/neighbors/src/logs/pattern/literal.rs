//! What a value is compared with.

use super::cursor::Cursor;
use regex::{Regex, RegexBuilder};

/// Memory that a compiled expression may take, and as much again while it is used.
const REGEX_BYTES_MAX: usize = 256 << 10;
/// Deepest nesting of an expression.
const REGEX_DEPTH_MAX: u32 = 32;

/// See the module.
#[derive(Debug)]
pub(super) enum Literal {
    Text(Glob),
    /// Also as it was written, for fields that are no numbers.
    Number(f64, Glob),
    Regex(Regex),
}

/// How a value is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Operator {
    Is,
    IsNot,
    Below,
    Above,
    AtMost,
    AtLeast,
}

/// The operators; the longer ones come first.
const OPERATORS: [(&str, Operator); 6] = [
    ("!=", Operator::IsNot),
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("=", Operator::Is),
    ("<", Operator::Below),
    (">", Operator::Above),
];

impl Operator {
    /// Takes an operator, if one stands here.
    pub(super) fn take(cursor: &mut Cursor<'_>) -> Option<Self> {
        OPERATORS.iter().find(|(text, _)| cursor.eat(text)).map(|(_, operator)| *operator)
    }
}

impl Literal {
    /// Takes a value.
    pub(super) fn take(cursor: &mut Cursor<'_>) -> Option<Self> {
        cursor.skip_blanks();
        match cursor.peek()? {
            '"' => Some(Self::Text(Glob::parse(&cursor.take_quoted('"')?))),
            '%' => regex(cursor.take_regex()?).map(Self::Regex),
            _ => {
                let word = cursor.take_while(|c| !c.is_whitespace() && !"()&|{}[],\"".contains(c));
                if word.is_empty() {
                    return None;
                }
                let glob = Glob::parse(word);
                let number = word.parse().ok().filter(|number: &f64| number.is_finite());
                Some(number.map_or(Self::Text(Glob::parse(word)), |n| Self::Number(n, glob)))
            }
        }
    }

    /// Whether a field fits, given as text and, if it is one, as a number.
    pub(super) fn fits(&self, operator: Operator, (text, number): (&str, Option<f64>)) -> bool {
        let is = || match self {
            Self::Text(glob) => glob.matches(text),
            Self::Regex(regex) => regex.is_match(text),
            // What is written the same is the same, whatever it is.
            Self::Number(want, glob) => {
                number.is_some_and(|got| got.total_cmp(want).is_eq()) || glob.matches(text)
            }
        };
        let order = match (self, number) {
            (Self::Number(want, _), Some(got)) => Some(got.total_cmp(want)),
            _ => None,
        };
        match operator {
            Operator::Is => is(),
            Operator::IsNot => !is(),
            Operator::Below => order.is_some_and(std::cmp::Ordering::is_lt),
            Operator::Above => order.is_some_and(std::cmp::Ordering::is_gt),
            Operator::AtMost => order.is_some_and(std::cmp::Ordering::is_le),
            Operator::AtLeast => order.is_some_and(std::cmp::Ordering::is_ge),
        }
    }
}

/// Compiles a regular expression; `None`: it is none, or too large.
pub(super) fn regex(text: &str) -> Option<Regex> {
    let mut builder = RegexBuilder::new(text);
    builder.size_limit(REGEX_BYTES_MAX).dfa_size_limit(REGEX_BYTES_MAX);
    builder.nest_limit(REGEX_DEPTH_MAX).build().ok()
}

/// A text in which a star is anything.
#[derive(Debug)]
pub(super) struct Glob {
    /// What is between the stars, one more than there are.
    parts: Vec<String>,
}

impl Glob {
    fn parse(text: &str) -> Self {
        Self { parts: text.split('*').map(str::to_owned).collect() }
    }

    fn matches(&self, text: &str) -> bool {
        let [first, middle @ .., last] = self.parts.as_slice() else {
            return self.parts.first().is_some_and(|whole| whole == text);
        };
        let rest = text.strip_prefix(first.as_str());
        let Some(mut rest) = rest.and_then(|rest| rest.strip_suffix(last.as_str())) else {
            return false;
        };
        for part in middle {
            let Some((_, behind)) = rest.split_once(part.as_str()) else { return false };
            rest = behind;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_are_anything() {
        for (glob, text, want) in [
            ("", "", true),
            ("a", "a", true),
            ("a", "ab", false),
            ("*", "", true),
            ("a*", "ab", true),
            ("*b", "ab", true),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("*.html*", "/x.html?y", true),
            ("a*b*c", "a-c-b-c", true),
            ("a*b*c", "a-c-c", false),
            ("é*", "éa", true),
        ] {
            assert_eq!(Glob::parse(glob).matches(text), want, "{glob} {text}");
        }
    }
}
