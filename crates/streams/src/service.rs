//! The service: what it is made of, how it starts and ends.
//!
//! ```text
//! open: catalog rows -> streams with open logs -> directory -> unfinished changes go on
//! change: lock of changes -> op -> one catalog transaction -> directory and views
//! ```
//!
//! Invariants: a change is in the catalog before anybody sees it; changes happen one after another,
//! under `Inner::changes`, and run to their end even if their caller goes away; whoever holds that
//! waits for the catalog alone, never for the engine of the records, unless changes are to be over
//! before their answer (`lifecycle.updating` 0).

use crate::consumer::Consumer;
use crate::directory::Directory;
use crate::errors::{Result, fail};
use crate::iterator::IteratorKey;
use crate::lifecycle;
use crate::metrics::{self, Metrics};
use crate::monitoring;
use crate::options::Options;
use crate::rows::{self, ConsumerRow, ShardRow, StreamRow, policy_key};
use crate::shard::Shard;
use crate::stream::{Stream, StreamKey, StreamView};
use crate::subscription::Subscriptions;
use crate::texts;
use base::env::ClockGuard;
use base::metrics::Registry;
use base::{Cx, Env};
use kit::{Changes, DataKeys, PolicySlot, Secret, Tasks, TokenKey, Undone};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use store::{ErrorKind, Part, Transaction};

/// AWS's name of the service, whose part of a store it needs.
pub const SERVICE: &str = "kinesis";

/// How long a paging token lives (model).
const TOKEN_LIFE_MS: i64 = 300_000;

/// What the service is built upon.
#[derive(Clone)]
pub struct Parts {
    /// Time, randomness and files.
    pub env: Env,
    /// Every named thing and every record: the part of [`SERVICE`].
    pub store: Part,
    /// What encrypts records.
    pub keys: Arc<dyn DataKeys>,
    /// Where numbers are shown.
    pub registry: Registry,
}

/// Data Streams; cheap to clone.
#[derive(Clone)]
pub struct Streams {
    pub(crate) inner: Arc<Inner>,
}

/// What all handles share.
pub(crate) struct Inner {
    pub(crate) env: Env,
    pub(crate) options: Options,
    pub(crate) store: Part,
    pub(crate) keys: Arc<dyn DataKeys>,
    pub(crate) directory: Directory,
    pub(crate) metrics: Metrics,
    pub(crate) iterators: IteratorKey,
    pub(crate) tokens: TokenKey,
    pub(crate) subscriptions: Subscriptions,
    /// Whose turn it is when a stream distributes records by itself.
    pub(crate) turn: AtomicUsize,
    pub(crate) tasks: Tasks,
    /// The time of records, which is that of everything here: see [`Inner::now_ms`].
    pub(crate) guard: Arc<ClockGuard>,
    /// Whoever changes the catalog holds their lock; not while the engine is waited for, but for a
    /// change that lasts no time.
    pub(crate) changes: Changes,
}

impl Streams {
    /// Opens the service over its catalog and goes on with what was left unfinished.
    ///
    /// Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// `Corrupt` a row cannot be read; any failure of opening a log or of the first commit.
    pub async fn open(parts: Parts, options: Options) -> store::Result<Self> {
        let Parts { env, store, keys, registry } = parts;
        let secret = Secret::open(&env, &store).await?;
        let inner = Arc::new(Inner {
            metrics: Metrics::new(registry.clone(), env.clock.clone(), options.shard_metrics_max),
            directory: Directory::default(),
            iterators: IteratorKey::new(&secret.derive(b"iterators"), &*env.rng),
            tokens: TokenKey::new(&secret.derive(b"tokens"), TOKEN_LIFE_MS),
            subscriptions: Subscriptions::default(),
            turn: AtomicUsize::new(0),
            tasks: Tasks::new(),
            guard: Arc::clone(store.clock()),
            changes: Changes::default(),
            env,
            options,
            store,
            keys,
        });
        for (key, row) in rows::scan::<StreamRow>(&inner.store, StreamRow::PREFIX)? {
            let key = StreamRow::parse_key(&key).ok_or_else(|| {
                let key = String::from_utf8_lossy(&key);
                store::Error::new(ErrorKind::Corrupt, format!("`{key}` is no key of a stream"))
            })?;
            let stream = inner.load(key, row).await?;
            inner.directory.insert(Arc::new(stream));
        }
        lifecycle::resume(&inner).await?;
        let monitored = Arc::downgrade(&inner);
        registry.enhance(metrics::NAMESPACE, move |metric, sample| {
            monitored.upgrade().is_some_and(|inner| monitoring::wants(&inner, metric, sample))
        });
        Ok(Self { inner })
    }

    /// Stops what runs in the background. What was acknowledged is in the catalog and goes on at
    /// the next start.
    pub async fn close(&self) {
        self.inner.tasks.close().await;
    }

    /// Makes one change, under the lock of all changes, to its end.
    pub(crate) async fn change<I, T, F>(
        &self,
        cx: &Cx,
        input: I,
        op: impl FnOnce(Streams, Cx, I) -> F + Send + 'static,
    ) -> Result<T>
    where
        I: Send + 'static,
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let (streams, cx, inner) = (self.clone(), cx.clone(), &self.inner);
        let change = async move { op(streams, cx, input).await };
        match inner.changes.make(&inner.tasks, change).await {
            Ok(changed) => changed,
            Err(Undone::Closed) => Err(texts::stopping()),
            Err(Undone::Busy) => Err(texts::too_many_changes()),
        }
    }
}

impl Inner {
    /// Applies a transaction; durable when it resolves.
    pub(crate) async fn commit(&self, cx: &Cx, transaction: Transaction) -> Result<()> {
        self.store.commit(transaction).await.map_err(|e| fail(cx, &e))
    }

    /// Stores a stream's new row and shows it.
    pub(crate) async fn update(&self, cx: &Cx, stream: &Stream, row: StreamRow) -> Result<()> {
        let mut transaction = Transaction::default();
        rows::put(&mut transaction, StreamRow::key(&stream.key), &row);
        self.commit(cx, transaction).await?;
        stream.replace_row(row);
        Ok(())
    }

    /// The time, in milliseconds since the epoch, as records are stamped with it.
    ///
    /// All that is compared with records' arrival, or with each other over a long time, goes by it:
    /// what expires, creation times and seconds, closes, the daily rations, and the life of
    /// iterators and tokens, which a clock that is set must not end. Signatures, keys and
    /// certificates go by the wall clock, as their makers elsewhere do.
    pub(crate) fn now_ms(&self) -> i64 {
        self.guard.now_ms()
    }

    /// The latest time that is not the future for somebody: a client whose clock is right while the
    /// server's is in doubt asks for what comes from now on by its own.
    pub(crate) fn latest_ms(&self) -> i64 {
        self.now_ms().max(self.env.clock.now_ms())
    }

    /// A shard of this row, its log opened.
    pub(crate) async fn open_shard(&self, row: ShardRow) -> store::Result<Shard> {
        let log = self.store.open_log(row.log()).await?;
        Ok(Shard::new(row, log))
    }

    async fn load(&self, key: StreamKey, row: StreamRow) -> store::Result<Stream> {
        let mut shards = Vec::new();
        for (_, row) in rows::scan::<ShardRow>(&self.store, &ShardRow::prefix(&key))? {
            let shard = self.open_shard(row).await?;
            if !shard.is_open() {
                // The seal is not durable by itself; the catalog's word for it is.
                shard.log.seal().await?;
                check_whole(&key, &shard);
            }
            shards.push(Arc::new(shard));
        }
        let mut stream = Stream::new(key, StreamView::new(row, shards));
        stream.policy = PolicySlot::load(&self.store, &policy_key(&stream.key, None))?;
        for (_, row) in rows::scan::<ConsumerRow>(&self.store, &ConsumerRow::prefix(&stream.key))? {
            let mut consumer = Consumer::new(row.of(&stream.key), row);
            let policy = policy_key(&stream.key, Some(&consumer.key.name));
            consumer.policy = PolicySlot::load(&self.store, &policy)?;
            stream.consumers.write().insert(consumer.key.name.clone(), Arc::new(consumer));
        }
        Ok(stream)
    }
}

/// Says so when a closed shard's log ends before the record that the catalog knows was its last.
fn check_whole(stream: &StreamKey, shard: &Shard) {
    let tail = shard.log.tail();
    let known = shard.row.closed.as_ref().map_or(0, |closed| closed.next_ordinal);
    if tail.next_ordinal < known && tail.next_ordinal > tail.first_ordinal {
        let (arn, id, found) = (stream.arn(), &shard.id, tail.next_ordinal);
        tracing::error!("{id} of {arn} was closed with {known} records and has {found}");
    }
}
