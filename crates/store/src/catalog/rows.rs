//! The rows themselves: an ordered map that checks and applies transactions.

use crate::{Error, ErrorKind, Result};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::ops::Bound;

/// Keys in byte order with their values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rows(BTreeMap<Bytes, Bytes>);

impl Rows {
    pub(super) fn get(&self, key: &[u8]) -> Option<Bytes> {
        self.0.get(key).cloned()
    }

    pub(super) fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        rows_max: usize,
    ) -> Vec<(Bytes, Bytes)> {
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        self.0
            .range::<[u8], _>((start, Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(prefix))
            .take(rows_max)
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }

    /// Refuses with `Conflict` unless every key holds what is expected.
    pub(super) fn check(&self, checks: &[(Vec<u8>, Option<Bytes>)]) -> Result<()> {
        for (key, wanted) in checks {
            if self.0.get(key.as_slice()) != wanted.as_ref() {
                let message = format!("row `{}` is not what was read", key.escape_ascii());
                return Err(Error::new(ErrorKind::Conflict, message));
            }
        }
        Ok(())
    }

    pub(super) fn apply(&mut self, writes: &[(Vec<u8>, Option<Vec<u8>>)]) {
        for (key, value) in writes {
            match value {
                Some(value) => {
                    // Why copies: a slice of a larger buffer would keep that buffer alive as long
                    // as one of its rows lives.
                    self.0.insert(Bytes::copy_from_slice(key), Bytes::copy_from_slice(value));
                }
                None => {
                    self.0.remove(key.as_slice());
                }
            }
        }
    }
}
