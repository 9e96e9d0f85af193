//! Too many, too much, too often.

use crate::shard::Shard;
use crate::stream::{Stream, StreamKey};
use api::kinesis::Error;
use base::Cx;

/// `streams_max`: those in passing states that an account may have at once.
///
/// The two blanks are AWS's. Terraform waits and tries again only when it finds `simultaneously be
/// in CREATING or DELETING`.
///
/// Source: observed (terraform-provider-aws 1339).
pub(crate) fn too_many_passing(cx: &Cx, streams_max: usize) -> Error {
    let account = cx.account;
    Error::LimitExceeded(format!(
        "This request would have exceed the limit on the number  of streams that can \
         simultaneously be in CREATING or DELETING for the account {account}. Limit: \
         {streams_max}."
    ))
}

/// `taken`: shards that the account has; `more`: those that the request would bring.
///
/// Source: observed (kinesalite's suite).
pub(crate) fn account_shards(cx: &Cx, taken: usize, shards_max: u32, more: u32) -> Error {
    let (account, region) = (cx.account, &cx.region);
    Error::LimitExceeded(format!(
        "This request would exceed the shard limit for the account {account} in {region}. Current \
         shard count for the account: {taken}. Limit: {shards_max}. Number of additional shards \
         that would have resulted from this request: {more}. Refer to the AWS Service Limits page \
         (http://docs.aws.amazon.com/general/latest/gr/aws_service_limits.html) for current limits \
         and how to request higher limits."
    ))
}

/// Source: observed (kinesalite's suite).
pub(crate) fn stream_shards(shards_max: u32, open: u32, target: u32) -> Error {
    Error::LimitExceeded(format!(
        "Target shard count or number of open shards cannot be greater than {shards_max}. Current \
         open shard count: {open}, Target shard count: {target}"
    ))
}

/// Source: observed (kinesalite's suite).
pub(crate) fn above_double(open: u32, target: u32) -> Error {
    Error::LimitExceeded(format!(
        "UpdateShardCount cannot scale up over double your current open shard count. Current open \
         shard count: {open}, Target shard count: {target}"
    ))
}

/// Source: observed (kinesalite's suite).
pub(crate) fn below_half(open: u32, target: u32) -> Error {
    Error::LimitExceeded(format!(
        "UpdateShardCount cannot scale down below half your current open shard count. Current open \
         shard count: {open}, Target shard count: {target}"
    ))
}

/// Source: observed (terraform-provider-aws 38094).
pub(crate) fn on_demand_streams(cx: &Cx, count: usize, streams_max: u32) -> Error {
    let (account, region) = (cx.account, &cx.region);
    Error::LimitExceeded(format!(
        "This request would exceed the limit on the number of On-Demand streams for the account \
         {account} in {region}. Current On-Demand streams count: {count}. Limit: {streams_max}."
    ))
}

/// Source: ours.
pub(crate) fn rationed(operation: &str, changes_max: usize) -> Error {
    Error::LimitExceeded(format!(
        "{operation} can be done at most {changes_max} times for a stream in a rolling 24-hour \
         period."
    ))
}

/// Source: ours.
pub(crate) fn warm_above(mibps: u32, mibps_max: u32) -> Error {
    let text = format!("WarmThroughputMiBps {mibps} is above the limit of {mibps_max}.");
    Error::InvalidArgument(text)
}

/// Source: ours.
pub(crate) fn warm_uncommitted() -> Error {
    let text = "WarmThroughputMiBps needs MinimumThroughputBillingCommitment to be enabled for the \
                account.";
    Error::Validation(text.into())
}

/// Source: ours.
pub(crate) fn too_many_consumers(key: &StreamKey, consumers_max: usize) -> Error {
    let (name, account) = (&key.name, key.account);
    Error::LimitExceeded(format!(
        "Stream {name} under account {account} has {consumers_max} registered consumers, which is \
         the limit."
    ))
}

/// Source: ours.
pub(crate) fn too_many_creating(key: &StreamKey, consumers_max: usize) -> Error {
    let (name, account) = (&key.name, key.account);
    Error::LimitExceeded(format!(
        "Stream {name} under account {account} has {consumers_max} consumers in the CREATING \
         state, which is the limit."
    ))
}

/// A write over a shard's rate, also of an entry of `PutRecords`.
///
/// Source: observed (an answer in kinesalite 87).
pub(crate) fn write_throttled(stream: &Stream, shard: &Shard) -> String {
    let (name, account) = (&stream.key.name, stream.key.account);
    format!("Rate exceeded for shard {} in stream {name} under account {account}.", shard.id)
}

/// A read over a shard's rate.
///
/// Source: observed (risingwave 7453).
pub(crate) fn read_throttled(stream: &Stream, shard: &Shard) -> Error {
    let (name, account) = (&stream.key.name, stream.key.account);
    Error::ProvisionedThroughputExceeded(format!(
        "Rate exceeded for Shard - {account}/{name}/{}",
        shard.id
    ))
}
