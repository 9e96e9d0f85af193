//! The newest batches of a log: what is not yet in a segment, and what is still in memory.
//!
//! ```text
//! publish --> [ spilled, cached | unspilled, evicted | unspilled, cached ] --> next_ordinal
//!              popped when evicted  read from journal    read from memory
//! ```
//!
//! Eviction goes from old to new over all logs, so the batches without a body are a prefix of the
//! unspilled ones. A batch costs 72 bytes beside its body.

use super::frame::{self, Header};
use bytes::Bytes;
use std::collections::VecDeque;

/// One durable batch.
#[derive(Clone)]
pub(crate) struct TailBatch {
    pub(crate) first_ordinal: u64,
    pub(crate) arrival_ms: i64,
    pub(crate) records: u32,
    pub(crate) body_crc: u32,
    pub(crate) body_bytes: u32,
    /// Of its frame: those that say what the body is.
    pub(crate) flags: u16,
    /// As it lies on disk; None once evicted.
    pub(crate) body: Option<Bytes>,
    /// Where its frame lies in the journal; meaningless once spilled.
    pub(crate) file: u32,
    pub(crate) offset: u32,
}

impl TailBatch {
    /// The batch of a frame in the journal, without its body.
    pub(crate) fn in_journal(header: &Header, file: u32, offset: u64) -> Self {
        Self {
            first_ordinal: header.first_ordinal,
            arrival_ms: header.arrival_ms,
            records: header.records,
            body_crc: header.body_crc,
            body_bytes: header.body_bytes,
            flags: header.flags & frame::BODY_FLAGS,
            body: None,
            file,
            offset: u32::try_from(offset).expect("journal files are below 4 GiB"),
        }
    }

    pub(crate) fn end_ordinal(&self) -> u64 {
        self.first_ordinal + u64::from(self.records)
    }

    pub(crate) fn frame_bytes(&self) -> usize {
        frame::padded(frame::HEADER_BYTES + self.body_bytes as usize)
    }
}

/// Batches in order, without gaps.
#[derive(Default)]
pub(crate) struct TailBatches {
    batches: VecDeque<TailBatch>,
    /// Records below are in segments.
    spilled_to: u64,
    /// Arrival time of the newest of them.
    spilled_arrival_ms: i64,
    /// Batches that end at or below have no body.
    evicted_to: u64,
    /// Frame bytes above `spilled_to`.
    unspilled_bytes: u64,
}

impl TailBatches {
    /// Empty, behind records that are all in segments.
    pub(crate) fn after(spilled_to: u64, spilled_arrival_ms: i64) -> Self {
        Self { spilled_to, spilled_arrival_ms, evicted_to: spilled_to, ..Self::default() }
    }

    pub(crate) fn spilled_arrival_ms(&self) -> i64 {
        self.spilled_arrival_ms
    }

    pub(crate) fn spilled_to(&self) -> u64 {
        self.spilled_to
    }

    pub(crate) fn unspilled_bytes(&self) -> u64 {
        self.unspilled_bytes
    }

    pub(crate) fn push(&mut self, batch: TailBatch) {
        if batch.body.is_none() {
            self.evicted_to = batch.end_ordinal();
        }
        self.unspilled_bytes += batch.frame_bytes() as u64;
        self.batches.push_back(batch);
    }

    /// Drops the bodies of batches that end at or below `to`.
    pub(crate) fn evict(&mut self, to: u64) {
        let evicted = |b: &TailBatch| b.end_ordinal() <= self.evicted_to;
        // Most often none: a search waits for memory at each of its steps.
        let from = match self.batches.front() {
            Some(front) if evicted(front) => self.batches.partition_point(evicted),
            _ => 0,
        };
        for batch in self.batches.range_mut(from..).take_while(|b| b.end_ordinal() <= to) {
            batch.body = None;
        }
        self.evicted_to = self.evicted_to.max(to);
        self.drop_done();
    }

    /// Notes that everything up to and with the batch `last` is in segments.
    pub(crate) fn spilled(&mut self, last: &TailBatch, frame_bytes: u64) {
        self.spilled_to = self.spilled_to.max(last.end_ordinal());
        self.spilled_arrival_ms = self.spilled_arrival_ms.max(last.arrival_ms);
        self.unspilled_bytes = self.unspilled_bytes.saturating_sub(frame_bytes);
        self.drop_done();
    }

    /// Counts unspilled batches that end at or below `ordinal` as spilled; whether there were any.
    pub(crate) fn skip_below(&mut self, ordinal: u64) -> bool {
        let from = self.batches.partition_point(|b| b.end_ordinal() <= self.spilled_to);
        let skipped = self.batches.range(from..).take_while(|b| b.end_ordinal() <= ordinal);
        let (mut last, mut frame_bytes) = (None, 0);
        for batch in skipped {
            frame_bytes += batch.frame_bytes() as u64;
            last = Some(batch.clone());
        }
        if let Some(last) = &last {
            self.spilled(last, frame_bytes);
        }
        last.is_some()
    }

    /// Whether `journal` has everything from `to` to where these batches begin.
    pub(crate) fn continues(&self, to: u64, journal: &[TailBatch]) -> bool {
        let front = self.batches.front().map_or(self.spilled_to, |b| b.first_ordinal);
        let mut next = to;
        for batch in journal {
            if batch.first_ordinal == next && next < front {
                next = batch.end_ordinal();
            }
        }
        next >= front
    }

    /// Takes back what was said of segments: only records below `to` are in them for certain.
    /// `journal` are the batches from there on as the journal has them, at least the spilled ones.
    pub(crate) fn unspill(&mut self, to: u64, arrival_ms: i64, journal: Vec<TailBatch>) {
        let front = self.batches.front().map_or(self.spilled_to, |b| b.first_ordinal);
        for batch in journal.into_iter().rev().filter(|b| b.end_ordinal() <= front) {
            self.batches.push_front(batch);
        }
        (self.spilled_to, self.spilled_arrival_ms) = (to, arrival_ms);
        self.unspilled_bytes = self.unspilled().map(|b| b.frame_bytes() as u64).sum();
    }

    fn drop_done(&mut self) {
        let done = self.spilled_to.min(self.evicted_to);
        while self.batches.front().is_some_and(|b| b.end_ordinal() <= done) {
            self.batches.pop_front();
        }
        // Why: an idle log must not keep the room of its busy times.
        if self.batches.is_empty() {
            self.batches = VecDeque::new();
        }
    }

    /// The batches from the one that holds `ordinal` on; None when it is older than all of them.
    pub(crate) fn from(&self, ordinal: u64) -> Option<impl Iterator<Item = &TailBatch>> {
        let first = self.batches.front()?;
        if ordinal < first.first_ordinal {
            return None;
        }
        let after = self.batches.partition_point(|b| b.first_ordinal <= ordinal);
        Some(self.batches.range(after - 1..))
    }

    /// The batches that no segment has.
    pub(crate) fn unspilled(&self) -> impl Iterator<Item = &TailBatch> {
        let from = self.batches.partition_point(|b| b.end_ordinal() <= self.spilled_to);
        self.batches.range(from..)
    }

    /// Ordinal of the first record that arrived at or after `arrival_ms`, `end` when none did. None
    /// when older batches than those here may have: records below `kept_from` are not asked for.
    pub(crate) fn find_arrival(&self, arrival_ms: i64, kept_from: u64, end: u64) -> Option<u64> {
        let after = self.batches.partition_point(|b| b.arrival_ms < arrival_ms);
        let whole = self.batches.front().map_or(kept_from == end, |b| b.first_ordinal <= kept_from);
        let found = || self.batches.get(after).map_or(end, |b| b.first_ordinal);
        (after > 0 || whole).then(|| found().max(kept_from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(batches: u64) -> TailBatches {
        let mut tail = TailBatches::default();
        for n in 0..batches {
            tail.push(TailBatch {
                first_ordinal: n * 10,
                arrival_ms: 100 + n as i64,
                records: 10,
                body_crc: 0,
                body_bytes: 8,
                flags: 0,
                body: Some(Bytes::from_static(b"12345678")),
                file: 0,
                offset: 0,
            });
        }
        tail
    }

    fn spill(tail: &mut TailBatches, to: u64, frame_bytes: u64) {
        let last = tail.batches.iter().find(|b| b.end_ordinal() == to).cloned().unwrap();
        tail.spilled(&last, frame_bytes);
    }

    fn firsts<'a>(batches: impl Iterator<Item = &'a TailBatch>) -> Vec<(u64, bool)> {
        batches.map(|b| (b.first_ordinal, b.body.is_some())).collect()
    }

    #[test]
    fn a_batch_leaves_when_it_is_both_spilled_and_evicted() {
        let mut tail = tail(4);
        tail.evict(20);
        assert_eq!(
            firsts(tail.from(0).unwrap()),
            [(0, false), (10, false), (20, true), (30, true)]
        );
        spill(&mut tail, 30, 72 * 3);
        assert_eq!(firsts(tail.from(20).unwrap()), [(20, true), (30, true)]);
        assert!(tail.from(19).is_none());
        assert_eq!(firsts(tail.unspilled()), [(30, true)]);
        assert_eq!(tail.unspilled_bytes(), 72);
        tail.evict(30);
        assert_eq!(firsts(tail.from(35).unwrap()), [(30, true)]);
        spill(&mut tail, 40, 72);
        tail.evict(40);
        assert!(tail.from(40).is_none());
    }

    #[test]
    fn trimmed_batches_need_no_segment() {
        let mut tail = tail(4);
        assert!(!tail.skip_below(9));
        assert!(tail.skip_below(25));
        assert_eq!((tail.spilled_to(), tail.unspilled_bytes()), (20, 72 * 2));
        assert_eq!(firsts(tail.unspilled()), [(20, true), (30, true)]);
        assert!(!tail.skip_below(25));
    }

    #[test]
    fn what_was_spilled_comes_back_from_the_journal() {
        let mut tail = tail(4);
        let journal: Vec<_> =
            tail.batches.iter().map(|b| TailBatch { body: None, ..b.clone() }).collect();
        tail.evict(20);
        spill(&mut tail, 30, 72 * 3);
        assert!(tail.continues(10, &journal[1..]) && !tail.continues(10, &journal[..1]));
        tail.unspill(10, 100, journal[1..].to_vec());
        assert_eq!(firsts(tail.unspilled()), [(10, false), (20, true), (30, true)]);
        assert_eq!((tail.spilled_to(), tail.unspilled_bytes()), (10, 72 * 3));
        tail.evict(30);
        spill(&mut tail, 40, 72 * 3);
        assert_eq!(firsts(tail.from(30).unwrap()), [(30, true)]);
    }

    #[test]
    fn arrival_is_answered_only_when_certain() {
        let mut tail = tail(3);
        assert_eq!(tail.find_arrival(50, 0, 30), Some(0));
        assert_eq!(tail.find_arrival(101, 0, 30), Some(10));
        assert_eq!(tail.find_arrival(200, 0, 30), Some(30));
        spill(&mut tail, 10, 72);
        tail.evict(10);
        assert_eq!(tail.find_arrival(101, 0, 30), None);
        assert_eq!(tail.find_arrival(102, 0, 30), Some(20));
        assert_eq!(tail.find_arrival(0, 12, 30), Some(12));
        assert_eq!(TailBatches::after(30, 0).find_arrival(0, 0, 30), None);
        assert_eq!(TailBatches::after(30, 0).find_arrival(0, 30, 30), Some(30));
    }
}
