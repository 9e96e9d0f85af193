//! Places in an item, and the part of it that they name.

use crate::dynamodb::value::{Item, Value};
use std::collections::BTreeMap;
use std::fmt;

/// A place in an item: an attribute, then steps into maps and lists.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::dynamodb) struct Path {
    pub(in crate::dynamodb) attribute: String,
    pub(in crate::dynamodb) steps: Vec<Step>,
}

/// One step into a value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::dynamodb) enum Step {
    Member(String),
    Element(usize),
}

impl Path {
    /// An attribute as a whole.
    pub(in crate::dynamodb) fn attribute(name: impl Into<String>) -> Self {
        Self { attribute: name.into(), steps: Vec::new() }
    }

    /// What is there.
    pub(in crate::dynamodb) fn find<'a>(&self, item: &'a Item) -> Option<&'a Value> {
        let attribute = item.get(&self.attribute)?;
        self.steps.iter().try_fold(attribute, |value, step| match (step, value) {
            (Step::Member(name), Value::M(members)) => members.get(name),
            (Step::Element(index), Value::L(elements)) => elements.get(*index),
            _ => None,
        })
    }

    /// Whether there is a value in which its last step could be.
    pub(in crate::dynamodb) fn has_holder(&self, item: &Item) -> bool {
        let Some((last, steps)) = self.steps.split_last() else { return true };
        let holder = Self { attribute: self.attribute.clone(), steps: steps.to_vec() };
        matches!(
            (holder.find(item), last),
            (Some(Value::M(_)), Step::Member(_)) | (Some(Value::L(_)), Step::Element(_))
        )
    }

    /// Whether one of the two lies in the other, or is the other.
    pub(in crate::dynamodb) fn overlaps(&self, other: &Self) -> bool {
        self.attribute == other.attribute
            && self.steps.iter().zip(&other.steps).all(|(a, b)| a == b)
    }

    /// Whether the two need another type of the value in which they part.
    pub(in crate::dynamodb) fn conflicts(&self, other: &Self) -> bool {
        self.attribute == other.attribute
            && self
                .steps
                .iter()
                .zip(&other.steps)
                .find(|(a, b)| a != b)
                .is_some_and(|(a, b)| matches!(a, Step::Member(_)) != matches!(b, Step::Member(_)))
    }
}

impl fmt::Display for Path {
    /// As errors show it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}", self.attribute)?;
        for step in &self.steps {
            match step {
                Step::Member(name) => write!(f, ", {name}")?,
                Step::Element(index) => write!(f, ", [{index}]")?,
            }
        }
        f.write_str("]")
    }
}

/// Which part of an item is asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(in crate::dynamodb) enum Projection {
    /// All of it.
    #[default]
    All,
    /// These places.
    Paths(Vec<Path>),
}

impl Projection {
    /// The part of an item. Elements that are asked for stand side by side, in their order.
    pub(in crate::dynamodb) fn of(&self, item: Item) -> Item {
        let Self::Paths(paths) = self else { return item };
        let mut whole = Vec::new();
        let mut parts: BTreeMap<&str, Part> = BTreeMap::new();
        for path in paths {
            if path.steps.is_empty() {
                whole.push(path.attribute.as_str());
            } else if let Some(value) = path.find(&item) {
                let part = parts.entry(&path.attribute).or_default();
                part.set(&path.steps, value.clone());
            }
        }
        let mut projected: Item = parts
            .into_iter()
            .filter_map(|(name, part)| Some((name.to_owned(), part.into_value()?)))
            .collect();
        projected.extend(item.into_iter().filter(|(name, _)| whole.contains(&name.as_str())));
        projected
    }
}

/// A value of which some places are known.
#[derive(Default)]
enum Part {
    #[default]
    Nothing,
    Whole(Value),
    Members(BTreeMap<String, Part>),
    Elements(BTreeMap<usize, Part>),
}

impl Part {
    fn set(&mut self, steps: &[Step], value: Value) {
        let Some((step, rest)) = steps.split_first() else {
            *self = Self::Whole(value);
            return;
        };
        if matches!(self, Self::Nothing) {
            *self = match step {
                Step::Member(_) => Self::Members(BTreeMap::new()),
                Step::Element(_) => Self::Elements(BTreeMap::new()),
            };
        }
        match (self, step) {
            (Self::Members(members), Step::Member(name)) => {
                members.entry(name.clone()).or_default().set(rest, value);
            }
            (Self::Elements(elements), Step::Element(index)) => {
                elements.entry(*index).or_default().set(rest, value);
            }
            // Paths that overlap or conflict were refused.
            _ => {}
        }
    }

    fn into_value(self) -> Option<Value> {
        match self {
            Self::Nothing => None,
            Self::Whole(value) => Some(value),
            Self::Members(members) => {
                let members = members.into_iter();
                Some(Value::M(members.filter_map(|(n, p)| Some((n, p.into_value()?))).collect()))
            }
            Self::Elements(elements) => {
                Some(Value::L(elements.into_values().filter_map(Self::into_value).collect()))
            }
        }
    }
}
