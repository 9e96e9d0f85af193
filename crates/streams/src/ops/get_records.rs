//! `GetRecords`: the next portion of a shard, and where to go on.

use crate::admission::Exceeded;
use crate::arn::Resource;
use crate::errors::Result;
use crate::iterator::Place;
use crate::metrics::Done;
use crate::ops::get_shard_iterator::place;
use crate::options::Limits;
use crate::portion::{self, Most, Portion, Reading};
use crate::service::Streams;
use crate::shard::{Shard, shard_id};
use crate::stream::{Stream, StreamView};
use crate::texts::{self, iterator_malformed, shard_does_not_exist};
use api::Text;
use api::kinesis::{Error, GetRecordsInput, GetRecordsOutput};
use base::Cx;
use std::sync::Arc;
use std::time::Duration;

/// Records of one call when the client names no number (model).
const RECORDS_MAX: usize = 10_000;
/// Data and partition keys of one call (model).
const BYTES_MAX: usize = 10 << 20;
/// Longest wait for the memory of an answer.
const ROOM_WAIT: Duration = Duration::from_secs(5);

/// Reads from an iterator's place on.
///
/// Every answer has another `NextShardIterator`, even without records; the last one of a closed
/// shard has none and names the child shards instead.
///
/// # Errors
/// `InvalidArgument` no iterator of this server, or one of another stream; `ExpiredIterator` it is
/// older than 300 s; `ResourceNotFound` the stream is gone; `ProvisionedThroughputExceeded` more
/// than five calls or 2 MiB a second; `ServiceUnavailable` too much is read at once.
pub(crate) async fn get_records(
    streams: &Streams,
    cx: &Cx,
    input: GetRecordsInput,
) -> Result<GetRecordsOutput> {
    let inner = &streams.inner;
    let now_ms = inner.now_ms();
    let at = inner.iterators.open(&input.shard_iterator, now_ms)?;
    let (stream, view, from) = find(streams, cx, &at, input.stream_arn.as_ref())?;
    let shard = view
        .shard(at.shard_index)
        .ok_or_else(|| shard_does_not_exist(&stream.key, &shard_id(at.shard_index)))?;
    if input.dry_run == Some(true) {
        return Err(texts::dry_run());
    }
    let began = inner.env.clock.monotonic();
    let outcome = read(streams, cx, (&stream, shard, from), (input.limit, now_ms)).await;
    let took = inner.env.clock.monotonic().saturating_sub(began);
    let done = outcome.as_ref().ok().map(|portion| Done {
        records: portion.records.len() as u64,
        bytes: portion.bytes as u64,
        throttled: 0,
    });
    let throttled = matches!(outcome, Err(Error::ProvisionedThroughputExceeded(_)));
    inner.metrics.stream(&stream).get_records.count(took, done, throttled);
    let portion = outcome?;
    let next = place(&stream, &view, at.shard_index, portion.next_ordinal, now_ms);
    let next = portion.children.is_none().then(|| inner.iterators.seal(&next).into());
    Ok(GetRecordsOutput {
        records: portion.records,
        next_shard_iterator: next,
        millis_behind_latest: Some(portion.behind_ms),
        child_shards: portion.children,
    })
}

/// What an answer holds, when the shard's limits and the client's memory let it.
async fn read(
    streams: &Streams,
    cx: &Cx,
    (stream, shard, from): (&Stream, &Shard, u64),
    (limit, now_ms): (Option<i32>, i64),
) -> Result<Portion> {
    let inner = &streams.inner;
    admit(streams, stream, shard)?;
    let records = limit.map_or(RECORDS_MAX, |limit| limit.max(1) as usize);
    let most = Most { records: records.min(RECORDS_MAX), bytes: BYTES_MAX };
    let bytes = most.memory_bytes(stream, shard, from);
    let room = cx.memory.wait(&*inner.env.clock, bytes, ROOM_WAIT).await;
    let _room = room.ok_or_else(texts::too_much_read)?;
    let reading = Reading { stream, shard, from, now_ms };
    let portion = portion::read(cx, reading, most).await?;
    charge(streams, stream, shard, &portion);
    Ok(portion)
}

/// The stream of an iterator, and the ordinal that it goes on from there.
fn find(
    streams: &Streams,
    cx: &Cx,
    at: &Place,
    arn: Option<&Text>,
) -> Result<(Arc<Stream>, Arc<StreamView>, u64)> {
    if let Some(arn) = arn
        && Resource::parse(arn) != Some(Resource::Stream(at.stream.clone()))
    {
        return Err(texts::iterator_of_another(arn));
    }
    if at.stream.region != cx.region {
        return Err(iterator_malformed());
    }
    let stream =
        streams.inner.directory.reach(cx, "GetRecords", &at.stream).map_err(|e| match e {
            // As of a deleted stream on AWS (observed).
            Error::ResourceNotFound(_) => {
                shard_does_not_exist(&at.stream, &shard_id(at.shard_index))
            }
            other => other,
        })?;
    let view = stream.view();
    if view.row.created_ms == at.created_ms {
        return Ok((stream, view, at.ordinal));
    }
    // A stream that took the name since: all that its shard holds is newer than the place. Of a
    // shard that it lacks AWS says so (observed, both).
    if view.shard(at.shard_index).is_none() {
        return Err(shard_does_not_exist(&at.stream, &shard_id(at.shard_index)));
    }
    if view.row.created_ms < at.created_ms {
        return Err(iterator_malformed());
    }
    Ok((stream, view, 0))
}

fn admit(streams: &Streams, stream: &Stream, shard: &Shard) -> Result<()> {
    let inner = &streams.inner;
    if inner.options.limits == Limits::Hardware {
        return Ok(());
    }
    let now = inner.env.clock.monotonic();
    let taken = shard.reads.lock().take_call(now);
    taken.map_err(|by| {
        let metrics = inner.metrics.shard(stream, shard);
        match by {
            Exceeded::Bytes => metrics.read_throttled_bytes.add(1),
            Exceeded::Calls | Exceeded::Records => metrics.read_throttled_calls.add(1),
        }
        texts::read_throttled(stream, shard)
    })
}

/// Counts what was read and takes it from the budget of the next reads.
fn charge(streams: &Streams, stream: &Stream, shard: &Shard, portion: &Portion) {
    let inner = &streams.inner;
    let age = Duration::from_millis(portion.age_ms.unsigned_abs());
    if portion.records.is_empty() {
        // A shard that nothing was read from has no counters, and gets none here.
        if let Some(metrics) = shard.metrics.get() {
            metrics.iterator_age.observe(age);
        }
        return;
    }
    if inner.options.limits == Limits::Aws {
        let now = inner.env.clock.monotonic();
        shard.reads.lock().charge(portion.bytes, now);
    }
    let metrics = inner.metrics.shard(stream, shard);
    metrics.polled.add(portion.records.len() as u64, portion.bytes as u64);
    metrics.iterator_age.observe(age);
}
