//! `PutRecords`: up to 500 records, each with its own result.
//!
//! ```text
//! check all -> route -> sort by shard -> per shard: admit, build one batch, append
//!           -> await all -> (sealed shards: wait for the reshard, route those entries again)
//! ```
//!
//! Nothing is written before every entry was checked. Appends to all shards are under way before
//! the first is awaited. The order of the entries of one shard is that of the request.

use crate::admission::{Exceeded, WriteBudget};
use crate::append::{self, Entry, Reshard};
use crate::errors::{Result, fail};
use crate::hash::HashKey;
use crate::metrics::{Done, StreamMetrics};
use crate::options::Limits;
use crate::portion::number_text;
use crate::rows::StreamRow;
use crate::sequence::{DIGITS, SequenceNumber};
use crate::service::Streams;
use crate::shard::Shard;
use crate::stream::{Stream, StreamView};
use crate::texts::{self, stream_not_found};
use api::kinesis::{
    EncryptionType, Error, PutRecordsInput, PutRecordsOutput, PutRecordsRequestEntry,
    PutRecordsResultEntry,
};
use api::limits::kinesis::REQUEST_BYTES_MAX;
use api::{LateViolations, Text};
use base::Cx;
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use store::{ErrorKind, Pending};

/// Appends records, one append per shard that they touch.
///
/// # Errors
/// As `PutRecord` for what concerns the call; one malformed entry fails it all. Entries over a
/// shard's budget, or that the engine could not take, fail alone inside a successful answer.
pub(crate) async fn put_records(
    streams: &Streams,
    cx: &Cx,
    input: PutRecordsInput,
) -> Result<PutRecordsOutput> {
    let (name, arn) = (input.stream_name.as_ref(), input.stream_arn.as_ref());
    let inner = &streams.inner;
    let stream = inner.directory.find_live(cx, "PutRecords", name, arn)?;
    let began = inner.env.clock.monotonic();
    let outcome = put(streams, cx, &stream, &input).await;
    let took = inner.env.clock.monotonic().saturating_sub(began);
    count(inner.metrics.stream(&stream), took, (input.records.len() as u64, outcome.as_ref().ok()));
    outcome.map(|put| put.output())
}

async fn put<'a>(
    streams: &'a Streams,
    cx: &Cx,
    stream: &'a Stream,
    input: &'a PutRecordsInput,
) -> Result<Put<'a>> {
    let routes = check(streams, &stream.view().row, &input.records)?;
    if input.dry_run == Some(true) {
        return Err(texts::dry_run());
    }
    let outcomes = vec![Outcome::Failed; routes.len()];
    let records = &input.records;
    let mut put = Put { streams, stream, records, routes, outcomes, runs: Vec::new() };
    put.run(cx).await?;
    Ok(put)
}

/// Counts a call with so many records; `None` = it failed whole.
fn count(metrics: &StreamMetrics, took: Duration, (total, put): (u64, Option<&Put<'_>>)) {
    let mut done = Done::default();
    for (outcome, record) in put.iter().flat_map(|put| put.outcomes.iter().zip(put.records)) {
        match outcome {
            Outcome::Placed { .. } => {
                done.records += 1;
                done.bytes += entry(record).bytes() as u64;
            }
            Outcome::Throttled { .. } => done.throttled += 1,
            Outcome::Failed => {}
        }
    }
    metrics.total.observe(total);
    metrics.failed.observe(total - done.records - done.throttled);
    let is_nothing = done.records == 0;
    if is_nothing {
        // AWS calls it a success from one record on.
        metrics.put_records.count(took, None, false);
        return;
    }
    metrics.put_records.count(took, Some(done), false);
}

/// What decides over an entry's shard.
#[derive(Clone, Copy)]
enum Route {
    HashKey(HashKey),
    /// The stream distributes by itself.
    Turn(usize),
}

/// Entries that take turns together, so that few shards are touched by one call.
const TURN_ENTRIES: usize = 16;

fn entry(record: &PutRecordsRequestEntry) -> Entry<'_> {
    Entry {
        data: &record.data,
        partition_key: record.partition_key.as_ref(),
        explicit_hash_key: record.explicit_hash_key.as_ref(),
    }
}

fn check(
    streams: &Streams,
    row: &StreamRow,
    records: &[PutRecordsRequestEntry],
) -> Result<Vec<Route>> {
    let (mut total_bytes, mut found) = (0, LateViolations::default());
    for (i, record) in records.iter().enumerate() {
        let entry = entry(record);
        entry.note(row, || format!("records.{}.member.", i + 1), &mut found);
        total_bytes += entry.bytes();
    }
    append::refuse(&found)?;
    for record in records {
        entry(record).check_bytes(row)?;
    }
    if total_bytes > REQUEST_BYTES_MAX {
        return Err(texts::records_too_long());
    }
    if row.auto_distribution {
        let first = streams.inner.next_turn(records.len().div_ceil(TURN_ENTRIES));
        let turn = |i: usize| Route::Turn(first.wrapping_add(i / TURN_ENTRIES));
        return Ok((0..records.len()).map(turn).collect());
    }
    records.iter().map(|record| entry(record).hash_key().map(Route::HashKey)).collect()
}

/// What became of an entry; `run` is an index into `Put::runs`.
#[derive(Clone, Copy)]
enum Outcome {
    Placed { run: u32, ordinal: u64, arrival_ms: i64 },
    Throttled { run: u32 },
    Failed,
}

/// Entries of one shard, appended together.
struct Run {
    shard: Arc<Shard>,
    encrypted: bool,
}

/// An append under way.
struct Sent {
    run: u32,
    entries: Vec<u32>,
    pending: Pending,
}

struct Put<'a> {
    streams: &'a Streams,
    stream: &'a Stream,
    records: &'a [PutRecordsRequestEntry],
    routes: Vec<Route>,
    outcomes: Vec<Outcome>,
    runs: Vec<Run>,
}

impl Put<'_> {
    async fn run(&mut self, cx: &Cx) -> Result<()> {
        let mut reshard = Reshard::new(&*self.streams.inner.env.clock);
        let mut trouble = None;
        let mut todo: Vec<u32> = (0..self.records.len() as u32).collect();
        while !todo.is_empty() {
            let view = self.stream.view();
            let sent = self.send_all(cx, &view, &mut todo, &mut trouble)?;
            for sent in sent {
                if let Err(e) = self.finish(sent).await {
                    trouble = Some(fail(cx, &e));
                }
            }
            if !todo.is_empty() && !reshard.other_view(self.stream, &view).await {
                let late = store::Error::new(ErrorKind::Sealed, "the shard stays sealed");
                trouble = Some(append::late(cx, self.stream, &late));
                break;
            }
        }
        let nothing_else = self.outcomes.iter().all(|o| matches!(o, Outcome::Failed));
        trouble.filter(|_| nothing_else).map_or(Ok(()), Err)
    }

    /// Appends the entries of `todo`; what meets a sealed shard stays in it.
    fn send_all(
        &mut self,
        cx: &Cx,
        view: &StreamView,
        todo: &mut Vec<u32>,
        trouble: &mut Option<Error>,
    ) -> Result<Vec<Sent>> {
        if view.open.is_empty() {
            return Err(stream_not_found(&self.stream.key));
        }
        let mut order: Vec<_> = todo.drain(..).map(|i| (self.slot(view, i as usize), i)).collect();
        order.sort_unstable();
        let mut sent = Vec::new();
        for same in order.chunk_by(|a, b| a.0 == b.0) {
            let entries = same.iter().map(|(_, entry)| *entry);
            match self.send(view, &view.open[same[0].0 as usize], entries) {
                Ok(some) => sent.extend(some),
                Err((e, entries)) if e.kind().is_end() => todo.extend(entries),
                Err((e, _)) => *trouble = Some(fail(cx, &e)),
            }
        }
        Ok(sent)
    }

    /// Index of an entry's shard among the open ones.
    fn slot(&self, view: &StreamView, entry: usize) -> u32 {
        let slot = match self.routes[entry] {
            Route::HashKey(at) => view.open.partition_point(|s| s.range().end < at.0),
            Route::Turn(turn) => turn % view.open.len(),
        };
        // The open shards cover every key, so the partition point is one of them.
        slot.min(view.open.len() - 1) as u32
    }

    /// One append of what the shard's budget admits; the rest is marked as throttled.
    fn send(
        &mut self,
        view: &StreamView,
        shard: &Arc<Shard>,
        entries: impl Iterator<Item = u32>,
    ) -> std::result::Result<Option<Sent>, (store::Error, Vec<u32>)> {
        let run = self.runs.len() as u32;
        let encrypted = view.row.encryption.is_some();
        self.runs.push(Run { shard: shard.clone(), encrypted });
        let entries = self.admit(run, entries);
        if entries.is_empty() {
            return Ok(None);
        }
        let admitted = entries.iter().map(|i| entry(&self.records[*i as usize]));
        match append::append(view, shard, admitted) {
            Ok(pending) => Ok(Some(Sent { run, entries, pending })),
            Err(e) => Err((e, entries)),
        }
    }

    fn admit(&mut self, run: u32, entries: impl Iterator<Item = u32>) -> Vec<u32> {
        let inner = &self.streams.inner;
        if inner.options.limits == Limits::Hardware {
            return entries.collect();
        }
        let shard = &self.runs[run as usize].shard;
        let now = inner.env.clock.monotonic();
        let (mut over_bytes, mut over_records) = (0, 0);
        let mut admitted = Vec::with_capacity(entries.size_hint().0);
        let mut budget = shard.writes.lock();
        for i in entries {
            match WriteBudget::take(&mut budget, entry(&self.records[i as usize]).bytes(), now) {
                Ok(()) => {
                    admitted.push(i);
                    continue;
                }
                Err(Exceeded::Bytes) => over_bytes += 1,
                Err(Exceeded::Records | Exceeded::Calls) => over_records += 1,
            }
            self.outcomes[i as usize] = Outcome::Throttled { run };
        }
        drop(budget);
        if over_bytes + over_records > 0 {
            let metrics = inner.metrics.shard(self.stream, shard);
            append::count_throttled(metrics, Exceeded::Bytes, over_bytes);
            append::count_throttled(metrics, Exceeded::Records, over_records);
        }
        admitted
    }

    async fn finish(&mut self, sent: Sent) -> store::Result<()> {
        let Sent { run, entries, pending } = sent;
        let placed = pending.await?;
        for (ordinal, i) in (placed.first_ordinal..).zip(&entries) {
            let arrival_ms = placed.arrival_ms;
            self.outcomes[*i as usize] = Outcome::Placed { run, ordinal, arrival_ms };
        }
        let shard = &self.runs[run as usize].shard;
        let metrics = self.streams.inner.metrics.shard(self.stream, shard);
        let bytes = |i: &u32| entry(&self.records[*i as usize]).bytes() as u64;
        metrics.put_records.add(entries.len() as u64, entries.iter().map(bytes).sum());
        Ok(())
    }

    fn output(&self) -> PutRecordsOutput {
        let mut digits = self.digits();
        let refusals = self.refusals();
        let records: Vec<_> = self
            .outcomes
            .iter()
            .map(|outcome| match *outcome {
                Outcome::Placed { run, .. } => PutRecordsResultEntry {
                    sequence_number: Some(number_text(digits.split_to(DIGITS))),
                    shard_id: Some(self.runs[run as usize].shard.id.clone()),
                    ..PutRecordsResultEntry::default()
                },
                Outcome::Throttled { run } => failure(
                    "ProvisionedThroughputExceededException",
                    refusals[run as usize].clone(),
                ),
                Outcome::Failed => {
                    failure("InternalFailure", Text::from_static(texts::ENTRY_FAILED))
                }
            })
            .collect();
        let failed = records.iter().filter(|r| r.error_code.is_some()).count();
        let encrypted = self.outcomes.iter().any(|outcome| match outcome {
            Outcome::Placed { run, .. } => self.runs[*run as usize].encrypted,
            _ => false,
        });
        PutRecordsOutput {
            failed_record_count: Some(failed as i32),
            records,
            encryption_type: encrypted.then_some(EncryptionType::Kms),
        }
    }

    /// The digits of all numbers in one block, in the order of the entries.
    fn digits(&self) -> Bytes {
        let mut digits = Vec::with_capacity(self.outcomes.len() * DIGITS);
        for outcome in &self.outcomes {
            if let Outcome::Placed { run, ordinal, arrival_ms } = *outcome {
                let row = &self.runs[run as usize].shard.row;
                let number = SequenceNumber::record(row.index, row.created_s, ordinal, arrival_ms);
                digits.extend_from_slice(&number.digits());
            }
        }
        Bytes::from(digits)
    }

    /// The text of each run's throttled entries; empty where there are none.
    fn refusals(&self) -> Vec<Text> {
        let mut texts = vec![Text::default(); self.runs.len()];
        for outcome in &self.outcomes {
            if let Outcome::Throttled { run } = *outcome
                && texts[run as usize].is_empty()
            {
                let shard = &self.runs[run as usize].shard;
                texts[run as usize] = texts::write_throttled(self.stream, shard).into();
            }
        }
        texts
    }
}

fn failure(code: &'static str, message: Text) -> PutRecordsResultEntry {
    PutRecordsResultEntry {
        error_code: Some(Text::from_static(code)),
        error_message: Some(message),
        ..PutRecordsResultEntry::default()
    }
}
