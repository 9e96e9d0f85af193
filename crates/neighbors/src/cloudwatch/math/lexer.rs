//! Texts of expressions to tokens, one at a time.
//!
//! One at a time, since a text that is refused for its first word (`SELECT`) need not be cut.

use super::Flaw;
use super::flaws;
use std::fmt;

/// Signs of two characters before those of one.
const SIGNS: [&str; 18] = [
    "==", "!=", "<=", ">=", "&&", "||", "<", ">", "+", "-", "*", "/", "^", "(", ")", "[", "]", ",",
];

/// A token of an expression.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Token<'a> {
    /// An id: its first letter is a small one.
    Name(&'a str),
    /// A function or a word of the grammar: its first letter is a capital.
    Word(&'a str),
    Number(f64),
    /// What is between quotes.
    Text(&'a str),
    Sign(&'static str),
    End,
}

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(text) | Self::Word(text) => write!(f, "'{text}'"),
            Self::Number(number) => write!(f, "'{number}'"),
            Self::Text(text) => write!(f, "\"{text}\""),
            Self::Sign(sign) => write!(f, "'{sign}'"),
            Self::End => f.write_str("the end"),
        }
    }
}

/// The rest of a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lexer<'a> {
    rest: &'a str,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// The next token; [`Token::End`] for ever at the end.
    ///
    /// # Errors
    /// A character at which none begins, a text without an end, a number that is too great.
    pub(super) fn next(&mut self) -> Result<Token<'a>, Flaw> {
        self.rest = self.rest.trim_start();
        let Some(first) = self.rest.chars().next() else {
            return Ok(Token::End);
        };
        match first {
            'a'..='z' => Ok(Token::Name(self.word())),
            'A'..='Z' => Ok(Token::Word(self.word())),
            '0'..='9' | '.' => self.number(),
            '"' | '\'' => self.text(first),
            _ => self.sign(first),
        }
    }

    /// Cuts off so many bytes.
    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    fn word(&mut self) -> &'a str {
        let is_inside = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        self.take(self.rest.bytes().take_while(is_inside).count())
    }

    /// Digits, perhaps with a point among them, perhaps with an exponent.
    fn number(&mut self) -> Result<Token<'a>, Flaw> {
        let bytes = self.rest.as_bytes();
        let digits = |from: usize| {
            bytes.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count() + from
        };
        let mut end = digits(0);
        if bytes.get(end) == Some(&b'.') {
            end = digits(end + 1);
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let is_signed = matches!(bytes.get(end + 1), Some(b'+' | b'-'));
            let exponent = end + 1 + usize::from(is_signed);
            if digits(exponent) > exponent {
                end = digits(exponent);
            }
        }
        let text = self.take(end);
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Token::Number(number)),
            _ => Err(flaws::syntax(&format!("'{text}' is no number"))),
        }
    }

    fn text(&mut self, quote: char) -> Result<Token<'a>, Flaw> {
        let inside = self.rest.strip_prefix(quote).unwrap_or_default();
        let Some((text, rest)) = inside.split_once(quote) else {
            return Err(flaws::syntax("a text without its closing quote"));
        };
        self.rest = rest;
        Ok(Token::Text(text))
    }

    fn sign(&mut self, first: char) -> Result<Token<'a>, Flaw> {
        match SIGNS.into_iter().find(|sign| self.rest.starts_with(sign)) {
            Some(sign) => {
                self.take(sign.len());
                Ok(Token::Sign(sign))
            }
            None => Err(flaws::syntax(&format!("unexpected '{first}'"))),
        }
    }
}
