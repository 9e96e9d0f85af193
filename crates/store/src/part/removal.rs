//! Logs that nobody owns any more are removed, many at a time.
//!
//! ```text
//! a row in the catalog --told--> the oldest rows --> nothing is left of their logs
//!   --> the rows go, in one transaction --> the next rows --> nothing left: wait to be told
//! ```
//!
//! One task does it all: the shards of a stream may be ten thousand, and nobody waits for their
//! bytes. A crash between the removal and the end of its row forgets no bytes.

use super::Store;
use super::owners::{REMOVALS, parse_key, removal_key};
use crate::{LogId, Result, Transaction};
use base::env::Clock;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::Notify;

/// Logs removed at once. The engine syncs some 256 directories for as many logs as it is given.
const AT_ONCE: usize = 1024;

const RETRY_FIRST: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(30);

/// As [`Store::remove_logs`].
pub(super) async fn run(store: Weak<Store>, clock: Arc<dyn Clock>, told: Arc<Notify>) {
    let mut pause = RETRY_FIRST;
    loop {
        let Some(open) = store.upgrade() else { return };
        let removed = remove_known(&open).await;
        drop(open);
        if let Err(e) = removed {
            tracing::warn!(kind = ?e.kind(), "removed logs stay on the disk until later: {e}");
            clock.sleep(pause).await;
            pause = (pause * 2).min(RETRY_MAX);
        } else {
            pause = RETRY_FIRST;
            told.notified().await;
        }
    }
}

/// Removes the logs of all rows, those that fail excepted.
async fn remove_known(store: &Store) -> Result<()> {
    let mut outcome = Ok(());
    let mut after = None;
    loop {
        let page = store.catalog.scan(REMOVALS.as_bytes(), after.as_deref(), AT_ONCE);
        let Some((last, _)) = page.last() else { return outcome };
        after = Some(last.clone());
        let mut logs = Vec::with_capacity(page.len());
        for (key, _) in &page {
            logs.extend(parse_key(REMOVALS, key)?);
        }
        outcome = outcome.and(remove(store, &logs).await);
    }
}

async fn remove(store: &Store, logs: &[LogId]) -> Result<()> {
    store.logs.remove(logs).await?;
    let mut transaction = Transaction::default();
    transaction.frees_room();
    for log in logs {
        transaction.remove(removal_key(*log));
    }
    store.catalog.commit(transaction).await
}
