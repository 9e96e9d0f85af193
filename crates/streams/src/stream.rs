//! One stream as the running service holds it: an immutable view that each change replaces.

use crate::arn::Resource;
use crate::consumer::Consumer;
use crate::hash::HashKey;
use crate::metrics::StreamMetrics;
use crate::rows::StreamRow;
use crate::shard::Shard;
use api::Text;
use base::{AccountId, Cx, Region};
use kit::PolicySlot;
use parking_lot::RwLock;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use tokio::sync::watch;

/// What names a stream.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct StreamKey {
    pub(crate) account: AccountId,
    pub(crate) region: Region,
    pub(crate) name: Arc<str>,
}

impl StreamKey {
    /// What a request names by `StreamName` or `StreamARN`, whether or not it exists.
    pub(crate) fn named(cx: &Cx, name: Option<&Text>, arn: Option<&Text>) -> Self {
        match arn.and_then(|arn| Resource::parse(arn)) {
            Some(resource) => resource.stream().clone(),
            None => Self {
                account: cx.account,
                region: cx.region.clone(),
                name: name.map_or("", |name| name.as_str()).into(),
            },
        }
    }
}

/// A stream. Deleted and made again it is another `Stream`: handles of the old one stay dead.
pub(crate) struct Stream {
    pub(crate) key: StreamKey,
    /// `arn:<partition>:kinesis:<region>:<account>:stream/<name>`.
    pub(crate) arn: Arc<str>,
    /// Registered consumers by name.
    pub(crate) consumers: RwLock<BTreeMap<Arc<str>, Arc<Consumer>>>,
    /// The resource policy, when one is set.
    pub(crate) policy: PolicySlot,
    /// The numbers of its calls, from the first one on.
    pub(crate) metrics: OnceLock<StreamMetrics>,
    view: RwLock<Arc<StreamView>>,
    changed: watch::Sender<u64>,
    gone: AtomicBool,
}

/// What was true of a stream at one moment.
pub(crate) struct StreamView {
    /// What the catalog says.
    pub(crate) row: StreamRow,
    /// Every shard that is still kept, by index, closed ones included.
    pub(crate) shards: Vec<Arc<Shard>>,
    /// The open shards by range; together they cover every hash key.
    pub(crate) open: Vec<Arc<Shard>>,
}

impl StreamView {
    /// Sorts out the open shards. `shards` in order of their index.
    pub(crate) fn new(row: StreamRow, shards: Vec<Arc<Shard>>) -> Self {
        let mut open: Vec<_> = shards.iter().filter(|s| s.is_open()).cloned().collect();
        open.sort_by_key(|s| s.range().start);
        Self { row, shards, open }
    }

    /// The open shard that owns a hash key; `None` only of a stream that has none: one that was
    /// deleted, also while it was made.
    pub(crate) fn route(&self, at: HashKey) -> Option<&Arc<Shard>> {
        let next = self.open.partition_point(|s| s.range().end < at.0);
        self.open.get(next)
    }

    /// The shard of this index.
    pub(crate) fn shard(&self, index: u32) -> Option<&Arc<Shard>> {
        let at = self.shards.binary_search_by_key(&index, |s| s.row.index).ok()?;
        self.shards.get(at)
    }
}

impl Stream {
    /// A stream with its first view.
    pub(crate) fn new(key: StreamKey, view: StreamView) -> Self {
        Self {
            arn: key.arn().into(),
            key,
            consumers: RwLock::default(),
            policy: PolicySlot::default(),
            metrics: OnceLock::new(),
            view: RwLock::new(Arc::new(view)),
            changed: watch::Sender::new(0),
            gone: AtomicBool::new(false),
        }
    }

    /// The view now.
    pub(crate) fn view(&self) -> Arc<StreamView> {
        self.view.read().clone()
    }

    /// Replaces the view, after the catalog has the change, and wakes who waits for one.
    pub(crate) fn replace(&self, view: StreamView) {
        *self.view.write() = Arc::new(view);
        self.announce();
    }

    /// Replaces the row alone.
    pub(crate) fn replace_row(&self, row: StreamRow) {
        let shards = self.view().shards.clone();
        self.replace(StreamView::new(row, shards));
    }

    /// Wakes who waits for a change of the view, of a consumer, or the end of the stream.
    pub(crate) fn announce(&self) {
        self.changed.send_modify(|n| *n += 1);
    }

    /// A receiver whose `changed()` resolves at the next change after this call.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Whether it was deleted: nothing can be written or read any more.
    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    /// Marks it deleted, with all its consumers, and wakes who waits.
    pub(crate) fn retire(&self) {
        for consumer in self.consumers.read().values() {
            consumer.retire();
        }
        self.gone.store(true, Ordering::Release);
        self.announce();
    }
}

#[cfg(test)]
impl StreamKey {
    /// A stream of the default account and region.
    pub(crate) fn for_tests(name: &str) -> Self {
        Self { account: AccountId::DEFAULT, region: Region::default(), name: name.into() }
    }
}
