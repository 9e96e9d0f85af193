//! Everything that this service tells clients in words, each text once.
//!
//! A text's comment ends with its `Source:`, as in `streams`: `model`, `observed` (an answer of the
//! real service, and where it was recorded), `client` or `ours`.

use super::service::SERVICE;
use api::logs::Error;
use base::Cx;
use base::policy::Denial;

/// The store cannot take or give anything now; SDKs try again.
///
/// Source: ours.
pub(super) fn unable() -> Error {
    Error::ServiceUnavailable("The service is unable to handle the request now.".into())
}

/// Something of the store is broken; the log says what.
///
/// Source: ours.
pub(super) fn broken() -> Error {
    Error::InternalFailure("An internal failure occurred.".into())
}

/// Source: ours.
pub(super) fn stopping() -> Error {
    Error::ServiceUnavailable("The service is stopping.".into())
}

/// Source: ours.
pub(super) fn too_many_changes() -> Error {
    Error::ServiceUnavailable("Too many changes at once, try again.".into())
}

/// Answers on their way take all the memory that the client may have.
///
/// Source: ours.
pub(super) fn no_memory() -> Error {
    Error::ServiceUnavailable("Too many answers are on their way to this client.".into())
}

/// A part of the service that this server does not have.
///
/// Source: ours.
pub(super) fn unsupported(what: &str) -> Error {
    Error::InvalidParameter(format!("{what} is not supported by this server."))
}

/// Source: observed, the wording that all services share.
pub(super) fn denied(cx: &Cx, action: &str, arn: &str, denial: Denial) -> Error {
    Error::AccessDenied(kit::denied(cx, (SERVICE, action), arn, denial))
}

/// Source: observed, the wording that all services share.
pub(super) fn denied_pass(cx: &Cx, role_arn: &str, denial: Denial) -> Error {
    Error::AccessDenied(kit::denied(cx, ("iam", "PassRole"), role_arn, denial))
}

/// Source: observed, as other implementations recorded it.
pub(super) fn no_such_group() -> Error {
    Error::ResourceNotFound("The specified log group does not exist.".into())
}

/// Source: observed, as other implementations recorded it.
pub(super) fn no_such_stream() -> Error {
    Error::ResourceNotFound("The specified log stream does not exist.".into())
}

/// Source: observed, as other implementations recorded it.
pub(super) fn no_such_filter() -> Error {
    Error::ResourceNotFound("The specified subscription filter does not exist.".into())
}

/// Source: ours, in the form that the service has.
pub(super) fn no_such_resource() -> Error {
    Error::ResourceNotFound("The specified resource does not exist.".into())
}

/// Source: observed, as other implementations recorded it.
pub(super) fn group_exists() -> Error {
    Error::ResourceAlreadyExists("The specified log group already exists".into())
}

/// Source: observed, as other implementations recorded it.
pub(super) fn stream_exists() -> Error {
    Error::ResourceAlreadyExists("The specified log stream already exists".into())
}

/// Source: observed, as other implementations recorded it.
pub(super) fn limit_exceeded() -> Error {
    Error::LimitExceeded("Resource limit exceeded.".into())
}

/// Creating a stream has no error for a limit.
///
/// Source: ours.
pub(super) fn too_many_streams(most: usize) -> Error {
    Error::ServiceUnavailable(format!(
        "This server keeps {most} log streams at most, of one account four fifths."
    ))
}

/// Source: ours.
pub(super) fn invalid_arn(arn: &str) -> Error {
    Error::InvalidParameter(format!("The ARN {arn} is not the ARN of a log group."))
}

/// Source: ours, in the form that the service has.
pub(super) fn both_names() -> Error {
    Error::InvalidParameter(
        "LogGroup name and LogGroup ARN are mutually exclusive parameters.".into(),
    )
}

/// Source: ours.
pub(super) fn no_name() -> Error {
    Error::InvalidParameter("Either logGroupName or logGroupIdentifier must be given.".into())
}

/// Source: observed, as other implementations recorded it.
pub(super) fn prefix_and_pattern() -> Error {
    Error::InvalidParameter(
        "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.".into(),
    )
}

/// Source: observed, as other implementations recorded it.
pub(super) fn order_and_prefix() -> Error {
    Error::InvalidParameter("Cannot order by LastEventTime with a logStreamNamePrefix.".into())
}

/// Source: ours.
pub(super) fn names_and_prefix() -> Error {
    Error::InvalidParameter(
        "logStreamNames and logStreamNamePrefix are mutually exclusive parameters.".into(),
    )
}

/// A token of another listing, of another server, or an old one.
///
/// Source: observed, as other implementations recorded it.
pub(super) fn invalid_token() -> Error {
    Error::InvalidParameter("The specified nextToken is invalid.".into())
}

/// Source: observed, as other implementations recorded it.
pub(super) fn invalid_retention(days: i32, known: &[u32]) -> Error {
    let known: Vec<String> = known.iter().map(ToString::to_string).collect();
    let known = known.join(", ");
    Error::InvalidParameter(format!(
        "1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy \
         constraint: Member must satisfy enum value set: [{known}]"
    ))
}

/// Source: observed, as other implementations recorded it.
pub(super) fn out_of_order() -> Error {
    Error::InvalidParameter(
        "Log events in a single PutLogEvents request must be in chronological order.".into(),
    )
}

/// Source: observed, as other implementations recorded it.
pub(super) fn batch_too_large(bytes: usize, most: usize) -> Error {
    Error::InvalidParameter(format!("Upload too large: {bytes} bytes exceeds limit of {most}"))
}

/// Source: observed, as other implementations recorded it.
pub(super) fn batch_too_long() -> Error {
    Error::InvalidParameter(
        "The batch of log events in a single PutLogEvents request cannot span more than 24 hours."
            .into(),
    )
}

/// Source: observed, as other implementations recorded it.
pub(super) fn invalid_pattern() -> Error {
    Error::InvalidParameter("Invalid filter pattern".into())
}

/// Source: ours, in the form that the service has.
pub(super) fn role_needed() -> Error {
    Error::InvalidParameter(
        "destinationArn for vendor kinesis cannot be used without roleArn".into(),
    )
}

/// The beginning is what Terraform waits for and tries again after; why comes behind it.
///
/// Source: client (the beginning; why it did not work is ours)
pub(super) fn no_delivery(why: &str) -> Error {
    Error::InvalidParameter(format!(
        "Could not deliver test message to specified Kinesis stream. Check if the given kinesis \
         stream is in ACTIVE state. ({why})"
    ))
}

/// Source: client (the beginning; what is in parentheses is ours)
pub(super) fn no_functions() -> Error {
    Error::InvalidParameter(
        "Could not execute the lambda function. Make sure you have given CloudWatch Logs \
         permission to execute your function. (This server has no functions.)"
            .into(),
    )
}

/// Source: client (the beginning; what is in parentheses is ours)
pub(super) fn no_delivery_streams() -> Error {
    Error::InvalidParameter(
        "Could not deliver test message to specified Firehose stream. Check if the given Firehose \
         stream is in ACTIVE state. (This server has no delivery streams.)"
            .into(),
    )
}

/// A destination that is nothing of the sort.
///
/// Source: ours, in the form that the service has.
pub(super) fn invalid_destination() -> Error {
    Error::InvalidParameter("Invalid destination specified".into())
}

/// Why a stream gets nothing: the role.
///
/// Source: ours.
pub(super) const NO_ROLE: &str = "The role does not exist in this account.";

/// Source: ours.
pub(super) const NO_TRUST: &str = "The role does not trust logs.amazonaws.com.";

/// Source: ours.
pub(super) const ELSEWHERE: &str = "The stream is of another account or region.";

/// Source: ours.
pub(super) const NOBODY: &str = "This server has no streams.";

/// A group that keeps its events cheaply tells nobody of them.
///
/// Source: ours.
pub(super) fn infrequent_access() -> Error {
    Error::InvalidOperation(
        "Subscription filters are not supported for log groups of infrequent access.".into(),
    )
}

/// Source: ours.
pub(super) fn reserved_tag(key: &str) -> Error {
    Error::InvalidParameter(format!("The tag key {key} begins with aws:, which is reserved."))
}

/// Source: ours.
pub(super) fn too_many_tags() -> Error {
    Error::TooManyTags("A log group has fifty tags at most.".into())
}
