//! `CreateStream`.

use crate::directory::authorize;
use crate::errors::{Result, fail};
use crate::hash::HashRange;
use crate::lifecycle;
use crate::limits::{self, Quota};
use crate::reshard::warm_shards;
use crate::rows::{self, AGE_S, Mode, Predecessor, ShardRow, StreamRow, tags_key};
use crate::service::{Inner, Streams};
use crate::stream::{Stream, StreamKey, StreamView};
use crate::tags;
use crate::texts::{self, stream_exists};
use api::kinesis::{CreateStreamInput, RecordDistributionStrategy, StreamMode};
use base::Cx;
use kit::Tags;
use std::sync::Arc;
use store::Transaction;

/// Makes a stream; it is `CREATING` at first and shows no shards until it is `ACTIVE`.
///
/// # Errors
/// `ResourceInUse` the name is taken, also by a stream that is being deleted; `LimitExceeded` five
/// streams are being made or deleted, or a quota of the account would be exceeded;
/// `InvalidArgument` tags that cannot be, or what only on-demand streams have.
pub(crate) async fn create_stream(
    streams: Streams,
    cx: Cx,
    input: CreateStreamInput,
) -> Result<()> {
    let inner = &streams.inner;
    let (account, region) = (cx.account, cx.region.clone());
    let key = StreamKey { account, region, name: input.stream_name.as_str().into() };
    authorize(&cx, "CreateStream", &key.arn())?;
    if inner.directory.get(key.account, &key.region, &key.name).is_some() {
        return Err(stream_exists(&key));
    }
    let quota = Quota::of(inner, &cx);
    if inner.options.scaling_limits && quota.passing >= limits::PASSING_MAX {
        return Err(texts::too_many_passing(&cx, limits::PASSING_MAX));
    }
    let row = row(inner, &cx, &input)?;
    let shards = shard_count(&row, input.shard_count);
    // First, as AWS says what the account may have when asked for more than any stream may (client:
    // kinesalite's suite learns it so).
    quota.check_shards(inner, &cx, shards)?;
    quota.check_growth(inner, &cx, 0, shards)?;
    if row.mode == Mode::OnDemand {
        quota.check_on_demand(inner, &cx)?;
    }
    let tags = tags::initial(input.tags, &key)?;
    let stream =
        Arc::new(store(inner, &cx, key, StreamRow { next_shard: shards, ..row }, &tags).await?);
    inner.directory.insert(stream.clone());
    lifecycle::schedule(inner, &stream);
    Ok(())
}

fn row(inner: &Inner, cx: &Cx, input: &CreateStreamInput) -> Result<StreamRow> {
    let mode = match input.stream_mode_details.as_ref().map(|details| details.stream_mode) {
        Some(StreamMode::OnDemand) => Mode::OnDemand,
        Some(StreamMode::Provisioned) | None => Mode::Provisioned,
    };
    let strategy = input.record_distribution_strategy;
    let auto_distribution = strategy == Some(RecordDistributionStrategy::Auto);
    if auto_distribution && mode == Mode::Provisioned {
        return Err(texts::only_on_demand("RecordDistributionStrategy"));
    }
    let warm_mibps = match input.warm_throughput_mibps {
        Some(mibps) => Some(limits::warm(inner, cx, mode, mibps)?),
        None => None,
    };
    Ok(StreamRow {
        created_ms: inner.now_ms(),
        status: lifecycle::first_status(inner),
        mode,
        retention_hours: StreamRow::RETENTION_HOURS_MIN,
        encryption: None,
        record_kib_max: input
            .max_record_size_in_kib
            .map_or(StreamRow::RECORD_KIB_MIN, i32::cast_unsigned),
        auto_distribution,
        monitoring: Vec::new(),
        warm_mibps,
        next_shard: 0,
        consumer_s: 0,
        change: None,
        scaled_ms: Vec::new(),
        rekeyed_ms: Vec::new(),
        switched_ms: Vec::new(),
        trimmed_ms: 0,
    })
}

/// A provisioned stream without a number gets four shards (observed); an on-demand one has no
/// number.
fn shard_count(row: &StreamRow, asked: Option<i32>) -> u32 {
    match row.mode {
        Mode::Provisioned => asked.map_or(StreamRow::SHARDS_DEFAULT, i32::cast_unsigned),
        Mode::OnDemand => warm_shards(row.warm_mibps.unwrap_or(0)),
    }
}

/// Stream, shards and tags in one transaction.
async fn store(
    inner: &Inner,
    cx: &Cx,
    key: StreamKey,
    row: StreamRow,
    tags: &Tags,
) -> Result<Stream> {
    let mut transaction = Transaction::default();
    let logs = inner.store.take_logs(row.next_shard as usize).await.map_err(|e| fail(cx, &e))?;
    let left = rows::get::<Predecessor>(&inner.store, &Predecessor::key(&key));
    let left = left.map_err(|e| fail(cx, &e))?;
    let left_s = left.map_or(0, |left| left.last_s);
    let shard_s = left.and_then(|left| left.shard_s).unwrap_or(left_s);
    transaction.remove(Predecessor::key(&key));
    let created_s = (row.created_ms.div_euclid(1000) - AGE_S).max(shard_s + 1);
    let row = StreamRow { consumer_s: left_s, ..row };
    rows::put(&mut transaction, StreamRow::key(&key), &row);
    let mut shards = Vec::with_capacity(row.next_shard as usize);
    for ((index, range), log) in (0..).zip(HashRange::uniform(row.next_shard)).zip(&logs) {
        transaction.own(*log);
        let shard = ShardRow {
            index,
            log_id: log.0,
            range,
            created_s,
            opened_ms: row.created_ms,
            parent: None,
            adjacent_parent: None,
            closed: None,
        };
        rows::put(&mut transaction, ShardRow::key(&key, index), &shard);
        shards.push(Arc::new(inner.open_shard(shard).await.map_err(|e| fail(cx, &e))?));
    }
    if !tags.is_empty() {
        rows::put(&mut transaction, tags_key(&key, None), tags);
    }
    if let Err(e) = inner.commit(cx, transaction).await {
        inner.store.abandon_logs(&logs).await;
        return Err(e);
    }
    Ok(Stream::new(key, StreamView::new(row, shards)))
}
