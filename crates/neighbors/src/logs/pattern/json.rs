//! `{ ... }`: messages that are JSON, by their properties.
//!
//! A property is `$.a.b`, `$.a[0]`, `$.a[*]` (any element), `$["a b"]`.

use super::cursor::Cursor;
use super::expression::{Condition, Test};
use serde_json::Value;
use std::collections::BTreeMap;

/// See the module.
#[derive(Debug)]
pub(in crate::logs) struct Properties(Condition<Property>);

#[derive(Debug)]
struct Property {
    /// As it was written.
    text: String,
    steps: Vec<Step>,
}

#[derive(Debug)]
enum Step {
    Key(String),
    Element(usize),
    EachElement,
}

impl Properties {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut cursor = Cursor(text.strip_prefix('{')?);
        let condition = Condition::take(&mut cursor, &Property::take)?;
        let is_whole = cursor.eat("}") && cursor.is_over();
        let mut is_named_only = false;
        visit(&condition, &mut |test| is_named_only |= matches!(test, Test::Named));
        (is_whole && !is_named_only).then_some(Self(condition))
    }

    pub(super) fn matches(&self, message: &str) -> bool {
        read(message)
            .is_some_and(|value| self.0.holds(&|property, test| property.passes(&value, test)))
    }

    pub(super) fn extracted(&self, message: &str) -> BTreeMap<String, String> {
        let Some(value) = read(message) else { return BTreeMap::new() };
        let mut properties = Vec::new();
        self.0.fields(&mut properties);
        let extracted = properties.into_iter().filter_map(|property| {
            let found = property.find(&value).into_iter().next()?;
            let text = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
            Some((property.text.clone(), text))
        });
        extracted.collect()
    }
}

fn visit(condition: &Condition<Property>, see: &mut dyn FnMut(&Test)) {
    match condition {
        Condition::All(inner) | Condition::Any(inner) => {
            inner.iter().for_each(|condition| visit(condition, see));
        }
        Condition::Test(_, test) => see(test),
    }
}

/// A message as JSON, if it is an object or a list.
fn read(message: &str) -> Option<Value> {
    let message = message.trim();
    message.starts_with(['{', '[']).then(|| serde_json::from_str(message).ok())?
}

impl Property {
    fn take(cursor: &mut Cursor<'_>) -> Option<Self> {
        let begin = cursor.0;
        if !cursor.eat("$") {
            return None;
        }
        let mut steps = Vec::new();
        while let Some(c @ ('.' | '[')) = cursor.peek() {
            cursor.eat(if c == '.' { "." } else { "[" });
            if c == '.' && cursor.peek() != Some('[') {
                let is_inside = |c: char| !c.is_whitespace() && !".[]=!<>()&|{}\"".contains(c);
                let key = cursor.take_while(is_inside);
                if key.is_empty() {
                    return None;
                }
                steps.push(Step::Key(key.to_owned()));
            } else if c == '[' {
                steps.push(Step::take_bracketed(cursor)?);
            }
        }
        let text = begin.strip_suffix(cursor.0)?.to_owned();
        (!steps.is_empty()).then_some(Self { text, steps })
    }

    /// What it is in a message; several only where it has each element.
    fn find<'a>(&self, value: &'a Value) -> Vec<&'a Value> {
        let mut found = vec![value];
        for step in &self.steps {
            found = match step {
                Step::Key(key) => found.into_iter().filter_map(|value| value.get(key)).collect(),
                Step::Element(at) => found.into_iter().filter_map(|value| value.get(at)).collect(),
                Step::EachElement => {
                    found.into_iter().filter_map(Value::as_array).flatten().collect()
                }
            };
        }
        found
    }

    fn passes(&self, message: &Value, test: &Test) -> bool {
        let found = self.find(message);
        match test {
            Test::Named => !found.is_empty(),
            Test::IsMissing => found.is_empty(),
            Test::IsNull => found.iter().any(|value| value.is_null()),
            Test::IsBool(want) => found.iter().any(|value| value.as_bool() == Some(*want)),
            Test::Compares(operator, literal) => found.into_iter().any(|value| match value {
                Value::String(text) => literal.fits(*operator, (text, None)),
                Value::Number(number) => {
                    literal.fits(*operator, (&number.to_string(), number.as_f64()))
                }
                Value::Bool(value) => {
                    literal.fits(*operator, (if *value { "true" } else { "false" }, None))
                }
                Value::Null | Value::Array(_) | Value::Object(_) => false,
            }),
        }
    }
}

impl Step {
    /// Takes what is between brackets, the first of which is taken.
    fn take_bracketed(cursor: &mut Cursor<'_>) -> Option<Self> {
        cursor.skip_blanks();
        let step = match cursor.peek()? {
            mark @ ('"' | '\'') => Self::Key(cursor.take_quoted(mark)?),
            '*' => cursor.eat("*").then_some(Self::EachElement)?,
            _ => Self::Element(cursor.take_while(|c| c.is_ascii_digit()).parse().ok()?),
        };
        cursor.eat("]").then_some(step)
    }
}
