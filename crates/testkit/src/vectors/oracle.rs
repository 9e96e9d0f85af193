//! What the model demands of a body: a second reading of the rules, over a tree.
//!
//! Wording observed on AWS by kinesalite's tests; see `wire`'s `violations`.

use super::Expect;
use super::model::{Kind, Model};
use super::value::Value;
use regex::Regex;
use std::collections::HashMap;
use std::sync::Mutex;

/// Most violations that one answer names.
const VIOLATIONS_MAX: usize = 10;
/// Longest value that a message shows, in characters.
const SHOWN_CHARS_MAX: usize = 4096;
const NUMBER: &str = "class com.amazon.coral.value.json.numbers.TruncatingBigNumber";

/// What must come of `body` as the input `shape`.
pub(super) fn expect(model: &Model, ignored: &[String], shape: &str, body: &Value) -> Expect {
    let oracle = Oracle { model, ignored };
    if *body == Value::Null {
        return Expect::Serialization(None);
    }
    if let Err(message) = oracle.types(shape, body) {
        return Expect::Serialization(Some(message));
    }
    let mut found = Vec::new();
    oracle.rules(shape, body, "", &mut found);
    found.truncate(VIOLATIONS_MAX);
    match found.len() {
        0 => Expect::Accepted,
        1 => Expect::Validation(format!("1 validation error detected: {}", found[0])),
        n => Expect::Validation(format!("{n} validation errors detected: {}", found.join("; "))),
    }
}

struct Oracle<'a> {
    model: &'a Model,
    ignored: &'a [String],
}

impl Oracle<'_> {
    /// The first value of a wrong type, in the body's order.
    fn types(&self, shape: &str, value: &Value) -> Result<(), String> {
        let facts = self.model.shape(shape);
        let kind = self.model.kind(shape);
        match (kind, value) {
            (_, Value::Null)
            | (Kind::Enum | Kind::Text, Value::Text(_))
            | (Kind::Blob, Value::Blob(_))
            | (Kind::Boolean, Value::Bool(_))
            | (Kind::Integer | Kind::Long | Kind::Double, Value::Int(_) | Value::Float(_))
            | (Kind::Timestamp, Value::Int(_) | Value::Float(_) | Value::Time(_)) => Ok(()),
            (Kind::Structure, Value::Map(entries)) => {
                for (name, inner) in entries {
                    let member = facts.members.get(name).filter(|_| !self.ignored.contains(name));
                    if let Some(member) = member {
                        self.types(&member.shape, inner)?;
                    }
                }
                Ok(())
            }
            (Kind::List, Value::List(elements)) => {
                let element = &facts.member.as_ref().expect("a list has a member").shape;
                elements.iter().try_for_each(|inner| self.types(element, inner))
            }
            (Kind::Map, Value::Map(entries)) => {
                let inner = &facts.value.as_ref().expect("a map has values").shape;
                entries.iter().try_for_each(|(_, value)| self.types(inner, value))
            }
            (_, found) => Err(wrong_type(kind, found)),
        }
    }

    /// Every broken rule of a value that stands at `path`, in the model's order.
    fn rules(&self, shape: &str, value: &Value, path: &str, found: &mut Vec<String>) {
        let facts = self.model.shape(shape);
        self.own_rules(shape, value, path, found);
        match (self.model.kind(shape), value) {
            (Kind::Structure, Value::Map(entries)) => {
                let members = facts.members.entries.iter();
                for (name, member) in members.filter(|(name, _)| !self.ignored.contains(name)) {
                    // Of two members of one name the last wins.
                    let last = entries.iter().rev().find(|(n, _)| n == name);
                    let path = join(path, &lower_first(name));
                    match last.map(|(_, value)| value) {
                        None | Some(Value::Null) => {
                            if facts.required.contains(name) {
                                found.push(null_at(&path));
                            }
                        }
                        Some(value) => self.rules(&member.shape, value, &path, found),
                    }
                }
            }
            (Kind::List, Value::List(elements)) => {
                let element = &facts.member.as_ref().expect("a list has a member").shape;
                for (i, inner) in elements.iter().enumerate() {
                    let path = join(path, &format!("{}.member", i + 1));
                    self.inner(element, inner, &path, found);
                }
            }
            (Kind::Map, Value::Map(entries)) => {
                let of = &facts.value.as_ref().expect("a map has values").shape;
                for (key, inner) in entries {
                    let path = join(path, &format!("{key}.member"));
                    self.inner(of, inner, &path, found);
                }
            }
            _ => {}
        }
    }

    /// A value inside a list or map: scalars are told of with their container.
    fn inner(&self, shape: &str, value: &Value, path: &str, found: &mut Vec<String>) {
        if *value == Value::Null {
            found.push(null_at(path));
        } else if matches!(self.model.kind(shape), Kind::Structure | Kind::List | Kind::Map) {
            self.rules(shape, value, path, found);
        }
    }

    /// Whether a list is one of too many structures with bytes.
    fn is_left_out(&self, list: &str, length: usize) -> bool {
        let facts = self.model.shape(list);
        let element = facts.member.as_ref().map(|member| self.model.shape(&member.shape));
        let is_blob = |shape: &str| self.model.kind(shape) == Kind::Blob;
        facts.max.is_some_and(|max| length as f64 > max)
            && element.is_some_and(|e| e.members.entries.iter().any(|(_, m)| is_blob(&m.shape)))
    }

    fn own_rules(&self, shape: &str, value: &Value, path: &str, found: &mut Vec<String>) {
        let shown = match value {
            // Bytes are not shown.
            Value::Blob(_) => String::new(),
            Value::List(elements) if self.is_left_out(shape, elements.len()) => String::new(),
            _ => format!(" '{}'", self.shown(shape, value)),
        };
        let mut push = |constraint: String| {
            found.push(format!(
                "Value{shown} at '{path}' failed to satisfy constraint: {constraint}"
            ));
        };
        for constraint in self.scalar_rules(shape, value) {
            push(constraint);
        }
        let facts = self.model.shape(shape);
        match (self.model.kind(shape), value) {
            (Kind::List, Value::List(elements)) => {
                let element = &facts.member.as_ref().expect("a list has a member").shape;
                if elements.iter().any(|inner| !self.scalar_rules(element, inner).is_empty()) {
                    let of = self.described(element);
                    if let Some(of) = of {
                        push(format!("Member must satisfy constraint: [{of}]"));
                    }
                }
            }
            (Kind::Map, Value::Map(entries)) => {
                let key = &facts.key.as_ref().expect("a map has keys").shape;
                let inner = &facts.value.as_ref().expect("a map has values").shape;
                let bad_key = |(k, _): &(String, Value)| {
                    !self.scalar_rules(key, &Value::Text(k.clone())).is_empty()
                };
                if entries.iter().any(bad_key) {
                    let of = self.described(key).unwrap_or_default();
                    push(format!("Map keys must satisfy constraint: [{of}]"));
                }
                let bad = |(_, v): &(String, Value)| !self.scalar_rules(inner, v).is_empty();
                if let Some(of) = self.described(inner).filter(|_| entries.iter().any(bad)) {
                    push(format!("Map value must satisfy constraint: [{of}]"));
                }
            }
            _ => {}
        }
    }

    /// The rules that a value breaks by itself.
    fn scalar_rules(&self, shape: &str, value: &Value) -> Vec<String> {
        let facts = self.model.shape(shape);
        let (min, max) = (facts.min, facts.max);
        let mut broken = Vec::new();
        let size = match (self.model.kind(shape), value) {
            (Kind::Enum, Value::Text(text)) => {
                if !facts.names.contains(text) {
                    let all = facts.names.join(", ");
                    broken.push(format!("Member must satisfy enum value set: [{all}]"));
                }
                None
            }
            (Kind::Text, Value::Text(text)) => {
                if let Some(pattern) = facts.pattern.as_ref().filter(|p| !matches(p, text)) {
                    broken
                        .push(format!("Member must satisfy regular expression pattern: {pattern}"));
                }
                Some(text.chars().count())
            }
            (Kind::Blob, Value::Blob(bytes)) => Some(bytes.len()),
            (Kind::List, Value::List(elements)) => Some(elements.len()),
            (Kind::Map, Value::Map(entries)) => {
                let mut keys: Vec<&String> = entries.iter().map(|(key, _)| key).collect();
                keys.sort();
                keys.dedup();
                Some(keys.len())
            }
            (Kind::Integer | Kind::Long, _) => {
                let number = whole(self.model.kind(shape), value) as f64;
                if min.is_some_and(|min| number < min) {
                    let min = min.unwrap_or_default();
                    broken.push(format!("Member must have value greater than or equal to {min}"));
                }
                if max.is_some_and(|max| number > max) {
                    let max = max.unwrap_or_default();
                    broken.push(format!("Member must have value less than or equal to {max}"));
                }
                None
            }
            _ => None,
        };
        let Some(size) = size else { return broken };
        if let Some(min) = min.filter(|min| (size as f64) < *min) {
            broken.push(format!("Member must have length greater than or equal to {min}"));
        }
        if let Some(max) = max.filter(|max| size as f64 > *max) {
            broken.push(format!("Member must have length less than or equal to {max}"));
        }
        broken
    }

    /// A scalar's rules as its container's message shows them.
    fn described(&self, shape: &str) -> Option<String> {
        let facts = self.model.shape(shape);
        let mut parts = Vec::new();
        match self.model.kind(shape) {
            Kind::Enum => {
                parts.push(format!(
                    "Member must satisfy enum value set: [{}]",
                    facts.names.join(", ")
                ));
            }
            Kind::Text => {
                if let Some(max) = facts.max {
                    parts.push(format!("Member must have length less than or equal to {max}"));
                }
                if let Some(min) = facts.min {
                    parts.push(format!("Member must have length greater than or equal to {min}"));
                }
                if let Some(pattern) = &facts.pattern {
                    parts
                        .push(format!("Member must satisfy regular expression pattern: {pattern}"));
                }
            }
            _ => return None,
        }
        Some(parts.join(", "))
    }

    fn shown(&self, shape: &str, value: &Value) -> String {
        let facts = self.model.shape(shape);
        match (self.model.kind(shape), value) {
            (Kind::Structure, _) => shape.to_owned(),
            (Kind::Integer | Kind::Long, number) => {
                whole(self.model.kind(shape), number).to_string()
            }
            (_, Value::Text(text)) => text.chars().take(SHOWN_CHARS_MAX).collect(),
            (_, Value::Blob(bytes)) => {
                let n = bytes.len();
                format!("java.nio.HeapByteBuffer[pos=0 lim={n} cap={n}]")
            }
            (Kind::List, Value::List(elements)) => {
                let element = &facts.member.as_ref().expect("a list has a member").shape;
                let present = elements.iter().filter(|inner| **inner != Value::Null);
                let all = present.map(|inner| self.shown(element, inner)).collect();
                format!("[{}]", cut_list(all))
            }
            (Kind::Map, Value::Map(entries)) => {
                let inner = &facts.value.as_ref().expect("a map has values").shape;
                let mut sorted: Vec<_> =
                    entries.iter().filter(|(_, v)| *v != Value::Null).collect();
                sorted.sort_by(|a, b| a.0.cmp(&b.0));
                let each = |(k, v): &(String, Value)| format!("{k}={}", self.shown(inner, v));
                format!("{{{}}}", cut_list(sorted.into_iter().map(each).collect()))
            }
            (_, other) => format!("{other:?}"),
        }
    }
}

/// Joins elements until the message shows enough.
fn cut_list(elements: Vec<String>) -> String {
    let mut out = String::new();
    for (i, element) in elements.into_iter().enumerate() {
        if out.len() > SHOWN_CHARS_MAX {
            break;
        }
        if i > 0 {
            out.push_str(", ");
        }
        out.push_str(&element);
    }
    out
}

fn whole(kind: Kind, value: &Value) -> i64 {
    let wide = match value {
        Value::Int(number) => *number,
        Value::Float(number) => *number as i64,
        _ => 0,
    };
    if kind == Kind::Integer { wide.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) } else { wide }
}

/// How AWS says that a value of one type stands where another belongs.
fn wrong_type(wanted: Kind, found: &Value) -> String {
    let list = "Start of list found where not expected".to_owned();
    let map = "Start of structure or map found where not expected.".to_owned();
    let target = match (wanted, found) {
        (Kind::List, Value::Map(_)) => return map,
        (Kind::List, _) => return "Expected list or null".to_owned(),
        (_, Value::List(_)) => return list,
        (Kind::Map, _) => return "Expected map or null".to_owned(),
        (Kind::Structure, _) => return "Expected null".to_owned(),
        (_, Value::Map(_)) => return map,
        (Kind::Boolean, Value::Text(text)) => {
            return format!("'{}' can not be converted to an Boolean", text.to_uppercase());
        }
        // The sample string is no base64; which message depends on the format.
        (Kind::Blob, Value::Text(text)) => {
            return format!(
                "'{text}' can not be converted to a Blob: Base64 encoded length is expected a \
                 multiple of 4 bytes but found: {}",
                text.len()
            );
        }
        (Kind::Blob, _) => "a Blob",
        (Kind::Timestamp, _) => "milliseconds since epoch",
        (Kind::Integer, _) => "an Integer",
        (Kind::Long, _) => "an Long",
        (Kind::Double, _) => "an Double",
        (Kind::Boolean, _) => "an Boolean",
        _ => "an String",
    };
    let class = match found {
        Value::Bool(_) => "class java.lang.Boolean",
        Value::Int(_) | Value::Float(_) | Value::Time(_) => NUMBER,
        Value::Text(_) => "class java.lang.String",
        _ => "class java.nio.HeapByteBuffer",
    };
    format!("{class} can not be converted to {target}")
}

/// Whether a pattern of the model matches a whole string, Java's way: its classes know ASCII only
/// and its dot stops at line ends.
fn matches(pattern: &str, text: &str) -> bool {
    static COMPILED: Mutex<Option<HashMap<String, Regex>>> = Mutex::new(None);
    let mut compiled = COMPILED.lock().expect("no test panics while it matches");
    let all = compiled.get_or_insert_default();
    let regex = all.entry(pattern.to_owned()).or_insert_with(|| {
        let ascii = pattern.replace("\\d", "[0-9]").replace("\\S", "[^\\t\\n\\x0B\\f\\r ]");
        Regex::new(&format!("^(?:{ascii})$")).expect("the model's patterns compile")
    });
    let line_end = text.contains(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']);
    // No pattern of this service lets a line end through but the negated class.
    regex.is_match(text) && !(line_end && pattern.contains(".*"))
}

fn null_at(path: &str) -> String {
    format!("Value null at '{path}' failed to satisfy constraint: Member must not be null")
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn lower_first(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |c| c.to_ascii_lowercase().to_string() + chars.as_str())
}
