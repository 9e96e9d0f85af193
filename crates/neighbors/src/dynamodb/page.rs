//! A page of a query or a scan.
//!
//! ```text
//! run of keys -> items until `Limit` or 1 MB is read -> filter -> what is asked for of them
//! ```

use super::errors::{Result, fail};
use super::expression::{Condition, Projection};
use super::service::Inner;
use super::table::{Found, Source};
use super::texts;
use super::value::{Item, item_bytes};
use base::Cx;
use std::time::Duration;
use store::{Keys, Order};

/// Bytes of items after which a page ends (model's documentation).
const PAGE_BYTES: usize = 1 << 20;
/// Items that are read at once.
const ROWS_AT_ONCE: usize = 64;
/// Memory that a page takes beside its answer: its items, read.
const PAGE_ROOM_BYTES: usize = 4 * PAGE_BYTES;
/// Longest wait for it.
const ROOM_WAIT: Duration = Duration::from_secs(2);

/// What is asked for.
pub(super) struct Wanted {
    /// Where to read.
    pub(super) run: Keys,
    pub(super) order: Order,
    /// Most items to read.
    pub(super) limit: Option<usize>,
    pub(super) filter: Option<Condition>,
    pub(super) projection: Projection,
    /// Whether items are only counted.
    pub(super) counts_only: bool,
}

/// What was read.
pub(super) struct Page {
    /// Those that pass the filter, as far as they are asked for; none when only counted.
    pub(super) items: Vec<Item>,
    /// How many pass the filter.
    pub(super) count: usize,
    /// How many were read.
    pub(super) scanned: usize,
    /// Bytes of those that were read.
    pub(super) bytes: usize,
    /// The key of the last one that was read, when there may be more.
    pub(super) last: Option<Item>,
}

/// Reads a page.
///
/// # Errors
/// `Throttling` the client's other answers take all its memory; what the store says.
pub(super) async fn read(
    inner: &Inner,
    cx: &Cx,
    source: &Source<'_>,
    wanted: Wanted,
) -> Result<Page> {
    let room = cx.memory.wait(&*inner.env.clock, PAGE_ROOM_BYTES, ROOM_WAIT).await;
    let _room = room.ok_or_else(texts::no_memory)?;
    let Wanted { mut run, order, limit, filter, projection, counts_only } = wanted;
    let mut page = Page { items: Vec::new(), count: 0, scanned: 0, bytes: 0, last: None };
    loop {
        let left = limit.map_or(ROWS_AT_ONCE, |limit| limit - page.scanned);
        let read = source.read(&inner.store, &run, order, left.min(ROWS_AT_ONCE));
        let (found, last) = read.map_err(|e| fail(cx, &e))?;
        let Some(last) = last else { return Ok(page) };
        for Found { item, .. } in found {
            page.scanned += 1;
            page.bytes += item_bytes(&item);
            let is_full = page.bytes >= PAGE_BYTES || limit == Some(page.scanned);
            if is_full {
                page.last = Some(source.part_of(&item));
            }
            let shown = source.shown(item);
            if filter.as_ref().is_none_or(|filter| filter.holds(&shown)) {
                page.count += 1;
                if !counts_only {
                    page.items.push(projection.of(shown));
                }
            }
            if is_full {
                return Ok(page);
            }
        }
        run = match order {
            Order::Forward => run.after(&last),
            Order::Backward => run.before(&last),
        };
        // Another request has its turn: a long run of small items takes a while.
        tokio::task::yield_now().await;
    }
}

impl Wanted {
    /// Goes on behind a place.
    ///
    /// # Errors
    /// `Validation` the place is not in the run.
    pub(super) fn go_on(&mut self, place: &[u8]) -> Result<()> {
        let Keys { start, end } = &self.run;
        if place < start.as_slice() || end.as_ref().is_some_and(|end| place >= end.as_slice()) {
            return Err(texts::start_key_outside());
        }
        let run = std::mem::take(&mut self.run);
        self.run = match self.order {
            Order::Forward => run.after(place),
            Order::Backward => run.before(place),
        };
        Ok(())
    }
}
