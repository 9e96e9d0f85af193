//! The catalog without a disk: rows live as long as the process.

use super::rows::{self, Rows};
use super::{CLOSED, Catalog, Keys, Order, Transaction};
use crate::{Error, ErrorKind, Job, Result};
use bytes::Bytes;
use parking_lot::RwLock;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A [`Catalog`] in memory, for tests and for `--memory`.
#[derive(Debug, Default)]
pub struct MemoryCatalog {
    rows: RwLock<Rows>,
    closed: AtomicBool,
}

impl MemoryCatalog {
    /// An empty catalog.
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    fn apply(&self, transaction: &Transaction) -> Result<()> {
        if self.closed.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Unavailable, CLOSED));
        }
        transaction.check_plain()?;
        let mut rows = self.rows.write();
        rows::check(&transaction.checks, |key| rows.get(key))?;
        rows.apply(&transaction.writes);
        Ok(())
    }
}

impl Catalog for MemoryCatalog {
    fn get(&self, key: &[u8]) -> Option<Bytes> {
        self.rows.read().get(key)
    }

    fn range(&self, keys: &Keys, order: Order, rows_max: usize) -> Vec<(Bytes, Bytes)> {
        self.rows.read().range(keys, order, rows_max)
    }

    fn commit(&self, transaction: Transaction) -> Job<'_, ()> {
        Box::pin(async move { self.apply(&transaction) })
    }

    fn close(&self) -> Job<'_, ()> {
        self.closed.store(true, Ordering::Relaxed);
        Box::pin(std::future::ready(Ok(())))
    }

    fn trouble(&self) -> Option<String> {
        self.closed.load(Ordering::Relaxed).then(|| CLOSED.to_owned())
    }
}
