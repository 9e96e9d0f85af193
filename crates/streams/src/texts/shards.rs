//! Shards that are missing, closed or not what a change needs, and retention.

use crate::hash::HashRange;
use crate::shard::Shard;
use crate::stream::StreamKey;
use api::kinesis::Error;

/// As `SplitShard`, `MergeShards` and unreadable shard ids are answered.
///
/// Source: observed (kinesalite's suite).
pub(crate) fn shard_not_found(key: &StreamKey, shard: &str) -> Error {
    let (name, account) = (&key.name, key.account);
    Error::ResourceNotFound(format!(
        "Could not find shard {shard} in stream {name} under account {account}."
    ))
}

/// As reads of a well-formed shard id that the stream does not have are answered.
///
/// Source: observed (kinesalite's suite).
pub(crate) fn shard_does_not_exist(key: &StreamKey, shard: &str) -> Error {
    let (name, account) = (&key.name, key.account);
    Error::ResourceNotFound(format!(
        "Shard {shard} in stream {name} under account {account} does not exist"
    ))
}

/// A shard that was split or merged before.
///
/// Source: observed (moto).
pub(crate) fn shard_closed(key: &StreamKey, shard: &Shard) -> Error {
    let (name, account, id) = (&key.name, key.account, &shard.id);
    Error::InvalidArgument(format!(
        "Shard {id} in stream {name} under account {account} has already been merged or split, and \
         thus is not eligible for merging or splitting."
    ))
}

/// Source: observed (kinesalite's suite).
pub(crate) fn not_adjacent(key: &StreamKey, lower: &Shard, upper: &Shard) -> Error {
    let (name, account) = (&key.name, key.account);
    Error::InvalidArgument(format!(
        "Shards {} and {} in stream {name} under account {account} are not an adjacent pair of \
         shards eligible for merging",
        lower.id, upper.id
    ))
}

/// A place to split at that is not well inside the shard.
///
/// Source: observed (kinesalite's suite).
pub(crate) fn split_outside(key: &StreamKey, shard: &Shard, at: &str) -> Error {
    let (name, account, id) = (&key.name, key.account, &shard.id);
    let HashRange { start, end } = shard.range();
    Error::InvalidArgument(format!(
        "NewStartingHashKey {at} used in SplitShard() on shard {id} in stream {name} under account \
         {account} is not both greater than one plus the shard's StartingHashKey {start} and less \
         than the shard's EndingHashKey {end}."
    ))
}

/// Source: observed (moto).
pub(crate) fn retention_above(hours: i32, hours_max: u32) -> Error {
    Error::InvalidArgument(format!(
        "Maximum allowed retention period is {hours_max} hours. Requested retention period \
         ({hours} hours) is too long."
    ))
}

/// Source: observed (kinesalite's suite).
pub(crate) fn retention_below(hours: i32, hours_min: u32) -> Error {
    Error::InvalidArgument(format!(
        "Minimum allowed retention period is {hours_min} hours. Requested retention period \
         ({hours} hours) is too short."
    ))
}

/// Source: observed (kinesalite's suite).
pub(crate) fn retention_not_longer(key: &StreamKey, asked: u32, has: u32) -> Error {
    let name = &key.name;
    Error::InvalidArgument(format!(
        "Requested retention period ({asked} hours) for stream {name} can not be shorter than \
         existing retention period ({has} hours). Use DecreaseRetentionPeriod API."
    ))
}

/// Source: observed (kinesalite's suite).
pub(crate) fn retention_not_shorter(key: &StreamKey, asked: u32, has: u32) -> Error {
    let name = &key.name;
    Error::InvalidArgument(format!(
        "Requested retention period ({asked} hours) for stream {name} can not be longer than \
         existing retention period ({has} hours). Use IncreaseRetentionPeriod API."
    ))
}
