//! Terms and phrases that a message has, or has not.

use super::cursor::Cursor;
use super::literal::regex;
use regex::Regex;

/// See the module. Letters count as they are written, large or small.
#[derive(Debug)]
pub(in crate::logs) struct Terms {
    wanted: Vec<Term>,
    unwanted: Vec<Term>,
    /// Of which one is enough; passed over where there are others.
    either: Vec<Term>,
}

#[derive(Debug)]
enum Term {
    Text(String),
    Regex(Regex),
}

impl Terms {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut terms = Self { wanted: Vec::new(), unwanted: Vec::new(), either: Vec::new() };
        let mut cursor = Cursor(text);
        while !cursor.is_over() {
            let list = match cursor.peek() {
                Some('-') => {
                    cursor.eat("-");
                    &mut terms.unwanted
                }
                Some('?') => {
                    cursor.eat("?");
                    &mut terms.either
                }
                _ => &mut terms.wanted,
            };
            list.push(Term::take(&mut cursor)?);
        }
        Some(terms)
    }

    pub(super) fn matches(&self, message: &str) -> bool {
        let is_in = |term: &Term| term.is_in(message);
        if self.wanted.is_empty() && self.unwanted.is_empty() {
            return self.either.is_empty() || self.either.iter().any(is_in);
        }
        self.wanted.iter().all(is_in) && !self.unwanted.iter().any(is_in)
    }
}

impl Term {
    fn take(cursor: &mut Cursor<'_>) -> Option<Self> {
        match cursor.peek()? {
            '"' => cursor.take_quoted('"').map(Self::Text),
            '%' => regex(cursor.take_regex()?).map(Self::Regex),
            _ => {
                let word = cursor.take_while(|c| !c.is_whitespace() && c != '"');
                (!word.is_empty()).then(|| Self::Text(word.to_owned()))
            }
        }
    }

    fn is_in(&self, message: &str) -> bool {
        match self {
            Self::Text(text) => message.contains(text.as_str()),
            Self::Regex(regex) => regex.is_match(message),
        }
    }
}
