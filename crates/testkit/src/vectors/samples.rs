//! Legal samples of shapes, and values at and past their bounds.

use super::model::{Kind, Model};
use super::value::Value;

/// Most elements tried past a list's bound; larger bounds are left to the unit tests.
const LIST_MAX: f64 = 12_000.0;

/// A string that a pattern matches: what it must begin with, and what may follow any number of
/// times.
const PATTERNS: &[(&str, &str, &str)] = &[
    ("[a-zA-Z0-9_.-]+", "", "q"),
    ("[a-zA-Z0-9\\.\\_]+", "", "q"),
    ("[\\.\\-_/#A-Za-z0-9]+", "", "q"),
    ("[^:*]*", "", "q"),
    ("[0-9a-z_]+", "", "q"),
    ("^[a-z0-9]+$", "", "q"),
    ("[0-9A-Za-z!\\-_'.*()\\/]+", "", "q"),
    ("[0-9A-Za-z!\\-_'.*()\\/=:{}]+", "", "q"),
    ("^(0|([1-9]\\d{0,38}))$", "1", "0"),
    ("^(0|([1-9]\\d{0,128}))$", "1", "0"),
    ("\\d{12}", "12345678901", "2"),
    ("[a-z0-9]{20}-[a-z0-9]{3}", "abcdefghij0123456789-ab", "c"),
    (
        "arn:aws.*:kinesis:.*:\\d{12}:stream/\\S+",
        "arn:aws:kinesis:us-east-1:123456789012:stream/",
        "q",
    ),
    (
        "arn:aws.*:kinesis:.*:\\d{12}:channel/\\S+",
        "arn:aws:kinesis:us-east-1:123456789012:channel/",
        "q",
    ),
    (
        "arn:aws.*:kinesis:.*:\\d{12}:queue/\\S+",
        "arn:aws:kinesis:us-east-1:123456789012:queue/",
        "q",
    ),
    (
        "arn:aws.*:kinesis:.*:\\d{12}:.*(stream|channel|queue)/\\S+",
        "arn:aws:kinesis:us-east-1:123456789012:stream/",
        "q",
    ),
    (
        "^(arn):aws.*:kinesis:.*:\\d{12}:.*stream\\/[a-zA-Z0-9_.-]+\\/consumer\\/[a-zA-Z0-9_.-]+:[0-9]+",
        "arn:aws:kinesis:us-east-1:123456789012:stream/s/consumer/c:1",
        "0",
    ),
    ("arn:aws[-a-z0-9]*:s3:::[a-z0-9._-]{3,63}", "arn:aws:s3:::abc", ""),
    (
        "arn:aws[-a-z0-9]*:glue:[-a-z0-9]+:\\d{12}:schema/[-a-zA-Z0-9_$#.]+/[-a-zA-Z0-9_$#.]+",
        "arn:aws:glue:us-east-1:123456789012:schema/r/",
        "q",
    ),
    (
        "arn:aws[-a-z0-9]*:iam::\\d{12}:role/[a-zA-Z_0-9+=,.@\\-_/]+",
        "arn:aws:iam::123456789012:role/",
        "q",
    ),
    (
        "arn:aws[-a-z0-9]*:s3tables:[-a-z0-9]+:\\d{12}:bucket/[a-z0-9_-]{3,63}",
        "arn:aws:s3tables:us-east-1:123456789012:bucket/abc",
        "",
    ),
];

impl Model {
    /// A legal value of a shape: with every member, or with the required ones only.
    ///
    /// # Panics
    /// A pattern is not in this file's table.
    pub fn sample(&self, shape: &str, whole: bool) -> Value {
        let facts = self.shape(shape);
        let min = facts.min.unwrap_or(0.0).max(1.0);
        match self.kind(shape) {
            Kind::Structure => {
                let members = facts.members.entries.iter();
                let wanted = members.filter(|(name, _)| whole || facts.required.contains(name));
                let sampled = wanted.map(|(name, m)| (name.clone(), self.sample(&m.shape, whole)));
                Value::Map(sampled.collect())
            }
            Kind::List => {
                let element = &facts.member.as_ref().expect("a list has a member").shape;
                Value::List(vec![self.sample(element, whole); min as usize])
            }
            Kind::Map => {
                let key = &facts.key.as_ref().expect("a map has keys").shape;
                let value = &facts.value.as_ref().expect("a map has values").shape;
                let Value::Text(key) = self.sample(key, whole) else {
                    panic!("the keys of `{shape}` are no strings");
                };
                Value::Map(vec![(key, self.sample(value, whole))])
            }
            Kind::Enum => Value::Text(facts.names[facts.names.len() - 1].clone()),
            Kind::Text => Value::Text(self.text(shape, min as usize + 2).unwrap_or_else(|| {
                panic!("no sample for `{shape}` with the pattern {:?}", facts.pattern)
            })),
            Kind::Blob => Value::Blob(b"\x00\xff some bytes"[..].into()),
            Kind::Boolean => Value::Bool(true),
            Kind::Integer | Kind::Long => Value::Int(facts.min.unwrap_or(7.0).max(1.0) as i64),
            Kind::Double => Value::Float(facts.min.unwrap_or(0.5)),
            Kind::Timestamp => Value::Time(1_700_000_000_123),
        }
    }

    /// A string that satisfies the shape's pattern, of this many characters or as near as the
    /// pattern allows.
    fn text(&self, shape: &str, length: usize) -> Option<String> {
        let (begin, fill) = match &self.shape(shape).pattern {
            None => ("", "q"),
            Some(pattern) => {
                let (_, begin, fill) = PATTERNS.iter().find(|(p, ..)| p == pattern)?;
                (*begin, *fill)
            }
        };
        let more = length.saturating_sub(begin.len()).max(usize::from(begin.ends_with('/')));
        let more = if begin == "12345678901" || begin.contains("0123456789-ab") { 1 } else { more };
        Some(begin.to_owned() + &fill.repeat(more))
    }
}

/// One value of every type, for where it does not belong.
pub(super) fn wrong_types() -> Vec<(&'static str, Value)> {
    vec![
        ("true", Value::Bool(true)),
        ("a number", Value::Int(23)),
        ("a large number", Value::Int(2_147_483_648)),
        ("a fraction", Value::Float(34.56)),
        ("a string", Value::Text("2/3*5".to_owned())),
        ("a list", Value::List(Vec::new())),
        ("a structure", Value::Map(Vec::new())),
    ]
}

/// What nobody reads, up to the deepest nesting that is read over.
pub(super) fn unknown_values() -> Vec<(&'static str, Value)> {
    let mut all = wrong_types();
    all.push(("null", Value::Null));
    all.push(("bytes", Value::Blob(vec![0, 255])));
    all.push((
        "a list of structures",
        Value::List(vec![Value::Map(vec![
            ("A".to_owned(), Value::Null),
            ("A".to_owned(), Value::List(vec![Value::Bool(false), Value::Float(0.5)])),
        ])]),
    ));
    all
}

/// Values of a shape at and around each of its bounds.
pub(super) fn boundaries(model: &Model, shape: &str, sample: &Value) -> Vec<(String, Value)> {
    let facts = model.shape(shape);
    let mut made = Vec::new();
    match (model.kind(shape), sample) {
        (Kind::Integer | Kind::Long, _) => {
            for (what, number) in around(facts.min, facts.max) {
                made.push((what, Value::Int(number as i64)));
            }
            made.push(("the largest number".into(), Value::Int(i64::MAX)));
            made.push(("the smallest number".into(), Value::Int(i64::MIN)));
            made.push(("a fraction".into(), Value::Float(1.99)));
        }
        (Kind::Text, _) => {
            for (what, length) in around(facts.min, facts.max) {
                let length = length.max(0.0) as usize;
                made.push((what.clone(), Value::Text("é".repeat(length))));
                made.extend(model.text(shape, length).map(|text| (what, Value::Text(text))));
            }
            for odd in ["", " ", "*", ":", "a b", "01", "q\n", "\u{0}", "𝄞", "arn:aws:s3:::ab"] {
                made.push((format!("{odd:?}"), Value::Text(odd.to_owned())));
            }
        }
        (Kind::Enum, _) => {
            for name in &facts.names {
                made.push((name.clone(), Value::Text(name.clone())));
            }
            made.push(("another name".into(), Value::Text("NO_SUCH".into())));
            made.push(("an empty name".into(), Value::Text(String::new())));
        }
        (Kind::Blob, _) => {
            for (what, length) in around(facts.min, facts.max) {
                if length >= 0.0 {
                    made.push((what, Value::Blob(vec![0x5a; length as usize])));
                }
            }
        }
        (Kind::List, Value::List(elements)) => {
            for (what, count) in around(facts.min, facts.max.filter(|max| *max < LIST_MAX)) {
                if let Some(element) = elements.first().filter(|_| count >= 0.0) {
                    made.push((what, Value::List(vec![element.clone(); count as usize])));
                }
            }
        }
        (Kind::Map, Value::Map(entries)) => {
            let value = entries.first().map_or(Value::Null, |(_, value)| value.clone());
            for (what, count) in around(facts.min, facts.max) {
                let keys = 0..count.max(0.0) as usize;
                let entries = keys.map(|i| (format!("q{i}"), value.clone())).collect();
                made.push((what, Value::Map(entries)));
            }
            let key = &facts.key.as_ref().expect("a map has keys").shape;
            for (what, changed) in boundaries(model, key, &Value::Null) {
                if let Value::Text(key) = changed {
                    made.push((format!("key {what}"), Value::Map(vec![(key, value.clone())])));
                }
            }
        }
        _ => {}
    }
    // Just below a large bound is like on it, and slow.
    made.retain(|(what, value)| !(what == "max - 1" && value.is_large()));
    made
}

fn around(min: Option<f64>, max: Option<f64>) -> Vec<(String, f64)> {
    let mut all = Vec::new();
    for (name, bound) in [("min", min), ("max", max)] {
        let Some(bound) = bound else { continue };
        for (step, sign) in [(-1.0, " - 1"), (0.0, ""), (1.0, " + 1")] {
            all.push((format!("{name}{sign}"), bound + step));
        }
    }
    all
}
