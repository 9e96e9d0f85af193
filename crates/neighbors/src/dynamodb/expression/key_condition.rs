//! Which items of a table or an index a query is about.

use super::condition::{Comparator, Condition, Operand};
use super::path::Path;
use crate::dynamodb::errors::Result;
use crate::dynamodb::texts;
use crate::dynamodb::value::Value;

/// One partition, and what its sort keys must be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::dynamodb) struct KeyCondition {
    pub(in crate::dynamodb) partition: Value,
    pub(in crate::dynamodb) sort: Option<SortCondition>,
}

/// What a key attribute must be; each is one run of keys in their order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::dynamodb) enum SortCondition {
    /// Any comparator but `<>`.
    Compare(Comparator, Value),
    Between(Value, Value),
    BeginsWith(Value),
}

/// A condition on one attribute.
pub(super) type Test = (String, SortCondition);

impl KeyCondition {
    /// What a `KeyConditionExpression` says of the keys `partition` and `sort`.
    ///
    /// # Errors
    /// `Validation` more than such an expression may say, or not enough.
    pub(in crate::dynamodb) fn of_expression(
        condition: Condition,
        keys: (&str, Option<&str>),
    ) -> Result<Self> {
        let mut tests = Vec::new();
        flatten(condition, &mut tests)?;
        let mut attributes: Vec<_> = tests.iter().map(|(attribute, _)| attribute).collect();
        attributes.sort_unstable();
        if attributes.windows(2).any(|two| two[0] == two[1]) {
            return Err(texts::one_condition_per_key());
        }
        let keys_max = 1 + usize::from(keys.1.is_some());
        if tests.len() > 2 {
            return Err(texts::too_many_key_conditions(tests.len(), keys_max));
        }
        Self::of_tests(tests, keys)
    }

    /// What tests of attributes say of the keys.
    ///
    /// # Errors
    /// As [`Self::of_expression`].
    pub(super) fn of_tests(
        tests: Vec<Test>,
        (partition, sort): (&str, Option<&str>),
    ) -> Result<Self> {
        if !(1..=2).contains(&tests.len()) {
            return Err(texts::key_condition_count());
        }
        let has_two = tests.len() == 2;
        let (mut partition_test, mut sort_test) = (None, None);
        for (attribute, test) in tests {
            let place = match attribute.as_str() {
                name if name == partition => &mut partition_test,
                name if Some(name) == sort => &mut sort_test,
                _ => continue,
            };
            if place.replace(test).is_some() {
                return Err(texts::one_condition_per_key());
            }
        }
        let partition = match partition_test {
            Some(SortCondition::Compare(Comparator::Equal, value)) => value,
            Some(_) => return Err(texts::key_condition_unsupported()),
            None => return Err(texts::key_condition_misses(partition)),
        };
        match (sort_test, sort) {
            (None, Some(sort)) if has_two => Err(texts::key_condition_misses(sort)),
            (None, None) if has_two => Err(texts::key_condition_unsupported()),
            (sort, _) => Ok(Self { partition, sort }),
        }
    }
}

/// The tests that must all hold.
fn flatten(condition: Condition, tests: &mut Vec<Test>) -> Result<()> {
    let unsupported = |operator: &str| Err(texts::key_condition_operator(operator));
    match condition {
        Condition::All(conditions) => {
            conditions.into_iter().try_for_each(|condition| flatten(condition, tests))
        }
        Condition::Compare(_, Comparator::NotEqual, _) => unsupported("<>"),
        Condition::Compare(Operand::Path(path), comparator, Operand::Value(value)) => {
            tests.push((top(path)?, SortCondition::Compare(comparator, value)));
            Ok(())
        }
        Condition::Compare(Operand::Value(value), comparator, Operand::Path(path)) => {
            tests.push((top(path)?, SortCondition::Compare(turned(comparator), value)));
            Ok(())
        }
        Condition::Between(Operand::Path(path), Operand::Value(low), Operand::Value(high)) => {
            tests.push((top(path)?, SortCondition::Between(low, high)));
            Ok(())
        }
        Condition::BeginsWith(Operand::Path(path), Operand::Value(start)) => {
            tests.push((top(path)?, SortCondition::BeginsWith(start)));
            Ok(())
        }
        Condition::Any(_) => unsupported("OR"),
        Condition::Not(inner) if matches!(*inner, Condition::Exists(_)) => {
            unsupported("attribute_not_exists")
        }
        Condition::Not(_) => unsupported("NOT"),
        Condition::In(..) => unsupported("IN"),
        Condition::Exists(_) => unsupported("attribute_exists"),
        Condition::IsType(..) => unsupported("attribute_type"),
        Condition::Contains(..) => unsupported("contains"),
        Condition::Compare(..) | Condition::Between(..) | Condition::BeginsWith(..) => {
            Err(texts::key_condition_unsupported())
        }
    }
}

fn top(path: Path) -> Result<String> {
    if path.steps.is_empty() { Ok(path.attribute) } else { Err(texts::key_condition_nested()) }
}

fn turned(comparator: Comparator) -> Comparator {
    match comparator {
        Comparator::Less => Comparator::Greater,
        Comparator::LessOrEqual => Comparator::GreaterOrEqual,
        Comparator::Greater => Comparator::Less,
        Comparator::GreaterOrEqual => Comparator::LessOrEqual,
        Comparator::Equal | Comparator::NotEqual => comparator,
    }
}
