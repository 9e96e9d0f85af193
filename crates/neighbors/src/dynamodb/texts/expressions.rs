//! What is wrong of an expression.

use crate::dynamodb::expression::Kind;
use crate::dynamodb::value::Value;
use api::dynamodb::Error;
use std::fmt::{self, Display};

/// Names of the types, in the order in which errors list them.
pub(in crate::dynamodb) const TYPES: [&str; 10] =
    ["B", "NULL", "SS", "BOOL", "L", "BS", "N", "NS", "S", "M"];

/// What is wrong of an expression.
pub(in crate::dynamodb) enum Fault<'a> {
    Empty,
    TooLong(usize),
    TooDeep,
    Syntax { token: &'a str, near: &'a str },
    Reserved(&'a str),
    NoName(&'a str),
    NoValue(&'a str),
    NoFunction(&'a str),
    Misplaced(&'a str),
    OperandCount { name: &'a str, count: usize },
    NoPath(&'a str),
    FunctionType { name: &'a str, operand_type: &'a str },
    OperatorType { operator: &'a str, operand_type: &'a str },
    NoType(&'a str),
    SameOperands { operator: &'a str, operand: &'a str },
    BoundTypes { low: &'a Value, high: &'a Value },
    BoundOrder { low: &'a Value, high: &'a Value },
    RedundantParentheses,
    Overlap { one: &'a str, two: &'a str },
    Conflict { one: &'a str, two: &'a str },
    SectionTwice(&'a str),
}

impl Display for Fault<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("The expression can not be empty;"),
            Self::TooLong(bytes) => write!(
                f,
                "Expression size has exceeded the maximum allowed size; expression size: {bytes}"
            ),
            Self::TooDeep => f.write_str("The expression is nested too deeply;"),
            Self::Syntax { token, near } => {
                write!(f, "Syntax error; token: \"{token}\", near: \"{near}\"")
            }
            Self::Reserved(word) => {
                write!(f, "Attribute name is a reserved keyword; reserved keyword: {word}")
            }
            Self::NoName(name) => write!(
                f,
                "An expression attribute name used in the document path is not defined; attribute \
                 name: {name}"
            ),
            Self::NoValue(value) => write!(
                f,
                "An expression attribute value used in expression is not defined; attribute value: \
                 {value}"
            ),
            Self::RedundantParentheses => f.write_str("The expression has redundant parentheses;"),
            Self::Overlap { one, two } => write!(
                f,
                "Two document paths overlap with each other; must remove or rewrite one of these \
                 paths; path one: {one}, path two: {two}"
            ),
            Self::Conflict { one, two } => write!(
                f,
                "Two document paths conflict with each other; must remove or rewrite one of these \
                 paths; path one: {one}, path two: {two}"
            ),
            Self::SectionTwice(section) => write!(
                f,
                "The \"{section}\" section can only be used once in an update expression;"
            ),
            _ => self.of_operands(f),
        }
    }
}

impl Fault<'_> {
    /// What is wrong of functions, operators and their operands.
    fn of_operands(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const WRONG_TYPE: &str = "Incorrect operand type for operator or function; ";
        const BETWEEN: &str = "The BETWEEN operator requires ";
        match self {
            Self::NoFunction(name) => write!(f, "Invalid function name; function: {name}"),
            Self::Misplaced(name) => write!(
                f,
                "The function is not allowed to be used this way in an expression; function: {name}"
            ),
            Self::OperandCount { name, count } => write!(
                f,
                "Incorrect number of operands for operator or function; operator or function: \
                 {name}, number of operands: {count}"
            ),
            Self::NoPath(name) => write!(
                f,
                "Operator or function requires a document path; operator or function: {name}"
            ),
            Self::FunctionType { name, operand_type } => {
                write!(f, "{WRONG_TYPE}operator or function: {name}, operand type: {operand_type}")
            }
            Self::OperatorType { operator, operand_type } => {
                write!(f, "{WRONG_TYPE}operator: {operator}, operand type: {operand_type}")
            }
            Self::NoType(name) => write!(
                f,
                "Invalid attribute type name found; type: {name}, valid types: {{{}}}",
                TYPES.join(",")
            ),
            Self::SameOperands { operator, operand } => write!(
                f,
                "The first operand must be distinct from the remaining operands for this operator \
                 or function; operator: {operator}, first operand: {operand}"
            ),
            Self::BoundTypes { low, high } => write!(
                f,
                "{BETWEEN}same data type for lower and upper bounds; lower bound operand: {}, \
                 upper bound operand: {}",
                shown(low),
                shown(high)
            ),
            Self::BoundOrder { low, high } => write!(
                f,
                "{BETWEEN}upper bound to be greater than or equal to lower bound; lower bound \
                 operand: {}, upper bound operand: {}",
                shown(low),
                shown(high)
            ),
            // All others are shown by their callers.
            _ => Ok(()),
        }
    }
}

/// A value as texts of bounds show it.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::S(s) => format!("AttributeValue: {{S:{s}}}"),
        Value::N(n) => format!("AttributeValue: {{N:{n}}}"),
        other => format!("AttributeValue: {{{}:..}}", other.type_name()),
    }
}

/// Source: observed (dynalite's suite); of `TooDeep`, and of how values but texts and numbers are
/// shown, ours.
pub(in crate::dynamodb) fn expression(kind: Kind, fault: &Fault<'_>) -> Error {
    Error::Validation(format!("Invalid {}: {fault}", kind.name()))
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn names_without_expression() -> Error {
    Error::Validation(
        "ExpressionAttributeNames can only be specified when using expressions".into(),
    )
}

/// `missing`: which expressions the request could have, and that it has none.
///
/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn values_without_expression(missing: &str) -> Error {
    Error::Validation(format!(
        "ExpressionAttributeValues can only be specified when using expressions: {missing}"
    ))
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn two_styles(legacy: &[&str], expressions: &[&str]) -> Error {
    Error::Validation(format!(
        "Can not use both expression and non-expression parameters in the same request: \
         Non-expression parameters: {{{}}} Expression parameters: {{{}}}",
        legacy.join(", "),
        expressions.join(", ")
    ))
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn must_not_be_empty(parameter: &str) -> Error {
    Error::Validation(format!("{parameter} must not be empty"))
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn bad_placeholder(parameter: &str, key: &str) -> Error {
    Error::Validation(format!("{parameter} contains invalid key: Syntax error; key: \"{key}\""))
}

/// A value among `ExpressionAttributeValues` is none.
///
/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn value_of_expression(error: &Error, key: &str) -> Error {
    Error::Validation(format!(
        "ExpressionAttributeValues contains invalid value: {} for key {key}",
        error.message()
    ))
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn unused(parameter: &str, keys: &[String]) -> Error {
    let keys = keys.join(", ");
    Error::Validation(format!(
        "Value provided in {parameter} unused in expressions: keys: {{{keys}}}"
    ))
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn key_condition_count() -> Error {
    Error::Validation("Conditions can be of length 1 or 2 only".into())
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn one_condition_per_key() -> Error {
    Error::Validation(
        "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per \
         key"
            .into(),
    )
}

/// Source: observed (ExtendDB's and paritysuite's recorded answers).
pub(in crate::dynamodb) fn too_many_key_conditions(count: usize, keys: usize) -> Error {
    Error::Validation(format!(
        "The number of query conditions ({count}) exceeds the number of key attributes defined in \
         the schema ({keys})"
    ))
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn key_condition_unsupported() -> Error {
    Error::Validation("Query key condition not supported".into())
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn key_condition_misses(key: &str) -> Error {
    Error::Validation(format!("Query condition missed key schema element: {key}"))
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn key_condition_operator(operator: &str) -> Error {
    Error::Validation(format!("Invalid operator used in KeyConditionExpression: {operator}"))
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn key_condition_nested() -> Error {
    Error::Validation(
        "Invalid KeyConditionExpression: KeyConditionExpressions cannot have conditions on nested \
         attributes"
            .into(),
    )
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn operand_type() -> Error {
    Error::Validation("An operand in the update expression has an incorrect data type".into())
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn operand_missing() -> Error {
    Error::Validation(
        "The provided expression refers to an attribute that does not exist in the item".into(),
    )
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn path_invalid() -> Error {
    Error::Validation(
        "The document path provided in the update expression is invalid for update".into(),
    )
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn no_key_condition() -> Error {
    Error::Validation(
        "Either the KeyConditions or KeyConditionExpression parameter must be specified in the \
         request."
            .into(),
    )
}

/// A filter of a query is about a key.
///
/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn filter_of_key(key: &str) -> Error {
    Error::Validation(format!(
        "Filter Expression can only contain non-primary key attributes: Primary key attribute: {key}"
    ))
}
