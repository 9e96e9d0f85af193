//! `[a, b = ..., c]`: messages of columns between blanks, by these.
//!
//! What is in quotes or in brackets is one column. A message must have as many columns as the
//! pattern, unless that has dots (`...`), which are as many as it takes.

use super::cursor::Cursor;
use super::expression::{Condition, Test};
use std::collections::BTreeMap;

/// See the module.
#[derive(Debug)]
pub(in crate::logs) struct Columns {
    /// The columns from the left on.
    front: Vec<Column>,
    /// With dots between, those up to the right end.
    back: Option<Vec<Column>>,
}

#[derive(Debug)]
struct Column {
    /// None: any column, which nobody asks about.
    name: Option<String>,
    condition: Option<Condition<String>>,
}

impl Columns {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut cursor = Cursor(text.strip_prefix('[')?);
        let mut columns = Self { front: Vec::new(), back: None };
        loop {
            if cursor.eat("...") {
                if columns.back.replace(Vec::new()).is_some() {
                    return None;
                }
            } else {
                let column = Column::take(&mut cursor)?;
                columns.back.as_mut().unwrap_or(&mut columns.front).push(column);
            }
            if cursor.eat("]") {
                return (cursor.is_over() && columns.is_sound()).then_some(columns);
            }
            if !cursor.eat(",") {
                return None;
            }
        }
    }

    /// Whether conditions ask about columns that there are.
    fn is_sound(&self) -> bool {
        let mut asked = Vec::new();
        for column in self.all() {
            if let Some(condition) = &column.condition {
                condition.fields(&mut asked);
            }
        }
        asked.iter().all(|name| self.all().any(|column| column.name.as_ref() == Some(*name)))
    }

    fn all(&self) -> impl Iterator<Item = &Column> {
        self.front.iter().chain(self.back.iter().flatten())
    }

    /// The columns of a message by their names; `None`: it has others.
    fn bind<'a>(&'a self, message: &'a str) -> Option<BTreeMap<&'a str, &'a str>> {
        let values = split(message);
        let back = self.back.as_ref();
        let wanted = self.front.len() + back.map_or(0, Vec::len);
        let fits = if back.is_some() { values.len() >= wanted } else { values.len() == wanted };
        if !fits {
            return None;
        }
        let behind = values.len() - back.map_or(0, Vec::len);
        let front = self.front.iter().zip(&values);
        let back = back.into_iter().flatten().zip(values.iter().skip(behind));
        let named = front.chain(back);
        Some(named.filter_map(|(column, text)| Some((column.name.as_deref()?, *text))).collect())
    }

    pub(super) fn matches(&self, message: &str) -> bool {
        let Some(bound) = self.bind(message) else { return false };
        let passes = |name: &String, test: &Test| {
            let Some(text) = bound.get(name.as_str()) else { return false };
            match test {
                Test::Named => true,
                Test::Compares(operator, literal) => {
                    literal.fits(*operator, (text, text.parse().ok()))
                }
                Test::IsNull | Test::IsBool(_) | Test::IsMissing => false,
            }
        };
        let mut conditions = self.all().filter_map(|column| column.condition.as_ref());
        conditions.all(|condition| condition.holds(&passes))
    }

    pub(super) fn extracted(&self, message: &str) -> BTreeMap<String, String> {
        let bound = self.bind(message).unwrap_or_default();
        bound.into_iter().map(|(name, text)| (format!("${name}"), text.to_owned())).collect()
    }
}

impl Column {
    fn take(cursor: &mut Cursor<'_>) -> Option<Self> {
        cursor.skip_blanks();
        if let Some(',' | ']') = cursor.peek() {
            return Some(Self { name: None, condition: None });
        }
        let condition = Condition::take(cursor, &take_name)?;
        let mut names = Vec::new();
        condition.fields(&mut names);
        let name = names.first().map(|name| (*name).clone());
        let is_named_only = matches!(condition, Condition::Test(_, Test::Named));
        Some(Self { name, condition: (!is_named_only).then_some(condition) })
    }
}

fn take_name(cursor: &mut Cursor<'_>) -> Option<String> {
    let name = cursor.take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '$'));
    (!name.is_empty()).then(|| name.to_owned())
}

/// The columns of a message.
fn split(message: &str) -> Vec<&str> {
    let mut columns = Vec::new();
    let mut rest = message.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '"' => Some('"'),
            '[' => Some(']'),
            _ => None,
        };
        let inner = end.and_then(|end| rest.split_at(1).1.split_once(end));
        let (column, behind) =
            inner.unwrap_or_else(|| rest.split_once(char::is_whitespace).unwrap_or((rest, "")));
        columns.push(column);
        rest = behind.trim_start();
    }
    columns
}
