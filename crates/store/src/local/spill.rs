//! Moves durable batches from the journal to their log's segment.
//!
//! ```text
//! unspilled batches --> one buffer of frames --> one write at the segment's end, no sync
//!                   --> tail.spilled --> (size, age) footer: the next spill starts a new segment
//! ```
//!
//! Every spill starts at a multiple of 4 KiB, so that a block that a checkpoint made durable is not
//! written again. Only the keeper spills, one log at a time.

use super::buffer::Buffer;
use super::frame::{BLOCK_BYTES, HEADER_BYTES, Header, padded};
use super::index::Index;
use super::journal::failed;
use super::open_files::OpenSegment;
use super::segment::{SEGMENT_DIRS, Segment};
use super::shard::LocalLog;
use super::tail::TailBatch;
use crate::Result;
use base::env::{DiskFile, Open};
use bytes::Bytes;
use parking_lot::Mutex;
use std::io;
use std::sync::Arc;

/// Frame bytes of one write.
const WRITE_BYTES_MAX: usize = 8 << 20;

/// What goes into one write.
struct Piece {
    batches: Vec<TailBatch>,
    frame_bytes: usize,
}

/// Where it goes.
struct Target {
    open: Arc<OpenSegment>,
    at: u32,
}

impl LocalLog {
    /// Spills everything that is durable. `buffer` is scratch.
    ///
    /// # Errors
    /// `Full` no room for the segment, `Unavailable` the disk refused: nothing is lost, the journal
    /// still has it.
    pub(crate) fn spill(&self, buffer: &mut Buffer) -> Result<()> {
        let _spilling = self.spilling.lock();
        self.state.lock().spill_queued = false;
        self.remove_orphans()?;
        self.skip_trimmed()?;
        while let Some(piece) = self.next_piece() {
            let total = piece.frame_bytes.next_multiple_of(BLOCK_BYTES);
            let bytes = buffer.take(total);
            self.fill(&piece, bytes)?;
            let target = self.target(&piece.batches[0])?;
            if let Err(e) = self.write(&target, bytes) {
                // Its end is unknown now: the next try starts another file.
                self.segments.lock().active_bytes = 0;
                return Err(failed("write", &target.open.path, &e));
            }
            self.finish(&piece, &target, total)?;
        }
        Ok(())
    }

    fn write(&self, target: &Target, bytes: &[u8]) -> io::Result<()> {
        let writer = self.writer(&target.open)?;
        self.engine.unsynced.note(&target.open.path, writer);
        writer.write_at(bytes, u64::from(target.at))
    }

    fn writer<'a>(&self, open: &'a OpenSegment) -> io::Result<&'a Arc<dyn DiskFile>> {
        open.writer(&*self.engine.env.disk, self.engine.options.open_blocks())
    }

    /// Passes over records that are trimmed already: on a full disk that may be what frees it.
    fn skip_trimmed(&self) -> Result<()> {
        self.with_segments(|segments, _| {
            let mut state = self.state.lock();
            let first_ordinal = state.first_ordinal;
            if state.tail.skip_below(first_ordinal) {
                // Ordinals are dense within a segment.
                segments.active_bytes = 0;
            }
        })
    }

    fn next_piece(&self) -> Option<Piece> {
        let state = self.state.lock();
        let mut piece = Piece { batches: Vec::new(), frame_bytes: 0 };
        if state.gone {
            return None;
        }
        for batch in state.tail.unspilled() {
            if piece.frame_bytes > 0 && piece.frame_bytes + batch.frame_bytes() > WRITE_BYTES_MAX {
                break;
            }
            piece.frame_bytes += batch.frame_bytes();
            piece.batches.push(batch.clone());
        }
        (!piece.batches.is_empty()).then_some(piece)
    }

    /// Encodes the frames, padded to whole blocks.
    fn fill(&self, piece: &Piece, bytes: &mut [u8]) -> Result<()> {
        let mut at = 0;
        for batch in &piece.batches {
            let body = match &batch.body {
                Some(body) => Bytes::clone(body),
                None => self.read_journal(batch)?,
            };
            let (body_at, end) = (at + HEADER_BYTES, at + HEADER_BYTES + body.len());
            bytes[at..body_at].copy_from_slice(&header_of(self, batch).encode(self.engine.salt));
            bytes[body_at..end].copy_from_slice(&body);
            at = padded(end);
            bytes[end..at].fill(0);
        }
        bytes[at..].fill(0);
        Ok(())
    }

    /// The segment that takes `first` next: the active one, or a new one.
    fn target(&self, first: &TailBatch) -> Result<Target> {
        let now_ms = self.engine.guard.now_ms();
        let active = self.with_segments(|segments, list| {
            list.last()
                .copied()
                .filter(|s| segments.active_bytes > 0 && segments.active_first == s.first_ordinal)
                .map(|s| (s, segments.active_bytes))
        })?;
        if let Some((segment, at)) = active {
            let young = now_ms.saturating_sub(segment.first_arrival_ms)
                < self.engine.options.segment_age_max_ms;
            let small = u64::from(at) < self.engine.options.segment_bytes_max;
            let opened = self.reopen(segment, at);
            if opened.is_err() || !young || !small {
                // Decided for good: what comes next is not to lie in it behind a file that follows.
                self.segments.lock().active_bytes = 0;
            }
            match opened {
                Ok(open) if young && small => return Ok(Target { open, at }),
                Ok(open) => self.seal_segment(segment, &open, first.first_ordinal),
                // Shorter than the checkpoint says, or gone: what is lost is told to its readers.
                Err(e) => {
                    let dir = self.dir();
                    tracing::error!(dir = %dir.display(), name = %segment.name(), error = %e,
                        "a segment cannot grow: starting another");
                }
            }
        }
        self.start_segment(first)
    }

    /// Opens the active segment; the first time after a start, cuts what lies behind its end.
    fn reopen(&self, segment: Segment, at: u32) -> io::Result<Arc<OpenSegment>> {
        let open = self.open_segment(segment)?;
        let (len, at) = (open.file.len()?, u64::from(at));
        if len < at {
            return Err(io::Error::other(format!("{len} bytes of {at} are there")));
        }
        if len > at {
            self.writer(&open)?.set_len(at)?;
        }
        Ok(open)
    }

    fn start_segment(&self, first: &TailBatch) -> Result<Target> {
        let first_arrival_ms = first.arrival_ms;
        let segment = Segment { first_ordinal: first.first_ordinal, first_arrival_ms };
        let (dir, disk) = (self.dir(), &self.engine.env.disk);
        let path = dir.join(segment.name());
        for dir in dir.ancestors().take(SEGMENT_DIRS) {
            self.engine.unsynced.note_dir(dir);
        }
        let made = disk
            .create_dir_all(&dir)
            .and_then(|()| disk.open(&path, self.engine.options.open_blocks()))
            .and_then(|file| file.set_len(0).map(|()| file))
            .and_then(|writer| disk.open(&path, Open::Read).map(|reader| (reader, writer)));
        let (file, writer) = made.map_err(|e| {
            self.segments.lock().orphans.push(segment);
            failed("make", &path, &e)
        })?;
        let index = Mutex::new(Some(Arc::new(Index::starting_at(segment.first_ordinal))));
        let key = (self.id, segment.first_ordinal);
        // An earlier try under the same name may be open: its file has a stale index.
        let made = OpenSegment { file, writer: writer.into(), path, index };
        let open = self.engine.open_files.replace(key, made);
        self.with_segments(|segments, list| {
            (segments.active_first, segments.active_bytes) = (segment.first_ordinal, 0);
            if list.last() != Some(&segment) {
                list.push(segment);
                self.engine.metrics.segments.inc();
            }
        })?;
        Ok(Target { open, at: 0 })
    }

    /// Notes what was written, so that readers find it here.
    fn finish(&self, piece: &Piece, target: &Target, written: usize) -> Result<()> {
        let mut offset = u64::from(target.at);
        if let Some(index) = target.open.index.lock().as_mut() {
            let index = Arc::make_mut(index);
            for batch in &piece.batches {
                index.note(&header_of(self, batch), offset);
                offset += batch.frame_bytes() as u64;
            }
        }
        let end = target.at + written as u32;
        let last = piece.batches.last().expect("a piece has batches");
        self.with_segments(|segments, _| {
            segments.active_bytes = end;
            self.state.lock().tail.spilled(last, piece.frame_bytes as u64);
        })
    }

    /// Writes the footer of a segment that grows no more; without it readers make the index anew.
    fn seal_segment(&self, segment: Segment, open: &OpenSegment, end_ordinal: u64) {
        let footer = self.index_of(open, segment, end_ordinal).and_then(|index| {
            if index.end_ordinal != end_ordinal {
                return Ok(());
            }
            let file = self.engine.env.disk.open(&open.path, Open::Write)?;
            file.write_at(&index.footer(self.engine.salt), index.footer_offset())
        });
        if let Err(e) = footer {
            tracing::warn!(file = %open.path.display(), error = %e, "no index was written");
        }
    }
}

/// The header of a batch in a segment.
fn header_of(log: &LocalLog, batch: &TailBatch) -> Header {
    Header {
        body_crc: batch.body_crc,
        body_bytes: batch.body_bytes,
        incarnation: 0,
        records: batch.records,
        lsn: 0,
        log: log.id,
        first_ordinal: batch.first_ordinal,
        arrival_ms: batch.arrival_ms,
        flags: batch.flags,
        behind: 0,
    }
}
