//! A data directory's doors together, and what every service needs of both.
//!
//! ```text
//! Part::take_logs --> numbers reserved in the catalog --> Part::open_log --> records
//! Part::commit { rows, Transaction::own }      --> the log is the service's
//! Part::commit { rows, Transaction::give_up }  --> removal --> its bytes go --> the row goes
//! ```
//!
//! A log gets its first record after the catalog knows its owner (after a loss it may begin with
//! a gap before that), and is named in a removal until nothing is left of it. So records that
//! nobody owns are of a catalog that is older than they are; served, their log would be handed to
//! somebody else.
//!
//! Rows, all texts:
//!
//! | key | value |
//! | --- | --- |
//! | `store/next-log` | the first number of a log that was never reserved |
//! | `store/log/<number>` | the service that owns the log |
//! | `store/removal/<number>` | the log is nobody's any more, and its bytes may still be there |

mod ids;
pub(crate) mod owners;
mod removal;

pub use owners::{Stranger, strangers};

use crate::catalog::Scope;
use crate::{Catalog, Keys, Log, LogId, Logs, Order, Result, Transaction};
use base::env::{Clock, ClockGuard};
use bytes::Bytes;
use ids::LogIds;
use std::future::Future;
use std::sync::Arc;
use tokio::sync::Notify;

/// See the module.
pub struct Store {
    catalog: Arc<dyn Catalog>,
    logs: Arc<dyn Logs>,
    ids: LogIds,
    /// Told when logs are to be removed.
    removals: Arc<Notify>,
}

impl Store {
    /// Joins a catalog and the logs that belong to it.
    ///
    /// `forgive`: logs that nobody owns because their removal was given up with a part of a damaged
    /// journal are left alone.
    ///
    /// # Errors
    /// `Corrupt` records are there that nobody owns; a row cannot be read. Nothing is touched then.
    pub fn open(
        catalog: Arc<dyn Catalog>,
        logs: Arc<dyn Logs>,
        forgive: bool,
    ) -> Result<Arc<Self>> {
        owners::check(&*catalog, &logs.written(), forgive)?;
        let ids = LogIds::new(catalog.clone());
        Ok(Arc::new(Self { catalog, logs, ids, removals: Arc::default() }))
    }

    /// What one service has of it; `service` as in [`Scope::new`].
    pub fn part(self: &Arc<Self>, service: &'static str) -> Part {
        Part { rows: Scope::new(self.catalog.clone(), service), store: self.clone() }
    }

    /// Removes logs that were given up, for as long as it is polled and the store lives: one task
    /// for all services, since nobody waits for the bytes of what is gone.
    pub fn remove_logs(
        self: &Arc<Self>,
        clock: Arc<dyn Clock>,
    ) -> impl Future<Output = ()> + Send + use<> {
        removal::run(Arc::downgrade(self), clock, self.removals.clone())
    }

    /// Makes what is accepted durable and stops.
    ///
    /// # Errors
    /// The first failure of the two.
    pub async fn close(&self) -> Result<()> {
        let logs = self.logs.close().await;
        logs.and(self.catalog.close().await)
    }

    /// Why nothing can be written now (`/readyz` shows it); empty when all is well.
    pub fn troubles(&self) -> Vec<String> {
        self.logs.trouble().into_iter().chain(self.catalog.trouble()).collect()
    }

    /// The time that records are stamped with.
    pub fn clock(&self) -> &Arc<ClockGuard> {
        self.logs.clock()
    }
}

impl Drop for Store {
    /// Lets the task that removes logs end.
    fn drop(&mut self) {
        self.removals.notify_one();
    }
}

/// One service's part of the store: its rows and its logs.
#[derive(Clone)]
pub struct Part {
    rows: Scope,
    store: Arc<Store>,
}

impl Part {
    /// As [`Scope::get`].
    pub fn get(&self, key: &[u8]) -> Option<Bytes> {
        self.rows.get(key)
    }

    /// As [`Scope::range`].
    pub fn range(&self, keys: &Keys, order: Order, rows_max: usize) -> Vec<(Bytes, Bytes)> {
        self.rows.range(keys, order, rows_max)
    }

    /// As [`Scope::scan`].
    pub fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        rows_max: usize,
    ) -> Vec<(Bytes, Bytes)> {
        self.rows.scan(prefix, after, rows_max)
    }

    /// As [`Catalog::commit`]; logs that it owns must be nobody's and those that it gives up the
    /// service's, which begin to go.
    ///
    /// # Errors
    /// As [`Catalog::commit`]; `Conflict` a log is another's.
    /// # Cancel safety
    /// Dropped while it waits, its logs go with the next ones, or after the next start.
    pub async fn commit(&self, transaction: Transaction) -> Result<()> {
        let gives_up = !transaction.given_up.is_empty();
        self.rows.commit_with_logs(transaction).await?;
        if gives_up {
            self.store.removals.notify_one();
        }
        Ok(())
    }

    /// Numbers for new logs, which nobody had and nobody else will have, in order. Those that come
    /// to nothing are lost, there are enough.
    ///
    /// # Errors
    /// As [`Catalog::commit`]; `Corrupt` the row of numbers cannot be read.
    pub async fn take_logs(&self, count: usize) -> Result<Vec<LogId>> {
        self.store.ids.take(count).await
    }

    /// As [`Logs::open`]. Nothing may be appended before a commit owned the log.
    ///
    /// # Errors
    /// As [`Logs::open`].
    pub async fn open_log(&self, id: LogId) -> Result<Arc<dyn Log>> {
        self.store.logs.open(id).await
    }

    /// Closes logs that came to nothing: they were opened, and the commit that was to own them
    /// failed. What cannot be closed now takes its memory until the next start.
    pub async fn abandon_logs(&self, logs: &[LogId]) {
        if let Err(e) = self.store.logs.remove(logs).await {
            tracing::debug!(kind = ?e.kind(), "logs of a failed change stay open: {e}");
        }
    }

    /// The time that records are stamped with, and by which alone they may be trimmed.
    pub fn clock(&self) -> &Arc<ClockGuard> {
        self.store.clock()
    }
}
