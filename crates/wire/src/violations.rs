//! The ValidationException of a body whose values break the model's constraints, in AWS's wording.
//!
//! ```text
//! 2 validation errors detected: Value '' at 'streamName' failed to satisfy constraint: Member must
//! have length greater than or equal to 1; Value null at 'records.3.member.data' failed to satisfy
//! constraint: Member must not be null
//! ```
//!
//! Observed by kinesalite's tests against AWS: the joined form with `; `, at most ten, paths with a
//! small first letter, list positions from 1 followed by `.member`, a pattern before lengths.
//! The order between members is the model's; AWS's own order is that of an internal hash.

use crate::Refusal;
use std::fmt::Write as _;

/// Most violations that one answer names.
pub const VIOLATIONS_MAX: usize = 10;

/// Longest value that a message shows, in characters. AWS has no such cut; without it a body of
/// many MiB would come back ten times over.
const VALUE_CHARS_MAX: usize = 4096;

/// One step from the body's root to a value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step<'a> {
    /// A member of a structure, with its position in the model.
    Member(u32, &'static str),
    /// An element of a list, counted from 0.
    Element(u32),
    /// An entry of a map, with its position in the body.
    Entry(u32, &'a str),
}

impl Step<'_> {
    fn order(&self) -> u32 {
        match self {
            Step::Member(i, _) | Step::Element(i) | Step::Entry(i, _) => *i,
        }
    }
}

/// The kinds of violations; the order of one value's violations.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Constraint {
    NotNull,
    Pattern(&'static str),
    Names(&'static [&'static str]),
    LengthMin(u32),
    LengthMax(u32),
    ValueMin(String),
    ValueMax(String),
    Elements(String),
    Keys(String),
    Values(String),
}

impl Constraint {
    /// The sentence that a message ends with.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        self.render(&mut text);
        text
    }

    /// Source: observed (kinesalite's suite).
    fn render(&self, out: &mut String) {
        // Writing to a String cannot fail.
        let _infallible = match self {
            Constraint::NotNull => write!(out, "Member must not be null"),
            Constraint::Pattern(source) => {
                write!(out, "Member must satisfy regular expression pattern: {source}")
            }
            Constraint::Names(names) => out.write_str(&crate::rules::describe_names(names)),
            Constraint::LengthMin(n) => {
                write!(out, "Member must have length greater than or equal to {n}")
            }
            Constraint::LengthMax(n) => {
                write!(out, "Member must have length less than or equal to {n}")
            }
            Constraint::ValueMin(n) => {
                write!(out, "Member must have value greater than or equal to {n}")
            }
            Constraint::ValueMax(n) => {
                write!(out, "Member must have value less than or equal to {n}")
            }
            Constraint::Elements(of) => write!(out, "Member must satisfy constraint: [{of}]"),
            Constraint::Keys(of) => write!(out, "Map keys must satisfy constraint: [{of}]"),
            Constraint::Values(of) => write!(out, "Map value must satisfy constraint: [{of}]"),
        };
    }
}

/// How a message shows the value that breaks a constraint.
#[derive(Clone, Copy)]
pub(crate) enum Shown<'a> {
    Null,
    /// Not at all, as AWS does with bytes (observed since 2025, amazon-kinesis-producer 680).
    LeftOut,
    By(&'a dyn Fn(&mut String)),
}

struct Violation {
    /// Positions from the root, then the constraint: the model's order.
    key: (Vec<u32>, Constraint),
    text: String,
}

/// The violations found so far: the first ten in model order.
#[derive(Default)]
pub(crate) struct Violations {
    sorted: Vec<Violation>,
}

impl Violations {
    /// Notes that the value at `path` breaks `constraint`.
    ///
    /// Why a closure: a hostile body can hold millions of violations; a value that will not be
    /// named is never rendered.
    pub(crate) fn push<'a>(
        &mut self,
        path: impl Iterator<Item = Step<'a>> + Clone,
        constraint: Constraint,
        value: Shown<'_>,
    ) {
        let full = self.sorted.len() == VIOLATIONS_MAX;
        let past_last =
            |v: &Violation| path.clone().map(|s| s.order()).cmp(v.key.0.iter().copied()).is_gt();
        if full && self.sorted.last().is_some_and(past_last) {
            return;
        }
        let key = (path.clone().map(|s| s.order()).collect::<Vec<_>>(), constraint);
        let at = self.sorted.partition_point(|v| v.key <= key);
        if at >= VIOLATIONS_MAX {
            return;
        }
        let mut at_path = String::new();
        render_path(path, &mut at_path);
        let text = sentence(value, &at_path, &key.1);
        self.sorted.insert(at, Violation { key, text });
        self.sorted.truncate(VIOLATIONS_MAX);
    }

    /// Takes back what was noted at or below `path`: a later member of the same name replaces it.
    pub(crate) fn forget<'a>(&mut self, path: impl Iterator<Item = Step<'a>>) {
        if self.sorted.is_empty() {
            return;
        }
        let prefix: Vec<u32> = path.map(|s| s.order()).collect();
        self.sorted.retain(|v| !v.key.0.starts_with(&prefix));
    }

    /// The refusal, when there is a violation.
    ///
    /// Source: observed (kinesalite's suite).
    pub(crate) fn into_refusal(self) -> Option<Refusal> {
        let texts: Vec<String> = self.sorted.into_iter().map(|v| v.text).collect();
        message(&texts).map(Refusal::validation)
    }
}

/// What one violation says.
///
/// Source: observed (kinesalite's suite).
fn sentence(value: Shown<'_>, path: &str, constraint: &Constraint) -> String {
    let mut text = String::from("Value");
    match value {
        Shown::Null => text.push_str(" null"),
        Shown::LeftOut => {}
        Shown::By(show) => {
            text.push_str(" '");
            show(&mut text);
            text.push('\'');
        }
    }
    text.push_str(" at '");
    text.push_str(path);
    text.push_str("' failed to satisfy constraint: ");
    constraint.render(&mut text);
    text
}

/// What all of them say; `None` when there are none.
///
/// Source: observed (kinesalite's suite).
fn message(texts: &[String]) -> Option<String> {
    let count = texts.len();
    let plural = if count == 1 { "" } else { "s" };
    let joined = texts.join("; ");
    (count > 0).then(|| format!("{count} validation error{plural} detected: {joined}"))
}

/// Violations that only an operation can see, in the words and the number of those of the model.
/// They are noted in the order of the request.
#[derive(Debug, Default)]
pub struct LateViolations(Vec<String>);

impl LateViolations {
    /// Notes a member that is missing at `path`, as `records.1.member.data`.
    pub fn missing(&mut self, path: impl FnOnce() -> String) {
        self.note(Shown::Null, path, &Constraint::NotNull);
    }

    /// Notes bytes that are too long.
    pub fn too_long(&mut self, path: impl FnOnce() -> String, bytes_max: u32) {
        self.note(Shown::LeftOut, path, &Constraint::LengthMax(bytes_max));
    }

    /// What a `ValidationException` says of them; `None` when there are none.
    pub fn message(&self) -> Option<String> {
        message(&self.0)
    }

    fn note(&mut self, value: Shown<'_>, path: impl FnOnce() -> String, constraint: &Constraint) {
        if self.0.len() < VIOLATIONS_MAX {
            self.0.push(sentence(value, &path(), constraint));
        }
    }
}

fn render_path<'a>(path: impl Iterator<Item = Step<'a>>, out: &mut String) {
    let start = out.len();
    for step in path {
        if out.len() > start {
            out.push('.');
        }
        match step {
            Step::Member(_, name) => {
                let mut chars = name.chars();
                out.extend(chars.next().map(|c| c.to_ascii_lowercase()));
                out.push_str(chars.as_str());
            }
            Step::Element(i) => {
                out.push_str(&(u64::from(i) + 1).to_string());
                out.push_str(".member");
            }
            Step::Entry(_, key) => {
                show_cut(key, out);
                out.push_str(".member");
            }
        }
    }
}

/// Appends `value`, cut to what a message shows.
pub(crate) fn show_cut(value: &str, out: &mut String) {
    match value.char_indices().nth(VALUE_CHARS_MAX) {
        None => out.push_str(value),
        Some((cut, _)) => out.push_str(value.get(..cut).unwrap_or_default()),
    }
}

/// How a value looks inside a list or map in an error message.
pub trait Show {
    /// Appends the value.
    fn show(&self, out: &mut String);

    /// Whether a list of too many is not shown (records: observed, moto's suite).
    fn is_left_out() -> bool
    where
        Self: Sized,
    {
        false
    }
}

impl Show for crate::Text {
    fn show(&self, out: &mut String) {
        show_cut(self, out);
    }
}

macro_rules! show_by_display {
    ($($type:ty),*) => {$(
        impl Show for $type {
            fn show(&self, out: &mut String) {
                out.push_str(&self.to_string());
            }
        }
    )*};
}
show_by_display!(i32, i64, f64, bool);

impl Show for crate::Timestamp {
    fn show(&self, out: &mut String) {
        out.push_str(&self.0.to_string());
    }
}

impl Show for bytes::Bytes {
    fn show(&self, out: &mut String) {
        let bytes = self.len();
        let _infallible = write!(out, "java.nio.HeapByteBuffer[pos=0 lim={bytes} cap={bytes}]");
    }
}

impl<T: Show> Show for Vec<T> {
    fn show(&self, out: &mut String) {
        out.push('[');
        let start = out.len();
        for (i, element) in self.iter().enumerate() {
            if out.len() - start > VALUE_CHARS_MAX {
                break;
            }
            if i > 0 {
                out.push_str(", ");
            }
            element.show(out);
        }
        out.push(']');
    }
}

impl<T: Show> Show for std::collections::BTreeMap<crate::Text, T> {
    fn show(&self, out: &mut String) {
        out.push('{');
        let start = out.len();
        for (i, (key, value)) in self.iter().enumerate() {
            if out.len() - start > VALUE_CHARS_MAX {
                break;
            }
            if i > 0 {
                out.push_str(", ");
            }
            key.show(out);
            out.push('=');
            value.show(out);
        }
        out.push('}');
    }
}

impl<T: Show> Show for Box<T> {
    fn show(&self, out: &mut String) {
        (**self).show(out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(i: u32, name: &'static str) -> [Step<'static>; 1] {
        [Step::Member(i, name)]
    }

    #[test]
    fn one_is_singular_and_null_has_no_quotes() {
        let mut found = Violations::default();
        found.push(member(0, "StreamName").into_iter(), Constraint::NotNull, Shown::Null);
        assert_eq!(
            found.into_refusal().unwrap().message,
            "1 validation error detected: Value null at 'streamName' failed to satisfy constraint: \
             Member must not be null"
        );
    }

    #[test]
    fn sorted_by_model_and_at_most_ten() {
        let mut found = Violations::default();
        for i in (0..40).rev() {
            let show = |out: &mut String| out.push('x');
            let path = [Step::Member(1, "Records"), Step::Element(i)];
            found.push(path.into_iter(), Constraint::LengthMax(3), Shown::By(&show));
        }
        found.push(member(0, "A").into_iter(), Constraint::LengthMin(1), Shown::Null);
        found.push(member(0, "A").into_iter(), Constraint::Pattern("p"), Shown::Null);
        let message = found.into_refusal().unwrap().message.into_owned();
        assert!(message.starts_with(
            "10 validation errors detected: Value null at 'a' failed to satisfy constraint: Member \
             must satisfy regular expression pattern: p; Value null at 'a' "
        ));
        assert!(message.contains("'x' at 'records.8.member' failed"));
        assert!(!message.contains("records.9.member"));
    }

    #[test]
    fn what_an_operation_sees_is_told_alike() {
        let mut found = LateViolations::default();
        assert_eq!(found.message(), None);
        found.too_long(|| "records.1.member.data".into(), 5);
        found.missing(|| "records.1.member.partitionKey".into());
        assert_eq!(
            found.message().unwrap(),
            "2 validation errors detected: Value at 'records.1.member.data' failed to satisfy \
             constraint: Member must have length less than or equal to 5; Value null at \
             'records.1.member.partitionKey' failed to satisfy constraint: Member must not be null"
        );
        for _ in 0..20 {
            found.missing(|| "x".into());
        }
        assert!(found.message().unwrap().starts_with("10 validation errors detected: "));
    }

    #[test]
    fn a_replaced_member_is_forgotten() {
        let mut found = Violations::default();
        let path = [Step::Member(1, "Records"), Step::Element(0)];
        found.push(path.into_iter(), Constraint::NotNull, Shown::Null);
        found.forget(member(1, "Records").into_iter());
        assert!(found.into_refusal().is_none());
    }
}
