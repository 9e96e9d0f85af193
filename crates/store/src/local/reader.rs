//! Reads: the tip from memory, the rest on the read threads.
//!
//! ```text
//! read --> tail cache covers it --> records are slices of the cached bodies, no copy, no thread
//!      \-> pool: unspilled and evicted --> journal     spilled --> segment, from the index's mark
//! ```
//!
//! Bodies from disk are checked against their checksum before a record of them is shown; those in
//! memory never left it. Damage that stands behind readable records is told by the next read. Gaps
//! (see `frame`) are passed over.

use super::frame::{FLAG_ENCRYPTED, FLAG_GAP, HEADER_BYTES, Header, next_record};
use super::index::Index;
use super::journal::failed;
use super::key_ring::KeyRing;
use super::open_files::OpenSegment;
use super::scan::{CHUNK_BYTES, Scan, Seen, Window};
use super::segment::Segment;
use super::shard::LocalLog;
use super::tail::TailBatch;
use crate::{Error, ErrorKind, Job, LogId, Record, RecordBatch, Result};
use bytes::Bytes;
use std::path::Path;

/// Smallest read from a segment: what lies between two index marks and one usual frame.
const READ_BYTES_MIN: usize = 64 << 10;
/// Records that room is made for before they are seen.
const EXPECTED_MAX: usize = 10_000;
/// How often a read that lost its place to the spiller starts again.
const RETRIES_MAX: usize = 100;

/// What a read has found and may still find.
struct Fill {
    records: Vec<Record>,
    records_left: usize,
    bytes_left: usize,
    next: u64,
    full: bool,
}

/// A stored batch.
struct Stored<'a> {
    first_ordinal: u64,
    records: u32,
    arrival_ms: i64,
    flags: u16,
    body: &'a Bytes,
}

/// Where the next records are.
enum Place {
    End,
    Memory(Vec<TailBatch>),
    Journal(TailBatch),
    Segment,
}

impl Fill {
    fn new(from: u64, records_max: usize, bytes_max: usize) -> Self {
        let records_left = records_max.max(1);
        Self { records: Vec::new(), records_left, bytes_left: bytes_max, next: from, full: false }
    }

    /// Makes room for as many records as come when each takes so much.
    fn expect(&mut self, record_bytes: usize) {
        let records = self.bytes_left / record_bytes.max(1);
        self.records.reserve(records.min(self.records_left).min(EXPECTED_MAX));
    }

    /// Whether a record of this size is still taken; the first one always is.
    fn admit(&mut self, bytes: usize) -> bool {
        let fits = self.records_left > 0 && bytes <= self.bytes_left;
        if !fits && !self.records.is_empty() {
            self.full = true;
            return false;
        }
        self.records_left = self.records_left.saturating_sub(1);
        self.bytes_left = self.bytes_left.saturating_sub(bytes);
        true
    }

    /// Adds a batch's records from `next` on.
    ///
    /// # Errors
    /// `Corrupt` the body is not made of its records; `Unavailable` its key is missing.
    fn add(&mut self, log: LogId, keys: &KeyRing, batch: &Stored<'_>) -> Result<()> {
        let end = batch.first_ordinal + u64::from(batch.records);
        if batch.flags & FLAG_GAP != 0 {
            self.next = end;
            return Ok(());
        }
        let encrypted = batch.flags & FLAG_ENCRYPTED != 0;
        let plain = match encrypted {
            true => keys.open((log, batch.first_ordinal), batch.body)?,
            false => Bytes::clone(batch.body),
        };
        let arrival_ms = batch.arrival_ms;
        let mut at = 0;
        for ordinal in batch.first_ordinal..end {
            let Some((key, data)) = next_record(&plain, &mut at) else {
                let message = format!("the batch of ordinal {ordinal} is not made of records");
                return Err(Error::new(ErrorKind::Corrupt, message));
            };
            if ordinal < self.next {
                continue;
            }
            if !self.admit(key.len() + data.len()) {
                return Ok(());
            }
            self.records.push(Record { ordinal, arrival_ms, key, data, encrypted });
            self.next = ordinal + 1;
        }
        Ok(())
    }

    fn done(self) -> RecordBatch {
        RecordBatch { next_ordinal: self.next, records: self.records }
    }
}

impl<'a> Stored<'a> {
    fn of_tail(batch: &TailBatch, body: &'a Bytes) -> Self {
        Self {
            first_ordinal: batch.first_ordinal,
            records: batch.records,
            arrival_ms: batch.arrival_ms,
            flags: batch.flags,
            body,
        }
    }

    fn of_frame(header: &Header, body: &'a Bytes) -> Self {
        Self {
            first_ordinal: header.first_ordinal,
            records: header.records,
            arrival_ms: header.arrival_ms,
            flags: header.flags,
            body,
        }
    }
}

impl LocalLog {
    /// See [`crate::Log::read`].
    pub(crate) fn read_job(
        &self,
        from: u64,
        records_max: usize,
        bytes_max: usize,
    ) -> Job<'_, RecordBatch> {
        let mut fill = Fill::new(from, records_max, bytes_max);
        match self.read_memory(&mut fill) {
            Ok(true) => Box::pin(std::future::ready(Ok(fill.done()))),
            Err(e) => Box::pin(std::future::ready(Err(e))),
            Ok(false) => {
                let log = self.arc();
                Box::pin(self.engine.pool.run(move || log.read_disk(fill)))
            }
        }
    }

    /// Whether memory had all that was asked for.
    fn read_memory(&self, fill: &mut Fill) -> Result<bool> {
        while !fill.full {
            match self.place(fill)? {
                Place::End => return Ok(true),
                Place::Memory(batches) => self.add_memory(fill, &batches)?,
                Place::Journal(_) | Place::Segment => return Ok(false),
            }
        }
        Ok(true)
    }

    fn add_memory(&self, fill: &mut Fill, batches: &[TailBatch]) -> Result<()> {
        for batch in batches {
            let body = batch.body.as_ref().expect("batches in memory have their body");
            fill.add(self.id, &self.engine.options.keys, &Stored::of_tail(batch, body))?;
            if fill.full {
                break;
            }
        }
        Ok(())
    }

    fn place(&self, fill: &Fill) -> Result<Place> {
        let state = self.state.lock();
        state.refuse_removed()?;
        if fill.next < state.first_ordinal {
            let message = format!(
                "ordinal {} is trimmed: the oldest kept is {}",
                fill.next, state.first_ordinal
            );
            return Err(Error::new(ErrorKind::Trimmed, message));
        }
        if fill.next >= state.durable_next {
            return Ok(Place::End);
        }
        let Some(mut batches) = state.tail.from(fill.next) else { return Ok(Place::Segment) };
        let first = batches.next().expect("the batch of the ordinal is there");
        if first.body.is_none() {
            return Ok(Place::Journal(first.clone()));
        }
        let (mut run, mut bytes, mut records) = (vec![first.clone()], 0, 0);
        for batch in batches.take_while(|b| b.body.is_some()) {
            // Beside the first batch, which may begin before `next`: enough to fill the answer.
            if bytes > fill.bytes_left || records >= fill.records_left {
                break;
            }
            bytes += batch.body_bytes as usize;
            records += batch.records as usize;
            run.push(batch.clone());
        }
        Ok(Place::Memory(run))
    }

    fn read_disk(&self, mut fill: Fill) -> Result<RecordBatch> {
        let mut retries = 0;
        while !fill.full {
            let before = fill.next;
            // Before the place is chosen: the segments may be taken back behind that choice.
            let since = self.engine.keeper.doubts();
            let step = self.place(&fill).and_then(|place| match place {
                Place::End => Ok(false),
                Place::Memory(batches) => self.add_memory(&mut fill, &batches).map(|()| true),
                Place::Journal(batch) => self.add_journal(&mut fill, &batch).map(|()| true),
                Place::Segment => match self.add_segment(&mut fill) {
                    Err(_) if self.engine.keeper.was_in_doubt(since) => Ok(true),
                    added => added.map(|()| true),
                },
            });
            match step {
                Ok(true) if fill.next > before || fill.full => retries = 0,
                Ok(true) if retries < RETRIES_MAX => retries += 1,
                Ok(true) => {
                    let message = format!("ordinal {before} is neither in memory nor on disk");
                    return Err(Error::new(ErrorKind::Internal, message));
                }
                Ok(false) => break,
                Err(_) if !fill.records.is_empty() => break,
                Err(e) => return Err(e),
            }
        }
        Ok(fill.done())
    }

    /// Adds a batch that only the journal has; nothing when it was spilled meanwhile.
    fn add_journal(&self, fill: &mut Fill, batch: &TailBatch) -> Result<()> {
        match self.read_journal(batch) {
            Ok(body) => {
                fill.add(self.id, &self.engine.options.keys, &Stored::of_tail(batch, &body))
            }
            Err(_) if self.state.lock().tail.spilled_to() > batch.first_ordinal => Ok(()),
            Err(e) => Err(e),
        }
    }

    /// The body of a batch from the journal, verified.
    ///
    /// # Errors
    /// `Corrupt` naming file and offset; also when the batch was spilled and the file recycled.
    pub(crate) fn read_journal(&self, batch: &TailBatch) -> Result<Bytes> {
        let gone =
            || Error::new(ErrorKind::Corrupt, format!("journal file {} is gone", batch.file));
        let file = self.engine.journal.file(batch.file).ok_or_else(gone)?;
        let len = HEADER_BYTES + batch.body_bytes as usize;
        let mut bytes = vec![0; len];
        let read = file.reader.read_at(&mut bytes, u64::from(batch.offset));
        let read = read.map_err(|e| failed("read", &file.path, &e))?;
        let intact = read == len
            && Header::decode(&bytes, self.engine.salt).is_some_and(|h| {
                h.log == self.id
                    && h.first_ordinal == batch.first_ordinal
                    && h.fits(&bytes[HEADER_BYTES..])
            });
        if !intact {
            if self.state.lock().tail.spilled_to() <= batch.first_ordinal {
                self.engine.metrics.checksum_failures.add(1);
            }
            return Err(damaged(&file.path, u64::from(batch.offset), batch.first_ordinal));
        }
        Ok(Bytes::from(bytes).slice(HEADER_BYTES..))
    }

    /// Adds what the segment of the next ordinal holds from there on.
    fn add_segment(&self, fill: &mut Fill) -> Result<()> {
        // Removed or trimmed between the look at the log and here.
        let gone = || {
            let state = self.state.lock();
            state.removed || state.first_ordinal > fill.next
        };
        let Some((segment, end)) = self.segment_of(fill.next)? else {
            return if gone() { Ok(()) } else { Err(self.missing(&self.dir(), fill.next)) };
        };
        let path = self.dir().join(segment.name());
        let opened = self
            .open_segment(segment)
            .and_then(|open| self.index_of(&open, segment, end).map(|index| (open, index)));
        let (open, index) = match opened {
            Ok(opened) => opened,
            Err(_) if gone() => return Ok(()),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(self.missing(&path, fill.next));
            }
            Err(e) => return Err(failed("read", &path, &e)),
        };
        self.add_frames(fill, &open, &index, end)
    }

    fn add_frames(
        &self,
        fill: &mut Fill,
        open: &OpenSegment,
        index: &Index,
        end: u64,
    ) -> Result<()> {
        let record_bytes = index.record_bytes();
        fill.expect(record_bytes);
        let usual_bytes = record_bytes.saturating_mul(fill.records_left);
        let chunk_bytes = fill.bytes_left.min(usual_bytes).saturating_add(READ_BYTES_MIN);
        let window = Window::new(&*open.file, index.end_offset, chunk_bytes.min(CHUNK_BYTES))
            .with_spare(&self.engine.spare);
        let at = index.before_ordinal(fill.next);
        let mut scan = Scan::new(window, at, self.engine.salt, self.id);
        let mut damage = None;
        while !fill.full && fill.next < end {
            match scan.next().map_err(|e| failed("read", &open.path, &e))? {
                Some(Seen::Frame { header, .. }) if header.end_ordinal() <= fill.next => {
                    damage = None;
                }
                Some(Seen::Frame { offset, header, body }) => {
                    if header.first_ordinal > fill.next || !header.fits(&body) {
                        return Err(self.bad_block(
                            &open.path,
                            damage.unwrap_or(offset),
                            fill.next,
                        ));
                    }
                    fill.add(self.id, &self.engine.options.keys, &Stored::of_frame(&header, &body))
                        .map_err(|e| at_offset(&e, &open.path, offset))?;
                }
                Some(Seen::Damage { offset }) => damage = Some(offset),
                None => {
                    let offset = damage.unwrap_or(index.end_offset);
                    return Err(self.bad_block(&open.path, offset, fill.next));
                }
            }
        }
        Ok(())
    }

    fn bad_block(&self, path: &Path, offset: u64, ordinal: u64) -> Error {
        self.engine.metrics.checksum_failures.add(1);
        damaged(path, offset, ordinal)
    }

    fn missing(&self, path: &Path, ordinal: u64) -> Error {
        self.engine.metrics.checksum_failures.add(1);
        let message = format!("`{}`: no segment holds ordinal {ordinal}", path.display());
        Error::new(ErrorKind::Corrupt, message)
    }

    /// See [`crate::Log::find_arrival`].
    pub(crate) fn find_job(&self, arrival_ms: i64) -> Job<'_, u64> {
        match self.find_memory(arrival_ms) {
            Ok(Some(found)) => Box::pin(std::future::ready(Ok(found))),
            Err(e) => Box::pin(std::future::ready(Err(e))),
            Ok(None) => {
                let log = self.arc();
                Box::pin(self.engine.pool.run(move || log.find_disk(arrival_ms)))
            }
        }
    }

    /// The answer when memory knows it.
    pub(crate) fn find_memory(&self, arrival_ms: i64) -> Result<Option<u64>> {
        let state = self.state.lock();
        state.refuse_removed()?;
        if arrival_ms <= state.kept_since_ms {
            return Ok(Some(state.first_ordinal));
        }
        if arrival_ms > state.durable_arrival_ms {
            return Ok(Some(state.durable_next));
        }
        Ok(state.tail.find_arrival(arrival_ms, state.first_ordinal, state.durable_next))
    }

    /// As `find_memory`, with the segments asked too. Damaged records may be the ones looked for:
    /// then they are the answer, and the read tells of them.
    pub(crate) fn find_disk(&self, arrival_ms: i64) -> Result<u64> {
        for _ in 0..RETRIES_MAX {
            let since = self.engine.keeper.doubts();
            if let Some(found) = self.find_memory(arrival_ms)? {
                return Ok(found);
            }
            let found = self.find_segments(arrival_ms);
            let certain = found.as_ref().is_ok_and(|(_, certain)| *certain);
            // A list that was emptied meanwhile looks like one that has nothing older.
            let certain = certain && self.engine.keeper.is_certain(since);
            if certain || !self.engine.keeper.was_in_doubt(since) {
                return found.map(|(ordinal, _)| ordinal);
            }
        }
        Err(Error::new(ErrorKind::Internal, "an arrival time is neither in memory nor on disk"))
    }

    /// The ordinal, and whether no damage lies before it.
    fn find_segments(&self, arrival_ms: i64) -> Result<(u64, bool)> {
        let first_kept = self.state.lock().first_ordinal;
        let found = self.with_segments(|_, list| {
            let spilled_to = self.state.lock().tail.spilled_to();
            let after = list.partition_point(|s| s.first_arrival_ms < arrival_ms);
            let segment = list.get(after.checked_sub(1)?).copied()?;
            Some((segment, list.get(after).map_or(spilled_to, |next| next.first_ordinal)))
        })?;
        // None: every segment begins at or after the time.
        let Some((segment, end)) = found else { return Ok((first_kept, true)) };
        let (found, certain) = self.find_in(segment, end, arrival_ms)?;
        Ok((found.max(first_kept), certain || found <= first_kept))
    }

    fn find_in(&self, segment: Segment, end: u64, arrival_ms: i64) -> Result<(u64, bool)> {
        let path = self.dir().join(segment.name());
        let read = |e: std::io::Error| failed("read", &path, &e);
        let open = self.open_segment(segment).map_err(read)?;
        let index = self.index_of(&open, segment, end).map_err(read)?;
        let window = Window::new(&*open.file, index.end_offset, READ_BYTES_MIN)
            .with_spare(&self.engine.spare);
        let mark = index.before_arrival(arrival_ms);
        let (mut next, at) = mark.map_or((segment.first_ordinal, 0), |m| (m.ordinal, m.offset));
        let mut scan = Scan::new(window, at, self.engine.salt, self.id);
        while let Some(seen) = scan.next().map_err(read)? {
            // Headers carry their own checksum; the gap that damage leaves shows at the next one.
            let Seen::Frame { header, .. } = seen else { continue };
            if header.first_ordinal > next || header.arrival_ms >= arrival_ms {
                return Ok((next, header.first_ordinal == next));
            }
            next = header.end_ordinal();
        }
        Ok((next.min(end), next >= end))
    }
}

fn damaged(path: &Path, offset: u64, ordinal: u64) -> Error {
    let message = format!(
        "`{}` offset {offset}: the block of ordinal {ordinal} is not what was written",
        path.display()
    );
    Error::new(ErrorKind::Corrupt, message)
}

fn at_offset(e: &Error, path: &Path, offset: u64) -> Error {
    Error::new(e.kind(), format!("`{}` offset {offset}: {e}", path.display()))
}
