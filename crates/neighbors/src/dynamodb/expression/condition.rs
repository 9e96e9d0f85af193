//! Conditions: what must be true of an item, and whether it is.

use super::path::Path;
use crate::dynamodb::key::KeySchema;
use crate::dynamodb::number::Number;
use crate::dynamodb::value::{Binary, Item, Value};
use std::borrow::Cow;
use std::cmp::Ordering;

/// What must be true of an item.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::dynamodb) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Compare(Operand, Comparator, Operand),
    Between(Operand, Operand, Operand),
    In(Operand, Vec<Operand>),
    Exists(Path),
    IsType(Path, String),
    BeginsWith(Operand, Operand),
    Contains(Operand, Operand),
}

/// How two values are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::dynamodb) enum Comparator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What is compared.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::dynamodb) enum Operand {
    Path(Path),
    Value(Value),
    /// The size of what is at a place.
    Size(Path),
}

impl Comparator {
    /// From its sign.
    pub(super) fn from_sign(sign: &str) -> Option<Self> {
        Some(match sign {
            "=" => Self::Equal,
            "<>" => Self::NotEqual,
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            ">" => Self::Greater,
            ">=" => Self::GreaterOrEqual,
            _ => return None,
        })
    }

    /// Its sign.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    fn holds(self, left: &Value, right: &Value) -> bool {
        let order = || left.order(right);
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Less => order().is_some_and(Ordering::is_lt),
            Self::LessOrEqual => order().is_some_and(Ordering::is_le),
            Self::Greater => order().is_some_and(Ordering::is_gt),
            Self::GreaterOrEqual => order().is_some_and(Ordering::is_ge),
        }
    }
}

impl Operand {
    /// Its value in an item, if there is one.
    pub(super) fn of<'a>(&'a self, item: &'a Item) -> Option<Cow<'a, Value>> {
        match self {
            Self::Path(path) => path.find(item).map(Cow::Borrowed),
            Self::Value(value) => Some(Cow::Borrowed(value)),
            Self::Size(path) => {
                let size = Number::from(path.find(item)?.size()?);
                Some(Cow::Owned(Value::N(size)))
            }
        }
    }
}

impl Condition {
    /// Whether it is true of an item; one that does not exist has no attributes.
    ///
    /// What is not there is equal to nothing, less than nothing, and different from everything.
    pub(in crate::dynamodb) fn holds(&self, item: &Item) -> bool {
        match self {
            Self::All(conditions) => conditions.iter().all(|condition| condition.holds(item)),
            Self::Any(conditions) => conditions.iter().any(|condition| condition.holds(item)),
            Self::Not(condition) => !condition.holds(item),
            Self::Compare(left, comparator, right) => match (left.of(item), right.of(item)) {
                (Some(left), Some(right)) => comparator.holds(&left, &right),
                _ => *comparator == Comparator::NotEqual,
            },
            Self::Between(operand, low, high) => {
                let values = (operand.of(item), low.of(item), high.of(item));
                let (Some(value), Some(low), Some(high)) = values else { return false };
                Comparator::LessOrEqual.holds(&low, &value)
                    && Comparator::LessOrEqual.holds(&value, &high)
            }
            Self::In(operand, values) => operand.of(item).is_some_and(|value| {
                values.iter().any(|one| one.of(item).is_some_and(|one| one == value))
            }),
            Self::Exists(path) => path.find(item).is_some(),
            Self::IsType(path, name) => {
                path.find(item).is_some_and(|value| value.type_name() == name)
            }
            Self::BeginsWith(operand, start) => match (operand.of(item), start.of(item)) {
                (Some(value), Some(start)) => begins_with(&value, &start),
                _ => false,
            },
            Self::Contains(operand, part) => match (operand.of(item), part.of(item)) {
                (Some(value), Some(part)) => contains(&value, &part),
                _ => false,
            },
        }
    }
}

impl Condition {
    /// A key attribute that it is about, if there is one.
    pub(in crate::dynamodb) fn names_of(&self, schema: &KeySchema) -> Option<String> {
        let of_path = |path: &Path| schema.has(&path.attribute).then(|| path.attribute.clone());
        let of = |operand: &Operand| match operand {
            Operand::Path(path) | Operand::Size(path) => of_path(path),
            Operand::Value(_) => None,
        };
        match self {
            Self::All(all) | Self::Any(all) => all.iter().find_map(|one| one.names_of(schema)),
            Self::Not(condition) => condition.names_of(schema),
            Self::Compare(left, _, right) => of(left).or_else(|| of(right)),
            Self::Between(operand, low, high) => [operand, low, high].into_iter().find_map(of),
            Self::In(operand, values) => of(operand).or_else(|| values.iter().find_map(of)),
            Self::Exists(path) | Self::IsType(path, _) => of_path(path),
            Self::BeginsWith(one, other) | Self::Contains(one, other) => {
                of(one).or_else(|| of(other))
            }
        }
    }
}

fn begins_with(value: &Value, start: &Value) -> bool {
    match (value, start) {
        (Value::S(value), Value::S(start)) => value.starts_with(start.as_str()),
        (Value::B(Binary(value)), Value::B(Binary(start))) => value.starts_with(start),
        _ => false,
    }
}

fn contains(value: &Value, part: &Value) -> bool {
    match (value, part) {
        (Value::S(value), Value::S(part)) => value.contains(part.as_str()),
        (Value::B(Binary(value)), Value::B(Binary(part))) => {
            part.is_empty() || value.windows(part.len()).any(|window| window == part)
        }
        (Value::SS(set), Value::S(part)) => set.contains(part),
        (Value::NS(set), Value::N(part)) => set.contains(part),
        (Value::BS(set), Value::B(part)) => set.contains(part),
        (Value::L(elements), part) => elements.contains(part),
        _ => false,
    }
}
