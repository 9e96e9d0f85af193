//! What happens by itself: passing states end, deleted things go.
//!
//! ```text
//! op: status in the catalog -> schedule -> sleep -> settle (one transaction) -> directory, views
//! start: resume -> schedule everything that is not ACTIVE
//! ```
//!
//! A passing state that lasts no time is none: the operation goes the whole way before its answer,
//! and directory and views see the end of it alone.
//!
//! A task sleeps, and waits for the disk of the records, without holding the service, looks again
//! at what is true when it wakes, and tries again for as long as the store refuses.

use crate::consumer::Consumer;
use crate::errors::{Result, fail};
use crate::reshard;
use crate::rows::{
    self, ConsumerRow, ConsumerStatus, Predecessor, ShardRow, Status, StreamRow, policy_key,
    tags_key,
};
use crate::service::Inner;
use crate::shard::Shard;
use crate::stream::{Stream, StreamView};
use crate::texts::stream_not_active;
use crate::upkeep;
use base::Cx;
use kit::passing;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use store::Transaction;

/// Goes on with everything that the catalog shows unfinished, and begins to watch retention.
pub(crate) async fn resume(inner: &Arc<Inner>) -> store::Result<()> {
    for stream in inner.directory.all() {
        let status = stream.view().row.status;
        if delay(inner, status) == Some(Duration::ZERO) {
            // What fails now is tried again.
            let _later = settle(inner, &stream, status).await.inspect_err(passing::warn);
        }
        schedule(inner, &stream);
        let consumers: Vec<_> = stream.consumers.read().values().cloned().collect();
        for consumer in consumers {
            let status = consumer.row().status;
            if delay_of_consumer(inner, status) == Some(Duration::ZERO) {
                let done = settle_consumer(inner, &stream, &consumer, status).await;
                let _later = done.inspect_err(passing::warn);
            }
            schedule_consumer(inner, &stream, &consumer);
        }
    }
    upkeep::start(inner);
    Ok(())
}

/// How long a stream stays in this state; `None` = until it is changed.
fn delay(inner: &Inner, status: Status) -> Option<Duration> {
    let lifecycle = inner.options.lifecycle;
    match status {
        Status::Active => None,
        Status::Creating => Some(lifecycle.creating),
        Status::Updating => Some(lifecycle.updating),
        Status::Deleting => Some(lifecycle.deleting),
    }
}

/// As `delay`, of a consumer.
fn delay_of_consumer(inner: &Inner, status: ConsumerStatus) -> Option<Duration> {
    let lifecycle = inner.options.lifecycle;
    match status {
        ConsumerStatus::Active => None,
        ConsumerStatus::Creating => Some(lifecycle.creating),
        ConsumerStatus::Deleting => Some(lifecycle.deleting),
    }
}

/// Ends a stream's passing state in due time; nothing to do for an `ACTIVE` one.
pub(crate) fn schedule(inner: &Arc<Inner>, stream: &Arc<Stream>) {
    let status = stream.view().row.status;
    let Some(delay) = delay(inner, status) else { return };
    let stream = stream.clone();
    inner.tasks.spawn(retry(inner, delay, move |inner| {
        let stream = stream.clone();
        async move { settle(&inner, &stream, status).await }
    }));
}

/// Ends a consumer's passing state in due time.
pub(crate) fn schedule_consumer(
    inner: &Arc<Inner>,
    stream: &Arc<Stream>,
    consumer: &Arc<Consumer>,
) {
    let status = consumer.row().status;
    let Some(delay) = delay_of_consumer(inner, status) else { return };
    let (stream, consumer) = (stream.clone(), consumer.clone());
    inner.tasks.spawn(retry(inner, delay, move |inner| {
        let (stream, consumer) = (stream.clone(), consumer.clone());
        async move { settle_consumer(&inner, &stream, &consumer, status).await }
    }));
}

fn retry<F, W>(inner: &Arc<Inner>, delay: Duration, work: W) -> impl Future<Output = ()> + use<F, W>
where
    W: Fn(Arc<Inner>) -> F,
    F: Future<Output = store::Result<()>>,
{
    passing::end(Arc::downgrade(inner), inner.env.clock.clone(), delay, work)
}

/// Leaves `from`, unless the stream has left it already.
async fn settle(inner: &Arc<Inner>, stream: &Arc<Stream>, from: Status) -> store::Result<()> {
    if from == Status::Updating {
        return reshard::apply(inner, stream).await;
    }
    let _one_at_a_time = inner.changes.lock().await;
    let row = stream.view().row.clone();
    if stream.is_gone() || row.status != from {
        return Ok(());
    }
    match from {
        Status::Active | Status::Updating => Ok(()),
        Status::Creating => {
            let row = StreamRow { status: Status::Active, ..row };
            let mut transaction = Transaction::default();
            rows::put(&mut transaction, StreamRow::key(&stream.key), &row);
            inner.store.commit(transaction).await?;
            stream.replace_row(row);
            Ok(())
        }
        Status::Deleting => delete(inner, stream).await,
    }
}

/// Acknowledges that a stream is deleted: `DELETING`, and then on its way.
pub(crate) async fn begin_delete(inner: &Arc<Inner>, cx: &Cx, stream: &Arc<Stream>) -> Result<()> {
    if delay(inner, Status::Deleting) == Some(Duration::ZERO) {
        return delete(inner, stream).await.map_err(|e| fail(cx, &e));
    }
    let row = stream.view().row.clone();
    let is_new = row.status == Status::Creating;
    let row = StreamRow { status: Status::Deleting, change: None, ..row };
    if is_new {
        forget_shards(inner, cx, stream, row).await?;
    } else {
        // Also on a full disk: its records are what makes room.
        let mut transaction = Transaction::default();
        rows::put(transaction.frees_room(), StreamRow::key(&stream.key), &row);
        inner.commit(cx, transaction).await?;
        stream.replace_row(row);
    }
    schedule(inner, stream);
    Ok(())
}

/// Takes the shards of a stream that was never `ACTIVE`: nobody has seen them, and nobody will
/// (observed).
async fn forget_shards(inner: &Arc<Inner>, cx: &Cx, stream: &Stream, row: StreamRow) -> Result<()> {
    // The next stream of this name still begins behind them.
    let row = StreamRow { consumer_s: last_s(stream), ..row };
    let mut transaction = Transaction::default();
    rows::put(transaction.frees_room(), StreamRow::key(&stream.key), &row);
    take_shards(&mut transaction, stream, &stream.view().shards);
    inner.commit(cx, transaction).await?;
    stream.replace(StreamView::new(row, Vec::new()));
    Ok(())
}

/// Takes shards of a stream out of the catalog, to have their logs removed.
pub(crate) fn take_shards(transaction: &mut Transaction, stream: &Stream, shards: &[Arc<Shard>]) {
    for shard in shards {
        transaction.remove(ShardRow::key(&stream.key, shard.row.index));
        transaction.give_up(shard.row.log());
    }
}

/// Takes a stream out of the catalog, everything of it at once; its logs go later.
async fn delete(inner: &Arc<Inner>, stream: &Stream) -> store::Result<()> {
    let key = &stream.key;
    let mut transaction = Transaction::default();
    transaction.frees_room().remove(StreamRow::key(key));
    transaction.remove(tags_key(key, None)).remove(policy_key(key, None));
    take_shards(&mut transaction, stream, &stream.view().shards);
    for name in stream.consumers.read().keys() {
        remove_consumer(&mut transaction, stream, name);
    }
    let shard_s = stream.view().shards.iter().map(|shard| shard.row.created_s).max();
    let left = Predecessor { last_s: last_s(stream), shard_s };
    if !left.is_passed(inner.now_ms()) {
        rows::put(&mut transaction, Predecessor::key(key), &left);
    }
    inner.store.commit(transaction).await?;
    inner.directory.remove(key);
    stream.retire();
    inner.metrics.forget_stream(key);
    Ok(())
}

/// The last created second by which anything of a stream is told.
fn last_s(stream: &Stream) -> i64 {
    let view = stream.view();
    let consumers = stream.consumers.read();
    let of_consumers = consumers.values().map(|consumer| consumer.key.created_s);
    let of_shards = view.shards.iter().map(|shard| shard.row.created_s);
    of_shards.chain(of_consumers).fold(view.row.consumer_s, i64::max)
}

/// Forgets what deleted streams left, once the clock has passed it.
pub(crate) async fn forget_predecessors(inner: &Inner) -> store::Result<()> {
    if inner.store.scan(Predecessor::PREFIX.as_bytes(), None, 1).is_empty() {
        return Ok(());
    }
    let _one_at_a_time = inner.changes.lock().await;
    let now_ms = inner.now_ms();
    let mut transaction = Transaction::default();
    for (key, row) in rows::scan::<Predecessor>(&inner.store, Predecessor::PREFIX)? {
        if row.is_passed(now_ms) {
            transaction.remove(key.to_vec());
        }
    }
    if transaction.writes.is_empty() { Ok(()) } else { inner.store.commit(transaction).await }
}

fn remove_consumer(transaction: &mut Transaction, stream: &Stream, name: &str) {
    let key = &stream.key;
    transaction.remove(ConsumerRow::key(key, name));
    transaction.remove(tags_key(key, Some(name)));
    transaction.remove(policy_key(key, Some(name)));
}

/// Acknowledges that a consumer is deregistered: `DELETING`, and then on its way.
pub(crate) async fn begin_deregister(
    inner: &Arc<Inner>,
    cx: &Cx,
    stream: &Arc<Stream>,
    consumer: &Arc<Consumer>,
) -> Result<()> {
    if delay_of_consumer(inner, ConsumerStatus::Deleting) == Some(Duration::ZERO) {
        return deregister(inner, stream, consumer).await.map_err(|e| fail(cx, &e));
    }
    let row = ConsumerRow { status: ConsumerStatus::Deleting, ..consumer.row() };
    let mut transaction = Transaction::default();
    rows::put(transaction.frees_room(), ConsumerRow::key(&stream.key, &row.name), &row);
    inner.commit(cx, transaction).await?;
    consumer.replace(row);
    stream.announce();
    schedule_consumer(inner, stream, consumer);
    Ok(())
}

/// Takes a consumer out of the catalog, everything of it at once.
async fn deregister(inner: &Inner, stream: &Stream, consumer: &Consumer) -> store::Result<()> {
    let row = consumer.row();
    let mut transaction = Transaction::default();
    remove_consumer(&mut transaction, stream, &row.name);
    let mut of_stream = stream.view().row.clone();
    of_stream.consumer_s = of_stream.consumer_s.max(row.created_s);
    rows::put(transaction.frees_room(), StreamRow::key(&stream.key), &of_stream);
    inner.store.commit(transaction).await?;
    stream.replace_row(of_stream);
    stream.consumers.write().remove(row.name.as_str());
    consumer.retire();
    inner.metrics.forget_consumer(&stream.key, &row.name);
    stream.announce();
    Ok(())
}

async fn settle_consumer(
    inner: &Inner,
    stream: &Stream,
    consumer: &Consumer,
    from: ConsumerStatus,
) -> store::Result<()> {
    let _one_at_a_time = inner.changes.lock().await;
    let row = consumer.row();
    if stream.is_gone() || consumer.is_gone() || row.status != from {
        return Ok(());
    }
    if from == ConsumerStatus::Deleting {
        return deregister(inner, stream, consumer).await;
    }
    let row = ConsumerRow { status: ConsumerStatus::Active, ..row };
    let mut transaction = Transaction::default();
    rows::put(&mut transaction, ConsumerRow::key(&stream.key, &row.name), &row);
    inner.store.commit(transaction).await?;
    consumer.replace(row);
    stream.announce();
    Ok(())
}

/// Acknowledges a change of an `ACTIVE` stream: `UPDATING` with what `edit` writes, and then on its
/// way.
///
/// # Errors
/// `ResourceInUse` not `ACTIVE`; what `edit` refuses.
pub(crate) async fn begin(
    inner: &Arc<Inner>,
    cx: &Cx,
    stream: &Arc<Stream>,
    edit: impl FnOnce(&mut StreamRow) -> Result<()>,
) -> Result<()> {
    let mut row = stream.view().row.clone();
    if row.status != Status::Active {
        return Err(stream_not_active(&stream.key, row.status));
    }
    edit(&mut row)?;
    row.status = Status::Updating;
    if delay(inner, Status::Updating) == Some(Duration::ZERO) {
        return update_at_once(inner, cx, stream, row).await;
    }
    inner.update(cx, stream, row).await?;
    schedule(inner, stream);
    Ok(())
}

/// Does a change before its answer. `UPDATING` is in the catalog alone, for a start after a crash;
/// only a change that the store refuses half way is seen in it, and tried again.
async fn update_at_once(
    inner: &Arc<Inner>,
    cx: &Cx,
    stream: &Arc<Stream>,
    row: StreamRow,
) -> Result<()> {
    let mut transaction = Transaction::default();
    rows::put(&mut transaction, StreamRow::key(&stream.key), &row);
    inner.commit(cx, transaction).await?;
    if let Err(e) = reshard::apply_at_once(inner, stream, row.clone()).await {
        passing::warn(&e);
        stream.replace_row(row);
        schedule(inner, stream);
    }
    Ok(())
}

/// The state that a stream is made in.
pub(crate) fn first_status(inner: &Inner) -> Status {
    let at_once = delay(inner, Status::Creating) == Some(Duration::ZERO);
    if at_once { Status::Active } else { Status::Creating }
}

/// The state that a consumer is registered in.
pub(crate) fn first_consumer_status(inner: &Inner) -> ConsumerStatus {
    let at_once = delay_of_consumer(inner, ConsumerStatus::Creating) == Some(Duration::ZERO);
    if at_once { ConsumerStatus::Active } else { ConsumerStatus::Creating }
}
