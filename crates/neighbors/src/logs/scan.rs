//! Events of a time in the order of their places, a page at once: of one stream or of many.
//!
//! ```text
//! chunks of the time, by their first event (or, newest first, by their last one)
//!   -> events that are wanted -> the page: as many as it may have, those that come first
//!   -> until no chunk that is left can have one that comes before the page's last
//! ```
//!
//! Memory: a page and one read. Chunks that overlap in time are read for each page again. A scan
//! that has read [`SCAN_BYTES`] ends with what is certain by then, maybe with nothing, and says
//! where the next one goes on.

use super::pattern::Pattern;
use super::place::Place;
use super::record;
use super::rows::ChunkRow;
use super::stream::{READ_BYTES, READ_RECORDS, Stream, corrupt};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{ErrorKind, Result};

/// Bytes of a page's messages, with [`EVENT_BYTES`] for each (AWS's documentation: 1 MB).
const PAGE_BYTES: usize = 1 << 20;
/// What an event counts beside its message.
const EVENT_BYTES: usize = 26;
/// Bytes that a page may cost to read, about.
const SCAN_BYTES: u64 = 64 << 20;
/// Memory that a scan takes: a page, twice while it becomes an answer, and a read.
pub(super) const ROOM_BYTES: usize = 2 * PAGE_BYTES + 2 * READ_BYTES;

/// What is looked for.
pub(super) struct Query<'a> {
    pub(super) streams: &'a [Arc<Stream>],
    /// The first ms, and the one behind the last.
    pub(super) from_ms: i64,
    pub(super) to_ms: i64,
    /// Only what comes behind this place; newest first: what comes before it.
    pub(super) after: Option<Place>,
    pub(super) newest_first: bool,
    /// 1 at least.
    pub(super) events_max: usize,
    pub(super) pattern: Option<&'a Pattern>,
}

/// An event that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) place: Place,
    pub(super) stream: Arc<str>,
    pub(super) arrival_ms: i64,
    pub(super) message: String,
}

/// What a scan found, in the order that was asked for.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) events: Vec<Found>,
    /// Where the next page begins, when there may be one.
    pub(super) next: Option<Place>,
}

/// The page as it grows.
struct Draft<'a> {
    query: &'a Query<'a>,
    found: BTreeMap<Place, Found>,
    bytes: usize,
    /// Whether something had no room.
    is_cut: bool,
}

/// Finds a page.
///
/// # Errors
/// `Corrupt` a record cannot be read; as [`store::Log::read`].
pub(super) async fn scan(query: &Query<'_>) -> Result<Page> {
    let mut draft = Draft { query, found: BTreeMap::new(), bytes: 0, is_cut: false };
    let mut scanned = 0;
    for (chunk, stream) in chunks(query) {
        if draft.is_behind(&chunk) {
            draft.is_cut = true;
            break;
        }
        let frontier = query.frontier(&chunk);
        if scanned >= SCAN_BYTES && query.is_progress(frontier) {
            return Ok(draft.page_up_to(frontier));
        }
        scanned += chunk.bytes;
        draft.read(stream, &chunk).await?;
    }
    Ok(draft.page())
}

/// The chunks that may have something, those first whose events come first.
fn chunks<'a>(query: &Query<'a>) -> Vec<(ChunkRow, &'a Arc<Stream>)> {
    let (mut from_ms, mut to_ms) = (query.from_ms, query.to_ms);
    match query.after {
        Some(after) if query.newest_first => to_ms = to_ms.min(after.at_ms.saturating_add(1)),
        Some(after) => from_ms = from_ms.max(after.at_ms),
        None => {}
    }
    let of = |stream: &'a Arc<Stream>| {
        stream.chunks(from_ms, to_ms).into_iter().map(move |chunk| (chunk, stream))
    };
    let mut chunks: Vec<_> = query.streams.iter().flat_map(of).collect();
    match query.newest_first {
        true => chunks.sort_by_key(|(chunk, _)| std::cmp::Reverse(chunk.last_ms)),
        false => chunks.sort_by_key(|(chunk, _)| chunk.first_ms),
    }
    chunks
}

impl Query<'_> {
    fn has(&self, place: Place) -> bool {
        let is_behind =
            |after: Place| if self.newest_first { place < after } else { place > after };
        (self.from_ms..self.to_ms).contains(&place.at_ms) && self.after.is_none_or(is_behind)
    }

    /// Where a scan goes on that has everything before a chunk.
    fn frontier(&self, chunk: &ChunkRow) -> Place {
        match self.newest_first {
            true => Place::before(chunk.last_ms.saturating_add(1)),
            false => Place::behind(chunk.first_ms - 1),
        }
    }

    /// Whether a scan that goes on there has got further than this one began.
    fn is_progress(&self, next: Place) -> bool {
        match (self.newest_first, self.after) {
            (true, after) => next < after.unwrap_or(Place::before(self.to_ms)),
            (false, after) => next > after.unwrap_or(Place::behind(self.from_ms - 1)),
        }
    }
}

impl Draft<'_> {
    fn is_full(&self) -> bool {
        self.found.len() >= self.query.events_max || self.bytes >= PAGE_BYTES
    }

    /// The last one of the page, in its order.
    fn last(&self) -> Option<Place> {
        let mut places = self.found.keys();
        if self.query.newest_first { places.next() } else { places.next_back() }.copied()
    }

    /// Whether the page is full of events that come before all of a chunk.
    fn is_behind(&self, chunk: &ChunkRow) -> bool {
        self.is_full()
            && self.last().is_some_and(|last| match self.query.newest_first {
                true => last.at_ms > chunk.last_ms,
                false => last.at_ms < chunk.first_ms,
            })
    }

    async fn read(&mut self, stream: &Arc<Stream>, chunk: &ChunkRow) -> Result<()> {
        let mut next = chunk.first_ordinal;
        while next < chunk.next_ordinal {
            let batch = match stream.log.read(next, READ_RECORDS, READ_BYTES).await {
                // It has just got too old, or its stream is gone.
                Err(e) if matches!(e.kind(), ErrorKind::Trimmed | ErrorKind::Removed) => {
                    return Ok(());
                }
                batch => batch?,
            };
            let records = batch.records.iter();
            for record in records.take_while(|record| record.ordinal < chunk.next_ordinal) {
                let events = record::read_put(&record.data)
                    .ok_or_else(|| corrupt(stream.log_id, record.ordinal))?;
                for (number, (at_ms, message)) in (0..).zip(events) {
                    let (log, ordinal) = (stream.log_id.0, record.ordinal);
                    let place = Place { at_ms, log, ordinal, number };
                    self.offer(place, (stream, record.arrival_ms), message);
                }
            }
            if batch.next_ordinal <= next {
                return Ok(());
            }
            next = batch.next_ordinal;
            // What is in memory comes without a wait, and others want their turn.
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    fn offer(&mut self, place: Place, (stream, arrival_ms): (&Stream, i64), message: &str) {
        let is_late = self.is_full()
            && self.last().is_some_and(|last| match self.query.newest_first {
                true => place < last,
                false => place > last,
            });
        if !self.query.has(place) || (is_late && self.is_cut) {
            return;
        }
        if self.query.pattern.is_some_and(|pattern| !pattern.matches(message)) {
            return;
        }
        if is_late {
            self.is_cut = true;
            return;
        }
        self.bytes += message.len() + EVENT_BYTES;
        let (stream, message) = (stream.name.clone(), message.to_owned());
        self.found.insert(place, Found { place, stream, arrival_ms, message });
        let is_over = |draft: &Self| {
            let len = draft.found.len();
            len > draft.query.events_max || (draft.bytes > PAGE_BYTES && len > 1)
        };
        while is_over(self) {
            let late = match self.query.newest_first {
                true => self.found.pop_first(),
                false => self.found.pop_last(),
            };
            let Some((_, late)) = late else { break };
            self.bytes -= late.message.len() + EVENT_BYTES;
            self.is_cut = true;
        }
    }

    fn page(self) -> Page {
        let next = self.last().filter(|_| self.is_cut);
        let events = self.found.into_values();
        let events =
            if self.query.newest_first { events.rev().collect() } else { events.collect() };
        Page { events, next }
    }

    /// The page of a scan that ends before everything is read: only what comes before what is not.
    fn page_up_to(self, frontier: Place) -> Page {
        let newest_first = self.query.newest_first;
        let Page { mut events, next } = self.page();
        events.retain(|found| match newest_first {
            true => found.place >= frontier,
            false => found.place < frontier,
        });
        let last = next.filter(|last| match newest_first {
            true => *last >= frontier,
            false => *last < frontier,
        });
        Page { events, next: Some(last.unwrap_or(frontier)) }
    }
}
