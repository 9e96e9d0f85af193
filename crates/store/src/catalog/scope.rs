//! One service's rows of a catalog.

use super::{Catalog, Keys, Order, Transaction};
use crate::Result;
use crate::part::owners;
use bytes::Bytes;
use std::sync::Arc;

/// The rows of one service: its keys are given and come back without the service's name, which the
/// catalog has before them (`kinesis/stream/..`). No service sees those of another.
#[derive(Clone)]
pub struct Scope {
    catalog: Arc<dyn Catalog>,
    service: &'static str,
}

impl Scope {
    /// The rows of `service`: AWS's name of it, as in its ARNs and signatures.
    ///
    /// # Panics
    /// The name is empty, has a `/`, or is the store's own.
    pub fn new(catalog: Arc<dyn Catalog>, service: &'static str) -> Self {
        let is_sound = !["", "store"].contains(&service) && !service.contains('/');
        assert!(is_sound, "`{service}` is no name of a service");
        Self { catalog, service }
    }

    /// As [`Catalog::get`].
    pub fn get(&self, key: &[u8]) -> Option<Bytes> {
        self.catalog.get(&self.full(key))
    }

    /// As [`Catalog::range`].
    pub fn range(&self, keys: &Keys, order: Order, rows_max: usize) -> Vec<(Bytes, Bytes)> {
        let mut full = Keys::starting_with(&self.full(b""));
        full.start = self.full(&keys.start);
        if let Some(end) = &keys.end {
            full.end = Some(self.full(end));
        }
        let mut rows = self.catalog.range(&full, order, rows_max);
        let skipped = self.full(b"").len();
        for (key, _) in &mut rows {
            *key = key.slice(skipped..);
        }
        rows
    }

    /// As [`Catalog::scan`].
    pub fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        rows_max: usize,
    ) -> Vec<(Bytes, Bytes)> {
        self.range(&Keys::scanned(prefix, after), Order::Forward, rows_max)
    }

    /// As [`Catalog::commit`].
    ///
    /// # Errors
    /// As [`Catalog::commit`]; `Invalid` it says something of logs, which [`crate::Part::commit`]
    /// understands.
    pub async fn commit(&self, transaction: Transaction) -> Result<()> {
        transaction.check_plain()?;
        self.commit_with_logs(transaction).await
    }

    /// As [`crate::Part::commit`], but nobody is told of logs to remove.
    pub(crate) async fn commit_with_logs(&self, transaction: Transaction) -> Result<()> {
        let Transaction { checks, writes, frees_room, owned, given_up } = transaction;
        let mut full = Transaction { frees_room, ..Transaction::default() };
        full.checks = checks.into_iter().map(|(key, value)| (self.full(&key), value)).collect();
        full.writes = writes.into_iter().map(|(key, value)| (self.full(&key), value)).collect();
        for log in owned {
            owners::own(&mut full, log, self.service);
        }
        for log in given_up {
            owners::give_up(&mut full, log, self.service);
        }
        self.catalog.commit(full).await
    }

    fn full(&self, key: &[u8]) -> Vec<u8> {
        [self.service.as_bytes(), b"/", key].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::catalog::MemoryCatalog;
    use testkit::block_on;

    fn keys(rows: &[(Bytes, Bytes)]) -> Vec<&str> {
        rows.iter().map(|(key, _)| std::str::from_utf8(key).unwrap()).collect()
    }

    #[test]
    fn services_share_no_row() {
        let catalog = MemoryCatalog::new();
        let [ours, other] = ["kinesis", "kinesisvideo"].map(|s| Scope::new(catalog.clone(), s));
        for (scope, value) in [(&ours, "1"), (&other, "2")] {
            let mut transaction = Transaction::default();
            transaction.check(b"stream/a".to_vec(), None);
            transaction.put(b"stream/a".to_vec(), value.into());
            transaction.put(b"stream/b".to_vec(), value.into());
            block_on(scope.commit(transaction)).unwrap();
        }
        assert_eq!(ours.get(b"stream/a").unwrap(), "1");
        assert_eq!(other.get(b"stream/a").unwrap(), "2");
        assert_eq!(keys(&ours.scan(b"", None, 9)), ["stream/a", "stream/b"]);
        assert_eq!(keys(&ours.scan(b"stream/", Some(b"stream/a"), 9)), ["stream/b"]);
        assert_eq!(keys(&catalog.scan(b"kinesis/", None, 1)), ["kinesis/stream/a"]);
        let mut removal = Transaction::default();
        removal.remove(b"stream/a".to_vec());
        block_on(ours.commit(removal)).unwrap();
        assert_eq!((ours.get(b"stream/a"), other.get(b"stream/a").is_some()), (None, true));
        let mut stale = Transaction::default();
        stale.check(b"stream/a".to_vec(), Some(Bytes::from_static(b"2")));
        let conflict = block_on(ours.commit(stale)).unwrap_err();
        assert_eq!(conflict.kind(), ErrorKind::Conflict);
    }
}
