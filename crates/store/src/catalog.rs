//! The catalog door: ordered keys, whole transactions.

mod local;
mod memory;
mod rows;
mod scope;

pub use local::{LocalCatalog, LocalCatalogOptions, Verified};
pub use memory::MemoryCatalog;
pub use scope::Scope;

use crate::{Error, ErrorKind, Job, LogId, Result};
use bytes::Bytes;

/// Why nothing is committed after [`Catalog::close`].
const CLOSED: &str = "the catalog is closed";

/// Reads that must still hold and writes that happen together or not at all.
#[derive(Clone, Debug, Default)]
pub struct Transaction {
    /// Keys with the value they must have now; `None` for absent.
    pub checks: Vec<(Vec<u8>, Option<Bytes>)>,
    /// Keys with their new value; `None` removes. Later writes of one key win.
    pub writes: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    /// Whether it leads to room on the disk: it may use what is kept for a full one.
    pub frees_room: bool,
    /// Logs that the service of the rows owns from now on, see [`Transaction::own`].
    pub(crate) owned: Vec<LogId>,
    /// Logs that it gives up.
    pub(crate) given_up: Vec<LogId>,
}

impl Transaction {
    /// Requires `key` to hold `value` (or to be absent) at commit.
    pub fn check(&mut self, key: Vec<u8>, value: Option<Bytes>) -> &mut Self {
        self.checks.push((key, value));
        self
    }

    /// Sets `key`.
    pub fn put(&mut self, key: Vec<u8>, value: Vec<u8>) -> &mut Self {
        self.writes.push((key, Some(value)));
        self
    }

    /// Says that it leads to room on the disk.
    pub fn frees_room(&mut self) -> &mut Self {
        self.frees_room = true;
        self
    }

    /// Makes a log the service's whose rows these are, for [`crate::Part::commit`].
    pub fn own(&mut self, log: LogId) -> &mut Self {
        self.owned.push(log);
        self
    }

    /// Gives up a log, which is removed then with all its records: that leads to room on the disk.
    pub fn give_up(&mut self, log: LogId) -> &mut Self {
        self.given_up.push(log);
        self.frees_room()
    }

    /// Refuses a transaction that says something of logs and went past [`crate::Part::commit`].
    pub(crate) fn check_plain(&self) -> Result<()> {
        if self.owned.is_empty() && self.given_up.is_empty() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Invalid, "logs are owned by services alone"))
    }

    /// Removes `key`; fine when absent.
    pub fn remove(&mut self, key: Vec<u8>) -> &mut Self {
        self.writes.push((key, None));
        self
    }
}

/// A run of keys: from `start`, up to but not with `end` (`None`: all).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Keys {
    /// The first key that it may hold.
    pub start: Vec<u8>,
    /// The first key behind it.
    pub end: Option<Vec<u8>>,
}

/// Which end of a run comes first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// The lowest key.
    Forward,
    /// The greatest.
    Backward,
}

impl Keys {
    /// All keys that start with `prefix`.
    pub fn starting_with(prefix: &[u8]) -> Self {
        let mut end = prefix.to_vec();
        while end.pop_if(|last| *last == u8::MAX).is_some() {}
        let end = end.split_last_mut().map(|(last, _)| *last += 1).map(|()| end);
        Self { start: prefix.to_vec(), end }
    }

    /// Those that start with `prefix` and are greater than `after`.
    pub(crate) fn scanned(prefix: &[u8], after: Option<&[u8]>) -> Self {
        let keys = Self::starting_with(prefix);
        match after {
            Some(after) => keys.after(after),
            None => keys,
        }
    }

    /// Those of them that are greater than `key`.
    #[must_use]
    pub fn after(self, key: &[u8]) -> Self {
        let next = [key, &[0]].concat();
        Self { start: self.start.max(next), ..self }
    }

    /// Those of them that are less than `key`.
    #[must_use]
    pub fn before(self, key: &[u8]) -> Self {
        let end = match self.end {
            Some(end) => end.min(key.to_vec()),
            None => key.to_vec(),
        };
        Self { end: Some(end), ..self }
    }
}

/// Every named thing of a data directory: small values under ordered keys, all in memory, each
/// change durable before it is visible.
pub trait Catalog: Send + Sync + 'static {
    /// The value of a key.
    fn get(&self, key: &[u8]) -> Option<Bytes>;

    /// Rows whose keys are in `keys`.
    fn range(&self, keys: &Keys, order: Order, rows_max: usize) -> Vec<(Bytes, Bytes)>;

    /// Rows whose key starts with `prefix` and is greater than `after`, in key order.
    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, rows_max: usize) -> Vec<(Bytes, Bytes)> {
        self.range(&Keys::scanned(prefix, after), Order::Forward, rows_max)
    }

    /// Applies a transaction; durable and visible when it resolves. Transactions are applied one
    /// after another.
    ///
    /// # Errors
    /// `Conflict` a check does not hold, nothing was written; `Full`, `Unavailable` the disk
    /// refused: nothing is visible, and the catalog stays read-only until a restart when the
    /// outcome on disk is unknown.
    fn commit(&self, transaction: Transaction) -> Job<'_, ()>;

    /// Makes what is accepted durable and stops; later commits are `Unavailable`.
    fn close(&self) -> Job<'_, ()>;

    /// Why the catalog cannot be changed now, if it cannot (`/readyz` shows it).
    fn trouble(&self) -> Option<String>;
}
