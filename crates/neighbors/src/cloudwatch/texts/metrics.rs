//! Words about metrics and their values.

use api::cloudwatch::Error;

/// How a member of a list is named in texts.
fn member(index: usize, what: &str) -> String {
    format!("MetricData.member.{}.{what}", index + 1)
}

/// Source: observed, as other implementations recorded it.
pub(in crate::cloudwatch) fn exclusive(index: usize, one: &str, other: &str) -> Error {
    let (one, other) = (member(index, one), member(index, other));
    Error::InvalidParameterCombination(format!(
        "The parameters {one} and {other} are mutually exclusive and you have specified both."
    ))
}

/// Source: observed, as other implementations recorded it.
pub(in crate::cloudwatch) fn counts_of_other_length(index: usize) -> Error {
    let (values, counts) = (member(index, "Values"), member(index, "Counts"));
    Error::InvalidParameterValue(format!(
        "The parameters {values} and {counts} must be of the same size."
    ))
}

/// Source: ours.
pub(in crate::cloudwatch) fn no_value(index: usize) -> Error {
    let what = member(index, "Value");
    Error::MissingRequiredParameter(format!("The parameter {what} is required."))
}

/// Source: ours.
pub(in crate::cloudwatch) fn too_many_values(index: usize, most: usize) -> Error {
    let what = member(index, "Values");
    Error::InvalidParameterValue(format!(
        "The collection {what} must not have a size greater than {most}."
    ))
}

/// Source: observed, as other implementations recorded it.
pub(in crate::cloudwatch) fn too_many_data(most: usize) -> Error {
    Error::InvalidParameterValue(format!(
        "The collection MetricData must not have a size greater than {most}."
    ))
}

/// Source: observed, the form of it.
pub(in crate::cloudwatch) fn invalid_value(index: usize, what: &str, value: f64) -> Error {
    let what = member(index, what);
    Error::InvalidParameterValue(format!("The value {value} for parameter {what} is invalid."))
}

/// Source: ours.
pub(in crate::cloudwatch) fn impossible_set(index: usize) -> Error {
    let what = member(index, "StatisticValues");
    Error::InvalidParameterValue(format!(
        "The parameter {what} must have a SampleCount greater than 0 and a Minimum that is not \
         greater than its Maximum."
    ))
}

/// Source: observed, as the service's documentation has it.
pub(in crate::cloudwatch) fn too_old(index: usize) -> Error {
    let what = member(index, "Timestamp");
    Error::InvalidParameterValue(format!(
        "The parameter {what} must specify a time no more than two weeks in the past."
    ))
}

/// Source: observed, as the service's documentation has it.
pub(in crate::cloudwatch) fn too_new(index: usize) -> Error {
    let what = member(index, "Timestamp");
    Error::InvalidParameterValue(format!(
        "The parameter {what} must specify a time no more than two hours in the future."
    ))
}

/// The name spaces of AWS's own metrics are the server's.
///
/// Source: observed, the form of it.
pub(in crate::cloudwatch) fn reserved_namespace(namespace: &str) -> Error {
    Error::InvalidParameterValue(format!(
        "The value {namespace} for parameter Namespace is invalid."
    ))
}

/// Source: ours.
pub(in crate::cloudwatch) fn strange_character(what: &str) -> Error {
    Error::InvalidParameterValue(format!(
        "The parameter {what} must contain no control characters."
    ))
}

/// Source: ours.
pub(in crate::cloudwatch) fn duplicate_dimension(name: &str) -> Error {
    Error::InvalidParameterValue(format!("The dimension {name} is given more than once."))
}

/// Source: ours.
pub(in crate::cloudwatch) fn too_many_metrics(most: usize) -> Error {
    Error::LimitExceededFault(format!(
        "This server keeps at most {most} metrics, and of one account four fifths of them."
    ))
}

/// Source: observed, as other implementations recorded it.
pub(in crate::cloudwatch) fn start_behind_end() -> Error {
    Error::InvalidParameterValue(
        "The parameter StartTime must be less than the parameter EndTime.".into(),
    )
}

/// Source: observed, as other implementations recorded it.
pub(in crate::cloudwatch) fn start_behind_end_of_data() -> Error {
    Error::Validation("The parameter StartTime must be less than the parameter EndTime.".into())
}

/// Source: observed, as other implementations recorded it.
pub(in crate::cloudwatch) fn too_many_datapoints(asked: i64, most: i64) -> Error {
    let (asked, most) = (grouped(asked), grouped(most));
    Error::InvalidParameterCombination(format!(
        "You have requested up to {asked} datapoints, which exceeds the limit of {most}. You may \
         reduce the datapoints requested by increasing Period, or decreasing the time range."
    ))
}

/// Source: ours.
pub(in crate::cloudwatch) fn invalid_period(period: i32) -> Error {
    Error::InvalidParameterValue(format!(
        "The value {period} for parameter Period is invalid: it must be 1, 5, 10, 20, 30 or a \
         multiple of 60."
    ))
}

/// Source: observed, as other implementations recorded it.
pub(in crate::cloudwatch) fn no_statistics() -> Error {
    Error::MissingRequiredParameter(
        "At least one of the parameters Statistics or ExtendedStatistics must be specified.".into(),
    )
}

/// Source: ours.
pub(in crate::cloudwatch) fn unknown_statistic(name: &str) -> Error {
    Error::InvalidParameterValue(format!(
        "The statistic {name} is not supported by this server: it has SampleCount, Average, Sum, \
         Minimum, Maximum and percentiles such as p99.9."
    ))
}

/// Source: ours.
pub(in crate::cloudwatch) fn invalid_list_token() -> Error {
    Error::InvalidParameterValue("The value for parameter NextToken is invalid.".into())
}

/// Source: ours.
pub(in crate::cloudwatch) fn stat_or_expression(id: &str) -> Error {
    Error::Validation(format!(
        "The query {id} must have either MetricStat or Expression, and not both."
    ))
}

/// Source: ours.
pub(in crate::cloudwatch) fn metric_without_name() -> Error {
    Error::Validation("A Metric must have Namespace and MetricName.".into())
}

/// Source: observed, as the service's documentation has it.
pub(in crate::cloudwatch) fn invalid_id(id: &str) -> Error {
    Error::Validation(format!(
        "The id {id} is invalid: an id must begin with a lowercase letter, and may contain \
         letters, numbers and underscore."
    ))
}

/// Source: ours.
pub(in crate::cloudwatch) fn id_twice(id: &str) -> Error {
    Error::Validation(format!(
        "The values for parameter id in MetricDataQueries are not unique: {id}."
    ))
}

/// Source: ours.
pub(in crate::cloudwatch) fn unknown_id(id: &str, name: &str) -> Error {
    Error::Validation(format!("Error in expression '{id}': there is no query {name}."))
}

/// Source: ours.
pub(in crate::cloudwatch) fn bad_expression(id: &str, flaw: &str) -> Error {
    Error::Validation(format!("Error in expression '{id}': {flaw}"))
}

/// Source: ours.
pub(in crate::cloudwatch) fn circle(id: &str) -> Error {
    Error::Validation(format!("Error in expression '{id}': it needs its own value."))
}

/// Source: ours.
pub(in crate::cloudwatch) fn too_many_queries(most: usize) -> Error {
    Error::Validation(format!(
        "The collection MetricDataQueries must not have a size greater than {most}."
    ))
}

/// Source: ours.
pub(in crate::cloudwatch) fn too_many_periods(most: i64) -> Error {
    Error::Validation(format!(
        "All queries together must not have more than {most} periods. Increase Period, or decrease \
         the time range."
    ))
}

/// Source: ours.
pub(in crate::cloudwatch) fn invalid_max_datapoints(value: i32, most: usize) -> Error {
    Error::Validation(format!(
        "The value {value} for parameter MaxDatapoints is invalid: it must be from 1 to {most}."
    ))
}

/// Source: ours.
pub(in crate::cloudwatch) fn nothing_returned() -> Error {
    Error::Validation("At least one query must have ReturnData true.".into())
}

/// Source: ours.
pub(in crate::cloudwatch) fn result_is_a_number(id: &str) -> Error {
    Error::Validation(format!("Error in expression '{id}': the result must be a time series."))
}

/// A number as AWS writes it here: `86,400`.
fn grouped(number: i64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Source: observed, the form of it.
pub(in crate::cloudwatch) fn no_data() -> Error {
    Error::MissingRequiredParameter("The parameter MetricData is required.".into())
}

/// Source: ours.
pub(in crate::cloudwatch) fn both_statistics() -> Error {
    Error::InvalidParameterCombination(
        "The parameters Statistics and ExtendedStatistics are mutually exclusive and you have \
         specified both."
            .into(),
    )
}
