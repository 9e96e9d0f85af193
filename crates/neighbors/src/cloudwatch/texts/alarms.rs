//! Words about alarms, dashboards and tags.

use api::cloudwatch::{DashboardInvalidInputError, DashboardValidationMessage, Error};

/// An alarm that is set by its name and not there; the real service has no words for it.
///
/// Source: observed.
pub(in crate::cloudwatch) fn no_such_alarm() -> Error {
    Error::ResourceNotFound(String::new())
}

/// Source: ours.
pub(in crate::cloudwatch) fn missing(what: &str) -> Error {
    Error::Validation(format!("{what} must be specified for this alarm."))
}

/// Source: observed, as other implementations recorded it.
pub(in crate::cloudwatch) fn invalid_alarm_period() -> Error {
    Error::Validation("Period must be 10, 20, 30 or a multiple of 60".into())
}

/// Source: ours.
pub(in crate::cloudwatch) fn one_statistic() -> Error {
    Error::Validation("An alarm must have either Statistic or ExtendedStatistic.".into())
}

/// Source: ours.
pub(in crate::cloudwatch) fn unknown_alarm_statistic(name: &str) -> Error {
    Error::Validation(format!(
        "The statistic {name} is not supported by this server: it has SampleCount, Average, Sum, \
         Minimum, Maximum and percentiles such as p99.9."
    ))
}

/// Source: ours.
pub(in crate::cloudwatch) fn metric_and_metrics() -> Error {
    Error::Validation("An alarm must have either MetricName or Metrics.".into())
}

/// Source: ours.
pub(in crate::cloudwatch) fn too_many_alarm_queries(most: usize) -> Error {
    Error::Validation(format!("Metrics must not have a size greater than {most}."))
}

/// Source: ours.
pub(in crate::cloudwatch) fn one_returned() -> Error {
    Error::Validation("Exactly one element of Metrics must have ReturnData true.".into())
}

/// Source: ours.
pub(in crate::cloudwatch) fn more_datapoints_than_periods() -> Error {
    Error::Validation("DatapointsToAlarm must be less than or equal to EvaluationPeriods.".into())
}

/// Source: ours.
pub(in crate::cloudwatch) fn too_long_span() -> Error {
    Error::Validation(
        "EvaluationPeriods times Period must not be more than a day, or a week with periods of an \
         hour or more."
            .into(),
    )
}

/// Source: observed, the form of it.
pub(in crate::cloudwatch) fn unknown_treatment(value: &str) -> Error {
    Error::Validation(format!(
        "Option {value} is not supported. Supported options for TreatMissingData are [breaching, \
         notBreaching, ignore, missing]."
    ))
}

/// Source: ours.
pub(in crate::cloudwatch) fn invalid_action(action: &str) -> Error {
    Error::Validation(format!(
        "Invalid arn syntax: {action}. This server's alarms tell topics of SNS, and call URLs."
    ))
}

/// Source: ours.
pub(in crate::cloudwatch) fn of_other_kind(name: &str) -> Error {
    Error::Validation(format!("There is an alarm {name} of another type."))
}

/// Source: ours.
pub(in crate::cloudwatch) fn too_many_alarms(most: usize) -> Error {
    Error::LimitExceededFault(format!("The account has {most} alarms in this region already."))
}

/// Source: observed, what it holds is the words of the rule.
pub(in crate::cloudwatch) fn invalid_rule(flaw: String) -> Error {
    Error::Validation(flaw)
}

/// Source: observed, as other implementations recorded it.
pub(in crate::cloudwatch) fn no_such_children(names: &[&str]) -> Error {
    let names = names.join(", ");
    Error::Validation(format!(
        "Could not save the composite alarm as alarms [{names}] in the alarm rule do not exist"
    ))
}

/// Source: ours.
pub(in crate::cloudwatch) fn one_composite_alone() -> Error {
    Error::Validation("A composite alarm must be deleted in a request of its own.".into())
}

/// Source: observed, as other implementations recorded it.
pub(in crate::cloudwatch) fn alarm_in_rule(name: &str) -> Error {
    Error::Validation(format!(
        "Cannot delete {name} as there are composite alarm(s) depending on it."
    ))
}

/// Source: observed, as other implementations recorded it.
pub(in crate::cloudwatch) fn reason_data_is_no_json() -> Error {
    Error::InvalidFormatFault("StateReasonData is not valid JSON".into())
}

/// Source: ours.
pub(in crate::cloudwatch) fn names_and_prefix() -> Error {
    Error::Validation("AlarmNames and AlarmNamePrefix exclude each other.".into())
}

/// Source: ours.
pub(in crate::cloudwatch) fn invalid_max_records(value: i32, most: i32) -> Error {
    Error::Validation(format!(
        "The value {value} for parameter MaxRecords is invalid: it must be from 1 to {most}."
    ))
}

/// Source: observed.
pub(in crate::cloudwatch) fn no_such_dashboard(name: &str) -> Error {
    Error::DashboardNotFoundError(format!("Dashboard {name} does not exist"))
}

/// Source: ours.
pub(in crate::cloudwatch) fn invalid_dashboard_name(name: &str) -> Error {
    Error::InvalidParameterValue(format!(
        "The value {name} for parameter DashboardName is invalid: it must have from 1 to 255 \
         letters, digits, hyphens and underscores."
    ))
}

/// Source: observed, the form of it.
pub(in crate::cloudwatch) fn dashboard_is_no_json(flaw: &str) -> Error {
    invalid_dashboard(&format!("The field DashboardBody must be a valid JSON object: {flaw}"))
}

/// Source: ours.
pub(in crate::cloudwatch) fn dashboard_is_no_object() -> Error {
    invalid_dashboard("The field DashboardBody must be a valid JSON object")
}

/// Source: ours.
pub(in crate::cloudwatch) fn widgets_are_no_list() -> Error {
    invalid_dashboard("The field widgets must be a list")
}

/// Source: ours.
pub(in crate::cloudwatch) fn no_dashboard_named() -> Error {
    Error::InvalidParameterValue("The parameter DashboardNames must not be empty.".into())
}

/// Source: observed, the form of it.
fn invalid_dashboard(message: &str) -> Error {
    let found =
        DashboardValidationMessage { data_path: Some("/".into()), message: Some(message.into()) };
    Error::DashboardInvalidInputErrorWith(Box::new(DashboardInvalidInputError {
        message: Some("The dashboard body is invalid, there are 1 validation errors.".into()),
        dashboard_validation_messages: Some(vec![found]),
    }))
}

/// Source: ours.
pub(in crate::cloudwatch) fn no_room_for_dashboards() -> Error {
    Error::InvalidParameterValue("The account's dashboards take all the room they have.".into())
}

/// Source: ours.
pub(in crate::cloudwatch) fn reserved_tag(key: &str) -> Error {
    Error::InvalidParameterValue(format!("The tag key {key} begins with aws:, which is reserved."))
}

/// Source: ours.
pub(in crate::cloudwatch) fn too_many_tags() -> Error {
    Error::InvalidParameterValue("A resource can have at most 50 tags.".into())
}

/// Source: observed, the form of it.
pub(in crate::cloudwatch) fn invalid_arn(arn: &str) -> Error {
    Error::InvalidParameterValue(format!("The value {arn} for parameter ResourceARN is invalid."))
}

/// Source: ours.
pub(in crate::cloudwatch) fn no_such_resource(arn: &str) -> Error {
    Error::ResourceNotFoundException(format!("There is no resource {arn}."))
}
