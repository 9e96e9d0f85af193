//! The rows themselves: an ordered map, and the check and the writes of a transaction.

use crate::{Error, ErrorKind, Result};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::ops::Bound;

/// Refuses with `Conflict` unless every key holds what is expected; `get` knows what it holds.
pub(super) fn check(
    checks: &[(Vec<u8>, Option<Bytes>)],
    get: impl Fn(&[u8]) -> Option<Bytes>,
) -> Result<()> {
    for (key, wanted) in checks {
        if get(key) != *wanted {
            let message = format!("row `{}` is not what was read", key.escape_ascii());
            return Err(Error::new(ErrorKind::Conflict, message));
        }
    }
    Ok(())
}

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

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Bytes, &Bytes)> {
        self.0.iter()
    }

    /// Sets a row, or removes it when `value` is `None`.
    pub(super) fn set(&mut self, key: &[u8], value: Option<&[u8]>) {
        match value {
            // Why copies: a slice of a larger buffer would keep that buffer alive as long as one of
            // its rows lives.
            Some(value) => {
                self.0.insert(Bytes::copy_from_slice(key), Bytes::copy_from_slice(value));
            }
            None => {
                self.0.remove(key);
            }
        }
    }

    pub(super) fn apply(&mut self, writes: &[(Vec<u8>, Option<Vec<u8>>)]) {
        for (key, value) in writes {
            self.set(key, value.as_deref());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(keys: &[&str]) -> Rows {
        let mut rows = Rows::default();
        for key in keys {
            rows.set(key.as_bytes(), Some(b"v"));
        }
        rows
    }

    fn check_scan(prefix: &str, after: Option<&str>, rows_max: usize, want: &[&str]) {
        let rows = rows(&["a", "ab/1", "ab/2", "ab/3", "ac", "b"]);
        let got = rows.scan(prefix.as_bytes(), after.map(str::as_bytes), rows_max);
        let keys: Vec<_> = got.iter().map(|(k, _)| std::str::from_utf8(k).unwrap()).collect();
        assert_eq!(keys, want, "prefix {prefix:?}, after {after:?}, at most {rows_max}");
    }

    #[test]
    fn scans() {
        check_scan("", None, 99, &["a", "ab/1", "ab/2", "ab/3", "ac", "b"]);
        check_scan("ab/", None, 99, &["ab/1", "ab/2", "ab/3"]);
        check_scan("ab/", Some("ab/1"), 1, &["ab/2"]);
        check_scan("ab/", Some("ab/3"), 99, &[]);
        check_scan("ab/", Some("a"), 99, &["ab/1", "ab/2", "ab/3"]);
        check_scan("ab/", Some("z"), 99, &[]);
        check_scan("ab/", None, 0, &[]);
        check_scan("zz", None, 99, &[]);
    }

    #[test]
    fn check_names_the_row() {
        let rows = rows(&["a"]);
        let get = |key: &[u8]| rows.get(key);
        check(&[(b"a".to_vec(), Some(Bytes::from_static(b"v"))), (b"z".to_vec(), None)], get)
            .unwrap();
        let conflict = check(&[(b"a".to_vec(), None)], get).unwrap_err();
        assert_eq!(conflict.kind(), ErrorKind::Conflict);
        assert_eq!(conflict.to_string(), "row `a` is not what was read");
    }
}
