//! What one log must hold.

use store::{Appended, BatchBuilder, Record, RecordBatch, Tail};

/// One record as it was handed over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Written {
    pub(crate) key: Vec<u8>,
    pub(crate) data: Vec<u8>,
}

/// One batch; its ordinals follow from its place.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) records: Vec<Written>,
    pub(crate) encrypted: bool,
    pub(crate) arrival_ms: Option<i64>,
}

/// Ordinals of a gap, which have no records: an engine that may have lost acknowledged ones begins
/// each log behind one.
pub(crate) const GAP: u64 = u32::MAX as u64;

impl Batch {
    /// A gap is a batch without records.
    fn gap() -> Self {
        Self { records: Vec::new(), encrypted: false, arrival_ms: None }
    }

    /// Ordinals.
    fn len(&self) -> u64 {
        if self.records.is_empty() { GAP } else { self.records.len() as u64 }
    }

    pub(crate) fn builder(&self) -> BatchBuilder {
        let mut builder = BatchBuilder::with_capacity(0);
        for record in &self.records {
            builder.push(&record.key, &record.data);
        }
        builder
    }
}

/// A log: all batches that it may hold, of which the first `sure` ones it must hold.
#[derive(Debug, Default)]
pub(crate) struct ModelLog {
    pub(crate) batches: Vec<Batch>,
    /// Ordinals below it are acknowledged or were seen by a reader.
    pub(crate) sure: u64,
    /// Ordinals below it may be trimmed.
    pub(crate) trimmable: u64,
    /// The highest first ordinal seen since the log was opened.
    pub(crate) first: u64,
    pub(crate) sealed: bool,
}

impl ModelLog {
    /// The ordinal after everything handed over.
    pub(crate) fn assigned(&self) -> u64 {
        self.batches.iter().map(Batch::len).sum()
    }

    /// The batch with this ordinal, and the ordinal it starts at.
    fn at(&self, ordinal: u64) -> Option<(usize, u64)> {
        let mut start = 0;
        for (i, batch) in self.batches.iter().enumerate() {
            let end = start + batch.len();
            if ordinal < end {
                return Some((i, start));
            }
            start = end;
        }
        None
    }

    /// Whether a batch starts or the log ends at this ordinal.
    fn is_boundary(&self, ordinal: u64) -> bool {
        ordinal == self.assigned() || self.at(ordinal).is_some_and(|(_, start)| start == ordinal)
    }

    /// The first ordinal of the last batch.
    pub(crate) fn last_start(&self) -> u64 {
        self.assigned() - self.batches.last().map_or(0, Batch::len)
    }

    /// A batch that starts at `first` was acknowledged.
    pub(crate) fn acknowledge(&mut self, first: u64, appended: Appended) {
        assert_eq!(appended.first_ordinal, first, "ordinals are given in the order of the calls");
        let (i, start) = self.at(first).expect("the batch was handed over");
        assert_eq!(start, first);
        self.learn_arrival(i, appended.arrival_ms);
        self.sure = self.sure.max(first + self.batches[i].len());
    }

    fn learn_arrival(&mut self, i: usize, arrival_ms: i64) {
        let before = self.batches[..i].iter().rev().find_map(|batch| batch.arrival_ms);
        let after = self.batches[i + 1..].iter().find_map(|batch| batch.arrival_ms);
        assert!(before.is_none_or(|before| before <= arrival_ms), "arrival went back");
        assert!(after.is_none_or(|after| arrival_ms <= after), "arrival went back");
        let known = *self.batches[i].arrival_ms.get_or_insert(arrival_ms);
        assert_eq!(known, arrival_ms, "one arrival time for a batch, forever");
    }

    /// A tail is what readers may know: it is durable from now on.
    pub(crate) fn see(&mut self, tail: Tail) {
        assert!(tail.next_ordinal >= self.sure, "records vanished: {tail:?}, sure {}", self.sure);
        assert!(tail.next_ordinal <= self.assigned(), "records out of nowhere: {tail:?}");
        assert!(self.is_boundary(tail.next_ordinal), "part of a batch: {tail:?}");
        assert!(tail.first_ordinal >= self.first, "trimmed records came back: {tail:?}");
        assert!(tail.first_ordinal <= self.trimmable, "trimmed too much: {tail:?}");
        assert!(tail.first_ordinal <= tail.next_ordinal, "{tail:?}");
        self.sure = tail.next_ordinal;
        self.first = tail.first_ordinal;
    }

    /// Holds the answer of a read at `from` against what was written.
    pub(crate) fn check_read(&mut self, from: u64, limits: (usize, usize), got: &RecordBatch) {
        let (records_max, bytes_max) = limits;
        let mut next = from;
        for record in &got.records {
            next = self.behind_gaps(next);
            self.check_record(next, record);
            next += 1;
        }
        let end = got.next_ordinal;
        assert!(
            end == next || end == self.behind_gaps(next),
            "read from {from}: {end}, not {next}"
        );
        assert!(got.records.len() <= records_max, "{} records", got.records.len());
        let bytes: usize = got.records.iter().map(|r| r.key.len() + r.data.len()).sum();
        assert!(bytes <= bytes_max || got.records.len() == 1, "{bytes} bytes of {bytes_max}");
        for record in &got.records {
            let (batch, _) = self.at(record.ordinal).expect("checked above");
            self.learn_arrival(batch, record.arrival_ms);
        }
        // What a reader got is durable, and so is everything before it.
        if self.sure < end {
            let (i, start) = self.at(end - 1).expect("checked above");
            self.sure = start + self.batches[i].len();
        }
    }

    /// The ordinal itself, or the first one behind the gap that it lies in.
    fn behind_gaps(&self, mut ordinal: u64) -> u64 {
        while let Some((i, start)) =
            self.at(ordinal).filter(|(i, _)| self.batches[*i].records.is_empty())
        {
            ordinal = start + self.batches[i].len();
        }
        ordinal
    }

    /// The log begins with a gap.
    pub(crate) fn begin_behind_gap(&mut self) {
        self.batches.push(Batch::gap());
        self.trimmable = GAP;
    }

    /// Holds one record against what was written at its ordinal.
    pub(crate) fn check_record(&self, ordinal: u64, got: &Record) {
        assert_eq!(got.ordinal, ordinal, "ordinals are dense");
        let (i, start) = self.at(ordinal).expect("a record that nobody wrote");
        let want = &self.batches[i].records[(ordinal - start) as usize];
        assert!(got.key == want.key && got.data == want.data, "record {ordinal} is altered");
        assert_eq!(got.encrypted, self.batches[i].encrypted, "record {ordinal}");
        let known = self.batches[i].arrival_ms;
        assert!(known.is_none_or(|known| known == got.arrival_ms), "record {ordinal}");
    }

    /// The first kept ordinal that arrived at `arrival_ms` or later, when every arrival is known.
    pub(crate) fn find_arrival(&self, arrival_ms: i64) -> Option<u64> {
        let mut start = 0;
        for batch in &self.batches {
            let end = start + batch.len();
            if end > self.first && batch.arrival_ms? >= arrival_ms {
                return Some(start.max(self.first));
            }
            start = end;
        }
        Some(start)
    }

    /// Records that arrived before `arrival_ms` may leave from now on.
    pub(crate) fn trim(&mut self, arrival_ms: i64) {
        let mut start = 0;
        for batch in &self.batches {
            // An unknown arrival is one in flight: it may be early enough.
            if batch.arrival_ms.is_some_and(|arrival| arrival >= arrival_ms) {
                break;
            }
            start += batch.len();
        }
        self.trimmable = self.trimmable.max(start);
    }

    /// Records below `ordinal` may leave from now on.
    pub(crate) fn trim_to(&mut self, ordinal: u64) {
        self.trimmable = self.trimmable.max(ordinal.min(self.assigned()));
    }

    /// After a restart: what was not sure is there as a whole or not at all.
    pub(crate) fn restart(&mut self, tail: Tail) {
        let (mut kept, mut gaps) = (tail.next_ordinal, 0);
        while kept > self.assigned() {
            kept = kept.checked_sub(GAP).expect("only gaps take a log past what was written");
            gaps += 1;
        }
        assert!(kept >= self.sure, "records vanished: {tail:?}, sure {}", self.sure);
        assert!(self.is_boundary(kept), "part of a batch: {tail:?}");
        assert!(kept <= self.assigned(), "records out of nowhere: {tail:?}");
        while self.assigned() > kept {
            self.batches.pop();
        }
        self.batches.extend((0..gaps).map(|_| Batch::gap()));
        // Nothing is kept below a log that the engine did not know.
        self.trimmable = self.trimmable.max(if kept == 0 { tail.first_ordinal } else { 0 });
        self.first = 0;
        self.sealed = false;
        self.trimmable = self.trimmable.min(tail.next_ordinal);
        self.see(tail);
    }
}
