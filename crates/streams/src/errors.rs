//! The words of refusals, and the one place where a storage failure becomes a wire error.
//!
//! Texts are those seen from AWS (tests pin them); where AWS's is unknown the text says what to
//! change.

use crate::rows::Status;
use crate::stream::StreamKey;
use api::kinesis::Error;
use base::Cx;
use store::ErrorKind;

/// Shorthand of this crate.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// Turns a storage failure into what the client may know; the cause goes to the log, once.
pub(crate) fn fail(cx: &Cx, e: &store::Error) -> Error {
    tracing::error!(request_id = %cx.request_id, kind = ?e.kind(), "storage: {e}");
    match e.kind() {
        ErrorKind::Unavailable | ErrorKind::Full | ErrorKind::Fenced | ErrorKind::Conflict => {
            Error::ServiceUnavailable("The service is unable to handle the request now.".into())
        }
        ErrorKind::Corrupt | ErrorKind::Invalid | ErrorKind::Trimmed | ErrorKind::Internal => {
            Error::InternalFailure("An internal failure occurred.".into())
        }
    }
}

pub(crate) fn stream_not_found(key: &StreamKey) -> Error {
    let (name, account) = (&key.name, key.account);
    Error::ResourceNotFound(format!("Stream {name} under account {account} not found."))
}

/// As `SplitShard`, `MergeShards` and unreadable shard ids are answered.
pub(crate) fn shard_not_found(key: &StreamKey, shard: &str) -> Error {
    let (name, account) = (&key.name, key.account);
    Error::ResourceNotFound(format!(
        "Could not find shard {shard} in stream {name} under account {account}."
    ))
}

/// As reads of a well-formed shard id that the stream does not have are answered.
pub(crate) fn shard_does_not_exist(key: &StreamKey, shard: &str) -> Error {
    let (name, account) = (&key.name, key.account);
    Error::ResourceNotFound(format!(
        "Shard {shard} in stream {name} under account {account} does not exist"
    ))
}

pub(crate) fn stream_exists(key: &StreamKey) -> Error {
    let (name, account) = (&key.name, key.account);
    Error::ResourceInUse(format!("Stream {name} under account {account} already exists."))
}

pub(crate) fn stream_not_active(key: &StreamKey, status: Status) -> Error {
    let (name, account, status) = (&key.name, key.account, status.as_str());
    Error::ResourceInUse(format!(
        "Stream {name} under account {account} not ACTIVE, instead in state {status}"
    ))
}

/// `consumer`: its ARN.
pub(crate) fn consumer_not_found(consumer: &str) -> Error {
    let account = consumer.split(':').nth(4).unwrap_or_default();
    Error::ResourceNotFound(format!("Consumer {consumer}, account {account} not found."))
}

/// As `consumer_not_found`, for one that is named by its stream and its name.
pub(crate) fn no_consumer_of_name(key: &StreamKey, name: &str) -> Error {
    let account = key.account;
    Error::ResourceNotFound(format!("Consumer {name}, account {account} not found."))
}

pub(crate) fn invalid(message: impl Into<String>) -> Error {
    Error::InvalidArgument(message.into())
}

pub(crate) fn limit(message: impl Into<String>) -> Error {
    Error::LimitExceeded(message.into())
}

pub(crate) fn validation(message: impl Into<String>) -> Error {
    Error::Validation(message.into())
}

/// A resource of another account whose policy does not let the caller in.
pub(crate) fn not_authorized(cx: &Cx, action: &str, arn: &str) -> Error {
    let caller = &cx.caller_arn;
    Error::AccessDenied(format!(
        "User: {caller} is not authorized to perform: kinesis:{action} on resource: {arn} because \
         no resource-based policy allows the kinesis:{action} action"
    ))
}

/// The owner's own policy forbids it.
pub(crate) fn denied(cx: &Cx, action: &str, arn: &str) -> Error {
    let caller = &cx.caller_arn;
    Error::AccessDenied(format!(
        "User: {caller} is not authorized to perform: kinesis:{action} on resource: {arn} with an \
         explicit deny in a resource-based policy"
    ))
}

/// An operation of the model that this server does not have.
pub(crate) fn not_yet() -> Error {
    invalid("This operation is not supported by this server yet.")
}

/// An ARN of nothing that this server has.
pub(crate) fn resource_not_found(arn: &str) -> Error {
    Error::ResourceNotFound(format!("Resource {arn} not found."))
}

/// Tags of a resource change only while it is neither being made nor going away.
pub(crate) fn not_tagged_now(key: &StreamKey) -> Error {
    let (name, account) = (&key.name, key.account);
    Error::ResourceInUse(format!(
        "Tags of stream {name} under account {account}, or of a consumer of it, cannot be changed \
         while it is being created or deleted."
    ))
}

/// An operation that on-demand streams do without (observed).
pub(crate) fn is_on_demand(key: &StreamKey) -> Error {
    let (name, account) = (&key.name, key.account);
    validation(format!(
        "Request is invalid. Stream {name} under account {account} is in On-Demand mode."
    ))
}
