//! One portion of a shard, as `GetRecords` returns it and `SubscribeToShard` pushes it.
//!
//! Cost per record: 56 digits and the key copied into one arena per portion, so that who encodes
//! them finds them together; a view into a shared block; no copy of the data, no map.

use crate::errors::{Result, fail};
use crate::hash::HashRange;
use crate::sequence::{DIGITS, SequenceNumber};
use crate::shard::{Shard, shard_id};
use crate::stream::{Stream, StreamView};
use crate::texts::{shard_does_not_exist, stream_not_found};
use api::kinesis::{ChildShard, EncryptionType, Error, HashKeyRange, Record};
use api::{Text, Timestamp};
use base::Cx;
use bytes::Bytes;
use store::{ErrorKind, RecordBatch, Tail};

/// Bounds of one portion; a record above `bytes` still comes, alone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Most {
    pub(crate) records: usize,
    /// Data and partition keys.
    pub(crate) bytes: usize,
}

/// Where a portion is read, and when.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'a> {
    pub(crate) stream: &'a Stream,
    pub(crate) shard: &'a Shard,
    /// Ordinal of the first record.
    pub(crate) from: u64,
    pub(crate) now_ms: i64,
}

/// What was read.
#[derive(Debug)]
pub(crate) struct Portion {
    pub(crate) records: Vec<Record>,
    /// Data and partition keys of the records.
    pub(crate) bytes: usize,
    /// Where the next portion begins.
    pub(crate) next_ordinal: u64,
    /// Distance of that place from the shard's tip in time; 0 = there is nothing more to read.
    pub(crate) behind_ms: i64,
    /// Age of the last record read; 0 when there is none.
    pub(crate) age_ms: i64,
    /// Set, and never empty, once nothing will ever follow: the shards to go on with.
    pub(crate) children: Option<Vec<ChildShard>>,
}

impl Most {
    /// Memory that a read from this ordinal on may take before it is sent: to be had before the
    /// records are, which wait for their reader once a disk thread has read them.
    pub(crate) fn memory_bytes(self, stream: &Stream, shard: &Shard, from: u64) -> usize {
        let records = shard.log.tail().next_ordinal.saturating_sub(from);
        let record_bytes = (stream.view().row.record_kib_max as usize) << 10;
        let records = usize::try_from(records).unwrap_or(usize::MAX).min(self.records);
        let bytes = records.saturating_mul(record_bytes).min(self.bytes.max(record_bytes));
        memory_bytes(bytes, records)
    }
}

/// Memory of a portion of so many payload bytes and records: the records, and an answer that has
/// them as text.
pub(crate) fn memory_bytes(bytes: usize, records: usize) -> usize {
    bytes / 3 * 7 + records * RECORD_BYTES
}

/// Memory of a record beside its payload: names, number and time in an answer, some 180 bytes, and
/// the record itself.
const RECORD_BYTES: usize = 256;

/// Reads durable records from `from` on; from the oldest kept one when `from` is older.
///
/// # Errors
/// `ResourceNotFound` stream or shard are gone; what a storage failure means to a client.
pub(crate) async fn read(
    cx: &Cx,
    Reading { stream, shard, from, now_ms }: Reading<'_>,
    most: Most,
) -> Result<Portion> {
    let batch = read_kept(shard, from, most).await.map_err(|e| lost(cx, stream, shard, &e))?;
    // The view after the read: what was closed before the read is seen as closed.
    let view = stream.view();
    let tail = shard.log.tail();
    let ended = ended(&view, shard, batch.next_ordinal);
    let behind_ms = match &ended {
        Some((closed_ms, _)) => (now_ms - closed_ms).max(0),
        None => behind_ms(tail, &batch, now_ms),
    };
    let bytes = batch.records.iter().map(|r| r.key.len() + r.data.len()).sum();
    let next_ordinal = batch.next_ordinal;
    let age_ms = batch.records.last().map_or(0, |r| (now_ms - r.arrival_ms).max(0));
    let records = render(shard, batch).map_err(|e| fail(cx, &e))?;
    let children = ended.map(|(_, children)| children);
    Ok(Portion { records, bytes, next_ordinal, behind_ms, age_ms, children })
}

async fn read_kept(shard: &Shard, from: u64, most: Most) -> store::Result<RecordBatch> {
    loop {
        let tail = shard.log.tail();
        let from = from.min(tail.next_ordinal).max(tail.first_ordinal);
        match shard.log.read(from, most.records, most.bytes).await {
            // Retention moved on between the two calls.
            Err(e) if e.kind() == ErrorKind::Trimmed && shard.log.tail().first_ordinal > from => {}
            other => return other,
        }
    }
}

/// A failed read: of something that was deleted meanwhile, or a failure of the store.
fn lost(cx: &Cx, stream: &Stream, shard: &Shard, e: &store::Error) -> Error {
    if stream.is_gone() {
        stream_not_found(&stream.key)
    } else if e.kind() == ErrorKind::Removed {
        shard_does_not_exist(&stream.key, &shard.id)
    } else {
        fail(cx, e)
    }
}

/// When the shard closed and what follows it, if `next_ordinal` is its end.
///
/// Consumers take a missing next iterator without children, and the reverse, for a fault of the
/// server and retry for ever: the end shows only together with its children.
fn ended(view: &StreamView, shard: &Shard, next_ordinal: u64) -> Option<(i64, Vec<ChildShard>)> {
    let row = view.shard(shard.row.index).map_or(&shard.row, |now| &now.row);
    let closed = row.closed.as_ref()?;
    if next_ordinal < closed.next_ordinal {
        return None;
    }
    let children: Vec<_> =
        closed.children.iter().filter_map(|index| view.shard(*index)).map(|s| child(s)).collect();
    (!children.is_empty()).then_some((closed.at_ms, children))
}

fn child(shard: &Shard) -> ChildShard {
    ChildShard {
        shard_id: shard.id.clone(),
        parent_shards: shard.row.parents().map(shard_id).collect(),
        hash_key_range: key_range(shard.range()),
    }
}

fn key_range(range: HashRange) -> HashKeyRange {
    HashKeyRange {
        starting_hash_key: range.start.to_string().into(),
        ending_hash_key: range.end.to_string().into(),
    }
}

/// Zero is said at the tip only.
fn behind_ms(tail: Tail, batch: &RecordBatch, now_ms: i64) -> i64 {
    if batch.next_ordinal >= tail.next_ordinal {
        return 0;
    }
    let at_ms = batch.records.last().map_or(tail.last_arrival_ms, |r| r.arrival_ms);
    (now_ms - at_ms).max(1)
}

fn render(shard: &Shard, batch: RecordBatch) -> store::Result<Vec<Record>> {
    let (index, created_s) = (shard.row.index, shard.row.created_s);
    let mut texts = Vec::with_capacity(batch.records.len() * (DIGITS + KEY_BYTES_HINT));
    for (n, r) in batch.records.iter().enumerate() {
        if n % AHEAD == 0 {
            load_keys(&batch.records[n..]);
        }
        let number = SequenceNumber::record(index, created_s, r.ordinal, r.arrival_ms);
        texts.extend_from_slice(&number.digits());
        texts.extend_from_slice(&r.key);
    }
    let mut texts = Bytes::from(texts);
    let mut records = Vec::with_capacity(batch.records.len());
    for r in batch.records {
        records.push(Record {
            sequence_number: number_text(texts.split_to(DIGITS)),
            approximate_arrival_timestamp: Some(Timestamp(r.arrival_ms.max(shard.created_ms()))),
            data: r.data,
            partition_key: partition_key(texts.split_to(r.key.len()), r.ordinal)?,
            encryption_type: r.encrypted.then_some(EncryptionType::Kms),
        });
    }
    Ok(records)
}

/// Length of most keys.
const KEY_BYTES_HINT: usize = 40;
/// How many keys are loaded together.
const AHEAD: usize = 32;

/// Loads the next keys into the processor's cache. Looked at one after another, each is waited for
/// alone, which took a tenth of the server's time for a long answer.
fn load_keys(records: &[store::Record]) {
    let keys = records.iter().take(AHEAD).filter_map(|r| r.key.first());
    std::hint::black_box(keys.fold(0, |all, first| all | first));
}

/// Digits of sequence numbers as a text.
pub(crate) fn number_text(digits: Bytes) -> Text {
    Text::from_utf8(digits).expect("digits are ASCII")
}

/// The key as it was written; a record of a stream that distributes by itself may have none.
fn partition_key(key: Bytes, ordinal: u64) -> store::Result<Option<Text>> {
    if key.is_empty() {
        return Ok(None);
    }
    Text::from_utf8(key).map(Some).map_err(|_| {
        let message = format!("record {ordinal}: the partition key is no UTF-8");
        store::Error::new(ErrorKind::Corrupt, message)
    })
}
