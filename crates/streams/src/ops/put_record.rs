//! `PutRecord`: one record, answered once it is durable.

use crate::admission::{Exceeded, WriteBudget};
use crate::append::{self, Entry, Reshard};
use crate::errors::{Result, fail};
use crate::metrics::Done;
use crate::options::Limits;
use crate::portion::number_text;
use crate::sequence::{self, Parsed, SequenceNumber};
use crate::service::Streams;
use crate::shard::Shard;
use crate::stream::{Stream, StreamView};
use crate::texts::{self, stream_not_found};
use api::kinesis::{EncryptionType, Error, PutRecordInput, PutRecordOutput};
use api::{LateViolations, Text};
use base::Cx;
use bytes::Bytes;
use std::sync::Arc;
use store::{Appended, Pending};

/// Appends one record to the shard that owns its hash key.
///
/// # Errors
/// `ResourceNotFound` no such stream; `Validation`, `InvalidArgument` the record is not one this
/// stream takes; `ProvisionedThroughputExceeded` the shard's budget for this second is spent;
/// `ServiceUnavailable` the engine cannot write now, or a reshard takes longer than five seconds.
pub(crate) async fn put_record(
    streams: &Streams,
    cx: &Cx,
    input: PutRecordInput,
) -> Result<PutRecordOutput> {
    let (name, arn) = (input.stream_name.as_ref(), input.stream_arn.as_ref());
    let inner = &streams.inner;
    let stream = inner.directory.find_live(cx, "PutRecord", name, arn)?;
    let began = inner.env.clock.monotonic();
    let outcome = put(streams, cx, &stream, &input).await;
    let took = inner.env.clock.monotonic().saturating_sub(began);
    let done =
        outcome.as_ref().ok().map(|(_, bytes)| Done { records: 1, bytes: *bytes, throttled: 0 });
    let throttled = matches!(outcome, Err(Error::ProvisionedThroughputExceeded(_)));
    inner.metrics.stream(&stream).put_record.count(took, done, throttled);
    outcome.map(|(output, _)| output)
}

/// The answer, and the record's bytes.
async fn put(
    streams: &Streams,
    cx: &Cx,
    stream: &Stream,
    input: &PutRecordInput,
) -> Result<(PutRecordOutput, u64)> {
    let put = Put::check(streams, stream, input)?;
    if input.dry_run == Some(true) {
        return Err(texts::dry_run());
    }
    let (shard, encrypted, pending) = put.submit(cx).await?;
    let placed = pending.await.map_err(|e| fail(cx, &e))?;
    let metrics = streams.inner.metrics.shard(stream, &shard);
    let bytes = put.entry.bytes() as u64;
    metrics.put_record.add(1, bytes);
    Ok((output(&shard, placed, encrypted), bytes))
}

/// A record that was checked.
struct Put<'a> {
    streams: &'a Streams,
    stream: &'a Stream,
    entry: Entry<'a>,
    /// `None` = the stream distributes by itself.
    at: Option<crate::hash::HashKey>,
}

impl<'a> Put<'a> {
    fn check(streams: &'a Streams, stream: &'a Stream, input: &'a PutRecordInput) -> Result<Self> {
        let entry = Entry {
            data: &input.data,
            partition_key: input.partition_key.as_ref(),
            explicit_hash_key: input.explicit_hash_key.as_ref(),
        };
        let view = stream.view();
        let mut found = LateViolations::default();
        entry.note(&view.row, String::new, &mut found);
        append::refuse(&found)?;
        entry.check_bytes(&view.row)?;
        let at = if view.row.auto_distribution { None } else { Some(entry.hash_key()?) };
        if let Some(number) = &input.sequence_number_for_ordering {
            check_ordering(streams, stream, &view, number)?;
        }
        Ok(Self { streams, stream, entry, at })
    }

    /// Hands the record to its shard; after a reshard to the one that took over.
    async fn submit(&self, cx: &Cx) -> Result<(Arc<Shard>, bool, Pending)> {
        let mut reshard = Reshard::new(&*self.streams.inner.env.clock);
        let turn = self.at.is_none().then(|| self.streams.inner.next_turn(1));
        loop {
            let view = self.stream.view();
            let shard = match (self.at, turn) {
                (Some(at), _) => view.route(at),
                (None, turn) => view.open_in_turn(turn.unwrap_or_default()),
            };
            let shard = shard.ok_or_else(|| stream_not_found(&self.stream.key))?;
            self.admit(shard)?;
            match append::append(&view, shard, std::iter::once(self.entry)) {
                Ok(pending) => {
                    return Ok((shard.clone(), view.row.encryption.is_some(), pending));
                }
                Err(e) if e.kind().is_end() => {
                    if !reshard.other_view(self.stream, &view).await {
                        return Err(append::late(cx, self.stream, &e));
                    }
                }
                Err(e) => return Err(fail(cx, &e)),
            }
        }
    }

    fn admit(&self, shard: &Shard) -> Result<()> {
        let inner = &self.streams.inner;
        if inner.options.limits == Limits::Hardware {
            return Ok(());
        }
        let now = inner.env.clock.monotonic();
        let take = |budget: &mut WriteBudget| budget.take(self.entry.bytes(), now);
        take(&mut shard.writes.lock()).map_err(|by: Exceeded| {
            append::count_throttled(inner.metrics.shard(self.stream, shard), by, 1);
            Error::ProvisionedThroughputExceeded(texts::write_throttled(self.stream, shard))
        })
    }
}

/// Refuses a number that no record of this stream can have yet.
///
/// Numbers of one key grow without it; a client that names one still learns that it is wrong.
fn check_ordering(
    streams: &Streams,
    stream: &Stream,
    view: &StreamView,
    number: &Text,
) -> Result<()> {
    let legal = match sequence::parse(number) {
        // A clock that was set back must not make a shard's own numbers those of its future.
        Some(Parsed::Current(n)) => n.created_s().max(n.arrival_s()) <= newest_s(streams, view, n),
        // A stream of those days may still be known to a client, and all of it is in the past.
        Some(Parsed::Old { .. }) => true,
        None => false,
    };
    if legal { Ok(()) } else { Err(texts::ordering_invalid(&stream.key, number)) }
}

/// The latest second a number of its shard may show.
fn newest_s(streams: &Streams, view: &StreamView, number: SequenceNumber) -> i64 {
    let now_s = streams.inner.now_ms().div_euclid(1000);
    let of_shard = view
        .shard(number.shard_index())
        .map_or(0, |s| s.row.created_s.max(s.log.tail().last_arrival_ms.div_euclid(1000)));
    now_s.max(of_shard)
}

fn output(shard: &Shard, placed: Appended, encrypted: bool) -> PutRecordOutput {
    let (index, created_s) = (shard.row.index, shard.row.created_s);
    let (ordinal, arrival_ms) = (placed.first_ordinal, placed.arrival_ms);
    let number = SequenceNumber::record(index, created_s, ordinal, arrival_ms);
    PutRecordOutput {
        shard_id: shard.id.clone(),
        sequence_number: number_text(Bytes::copy_from_slice(&number.digits())),
        encryption_type: encrypted.then_some(EncryptionType::Kms),
    }
}
