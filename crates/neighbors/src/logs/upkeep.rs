//! What is done again and again: chunks are stored, and what is too old or too much goes.
//!
//! ```text
//! groups with a retention: chunks whose last event came before it -> gone
//! all accounts together over `bytes_max`: the oldest chunks of the one that has most -> gone
//! what changed -> rows, a thousand at once
//! ```
//!
//! Events that are older than their group keeps them are not shown from that moment on; their bytes
//! go with their chunk.

use super::groups::GroupId;
use super::rows::ChunkRow;
use super::service::Inner;
use super::stream::{Changes, Stream};
use base::AccountId;
use base::env::Clock;
use kit::{passing, rows};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Weak};
use std::time::Duration;
use store::Transaction;

/// Shortest time between turns, however much comes, and what is waited beside it for more.
const TURN_MIN: Duration = Duration::from_secs(1);
const TURN_REST: Duration = Duration::from_secs(59);
/// Rows of a transaction, about.
const ROWS: usize = 1000;
/// Once there is too much, one part in so many of the most bytes goes with it: not all the time
/// a little.
const SPARE_PART: u64 = 16;

/// Runs for as long as the service lives.
pub(super) async fn run(service: Weak<Inner>, clock: Arc<dyn Clock>) {
    loop {
        clock.sleep(TURN_MIN).await;
        let Some(wake) = service.upgrade().map(|inner| inner.wake.clone()) else { return };
        tokio::select! {
            () = clock.sleep(TURN_REST) => {}
            () = wake.notified() => {}
        }
        let Some(inner) = service.upgrade() else { return };
        inner.keep_up().await;
    }
}

/// A stream with what is looked at of it.
struct Kept {
    id: GroupId,
    stream: Arc<Stream>,
    /// How many of its chunks go.
    gone: usize,
}

/// The oldest chunks of an account, the first one first: when they came, whose they are, bytes.
type Ages = VecDeque<(i64, usize, u64)>;

impl Inner {
    /// One turn. What fails is told, and done the next time.
    pub(super) async fn keep_up(&self) {
        // Nothing is stored of what is deleted meanwhile.
        let _alone = self.lock_changes().await;
        self.forget_fresh();
        let mut all = self.aged();
        let stored = self.make_room(&mut all);
        self.metrics.stored(stored);
        let mut transaction = Transaction::default();
        let mut changed: Vec<(Arc<Stream>, Changes)> = Vec::new();
        for Kept { stream, gone, .. } in all {
            let changes = stream.changes(gone);
            if changes.gone.is_empty() && changes.saved.is_empty() {
                continue;
            }
            stage(&mut transaction, &stream, &changes);
            changed.push((stream, changes));
            if transaction.writes.len() >= ROWS {
                self.keep(std::mem::take(&mut transaction), &mut changed).await;
            }
        }
        self.keep(transaction, &mut changed).await;
    }

    async fn keep(&self, transaction: Transaction, changed: &mut Vec<(Arc<Stream>, Changes)>) {
        let changed = std::mem::take(changed);
        if changed.is_empty() {
            return;
        }
        match self.store.commit(transaction).await {
            Ok(()) => changed.iter().for_each(|(stream, changes)| stream.apply(changes)),
            Err(e) => passing::warn(&e),
        }
    }

    /// All streams, with how many of their chunks are older than their groups keep them.
    fn aged(&self) -> Vec<Kept> {
        let mut all = Vec::new();
        for group in self.groups.all() {
            let horizon = group.retention_ms().map(|ms| self.store.clock().horizon_ms(ms));
            for stream in group.streams() {
                // An event may be ahead of the time at which it came.
                let age_ms = |row: &ChunkRow| row.arrival_ms.max(row.last_ms);
                let is_old = |row: &&ChunkRow| horizon.is_some_and(|at_ms| age_ms(row) < at_ms);
                let gone = stream.chunks(i64::MIN, i64::MAX).iter().take_while(is_old).count();
                all.push(Kept { id: group.id.clone(), stream, gone });
            }
        }
        all
    }

    /// Lets more chunks go while all that stay have too many bytes. How many stay.
    fn make_room(&self, all: &mut [Kept]) -> u64 {
        let mut ages: HashMap<AccountId, Ages> = HashMap::new();
        let mut sizes: HashMap<AccountId, u64> = HashMap::new();
        for (at, kept) in all.iter().enumerate() {
            let chunks = kept.stream.chunks(i64::MIN, i64::MAX);
            for row in chunks.iter().skip(kept.gone) {
                ages.entry(kept.id.account).or_default().push_back((row.arrival_ms, at, row.bytes));
                *sizes.entry(kept.id.account).or_default() += row.bytes;
            }
        }
        let most = self.options.bytes_max as u64;
        let mut stored: u64 = sizes.values().sum();
        if stored <= most {
            return stored;
        }
        for ages in ages.values_mut() {
            ages.make_contiguous().sort_by_key(|(arrival_ms, ..)| *arrival_ms);
        }
        while stored > most - most / SPARE_PART {
            let largest =
                sizes.iter().max_by_key(|(_, bytes)| **bytes).map(|(account, _)| *account);
            let oldest = largest.and_then(|account| ages.get_mut(&account)?.pop_front());
            let (Some(account), Some((_, at, bytes))) = (largest, oldest) else { break };
            all[at].gone += 1;
            stored -= bytes;
            *sizes.entry(account).or_default() -= bytes;
        }
        stored
    }
}

fn stage(transaction: &mut Transaction, stream: &Stream, changes: &Changes) {
    let log = stream.log_id.0;
    for row in &changes.gone {
        transaction.frees_room().remove(ChunkRow::key(log, row.first_ordinal));
    }
    for row in &changes.saved {
        rows::put(transaction, ChunkRow::key(log, row.first_ordinal), row);
    }
}
