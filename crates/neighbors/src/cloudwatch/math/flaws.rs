//! What is wrong with an expression, in words for the client, each text once.
//!
//! Callers put the query's id before it, as AWS does: `Error in expression 'e1': Invalid syntax`.

use super::{Flaw, Value};

// What arguments must be, in the words of the texts below.
pub(super) const ID_OF_METRIC: &str = "the id of a metric";
pub(super) const A_SERIES: &str = "a time series";
pub(super) const A_NUMBER: &str = "a number";
pub(super) const A_FILLER: &str = "a number, a time series, REPEAT or LINEAR there";
pub(super) const NUMBERS_AND_SERIES: &str = "numbers and time series";
pub(super) const A_WHOLE_NUMBER: &str = "a whole number there";
pub(super) const SERIES_OR_ARRAY: &str = "a time series or an array of them";
pub(super) const AN_EXPRESSION: &str = "an expression there";
pub(super) const A_TEXT: &str = "a text in quotes";
pub(super) const AT_MOST_ONE: &str = "at most 1 argument";
pub(super) const A_STATISTIC: &str = "AVG, MIN, MAX or SUM there";
pub(super) const AN_ORDER: &str = "ASC or DESC there";

/// AWS ends after the first two words; what follows them is ours.
///
/// Source: observed (in Grafana's tests of its CloudWatch data source).
pub(super) fn syntax(detail: &str) -> Flaw {
    Flaw(format!("Invalid syntax: {detail}"))
}

/// Source: observed (of `PutMetricAlarm`, in a project's notes on `ANOMALY_DETECTOR`).
pub(super) fn no_function(name: &str) -> Flaw {
    Flaw(format!("Function '{name}' not found"))
}

/// A function that AWS has and this server has not.
///
/// Source: ours.
pub(super) fn unsupported(name: &str) -> Flaw {
    Flaw(format!("Function '{name}' is not supported by this server"))
}

/// `SELECT`: a query of Metrics Insights.
///
/// Source: ours.
pub(super) fn query() -> Flaw {
    Flaw("Metrics Insights queries (SELECT) are not supported by this server".into())
}

/// Source: ours.
pub(super) fn too_deep(depth_max: usize) -> Flaw {
    Flaw(format!("The expression is nested more than {depth_max} deep"))
}

/// `wanted`: how many arguments, in words.
///
/// Source: ours.
pub(super) fn argument_count(function: &str, wanted: &str, given: usize) -> Flaw {
    Flaw(format!("Function '{function}' takes {wanted}, not {given}"))
}

/// `wanted`: what may stand in the argument's place, in words.
///
/// Source: ours.
pub(super) fn argument(function: &str, wanted: &str, given: &str) -> Flaw {
    Flaw(format!("Function '{function}' takes {wanted}, not {given}"))
}

/// Source: ours.
pub(super) fn operands(sign: &str, left: &Value, right: &Value) -> Flaw {
    let (left, right) = (left.kind(), right.kind());
    Flaw(format!("Operator '{sign}' does not take {left} and {right}"))
}

/// Source: ours.
pub(super) fn number_in_array() -> Flaw {
    Flaw("An array holds time series, not numbers".into())
}

/// Source: ours.
pub(super) fn no_name(name: &str) -> Flaw {
    Flaw(format!("No query of the request has the id '{name}'"))
}

/// Source: ours.
pub(super) fn too_many_points(points_max: usize) -> Flaw {
    Flaw(format!("The expression needs more than {points_max} data points"))
}
