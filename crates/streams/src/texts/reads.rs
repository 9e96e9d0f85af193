//! Iterators, starting positions, subscriptions.

use crate::consumer::Consumer;
use crate::sequence::Used;
use crate::shard::Shard;
use api::kinesis::{Error, ShardIteratorType};
use std::fmt::Display;

/// No iterator of this server, or one of another stream.
///
/// Source: observed (kinesalite's suite).
pub(crate) fn iterator_malformed() -> Error {
    Error::InvalidArgument("Invalid ShardIterator.".into())
}

/// `created` and `now` as AWS prints a time there.
///
/// Source: observed (kinesalite).
pub(crate) fn iterator_expired(created: &str, now: &str, life_ms: i64) -> Error {
    Error::ExpiredIterator(format!(
        "Iterator expired. The iterator was created at time {created} while right now it is {now} \
         which is further in the future than the tolerated delay of {life_ms} milliseconds."
    ))
}

/// Answers on their way take all the memory that the client may have.
///
/// Source: ours.
pub(crate) fn too_much_read() -> Error {
    Error::ServiceUnavailable("Too much is read at once, try again.".into())
}

/// Source: ours.
pub(crate) fn iterator_of_another(arn: &str) -> Error {
    Error::InvalidArgument(format!("The ShardIterator is not one of StreamARN {arn}."))
}

/// Source: observed (kinesalite's suite).
pub(crate) fn number_malformed(used: &Used<'_>, operation: &str, number: &str) -> Error {
    Error::InvalidArgument(number_used(used, operation, &number) + ".")
}

/// Of another stream, or of one that had its name before.
///
/// Source: observed (kinesalite's suite).
pub(crate) fn number_foreign(used: &Used<'_>, operation: &str, number: &dyn Display) -> Error {
    let text = " because it did not come from this stream.";
    Error::InvalidArgument(number_used(used, operation, number) + text)
}

/// How both begin.
///
/// Source: observed (kinesalite's suite).
fn number_used(used: &Used<'_>, operation: &str, number: &dyn Display) -> String {
    let Used { shard_id, stream, account, .. } = used;
    format!(
        "StartingSequenceNumber {number} used in {operation} on shard {shard_id} in stream \
         {stream} under account {account} is invalid"
    )
}

/// Signed, as AWS prints an index that no shard can have.
///
/// Source: observed (kinesalite's suite).
pub(crate) fn number_of_another_shard(used: &Used<'_>, index: u32) -> Error {
    let (index, shard_id) = (index.cast_signed(), used.shard_id);
    Error::InvalidArgument(format!(
        "Invalid StartingSequenceNumber. It encodes shardId-{index:012}, while it was used in a \
         call to a shard with {shard_id}"
    ))
}

/// Source: observed (kinesalite's suite).
pub(crate) fn no_timestamp() -> Error {
    let text = "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. \
                Current request has no timestamp parameter.";
    Error::InvalidArgument(text.into())
}

/// Source: observed (kinesalite's suite).
pub(crate) fn timestamp_ahead(at_ms: i64, now_ms: i64) -> Error {
    Error::InvalidArgument(format!(
        "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. \
         timestampInMillis: {at_ms}, currentTimestampInMillis: {now_ms}"
    ))
}

/// Source: observed (kinesalite's suite).
pub(crate) fn number_missing(kind: ShardIteratorType) -> Error {
    number_misplaced(kind, "no StartingSequenceNumber")
}

/// Source: observed (kinesalite's suite).
pub(crate) fn number_beside(kind: ShardIteratorType) -> Error {
    number_misplaced(kind, "also a StartingSequenceNumber")
}

/// What both say.
///
/// Source: observed (kinesalite's suite).
fn number_misplaced(kind: ShardIteratorType, what: &str) -> Error {
    let kind = kind.as_str();
    Error::InvalidArgument(format!(
        "Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and \
         StartingSequenceNumber or (2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. \
         Request specified {kind} and {what}."
    ))
}

/// Source: observed (kinesis-hot-shard-advisor 37).
pub(crate) fn consumer_not_active(consumer: &Consumer) -> Error {
    let key = &consumer.key;
    let (name, created_s) = (&key.name, key.created_s);
    let (stream, account) = (&key.stream.name, key.stream.account);
    Error::ResourceInUse(format!(
        "Consumer {name} with creation timestamp {created_s} under stream: {stream} , account \
         {account} is not in ACTIVE status."
    ))
}

/// Source: observed (daangn/kinesumer 19).
pub(crate) fn subscription_in_use(consumer: &Consumer, shard: &Shard) -> Error {
    let key = &consumer.key;
    Error::ResourceInUse(format!(
        "Another active subscription exists for this consumer: {}:{}:{}:{}",
        key.stream.account, key.stream.name, shard.id, key.name
    ))
}
