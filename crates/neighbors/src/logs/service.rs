//! The service: what it is made of, how it starts and ends, what it does by itself.
//!
//! ```text
//! open: rows -> groups, filters; rows of chunks and what came behind them -> streams
//! a task for each filter: its queue -> its destination
//! every minute, or when much came: chunks -> rows; what is too old or too much -> gone
//! ```

use super::deliverer;
use super::errors::Result;
use super::filters::{Filter, Wants};
use super::groups::{Group, GroupId, Groups, unreadable};
use super::metrics::Metrics;
use super::options::Options;
use super::pattern::Pattern;
use super::rows::{ChunkRow, CursorRow, FilterRow, GroupRow, StreamRow};
use super::stream::Stream;
use super::texts;
use super::upkeep;
use crate::iam::Iam;
use base::metrics::Registry;
use base::{AccountId, Cx, Env, Region};
use kit::{Changes, Secret, Tasks, TokenKey, Undone, rows};
use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use store::{LogId, Part};
use tokio::sync::Notify;

/// AWS's name of the service in policies, whose part of a store it needs.
pub const SERVICE: &str = "logs";

/// How long a paging token lives.
const TOKEN_LIFE_MS: i64 = 24 * 3_600_000;
/// One part in so many of the most bytes may come between two turns of upkeep.
const FRESH_PART: usize = 16;

/// What the service is built upon.
#[derive(Clone)]
pub struct Parts {
    /// Time, randomness and files.
    pub env: Env,
    /// Groups, streams, events: the part of [`SERVICE`].
    pub store: Part,
    /// Where the service's numbers go.
    pub registry: Registry,
    /// Who takes what subscription filters want; without any there can be none.
    pub destinations: Option<Destinations>,
}

/// Who takes what subscription filters want.
#[derive(Clone)]
pub struct Destinations {
    /// The streams.
    pub kinesis: Arc<dyn api::Handle>,
    /// Whose roles the service takes on.
    pub iam: Iam,
}

/// CloudWatch Logs; cheap to clone.
#[derive(Clone)]
pub struct Logs {
    pub(super) inner: Arc<Inner>,
}

/// What all handles share.
pub(super) struct Inner {
    pub(super) env: Env,
    pub(super) options: Options,
    pub(super) store: Part,
    pub(super) groups: Groups,
    pub(super) destinations: Option<Destinations>,
    pub(super) metrics: Metrics,
    pub(super) tokens: TokenKey,
    /// Bytes that came since upkeep's last turn.
    fresh_bytes: AtomicU64,
    /// Told when upkeep should have a turn.
    pub(super) wake: Arc<Notify>,
    tasks: Tasks,
    changes: Changes,
}

impl Logs {
    /// Opens the service over its catalog and its logs; deliveries go on.
    ///
    /// Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// `Corrupt` a row or a record cannot be read; any failure of the first start's commit.
    pub async fn open(parts: Parts, options: Options) -> store::Result<Self> {
        let Parts { env, store, registry, destinations } = parts;
        let secret = Secret::open(&env, &store).await?;
        let groups = open_groups(&store).await?;
        let filters = open_filters(&store, &groups, &options).await?;
        let inner = Arc::new(Inner {
            groups,
            destinations,
            metrics: Metrics::new(registry),
            tokens: TokenKey::new(&secret.derive(b"paging tokens"), TOKEN_LIFE_MS),
            env,
            options,
            store,
            fresh_bytes: AtomicU64::new(0),
            wake: Arc::default(),
            tasks: Tasks::new(),
            changes: Changes::default(),
        });
        for filter in filters {
            inner.begin_delivery(filter);
        }
        let clock = inner.env.clock.clone();
        inner.tasks.spawn(upkeep::run(Arc::downgrade(&inner), clock));
        Ok(Self { inner })
    }

    /// Stops what runs in the background; it goes on at the next start.
    pub async fn close(&self) {
        // What is in the catalog need not be read again at the next start.
        self.inner.keep_up().await;
        self.inner.tasks.close().await;
    }

    /// Makes one change of groups, streams or filters, under the lock of all such changes, to its
    /// end.
    pub(super) async fn change<I, T, F>(
        &self,
        cx: &Cx,
        input: I,
        op: impl FnOnce(Logs, Cx, I) -> F + Send + 'static,
    ) -> Result<T>
    where
        I: Send + 'static,
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let (service, cx, inner) = (self.clone(), cx.clone(), &self.inner);
        let change = async move { op(service, cx, input).await };
        match inner.changes.make(&inner.tasks, change).await {
            Ok(changed) => changed,
            Err(Undone::Closed) => Err(texts::stopping()),
            Err(Undone::Busy) => Err(texts::too_many_changes()),
        }
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.inner.now_ms()
    }
}

impl Inner {
    /// By the clock that records are stamped with.
    pub(super) fn now_ms(&self) -> i64 {
        self.store.clock().now_ms()
    }

    /// Waits until nobody else changes groups, streams or filters, and keeps it so.
    pub(super) async fn lock_changes(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.changes.lock().await
    }

    /// Begins to tell a filter's destination.
    pub(super) fn begin_delivery(self: &Arc<Self>, filter: Arc<Filter>) {
        self.tasks.spawn(deliverer::run(Arc::downgrade(self), filter));
    }

    /// Counts bytes that came; much of it is looked at at once.
    pub(super) fn came(&self, bytes: usize) {
        let fresh = self.fresh_bytes.fetch_add(bytes as u64, Ordering::AcqRel) + bytes as u64;
        if fresh > (self.options.bytes_max / FRESH_PART) as u64 {
            self.wake.notify_one();
        }
    }

    pub(super) fn forget_fresh(&self) {
        self.fresh_bytes.store(0, Ordering::Release);
    }
}

/// Reads groups and their streams.
async fn open_groups(store: &Part) -> store::Result<Groups> {
    let groups = Groups::default();
    for (key, row) in rows::scan::<GroupRow>(store, GroupRow::PREFIX)? {
        let (account, region, name) = GroupRow::parse_key(&key).ok_or_else(|| unreadable(&key))?;
        let id = GroupId { account, region, name: name.into() };
        groups.insert(Arc::new(Group::new(id, row)));
    }
    let mut chunks: HashMap<u64, Vec<ChunkRow>> = HashMap::new();
    for (key, row) in rows::scan::<ChunkRow>(store, ChunkRow::PREFIX)? {
        let log = ChunkRow::parse_key(&key).ok_or_else(|| unreadable(&key))?;
        chunks.entry(log).or_default().push(row);
    }
    for (key, row) in rows::scan::<StreamRow>(store, StreamRow::PREFIX)? {
        let log = StreamRow::parse_key(&key).ok_or_else(|| unreadable(&key))?;
        let id = id_of(&row.account, &row.region, &row.group).ok_or_else(|| unreadable(&key))?;
        let group = groups.get(&id).ok_or_else(|| unreadable(&key))?;
        let chunks = chunks.remove(&log).unwrap_or_default();
        group.show(Arc::new(Stream::open(store, (LogId(log), &row), chunks).await?));
    }
    Ok(groups)
}

/// Reads filters into their groups.
async fn open_filters(
    store: &Part,
    groups: &Groups,
    options: &Options,
) -> store::Result<Vec<Arc<Filter>>> {
    let mut filters = Vec::new();
    for (key, row) in rows::scan::<FilterRow>(store, FilterRow::PREFIX)? {
        let log = FilterRow::parse_key(&key).ok_or_else(|| unreadable(&key))?;
        let id = id_of(&row.account, &row.region, &row.group).ok_or_else(|| unreadable(&key))?;
        let group = groups.get(&id).ok_or_else(|| unreadable(&key))?;
        let pattern = Pattern::parse(&row.pattern).ok_or_else(|| unreadable(&key))?;
        let cursor = rows::get::<CursorRow>(store, &CursorRow::key(log))?;
        let queue = store.open_log(LogId(log)).await?;
        let cursor = cursor.map_or(0, |cursor| cursor.next_ordinal).max(queue.tail().first_ordinal);
        queue.trim_to(cursor);
        let wants = Wants { row, pattern };
        let bounds = (cursor, options.filter_bytes_max);
        let filter = Arc::new(Filter::new((id, LogId(log)), queue, wants, bounds));
        filter.count().await?;
        group.show_filter(filter.clone());
        filters.push(filter);
    }
    Ok(filters)
}

fn id_of(account: &str, region: &str, name: &str) -> Option<GroupId> {
    let (account, region) = (AccountId::parse(account).ok()?, Region::parse(region).ok()?);
    Some(GroupId { account, region, name: name.into() })
}
