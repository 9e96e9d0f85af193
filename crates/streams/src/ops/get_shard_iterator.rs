//! `GetShardIterator`: a place in a shard, fixed when the iterator is made.

use crate::errors::Result;
use crate::iterator::Place;
use crate::options::Limits;
use crate::service::Streams;
use crate::shard::{Shard, parse_shard_id, shard_id};
use crate::start::Start;
use crate::stream::{Stream, StreamKey, StreamView};
use crate::texts::{self, shard_does_not_exist, shard_not_found};
use api::kinesis::{Error, GetShardIteratorInput, GetShardIteratorOutput};
use base::Cx;
use std::sync::Arc;

/// Makes an iterator; also of a closed shard, which only `GetRecords` ends.
///
/// # Errors
/// `ResourceNotFound` no such stream or shard; `InvalidArgument` a starting position that makes no
/// sense; `ProvisionedThroughputExceeded` more than five calls a second.
pub(crate) async fn get_shard_iterator(
    streams: &Streams,
    cx: &Cx,
    input: GetShardIteratorInput,
) -> Result<GetShardIteratorOutput> {
    let inner = &streams.inner;
    let (name, arn) = (input.stream_name.as_ref(), input.stream_arn.as_ref());
    let found = inner.directory.find_live(cx, "GetShardIterator", name, arn);
    let stream = found.map_err(|e| match e {
        // AWS speaks of the shard even then (observed).
        Error::ResourceNotFound(_) => no_shard(&StreamKey::named(cx, name, arn), &input.shard_id),
        other => other,
    })?;
    let view = stream.view();
    let shard = find(&stream, &view, &input.shard_id)?;
    let start = Start {
        operation: "GetShardIterator",
        kind: input.shard_iterator_type,
        sequence_number: input.starting_sequence_number.as_ref(),
        timestamp: input.timestamp,
    };
    let now_ms = inner.now_ms();
    let ordinal = start.ordinal(cx, &stream, shard, inner.latest_ms()).await?;
    if input.dry_run == Some(true) {
        return Err(texts::dry_run());
    }
    admit(streams, &stream, shard)?;
    let place = place(&stream, &view, shard.row.index, ordinal, now_ms);
    Ok(GetShardIteratorOutput { shard_iterator: Some(inner.iterators.seal(&place).into()) })
}

/// A place as an iterator holds it.
pub(crate) fn place(
    stream: &Stream,
    view: &StreamView,
    shard_index: u32,
    ordinal: u64,
    issued_ms: i64,
) -> Place {
    let (stream, created_ms) = (stream.key.clone(), view.row.created_ms);
    Place { stream, created_ms, shard_index, ordinal, issued_ms }
}

/// The shard that a reader names.
///
/// # Errors
/// `ResourceNotFound` in the two ways of AWS: an id that names no shard at all, and one that this
/// stream does not have.
pub(crate) fn find<'a>(stream: &Stream, view: &'a StreamView, id: &str) -> Result<&'a Arc<Shard>> {
    let found = parse_shard_id(id).and_then(|index| view.shard(index));
    found.ok_or_else(|| no_shard(&stream.key, id))
}

fn no_shard(key: &StreamKey, id: &str) -> Error {
    match parse_shard_id(id) {
        Some(index) => shard_does_not_exist(key, &shard_id(index)),
        None => shard_not_found(key, id),
    }
}

fn admit(streams: &Streams, stream: &Stream, shard: &Shard) -> Result<()> {
    let inner = &streams.inner;
    if inner.options.limits == Limits::Hardware {
        return Ok(());
    }
    let now = inner.env.clock.monotonic();
    let taken = shard.reads.lock().take_iterator(now);
    taken.map_err(|_| {
        inner.metrics.shard(stream, shard).read_throttled_calls.add(1);
        texts::read_throttled(stream, shard)
    })
}
