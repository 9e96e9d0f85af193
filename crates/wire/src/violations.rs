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
    /// Notes that the value at `path`, shown by `value` (`None` for null), breaks `constraint`.
    ///
    /// Why a closure: a hostile body can hold millions of violations; a value that will not be
    /// named is never rendered.
    pub(crate) fn push<'a>(
        &mut self,
        path: impl Iterator<Item = Step<'a>> + Clone,
        constraint: Constraint,
        value: Option<&dyn Fn(&mut String)>,
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
        let mut text = String::from("Value ");
        match value {
            None => text.push_str("null"),
            Some(show) => {
                text.push('\'');
                show(&mut text);
                text.push('\'');
            }
        }
        text.push_str(" at '");
        render_path(path, &mut text);
        text.push_str("' failed to satisfy constraint: ");
        key.1.render(&mut text);
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
        let count = self.sorted.len();
        if count == 0 {
            return None;
        }
        let plural = if count == 1 { "" } else { "s" };
        let texts: Vec<String> = self.sorted.into_iter().map(|v| v.text).collect();
        let joined = texts.join("; ");
        Some(Refusal::validation(format!("{count} validation error{plural} detected: {joined}")))
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
        found.push(member(0, "StreamName").into_iter(), Constraint::NotNull, None);
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
            found.push(path.into_iter(), Constraint::LengthMax(3), Some(&show));
        }
        found.push(member(0, "A").into_iter(), Constraint::LengthMin(1), None);
        found.push(member(0, "A").into_iter(), Constraint::Pattern("p"), None);
        let message = found.into_refusal().unwrap().message.into_owned();
        assert!(message.starts_with(
            "10 validation errors detected: Value null at 'a' failed to satisfy constraint: Member \
             must satisfy regular expression pattern: p; Value null at 'a' "
        ));
        assert!(message.contains("'x' at 'records.8.member' failed"));
        assert!(!message.contains("records.9.member"));
    }

    #[test]
    fn a_replaced_member_is_forgotten() {
        let mut found = Violations::default();
        let path = [Step::Member(1, "Records"), Step::Element(0)];
        found.push(path.into_iter(), Constraint::NotNull, None);
        found.forget(member(1, "Records").into_iter());
        assert!(found.into_refusal().is_none());
    }
}
