//! The parameters of before there were expressions, as the same trees.

use super::condition::{Comparator, Condition, Operand};
use super::key_condition::{KeyCondition, SortCondition, Test};
use super::path::Path;
use super::update::{Action, SetOperand, SetValue, Update};
use crate::dynamodb::errors::Result;
use crate::dynamodb::texts;
use crate::dynamodb::value::Value;
use api::Text;
use api::dynamodb::{
    self, AttributeAction, AttributeValue, AttributeValueUpdate, ComparisonOperator,
    ConditionalOperator, ExpectedAttributeValue,
};
use std::collections::BTreeMap;

/// `Expected` as a condition.
///
/// # Errors
/// `Validation` parts that do not go together, a value of a type that its comparison has not.
pub(in crate::dynamodb) fn expected(
    expected: Option<BTreeMap<Text, ExpectedAttributeValue>>,
    operator: Option<ConditionalOperator>,
) -> Result<Option<Condition>> {
    let one = |(name, expected): (Text, ExpectedAttributeValue)| {
        let ExpectedAttributeValue { value, exists, comparison_operator, attribute_value_list } =
            expected;
        if value.is_some() && attribute_value_list.is_some() {
            return Err(texts::expected_value_and_list(&name));
        }
        if let Some(comparison) = comparison_operator {
            if exists.is_some() {
                return Err(texts::expected_exists_and_operator(&name));
            }
            let values = attribute_value_list.or_else(|| value.map(|value| vec![value]));
            let takes_none =
                matches!(comparison, ComparisonOperator::Null | ComparisonOperator::NotNull);
            if values.is_none() && !takes_none {
                return Err(texts::expected_no_value(comparison, &name));
            }
            return comparison_of(&name, comparison, values.unwrap_or_default());
        }
        if attribute_value_list.is_some() {
            return Err(texts::expected_list_alone(&name));
        }
        let path = Path::attribute(name.as_str());
        match (value, exists) {
            (Some(_), Some(false)) => Err(texts::expected_value_of_nothing(&name)),
            (None, Some(false)) => Ok(Condition::Not(Box::new(Condition::Exists(path)))),
            (None, exists) => Err(texts::expected_nothing(exists, &name)),
            (Some(value), _) => {
                let value = Operand::Value(Value::read(value)?);
                Ok(Condition::Compare(Operand::Path(path), Comparator::Equal, value))
            }
        }
    };
    joined(expected, operator, one)
}

/// `QueryFilter` and `ScanFilter` as a condition.
///
/// # Errors
/// As [`expected`].
pub(in crate::dynamodb) fn conditions(
    conditions: Option<BTreeMap<Text, dynamodb::Condition>>,
    operator: Option<ConditionalOperator>,
) -> Result<Option<Condition>> {
    joined(conditions, operator, |(name, condition)| {
        let dynamodb::Condition { attribute_value_list, comparison_operator } = condition;
        comparison_of(&name, comparison_operator, attribute_value_list.unwrap_or_default())
    })
}

fn joined<T>(
    conditions: Option<BTreeMap<Text, T>>,
    operator: Option<ConditionalOperator>,
    one: impl FnMut((Text, T)) -> Result<Condition>,
) -> Result<Option<Condition>> {
    let Some(conditions) = conditions.filter(|conditions| !conditions.is_empty()) else {
        return match operator {
            Some(_) => Err(texts::conditional_operator_alone()),
            None => Ok(None),
        };
    };
    if operator.is_some() && conditions.len() == 1 {
        return Err(texts::conditional_operator_of_one());
    }
    let conditions = conditions.into_iter().map(one).collect::<Result<_>>()?;
    Ok(Some(match operator {
        Some(ConditionalOperator::Or) => Condition::Any(conditions),
        Some(ConditionalOperator::And) | None => Condition::All(conditions),
    }))
}

/// `KeyConditions` for the keys `partition` and `sort`.
///
/// # Errors
/// `Validation` more than they may say, or not enough.
pub(in crate::dynamodb) fn key_conditions(
    conditions: BTreeMap<Text, dynamodb::Condition>,
    keys: (&str, Option<&str>),
) -> Result<KeyCondition> {
    let test = |(name, condition): (Text, dynamodb::Condition)| -> Result<Test> {
        let dynamodb::Condition { attribute_value_list, comparison_operator } = condition;
        let values = attribute_value_list.unwrap_or_default();
        let test = match comparison_of(&name, comparison_operator, values)? {
            Condition::Compare(_, comparator, Operand::Value(value))
                if comparator != Comparator::NotEqual =>
            {
                SortCondition::Compare(comparator, value)
            }
            Condition::Between(_, Operand::Value(low), Operand::Value(high)) => {
                SortCondition::Between(low, high)
            }
            Condition::BeginsWith(_, Operand::Value(start)) => SortCondition::BeginsWith(start),
            _ => return Err(texts::key_conditions_unsupported()),
        };
        Ok((name.to_string(), test))
    };
    let tests = conditions.into_iter().map(test).collect::<Result<_>>()?;
    KeyCondition::of_tests(tests, keys)
}

/// One comparison with the values that it has.
fn comparison_of(
    name: &Text,
    operator: ComparisonOperator,
    values: Vec<AttributeValue>,
) -> Result<Condition> {
    use ComparisonOperator as Is;
    let values = values.into_iter().map(Value::read).collect::<Result<Vec<_>>>()?;
    let count_is_right = match operator {
        Is::Null | Is::NotNull => values.is_empty(),
        Is::In => !values.is_empty(),
        Is::Between => values.len() == 2,
        _ => values.len() == 1,
    };
    if !count_is_right {
        return Err(texts::argument_count(operator));
    }
    for value in &values {
        let is_right = match operator {
            Is::Eq | Is::Ne | Is::Null | Is::NotNull => true,
            Is::BeginsWith => matches!(value, Value::S(_) | Value::B(_)),
            _ => value.has_order(),
        };
        if !is_right {
            return Err(texts::argument_type(operator, value.type_name()));
        }
    }
    let is_of_one_type = values.windows(2).all(|two| two[0].type_name() == two[1].type_name());
    if !is_of_one_type {
        return Err(texts::arguments_of_types());
    }
    let path = Path::attribute(name.as_str());
    let operand = Operand::Path(path.clone());
    let mut values = values.into_iter().map(Operand::Value);
    let mut next = || values.next().expect("the number of values was checked");
    let mut compare = |comparator| Condition::Compare(operand.clone(), comparator, next());
    Ok(match operator {
        Is::Eq => compare(Comparator::Equal),
        Is::Ne => compare(Comparator::NotEqual),
        Is::Lt => compare(Comparator::Less),
        Is::Le => compare(Comparator::LessOrEqual),
        Is::Gt => compare(Comparator::Greater),
        Is::Ge => compare(Comparator::GreaterOrEqual),
        Is::In => Condition::In(operand, values.collect()),
        Is::NotNull => Condition::Exists(path),
        Is::Null => Condition::Not(Box::new(Condition::Exists(path))),
        Is::Contains => Condition::Contains(operand, next()),
        Is::NotContains => Condition::Not(Box::new(Condition::Contains(operand, next()))),
        Is::BeginsWith => Condition::BeginsWith(operand, next()),
        Is::Between => {
            let (low, high) = (next(), next());
            if let (Operand::Value(low), Operand::Value(high)) = (&low, &high)
                && low.order(high).is_none_or(std::cmp::Ordering::is_gt)
            {
                return Err(texts::argument_bounds(low, high));
            }
            Condition::Between(operand, low, high)
        }
    })
}

/// `AttributeUpdates` as an update.
///
/// # Errors
/// `Validation` an action that needs a value has none, or one of a type that it has not.
pub(in crate::dynamodb) fn attribute_updates(
    updates: BTreeMap<Text, AttributeValueUpdate>,
) -> Result<Update> {
    let one = |(name, AttributeValueUpdate { value, action }): (Text, AttributeValueUpdate)| {
        let value = value.map(Value::read).transpose()?;
        let action = match (action.unwrap_or(AttributeAction::Put), value) {
            (AttributeAction::Put, Some(value)) => {
                Action::Set(SetValue::One(SetOperand::Value(value)))
            }
            (AttributeAction::Delete, None) => Action::Remove,
            (AttributeAction::Put | AttributeAction::Add, None) => {
                return Err(texts::update_without_value());
            }
            (AttributeAction::Delete, Some(value)) => match value {
                Value::SS(_) | Value::NS(_) | Value::BS(_) => Action::Delete(value),
                _ => return Err(texts::delete_of_type(value.type_name())),
            },
            (AttributeAction::Add, Some(value)) => match value {
                Value::N(_) | Value::SS(_) | Value::NS(_) | Value::BS(_) => Action::Add(value),
                _ => return Err(texts::add_of_type(value.type_name())),
            },
        };
        Ok((Path::attribute(name.as_str()), action))
    };
    Ok(Update { actions: updates.into_iter().map(one).collect::<Result<_>>()? })
}
