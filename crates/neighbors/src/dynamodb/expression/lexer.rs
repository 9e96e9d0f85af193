//! Texts of expressions to tokens.

use std::fmt;

/// A token of an expression.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Token<'a> {
    /// A bare name: an attribute, a function, or a word of the grammar.
    Word(&'a str),
    /// `#name`, with its `#`.
    Name(&'a str),
    /// `:value`, with its `:`.
    Value(&'a str),
    Number(&'a str),
    /// An operator or a bracket.
    Sign(&'a str),
    End,
}

impl<'a> Token<'a> {
    /// Its text, as errors show it.
    pub(super) fn text(self) -> &'a str {
        match self {
            Self::Word(text)
            | Self::Name(text)
            | Self::Value(text)
            | Self::Number(text)
            | Self::Sign(text) => text,
            Self::End => "<EOF>",
        }
    }

    /// Whether it is this word of the grammar, however it is written.
    pub(super) fn is_word(self, word: &str) -> bool {
        matches!(self, Self::Word(text) if text.eq_ignore_ascii_case(word))
    }
}

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// A token and the bytes of the text where it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Placed<'a> {
    pub(super) token: Token<'a>,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Cuts a text; its last token is [`Token::End`].
///
/// # Errors
/// The character at which no token begins.
pub(super) fn tokens(text: &str) -> Result<Vec<Placed<'_>>, &str> {
    let mut placed = Vec::new();
    let mut start = 0;
    while let Some(rest) = text.get(start..).filter(|rest| !rest.is_empty()) {
        let Some(blank) = rest.find(|c: char| !matches!(c, ' ' | '\t' | '\r' | '\n')) else {
            break;
        };
        start += blank;
        let rest = text.get(start..).unwrap_or_default();
        let len = token_bytes(rest).ok_or_else(|| {
            let first = rest.chars().next().map_or(0, char::len_utf8);
            rest.get(..first).unwrap_or_default()
        })?;
        let slice = rest.get(..len).unwrap_or_default();
        placed.push(Placed { token: kind(slice), start, end: start + len });
        start += len;
    }
    placed.push(Placed { token: Token::End, start: text.len(), end: text.len() });
    Ok(placed)
}

/// The length of the token that a text begins with.
fn token_bytes(text: &str) -> Option<usize> {
    let is_inside = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let run = |from: usize, belongs: &dyn Fn(&u8) -> bool| {
        from + text.bytes().skip(from).take_while(|byte| belongs(byte)).count()
    };
    match text.as_bytes() {
        [b'#' | b':', next, ..] if is_inside(next) => Some(run(1, &is_inside)),
        [first, ..] if first.is_ascii_alphabetic() || *first == b'_' => Some(run(0, &is_inside)),
        [first, ..] if first.is_ascii_digit() => Some(run(0, &|b| b.is_ascii_digit())),
        [b'<', b'=' | b'>', ..] | [b'>', b'=', ..] => Some(2),
        [b'=' | b'<' | b'>' | b'(' | b')' | b'[' | b']' | b',' | b'.' | b'+' | b'-', ..] => Some(1),
        _ => None,
    }
}

fn kind(slice: &str) -> Token<'_> {
    match slice.as_bytes().first() {
        Some(b'#') => Token::Name(slice),
        Some(b':') => Token::Value(slice),
        Some(first) if first.is_ascii_digit() => Token::Number(slice),
        Some(first) if first.is_ascii_alphabetic() || *first == b'_' => Token::Word(slice),
        _ => Token::Sign(slice),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cut() {
        let texts = |text| {
            let tokens = tokens(text).unwrap();
            tokens.iter().map(|placed| placed.token.text()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            texts("attribute_exists (#a.b[10])AND:v<>  c_d"),
            "attribute_exists ( #a . b [ 10 ] ) AND :v <> c_d <EOF>"
        );
        assert_eq!(texts(" \t"), "<EOF>");
        assert_eq!(texts("a<=b>=c<d"), "a <= b >= c < d <EOF>");
        assert_eq!(tokens("a & b"), Err("&"));
        assert_eq!(tokens("a = ü"), Err("ü"));
        assert_eq!(tokens("# a"), Err("#"));
        assert_eq!(tokens("a'"), Err("'"));
    }
}
