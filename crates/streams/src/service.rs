//! The service: what it is made of, how it starts and ends.
//!
//! ```text
//! open: catalog rows -> streams with open logs -> directory -> unfinished changes go on
//! change: control lock -> op -> one catalog transaction -> directory and views
//! ```
//!
//! Invariants: a change is in the catalog before anybody sees it; changes happen one after another,
//! under `Inner::control`, and run to their end even if their caller goes away; whoever holds that
//! waits for the catalog alone, never for the engine of the records, unless changes are to be over
//! before their answer (`lifecycle.updating` 0).

use crate::consumer::Consumer;
use crate::directory::Directory;
use crate::errors::{Result, fail};
use crate::iterator::IteratorKey;
use crate::keys::Keys;
use crate::lifecycle;
use crate::metrics::Metrics;
use crate::options::Options;
use crate::rows::{self, ConsumerRow, PolicyRow, Secret, ShardRow, StreamRow};
use crate::shard::Shard;
use crate::stream::{Stream, StreamKey, StreamView};
use crate::subscription::Subscriptions;
use crate::tasks::{Tasks, Undone};
use crate::texts;
use crate::token::TokenKey;
use base::env::ClockGuard;
use base::metrics::Registry;
use base::policy::{Policy, Stored};
use base::{Cx, Env};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use store::{ErrorKind, Part, Transaction};

/// AWS's name of the service, whose part of a store it needs.
pub const SERVICE: &str = "kinesis";

/// What the service is built upon.
#[derive(Clone)]
pub struct Parts {
    /// Time, randomness and files.
    pub env: Env,
    /// Every named thing and every record: the part of [`SERVICE`].
    pub store: Part,
    /// What encrypts records.
    pub keys: Arc<dyn Keys>,
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
    pub(crate) keys: Arc<dyn Keys>,
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
    /// Held by whoever changes the catalog; not while the engine is waited for, but by a change
    /// that lasts no time.
    pub(crate) control: tokio::sync::Mutex<()>,
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
        let secret = secret(&env, &store).await?;
        let inner = Arc::new(Inner {
            metrics: Metrics::new(registry, env.clock.clone(), options.shard_metrics_max),
            directory: Directory::default(),
            iterators: IteratorKey::new(&derive(&secret, b"iterators"), &*env.rng),
            tokens: TokenKey::new(&derive(&secret, b"tokens")),
            subscriptions: Subscriptions::default(),
            turn: AtomicUsize::new(0),
            tasks: Tasks::new(),
            guard: Arc::clone(store.clock()),
            control: tokio::sync::Mutex::default(),
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
        let (streams, cx) = (self.clone(), cx.clone());
        let work = async move {
            let inner = streams.inner.clone();
            let _one_at_a_time = inner.control.lock().await;
            op(streams, cx, input).await
        };
        match self.inner.tasks.finish(work).await {
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
        let stream = Stream::new(key, StreamView::new(row, shards));
        *stream.policy.write() = self.load_policy(&PolicyRow::key(&stream.key, None))?;
        for (_, row) in rows::scan::<ConsumerRow>(&self.store, &ConsumerRow::prefix(&stream.key))? {
            let consumer = Consumer::new(row.of(&stream.key), row);
            let policy = PolicyRow::key(&stream.key, Some(&consumer.key.name));
            *consumer.policy.write() = self.load_policy(&policy)?;
            stream.consumers.write().insert(consumer.key.name.clone(), Arc::new(consumer));
        }
        Ok(stream)
    }

    fn load_policy(&self, key: &[u8]) -> store::Result<Option<Arc<Policy>>> {
        let Some(PolicyRow(document)) = rows::get(&self.store, key)? else { return Ok(None) };
        Ok(Some(Arc::new(match Policy::read_stored(&document) {
            Stored::Policy(policy) => policy,
            Stored::Closed(policy, error) => {
                let resource = String::from_utf8_lossy(key);
                tracing::error!(
                    %resource, %error,
                    "a stored policy is not understood, so it lets nobody in: put it again or delete it"
                );
                policy
            }
        })))
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

/// The stored secret, made at the first start.
async fn secret(env: &Env, store: &Part) -> store::Result<Secret> {
    if let Some(secret) = rows::get(store, Secret::KEY)? {
        return Ok(secret);
    }
    let mut bytes = [0; 32];
    env.rng.fill(&mut bytes);
    let secret = Secret(bytes);
    let mut transaction = Transaction::default();
    transaction.check(Secret::KEY.to_vec(), None);
    rows::put(&mut transaction, Secret::KEY.to_vec(), &secret);
    store.commit(transaction).await?;
    Ok(secret)
}

/// A key for one purpose.
fn derive(secret: &Secret, purpose: &[u8]) -> [u8; 32] {
    use ring::hmac::{HMAC_SHA256, Key, sign};
    let tag = sign(&Key::new(HMAC_SHA256, &secret.0), purpose);
    tag.as_ref().try_into().expect("HMAC-SHA-256 has 32 bytes")
}
