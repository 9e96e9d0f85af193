//! The durable catalog: rows in memory, a log of transactions and snapshots on disk.
//!
//! ```text
//! commit --> queue --> commit thread: check against rows + what is staged
//!   --> one frame for all that waited: write + fdatasync --> witness --> rows --> answers
//! log full --> new log --> snapshot when the logs outweigh the last one --> older ones removed
//! ```
//!
//! Layouts are in [`format`], the rules of recovery in [`recover`], those of files in [`files`],
//! what tells a catalog that is older than its records in [`witness`].
//! Every frame lies twice in the log, so that one damaged place never loses a transaction, not even
//! the last one. Nothing depends on pages of an earlier process, which the kernel may show as clean
//! although writing them failed: a frame that the witness does not know of is shown only once a
//! snapshot holds it, and left out when there can be none.
//!
//! Cost of a transaction: two writes of 8 KiB (for small rows) with an fdatasync each, shared by
//! all that wait at the same time.

mod files;
mod format;
mod queue;
mod recover;
mod witness;
mod writer;

use super::rows::Rows;
use super::{Catalog, Keys, Order, Transaction};
use crate::overdue::Overdue;
use crate::{Damage, Error, ErrorKind, Job, Result};
use base::Env;
use base::env::{Clock, Thread};
use bytes::Bytes;
use parking_lot::{Mutex, RwLock};
use queue::Queue;
use recover::Depth;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use writer::Writer;

/// Bounds of the local catalog.
#[derive(Clone, Copy, Debug)]
pub struct LocalCatalogOptions {
    /// Bytes of a log, written when it is made; a larger transaction makes a larger log.
    pub log_bytes: usize,
    /// Bytes of keys and values of one transaction.
    pub transaction_bytes_max: usize,
    /// Bytes of transactions that may wait for the commit thread.
    pub waiting_bytes_max: usize,
}

impl Default for LocalCatalogOptions {
    fn default() -> Self {
        // A reshard of 10,000 shards with the longest name is one transaction of 19 MB.
        Self { log_bytes: 2 << 20, transaction_bytes_max: 32 << 20, waiting_bytes_max: 64 << 20 }
    }
}

/// A [`Catalog`] in the directory `catalog` of a data directory.
///
/// The caller holds the lock of the data directory.
pub struct LocalCatalog {
    shared: Arc<Shared>,
    options: LocalCatalogOptions,
    clock: Arc<dyn Clock>,
    thread: Mutex<Option<Thread<()>>>,
}

struct Shared {
    rows: RwLock<Rows>,
    queue: Queue,
    trouble: RwLock<Option<Error>>,
    overdue: Overdue,
}

/// What [`LocalCatalog::verify`] found.
#[derive(Debug)]
pub struct Verified {
    /// What is not as it was written.
    pub damages: Vec<Damage>,
    /// Every row, in order of the keys; none when a start would refuse the catalog.
    pub rows: Vec<(Bytes, Bytes)>,
}

impl LocalCatalog {
    /// Opens the catalog of a data directory, making it when there is none.
    ///
    /// # Errors
    /// `Corrupt` naming file and offset, when acknowledged transactions cannot be proven complete;
    /// `Invalid` the format is of a later version; `Full`, `Unavailable` the disk refused. Nothing
    /// was removed then.
    pub fn open(data_dir: &Path, env: &Env) -> Result<Arc<Self>> {
        Self::open_with(data_dir, env, LocalCatalogOptions::default())
    }

    /// Opens with other bounds.
    ///
    /// # Errors
    /// As [`LocalCatalog::open`].
    pub fn open_with(
        data_dir: &Path,
        env: &Env,
        options: LocalCatalogOptions,
    ) -> Result<Arc<Self>> {
        let dir = directory(data_dir);
        let clock = Arc::clone(&env.clock);
        let (writer, rows) = Writer::open(dir, env.clone(), options)?;
        let shared = Arc::new(Shared {
            rows: RwLock::new(rows),
            queue: Queue::new(env, options.waiting_bytes_max),
            trouble: RwLock::default(),
            overdue: Overdue::default(),
        });
        let thread = env.spawn("millweir-catalog".to_owned(), {
            let shared = Arc::clone(&shared);
            move || writer.run(&shared)
        })?;
        Ok(Arc::new(Self { shared, options, clock, thread: Mutex::new(Some(thread)) }))
    }

    /// Walks every checksum of a data directory's catalog, changing nothing; the directory should
    /// not be open.
    ///
    /// Damage that a start repairs is listed like damage that it refuses.
    ///
    /// # Errors
    /// `Invalid` the format is of a later version; `Unavailable` the directory cannot be listed.
    pub fn verify(data_dir: &Path, env: &Env) -> Result<Verified> {
        let dir = directory(data_dir);
        match recover::recover(env.disk.as_ref(), &dir, (Depth::Everything, u64::MAX)) {
            Ok(recovered) => {
                let rows = recovered.rows.range(&Keys::default(), Order::Forward, usize::MAX);
                Ok(Verified { damages: recovered.damages, rows })
            }
            Err(refused) if refused.error.kind() != ErrorKind::Corrupt => Err(refused.error),
            Err(refused) => Ok(Verified { damages: refused.damages, rows: Vec::new() }),
        }
    }

    fn check(&self, transaction: &Transaction) -> Result<()> {
        transaction.check_plain()?;
        let bytes = queue::cost_bytes(transaction);
        let max = self.options.transaction_bytes_max;
        if bytes > max {
            let message = format!("a transaction of {bytes} bytes is over {max} bytes");
            return Err(Error::new(ErrorKind::Invalid, message));
        }
        Ok(())
    }
}

fn directory(data_dir: &Path) -> PathBuf {
    data_dir.join("catalog")
}

impl Catalog for LocalCatalog {
    fn get(&self, key: &[u8]) -> Option<Bytes> {
        self.shared.rows.read().get(key)
    }

    fn range(&self, keys: &Keys, order: Order, rows_max: usize) -> Vec<(Bytes, Bytes)> {
        self.shared.rows.read().range(keys, order, rows_max)
    }

    /// Dropping the answer does not take the transaction back.
    fn commit(&self, transaction: Transaction) -> Job<'_, ()> {
        let queued = self.check(&transaction).and_then(|()| self.shared.queue.push(transaction));
        Box::pin(async move { queued?.await })
    }

    fn close(&self) -> Job<'_, ()> {
        let last = self.shared.queue.close();
        Box::pin(async move {
            match last? {
                Some(last) => last.await,
                None => Ok(()),
            }
        })
    }

    fn trouble(&self) -> Option<String> {
        let trouble = self.shared.trouble.read().as_ref().map(ToString::to_string);
        let closed = || self.shared.queue.trouble();
        let overdue = || self.shared.overdue.trouble(&*self.clock, "a change of the catalog");
        trouble.or_else(closed).or_else(overdue)
    }
}

impl Drop for LocalCatalog {
    fn drop(&mut self) {
        drop(self.shared.queue.close());
        if let Some(thread) = self.thread.get_mut().take() {
            // A panic of the thread has been reported by the panic hook; the rows stay as they
            // were.
            drop(thread.join());
        }
    }
}
