//! Everything that this service tells clients in words, each text once.
//!
//! A text's comment ends with its `Source:`: `model`, `observed` (an answer of the real service,
//! and where it was recorded), `client` (what clients match on) or `ours`. AWS's own are kept to
//! the letter, mistakes included; docs/reference/compatibility.md lists those that are ours.

mod limits;
mod reads;
mod requests;
mod shards;
mod tags;
mod writes;

pub(crate) use limits::*;
pub(crate) use reads::*;
pub(crate) use requests::*;
pub(crate) use shards::*;
pub(crate) use tags::*;
pub(crate) use writes::*;

use crate::arn::ConsumerKey;
use crate::rows::Status;
use crate::service::SERVICE;
use crate::stream::StreamKey;
use api::kinesis::Error;
use base::Cx;
use base::policy::Denial;

/// The store cannot take or give anything now; SDKs try again.
///
/// Source: ours.
pub(crate) fn unable() -> Error {
    Error::ServiceUnavailable("The service is unable to handle the request now.".into())
}

/// Something of the store is broken; the log says what.
///
/// Source: ours.
pub(crate) fn broken() -> Error {
    Error::InternalFailure("An internal failure occurred.".into())
}

/// Source: ours.
pub(crate) fn stopping() -> Error {
    Error::ServiceUnavailable("The service is stopping.".into())
}

/// Source: ours.
pub(crate) fn too_many_changes() -> Error {
    Error::ServiceUnavailable("Too many changes at once, try again.".into())
}

/// An operation of the model that this server does not have.
///
/// Source: ours.
pub(crate) fn not_yet() -> Error {
    Error::InvalidArgument("This operation is not supported by this server yet.".into())
}

/// The request was checked and would have been done.
///
/// Source: ours.
pub(crate) fn dry_run() -> Error {
    Error::DryRunOperation("Request would have succeeded, but the DryRun parameter is set.".into())
}

/// Source: observed (kinesalite's suite; LocalStack's recorded answers).
pub(crate) fn stream_not_found(key: &StreamKey) -> Error {
    let (name, account) = (&key.name, key.account);
    Error::ResourceNotFound(format!("Stream {name} under account {account} not found."))
}

/// Source: observed (kinesalite's suite).
pub(crate) fn stream_exists(key: &StreamKey) -> Error {
    let (name, account) = (&key.name, key.account);
    Error::ResourceInUse(format!("Stream {name} under account {account} already exists."))
}

/// Source: observed (kinesalite's suite).
pub(crate) fn stream_not_active(key: &StreamKey, status: Status) -> Error {
    let (name, account, status) = (&key.name, key.account, status.as_str());
    Error::ResourceInUse(format!(
        "Stream {name} under account {account} not ACTIVE, instead in state {status}"
    ))
}

/// Without `EnforceConsumerDeletion`.
///
/// Source: observed (terraform-provider-aws 8420, aws-nuke 497).
pub(crate) fn stream_has_consumers(key: &StreamKey) -> Error {
    let (name, account) = (&key.name, key.account);
    Error::ResourceInUse(format!(
        "DeleteStream can't delete {account}:{name} because there are consumers associated with \
         this data stream. To delete {name} anyway, set the EnforceConsumerDeletion parameter to \
         true to force the deletion of all the consumers that are associated with it."
    ))
}

/// An operation that on-demand streams do without.
///
/// Source: observed (moto).
pub(crate) fn is_on_demand(key: &StreamKey) -> Error {
    let (name, account) = (&key.name, key.account);
    Error::Validation(format!(
        "Request is invalid. Stream {name} under account {account} is in On-Demand mode."
    ))
}

/// A member that only on-demand streams have.
///
/// Source: ours.
pub(crate) fn only_on_demand(member: &str) -> Error {
    Error::InvalidArgument(format!("{member} is supported for streams in On-Demand mode only."))
}

/// By its ARN.
///
/// Source: observed (of SubscribeToShard, kinesis-connector-flink 44).
pub(crate) fn consumer_not_found(key: &ConsumerKey) -> Error {
    let ConsumerKey { stream, name, created_s } = key;
    let (stream, account) = (&stream.name, stream.account);
    Error::ResourceNotFound(format!(
        "Consumer {name} with creation timestamp {created_s} under stream: {stream}, account \
         {account} not found."
    ))
}

/// By its stream and its name.
///
/// Source: ours.
pub(crate) fn no_consumer_of_name(key: &StreamKey, name: &str) -> Error {
    let account = key.account;
    Error::ResourceNotFound(format!("Consumer {name}, account {account} not found."))
}

/// Source: observed (moto).
pub(crate) fn consumer_exists(key: &StreamKey, name: &str) -> Error {
    let (stream, account) = (&key.name, key.account);
    Error::ResourceInUse(format!(
        "Consumer {name} under stream {stream} already exists for account {account}."
    ))
}

/// The policies of the caller, or of the resource, do not let him.
///
/// Source: observed (the words of every service that asks IAM).
pub(crate) fn denied(cx: &Cx, action: &str, arn: &str, denial: Denial) -> Error {
    Error::AccessDenied(kit::denied(cx, (SERVICE, action), arn, denial))
}

/// Source: observed (LocalStack's recorded answers).
pub(crate) fn no_policy(arn: &str) -> Error {
    Error::ResourceNotFound(format!("No resource policy found for resource ARN {arn}"))
}

/// Source: ours.
pub(crate) fn policy_refused(why: &str) -> Error {
    Error::Validation(format!("The resource policy is not valid: {why}."))
}

/// Source: ours.
pub(crate) fn key_not_found(key_id: &str) -> Error {
    Error::KmsNotFound(format!("Key '{key_id}' does not exist."))
}

/// Source: ours.
pub(crate) fn key_disabled(key_id: &str) -> Error {
    Error::KmsDisabled(format!("Key '{key_id}' is disabled."))
}

/// Source: ours.
pub(crate) fn key_unavailable(key_id: &str) -> Error {
    Error::KmsInvalidState(format!("Key '{key_id}' cannot be used now."))
}

/// Source: ours.
pub(crate) fn encryption_type_none() -> Error {
    let text = "EncryptionType NONE is not valid here: the only valid value is KMS.";
    Error::InvalidArgument(text.into())
}
