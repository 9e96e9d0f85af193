//! Records that are not taken.

use crate::stream::StreamKey;
use api::kinesis::Error;

/// Data that alone would be taken.
///
/// Source: ours.
pub(crate) fn record_too_long(bytes: usize, bytes_max: usize) -> Error {
    Error::InvalidArgument(format!(
        "Record size of {bytes} bytes, partition key included, exceeds the limit of {bytes_max} \
         bytes"
    ))
}

/// Source: observed (moto, when it was 5 MB).
pub(crate) fn records_too_long() -> Error {
    Error::InvalidArgument("Records size exceeds 10 MB limit".into())
}

/// Source: observed (kinesalite's suite).
pub(crate) fn hash_key_above(hash_key: &str) -> Error {
    Error::InvalidArgument(format!(
        "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified \
         value was {hash_key}"
    ))
}

/// Of `SequenceNumberForOrdering`.
///
/// Source: observed (kinesalite's suite).
pub(crate) fn ordering_invalid(key: &StreamKey, number: &str) -> Error {
    let (name, account) = (&key.name, key.account);
    Error::InvalidArgument(format!(
        "ExclusiveMinimumSequenceNumber {number} used in PutRecord on stream {name} under account \
         {account} is invalid."
    ))
}

/// Of an entry of `PutRecords` that the store did not take.
///
/// Source: model (the reference's example of `PutRecords`).
pub(crate) const ENTRY_FAILED: &str = "Internal service failure.";
