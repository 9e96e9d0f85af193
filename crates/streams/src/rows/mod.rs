//! What lies in the catalog: one file per stored key, each with its round-trip test.
//!
//! Keys are `/`-joined texts behind the service's own `kinesis/` (accounts, regions and names hold
//! no `/`), values JSON. A value that cannot be read is an error naming its key; nothing is ever
//! deleted or replaced because of it.

mod account_row;
mod attached_row;
mod consumer_row;
mod predecessor_row;
mod secret_row;
mod shard_row;
mod stream_row;

pub(crate) use account_row::{AccountRow, Commitment};
pub(crate) use attached_row::{PolicyRow, TagsRow};
pub(crate) use consumer_row::{ConsumerRow, ConsumerStatus};
pub(crate) use predecessor_row::{AGE_S, Predecessor};
pub(crate) use secret_row::Secret;
pub(crate) use shard_row::{Closed, ShardRow};
pub(crate) use stream_row::{Change, Encryption, Mode, Status, StreamRow};

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{Error, ErrorKind, Part, Result, Transaction};

/// The stored form of a row.
pub(crate) fn encode<T: Serialize>(row: &T) -> Vec<u8> {
    serde_json::to_vec(row).expect("rows are plain data with text keys")
}

/// Reads a row back.
///
/// # Errors
/// `Corrupt` naming the key.
pub(crate) fn decode<T: DeserializeOwned>(key: &[u8], value: &[u8]) -> Result<T> {
    serde_json::from_slice(value).map_err(|e| {
        let key = String::from_utf8_lossy(key);
        Error::new(ErrorKind::Corrupt, format!("catalog row `{key}`: {e}"))
    })
}

/// The row under a key, if there is one.
pub(crate) fn get<T: DeserializeOwned>(store: &Part, key: &[u8]) -> Result<Option<T>> {
    store.get(key).map(|value| decode(key, &value)).transpose()
}

/// Rows read at once when a prefix is walked.
const PAGE_ROWS: usize = 1000;

/// Every row under a prefix with its key, in key order.
pub(crate) fn scan<T: DeserializeOwned>(store: &Part, prefix: &str) -> Result<Vec<(Bytes, T)>> {
    let mut rows = Vec::new();
    let mut after: Option<Bytes> = None;
    loop {
        let page = store.scan(prefix.as_bytes(), after.as_deref(), PAGE_ROWS);
        let full = page.len() == PAGE_ROWS;
        for (key, value) in page {
            let row = decode(&key, &value)?;
            after = Some(key.clone());
            rows.push((key, row));
        }
        if !full {
            return Ok(rows);
        }
    }
}

/// Puts a row into a transaction.
pub(crate) fn put<T: Serialize>(transaction: &mut Transaction, key: Vec<u8>, row: &T) {
    transaction.put(key, encode(row));
}

#[cfg(test)]
fn check_round_trip<T>(row: &T)
where
    T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let stored = encode(row);
    assert_eq!(&decode::<T>(b"k", &stored).unwrap(), row);
    let torn = decode::<T>(b"k", &stored[..stored.len() - 1]).unwrap_err();
    assert_eq!(torn.kind(), ErrorKind::Corrupt);
    assert!(torn.to_string().contains("`k`"));
}
