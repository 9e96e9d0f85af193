//! Rows of the catalog as JSON, each type in a file of its service with its round-trip test.
//!
//! Keys are `/`-joined texts behind the service's own name (accounts, regions and names hold no
//! `/`). A value that cannot be read is an error naming its key; nothing is ever deleted or
//! replaced because of it.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{Error, ErrorKind, Part, Result, Transaction};

/// Rows read at once when a prefix is walked.
const PAGE_ROWS: usize = 1000;

/// The stored form of a row.
///
/// # Panics
/// A row that is no plain data with text keys.
pub fn encode<T: Serialize>(row: &T) -> Vec<u8> {
    serde_json::to_vec(row).expect("rows are plain data with text keys")
}

/// Reads a row back.
///
/// # Errors
/// `Corrupt` naming the key.
pub fn decode<T: DeserializeOwned>(key: &[u8], value: &[u8]) -> Result<T> {
    serde_json::from_slice(value).map_err(|e| {
        let key = String::from_utf8_lossy(key);
        Error::new(ErrorKind::Corrupt, format!("catalog row `{key}`: {e}"))
    })
}

/// The row under a key, if there is one.
///
/// # Errors
/// `Corrupt` naming the key.
pub fn get<T: DeserializeOwned>(store: &Part, key: &[u8]) -> Result<Option<T>> {
    store.get(key).map(|value| decode(key, &value)).transpose()
}

/// Every row under a prefix with its key, in key order.
///
/// # Errors
/// `Corrupt` naming the key.
pub fn scan<T: DeserializeOwned>(store: &Part, prefix: &str) -> Result<Vec<(Bytes, T)>> {
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
pub fn put<T: Serialize>(transaction: &mut Transaction, key: Vec<u8>, row: &T) {
    transaction.put(key, encode(row));
}

/// What the test of each row type does: it comes back as it was, and a torn one names its key.
///
/// # Panics
/// When that is not so.
pub fn check_round_trip<T>(row: &T)
where
    T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let stored = encode(row);
    assert_eq!(decode::<T>(b"k", &stored).ok().as_ref(), Some(row));
    let torn = decode::<T>(b"k", &stored[..stored.len() - 1]).err();
    let torn = torn.expect("a torn row is refused");
    assert_eq!(torn.kind(), ErrorKind::Corrupt);
    assert!(torn.to_string().contains("`k`"));
}
