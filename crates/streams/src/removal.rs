//! Logs that no shard owns any more are removed, many at a time.
//!
//! ```text
//! a row in the catalog --told--> the oldest rows --> the store has nothing left of their logs
//!   --> the rows go, in one transaction --> the next rows --> nothing left: wait to be told
//! ```
//!
//! One task does it all: the shards of a stream may be ten thousand, and nobody waits for their
//! bytes.

use crate::rows::{self, Removal};
use crate::service::Inner;
use base::env::Clock;
use std::sync::{Arc, Weak};
use std::time::Duration;
use store::{LogId, Transaction};
use tokio::sync::Notify;

/// Logs removed at once. The store syncs some 256 directories for as many logs as it is given.
const AT_ONCE: usize = 1024;

const RETRY_FIRST: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(30);

/// Begins to remove.
///
/// # Errors
/// `Corrupt` a row cannot be read.
pub(crate) fn start(inner: &Arc<Inner>) -> store::Result<()> {
    rows::scan::<Removal>(&*inner.catalog, Removal::PREFIX)?;
    let (clock, told) = (inner.env.clock.clone(), inner.removals.clone());
    inner.tasks.spawn(remove_all(Arc::downgrade(inner), clock, told));
    Ok(())
}

async fn remove_all(weak: Weak<Inner>, clock: Arc<dyn Clock>, told: Arc<Notify>) {
    let mut pause = RETRY_FIRST;
    loop {
        let Some(inner) = weak.upgrade() else { return };
        let removed = remove_known(&inner).await;
        drop(inner);
        if let Err(e) = removed {
            tracing::warn!(kind = ?e.kind(), "removed shards stay on the disk until later: {e}");
            clock.sleep(pause).await;
            pause = (pause * 2).min(RETRY_MAX);
        } else {
            pause = RETRY_FIRST;
            told.notified().await;
        }
    }
}

/// Removes the logs of all rows, those that fail excepted.
async fn remove_known(inner: &Inner) -> store::Result<()> {
    let mut outcome = Ok(());
    let mut after = None;
    loop {
        let page = inner.catalog.scan(Removal::PREFIX.as_bytes(), after.as_deref(), AT_ONCE);
        let Some((last, _)) = page.last() else { return outcome };
        after = Some(last.clone());
        let mut removals = Vec::with_capacity(page.len());
        for (key, value) in &page {
            removals.push(rows::decode::<Removal>(key, value)?);
        }
        outcome = outcome.and(remove(inner, &removals).await);
    }
}

async fn remove(inner: &Inner, removals: &[Removal]) -> store::Result<()> {
    let logs: Vec<LogId> = removals.iter().map(|removal| removal.log()).collect();
    inner.logs.remove(&logs).await?;
    let mut transaction = Transaction::default();
    transaction.frees_room();
    for removal in removals {
        transaction.remove(removal.key());
    }
    inner.catalog.commit(transaction).await
}
