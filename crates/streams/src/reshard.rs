//! Splitting, merging and scaling: from the open shards of a view to the rows that replace them.
//!
//! ```text
//! Change -> Draft (rows closed and made, in memory) -> seal the parents' logs
//!        -> lock of changes: Draft again -> one transaction -> new view
//!        -> seal new logs that are closed; writers that met a sealed log look again
//! ```
//!
//! A crash before the transaction leaves the parents open and the change to be done again; a crash
//! after it finds parents closed and children open. There is no state between.
//!
//! Logs are sealed without the lock that all changes share: a seal waits for the disk of the
//! records, and one that hangs must hold up nobody else's change.
//!
//! Invariants: the open shards cover every hash key once; a child's `created_s` is later than its
//! parents', so that its sequence numbers follow theirs.

use crate::errors::Result;
use crate::hash::HashRange;
use crate::rows::{self, Change, Closed, ShardRow, Status, StreamRow};
use crate::service::Inner;
use crate::shard::{Shard, parse_shard_id, shard_id};
use crate::stream::{Stream, StreamKey, StreamView};
use crate::texts;
use futures_util::future::try_join_all;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::{Error, ErrorKind, LogId, Tail, Transaction};

/// Does the change that a stream's row in `UPDATING` has and makes the stream `ACTIVE` again, in
/// one transaction; nothing when something else has become of the stream. Done again after a
/// failure it has the same outcome.
pub(crate) async fn apply(inner: &Inner, stream: &Stream) -> store::Result<()> {
    let change = stream.view().row.change.clone();
    let is_due = |row: &StreamRow| row.status == Status::Updating && row.change == change;
    let row = stream.view().row.clone();
    if stream.is_gone() || !is_due(&row) {
        return Ok(());
    }
    let tails = seal(inner, stream, row).await?;
    let one_at_a_time = inner.changes.lock().await;
    let row = stream.view().row.clone();
    if stream.is_gone() || !is_due(&row) {
        return Ok(());
    }
    let (view, shards) = replace(inner, stream, row, &tails).await?;
    drop(one_at_a_time);
    seal_new(&view, &shards).await;
    Ok(())
}

/// As `apply`, of a row that nobody sees, for a caller that holds the lock of `Inner::changes`.
pub(crate) async fn apply_at_once(
    inner: &Inner,
    stream: &Stream,
    row: StreamRow,
) -> store::Result<()> {
    let tails = seal(inner, stream, row.clone()).await?;
    let (view, shards) = replace(inner, stream, row, &tails).await?;
    seal_new(&view, &shards).await;
    Ok(())
}

/// What the change in a row makes of a view.
fn drafted(view: &StreamView, row: StreamRow, now_ms: i64) -> Draft {
    let change = row.change.clone().unwrap_or(Change::Settle);
    let mut draft = Draft::new(view, row);
    draft.apply(&change, now_ms / 1000);
    draft
}

/// Ends the logs of the shards that close and were there before; their tails are final then.
async fn seal(
    inner: &Inner,
    stream: &Stream,
    row: StreamRow,
) -> store::Result<BTreeMap<u32, Tail>> {
    let view = stream.view();
    let draft = drafted(&view, row, inner.now_ms());
    let tails = try_join_all(draft.closing(&view).into_iter().map(|shard| async {
        let tail = shard.log.seal().await?;
        Ok::<_, store::Error>((shard.row.index, tail))
    }));
    Ok(tails.await?.into_iter().collect())
}

/// The transaction, and the new view; the old one and the new shards.
async fn replace(
    inner: &Inner,
    stream: &Stream,
    row: StreamRow,
    tails: &BTreeMap<u32, Tail>,
) -> store::Result<(Arc<StreamView>, Vec<Arc<Shard>>)> {
    let (view, now_ms) = (stream.view(), inner.now_ms());
    let mut draft = drafted(&view, row, now_ms);
    if draft.closing(&view).iter().any(|shard| !tails.contains_key(&shard.row.index)) {
        return Err(Error::new(ErrorKind::Conflict, "other shards close than were sealed"));
    }
    draft.close(tails, now_ms);
    let mut transaction = Transaction::default();
    let logs = inner.store.take_logs(draft.made(&view).count()).await?;
    draft.give_logs(&view, &logs);
    logs.iter().for_each(|log| _ = transaction.own(*log));
    let Draft { mut row, shards, touched } = draft;
    row.status = Status::Active;
    row.change = None;
    rows::put(&mut transaction, StreamRow::key(&stream.key), &row);
    for index in &touched {
        rows::put(&mut transaction, ShardRow::key(&stream.key, *index), &shards[index]);
    }
    let shards = reopen(inner, &view, shards).await?;
    if let Err(e) = inner.store.commit(transaction).await {
        inner.store.abandon_logs(&logs).await;
        return Err(e);
    }
    stream.replace(StreamView::new(row, shards.clone()));
    Ok((view, shards))
}

/// The shards of the next view: those of this one under their new rows, and new ones with new logs.
async fn reopen(
    inner: &Inner,
    view: &StreamView,
    rows: BTreeMap<u32, ShardRow>,
) -> store::Result<Vec<Arc<Shard>>> {
    let mut shards = Vec::with_capacity(rows.len());
    for (index, row) in rows {
        shards.push(match view.shard(index) {
            Some(shard) if shard.row == row => shard.clone(),
            Some(shard) => Arc::new(shard.with_row(row)),
            None => Arc::new(inner.open_shard(row).await?),
        });
    }
    Ok(shards)
}

/// Ends the logs of shards that were made and closed by one change, once the catalog has them. No
/// write goes there, so the change is not undone when an engine refuses.
async fn seal_new(view: &StreamView, shards: &[Arc<Shard>]) {
    let is_new = |shard: &&Arc<Shard>| view.shard(shard.row.index).is_none();
    for shard in shards.iter().filter(is_new).filter(|shard| !shard.is_open()) {
        if let Err(e) = shard.log.seal().await {
            tracing::warn!(kind = ?e.kind(), "{} is sealed at the next start: {e}", shard.id);
        }
    }
}

/// Rows of a stream that is being changed.
struct Draft {
    row: StreamRow,
    shards: BTreeMap<u32, ShardRow>,
    /// Indexes of rows that are new or changed.
    touched: BTreeSet<u32>,
}

impl Draft {
    fn new(view: &StreamView, row: StreamRow) -> Self {
        let shards = view.shards.iter().map(|s| (s.row.index, s.row.clone())).collect();
        Self { row, shards, touched: BTreeSet::new() }
    }

    /// A split or merge was checked when it was acknowledged, and nothing else changes the shards
    /// of a stream in `UPDATING`: what does not fit any more is left out.
    fn apply(&mut self, change: &Change, now_s: i64) {
        match change {
            Change::Split { shard, at } => _ = self.split(*shard, *at, now_s),
            Change::Merge { lower, upper } => _ = self.merge(*lower, *upper, now_s),
            Change::Scale { target } => self.scale(*target, now_s),
            Change::Warm { mibps, target } => {
                self.row.warm_mibps = Some(*mibps);
                self.scale(*target, now_s);
            }
            Change::Encrypt { encryption } => self.row.encryption.clone_from(encryption),
            Change::Settle => {}
        }
    }

    fn is_open(&self, index: u32) -> bool {
        self.shards.get(&index).is_some_and(|row| row.closed.is_none())
    }

    /// Those shards of the view it was made from that close.
    fn closing<'a>(&self, view: &'a StreamView) -> Vec<&'a Arc<Shard>> {
        view.open.iter().filter(|shard| !self.is_open(shard.row.index)).collect()
    }

    /// Indexes of the shards that the view it was made from lacks.
    fn made(&self, view: &StreamView) -> impl Iterator<Item = u32> {
        self.touched.iter().copied().filter(|index| view.shard(*index).is_none())
    }

    /// Gives each of them a log.
    fn give_logs(&mut self, view: &StreamView, logs: &[LogId]) {
        let made: Vec<u32> = self.made(view).collect();
        for (index, log) in made.into_iter().zip(logs) {
            self.shards.get_mut(&index).expect("touched rows are in the draft").log_id = log.0;
        }
    }

    /// Indexes of the open shards in order of their hash keys.
    fn open(&self) -> Vec<u32> {
        let mut open: Vec<&ShardRow> =
            self.shards.values().filter(|row| row.closed.is_none()).collect();
        open.sort_by_key(|row| row.range.start);
        open.iter().map(|row| row.index).collect()
    }

    /// Cuts an open shard before `at`; `None` when it is not open or has no hash key on both sides.
    fn split(&mut self, index: u32, at: u128, now_s: i64) -> Option<[u32; 2]> {
        let parent = self.shards.get(&index).filter(|row| row.closed.is_none())?.clone();
        let HashRange { start, end } = parent.range;
        if !(start < at && at <= end) {
            return None;
        }
        let lower = self.child(&[&parent], HashRange { start, end: at - 1 }, now_s);
        let upper = self.child(&[&parent], HashRange { start: at, end }, now_s);
        self.retire(index, vec![lower, upper]);
        Some([lower, upper])
    }

    /// Makes one shard of two open neighbours; `None` when they are not.
    fn merge(&mut self, lower: u32, upper: u32, now_s: i64) -> Option<u32> {
        let [low, high] = [lower, upper].map(|i| self.shards.get(&i).cloned());
        let (low, high) = (low?, high?);
        let open = low.closed.is_none() && high.closed.is_none();
        if !open || low.range.end.checked_add(1) != Some(high.range.start) {
            return None;
        }
        let range = HashRange { start: low.range.start, end: high.range.end };
        let child = self.child(&[&low, &high], range, now_s);
        self.retire(lower, vec![child]);
        self.retire(upper, vec![child]);
        Some(child)
    }

    /// Brings the stream to the open shards that one made with `target` shards has.
    ///
    /// Cuts each open shard wherever one of those begins inside it, and merges what lies between
    /// two of those beginnings. No way to these ranges has fewer shards in between, and the ways
    /// seen on AWS that end in them have as many (4 to 5 leaves 15 shards in all).
    fn scale(&mut self, target: u32, now_s: i64) {
        let starts: Vec<u128> =
            HashRange::uniform(target).iter().map(|range| range.start).collect();
        for index in self.open() {
            let HashRange { start, end } = self.shards[&index].range;
            let from = starts.partition_point(|at| *at <= start);
            self.cut(index, &starts[from..starts.partition_point(|at| *at <= end)], now_s);
        }
        let open = self.open();
        let range_of = |index: &u32| {
            let start = self.shards[index].range.start;
            starts.partition_point(|at| *at <= start)
        };
        let groups: Vec<Vec<u32>> =
            open.chunk_by(|a, b| range_of(a) == range_of(b)).map(<[u32]>::to_vec).collect();
        for group in &groups {
            self.merge_all(group, now_s);
        }
    }

    /// Cuts an open shard at each of these places, at the middle one first: each cut makes its
    /// children a second younger, and a second of the future is one that records wait for.
    fn cut(&mut self, index: u32, places: &[u128], now_s: i64) {
        let (before, [at, after @ ..]) = places.split_at(places.len() / 2) else { return };
        if let Some([lower, upper]) = self.split(index, *at, now_s) {
            self.cut(lower, before, now_s);
            self.cut(upper, after, now_s);
        }
    }

    /// Merges neighbours pair by pair until one is left.
    fn merge_all(&mut self, group: &[u32], now_s: i64) {
        let mut group = group.to_vec();
        while group.len() > 1 {
            group = group
                .chunks(2)
                .filter_map(|pair| match *pair {
                    [lower, upper] => self.merge(lower, upper, now_s),
                    _ => pair.first().copied(),
                })
                .collect();
        }
    }

    fn child(&mut self, parents: &[&ShardRow], range: HashRange, now_s: i64) -> u32 {
        let index = self.row.next_shard;
        self.row.next_shard += 1;
        let oldest_s = parents.iter().map(|p| p.created_s).fold(now_s, i64::max);
        let row = ShardRow {
            index,
            log_id: 0, // Given once the change is about to happen.
            range,
            created_s: oldest_s + 1,
            opened_ms: 0, // Known once the parents are sealed.
            parent: parents.first().map(|p| p.index),
            adjacent_parent: parents.get(1).map(|p| p.index),
            closed: None,
        };
        self.shards.insert(index, row);
        self.touched.insert(index);
        index
    }

    fn retire(&mut self, index: u32, children: Vec<u32>) {
        let row = self.shards.get_mut(&index).expect("only shards that were found are retired");
        row.closed = Some(Closed { at_ms: 0, next_ordinal: 0, children });
        self.touched.insert(index);
    }

    /// Fills in when the change happened and where the closed logs end.
    fn close(&mut self, tails: &BTreeMap<u32, Tail>, now_ms: i64) {
        // A record may have arrived, and a shard been opened, by a clock that was ahead: nothing
        // happens after the close. A close before the stream's own beginning would count as
        // expired, and the records go with the shard (seed 0 of `lineage` with the clock set back).
        let opened_ms = self.shards.values().map(|row| row.opened_ms);
        let arrived_ms = tails.values().map(|tail| tail.last_arrival_ms);
        let at_ms = opened_ms.chain(arrived_ms).fold(now_ms, i64::max);
        for index in &self.touched {
            let row = self.shards.get_mut(index).expect("touched rows are in the draft");
            let tail = tails.get(index);
            if tail.is_none() {
                row.opened_ms = at_ms;
            }
            if let Some(closed) = &mut row.closed {
                closed.at_ms = at_ms;
                closed.next_ordinal = tail.map_or(0, |tail| tail.next_ordinal);
            }
        }
    }
}

/// Reads the id of a shard that is to be split or merged, before anybody looks for the stream: that
/// is the order of AWS's refusals (observed).
///
/// # Errors
/// `ResourceNotFound` it is no id of any shard.
pub(crate) fn read_shard_id(key: &StreamKey, id: &str) -> Result<u32> {
    parse_shard_id(id).ok_or_else(|| texts::shard_not_found(key, id))
}

/// The open shard of this index.
///
/// # Errors
/// `ResourceNotFound` the stream has no such shard; the text has its whole id, however the client
/// spelled it. `InvalidArgument` it was split or merged before.
pub(crate) fn find_open<'a>(
    key: &StreamKey,
    view: &'a StreamView,
    index: u32,
) -> Result<&'a Arc<Shard>> {
    let shard = view.shard(index).ok_or_else(|| texts::shard_not_found(key, &shard_id(index)))?;
    if shard.is_open() { Ok(shard) } else { Err(texts::shard_closed(key, shard)) }
}

/// Shards that take this much: each takes 1 MiB/s.
pub(crate) fn warm_shards(mibps: u32) -> u32 {
    mibps.max(StreamRow::SHARDS_DEFAULT)
}

#[cfg(test)]
mod tests;
