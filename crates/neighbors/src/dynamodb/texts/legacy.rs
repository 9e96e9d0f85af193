//! What is wrong of the parameters of before there were expressions.

use super::INVALID;
use super::expressions::shown;
use crate::dynamodb::value::Value;
use api::dynamodb::{ComparisonOperator, Error};

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn attribute_twice(name: &str) -> Error {
    invalid(&format!("Duplicate value in attribute name: {name}"))
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn expected_value_and_list(name: &str) -> Error {
    invalid(&format!("Value and AttributeValueList cannot be used together for Attribute: {name}"))
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn expected_exists_and_operator(name: &str) -> Error {
    invalid(&format!("Exists and ComparisonOperator cannot be used together for Attribute: {name}"))
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn expected_no_value(operator: ComparisonOperator, name: &str) -> Error {
    let operator = operator.as_str();
    invalid(&format!(
        "Value or AttributeValueList must be used with ComparisonOperator: {operator} for \
         Attribute: {name}"
    ))
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn expected_list_alone(name: &str) -> Error {
    invalid(&format!(
        "AttributeValueList can only be used with a ComparisonOperator for Attribute: {name}"
    ))
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn expected_value_of_nothing(name: &str) -> Error {
    invalid(&format!("Value cannot be used when Exists is false for Attribute: {name}"))
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn expected_nothing(exists: Option<bool>, name: &str) -> Error {
    let exists = exists.map_or("null", |exists| if exists { "true" } else { "false" });
    invalid(&format!("Value must be provided when Exists is {exists} for Attribute: {name}"))
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn argument_count(operator: ComparisonOperator) -> Error {
    let operator = operator.as_str();
    invalid(&format!("Invalid number of argument(s) for the {operator} ComparisonOperator"))
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn argument_type(operator: ComparisonOperator, kind: &str) -> Error {
    let operator = operator.as_str();
    invalid(&format!("ComparisonOperator {operator} is not valid for {kind} AttributeValue type"))
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn arguments_of_types() -> Error {
    invalid("AttributeValues inside AttributeValueList must be of same type")
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn argument_bounds(low: &Value, high: &Value) -> Error {
    let (low_shown, high_shown) = (shown(low), shown(high));
    Error::Validation(format!(
        "The BETWEEN condition was provided a range where the lower bound is greater than the upper \
         bound; lower bound operand: {low_shown}, upper bound operand: {high_shown}"
    ))
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn conditional_operator_alone() -> Error {
    Error::Validation("ConditionalOperator cannot be used without Filter or Expected".into())
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn conditional_operator_of_one() -> Error {
    Error::Validation(
        "ConditionalOperator can only be used when Filter or Expected has two or more elements"
            .into(),
    )
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn key_conditions_unsupported() -> Error {
    Error::Validation("Attempted conditional constraint is not an indexable operation".into())
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn update_without_value() -> Error {
    invalid("Only DELETE action is allowed when no attribute value is specified")
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn delete_of_type(kind: &str) -> Error {
    invalid(&format!("DELETE action with value is not supported for the type {kind}"))
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn add_of_type(kind: &str) -> Error {
    invalid(&format!("ADD action is not supported for the type {kind}"))
}

fn invalid(why: &str) -> Error {
    Error::Validation(format!("{INVALID}{why}"))
}
