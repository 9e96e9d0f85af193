//! The rows themselves: an ordered map, and the check and the writes of a transaction.

use super::{Keys, Order};
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

    pub(super) fn range(
        &self,
        Keys { start, end }: &Keys,
        order: Order,
        rows_max: usize,
    ) -> Vec<(Bytes, Bytes)> {
        if end.as_ref().is_some_and(|end| end <= start) {
            return Vec::new();
        }
        let end = end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let rows = self.0.range::<[u8], _>((Bound::Included(start.as_slice()), end));
        let copy = |(key, value): (&Bytes, &Bytes)| (key.clone(), value.clone());
        match order {
            Order::Forward => rows.take(rows_max).map(copy).collect(),
            Order::Backward => rows.rev().take(rows_max).map(copy).collect(),
        }
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

    fn check_range(keys: &Keys, order: Order, rows_max: usize, want: &[&str]) {
        let rows = rows(&["a", "ab/1", "ab/2", "ab/3", "ac", "b", "\u{7f}\u{7f}"]);
        let got = rows.range(keys, order, rows_max);
        let got: Vec<_> = got.iter().map(|(k, _)| std::str::from_utf8(k).unwrap()).collect();
        assert_eq!(got, want, "{keys:?}, {order:?}, at most {rows_max}");
    }

    #[test]
    fn ranges() {
        use Order::{Backward, Forward};
        let all = Keys::starting_with;
        check_range(&all(b"a"), Forward, 99, &["a", "ab/1", "ab/2", "ab/3", "ac"]);
        check_range(&all(b""), Backward, 2, &["\u{7f}\u{7f}", "b"]);
        check_range(&all(b"ab/"), Forward, 99, &["ab/1", "ab/2", "ab/3"]);
        check_range(&all(b"ab/"), Backward, 2, &["ab/3", "ab/2"]);
        check_range(&all(b"ab/").after(b"ab/1"), Forward, 1, &["ab/2"]);
        check_range(&all(b"ab/").after(b"ab/3"), Forward, 99, &[]);
        check_range(&all(b"ab/").after(b"a"), Forward, 99, &["ab/1", "ab/2", "ab/3"]);
        check_range(&all(b"ab/").after(b"z"), Forward, 99, &[]);
        check_range(&all(b"ab/").before(b"ab/3"), Backward, 1, &["ab/2"]);
        check_range(&all(b"ab/").before(b"z"), Backward, 1, &["ab/3"]);
        check_range(&all(b"ab/").before(b"ab/1"), Forward, 9, &[]);
        check_range(&all(b"ab/"), Forward, 0, &[]);
        check_range(&all(b"zz"), Forward, 99, &[]);
        assert_eq!(all(&[1, 255, 255]).end, Some(vec![2]));
        assert_eq!((all(&[255, 255]).end, all(b"").end), (None, None));
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
