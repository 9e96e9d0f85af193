//! The numbers of all series: durable when a put is answered, small on the disk, and for each time
//! as fine as AWS keeps them.
//!
//! ```text
//! put  -> a record of the log of puts -> durable -> head (memory)
//! roll -> the head's points, for each tier at its resolution -> chunks in the tier's log
//!      -> one transaction: their blocks, and that the puts are in them -> puts are trimmed
//! read -> head, and a chunk of each block of that time; points of one moment are merged
//! ```
//!
//! A head may be rolled at any moment, and late points are in later blocks: whoever reads merges.
//! A start puts into the head what no block has. What a put costs: one record, about twelve bytes a
//! point; an hour of 10,000 series is four megabytes on the disk and fifty in the head.

mod codec;
mod head;
mod tier;

pub(super) use tier::{Span, spans};

use super::options::Options;
use super::rows::{BlockRow, PointsRow};
use super::statistic::Set;
use head::Head;
use kit::rows;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use store::{BatchBuilder, ErrorKind, Log, LogId, Part, Result, Transaction};
use tier::TIERS;

/// The number of a series.
pub(super) type SeriesId = u32;

/// What a series had at one moment.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Point {
    /// Seconds since the epoch.
    pub(super) at_s: u32,
    pub(super) set: Set,
}

/// Bytes after which a chunk ends: what a read of one series takes from the disk, a block.
const CHUNK_BYTES: usize = 16 << 10;
/// Records and bytes of puts that a start reads at once.
const REPLAY_RECORDS: usize = 1000;
const REPLAY_BYTES: usize = 4 << 20;

/// See the module.
pub(super) struct Points {
    store: Part,
    options: Options,
    puts: Arc<dyn Log>,
    tiers: Vec<Arc<dyn Log>>,
    row: PointsRow,
    state: Mutex<State>,
    /// One roll at a time.
    rolling: tokio::sync::Mutex<()>,
}

struct State {
    head: Head,
    /// A head that is being rolled.
    leaving: Option<Arc<Head>>,
    /// Puts that are not known to be durable, by their ordinals.
    incoming: VecDeque<(u64, Vec<(SeriesId, Point)>)>,
    /// The ordinal of the next put.
    next_put: u64,
    /// By tier, in the order in which they were written.
    blocks: Vec<VecDeque<Arc<Block>>>,
    /// The number of the next block.
    next_block: u64,
}

struct Block {
    number: u64,
    row: BlockRow,
}

/// What a roll wrote.
struct Rolled {
    /// Tiers and their blocks.
    blocks: Vec<(usize, Arc<Block>)>,
    /// Blocks that are too old, or one too many.
    gone: Vec<(usize, Arc<Block>)>,
}

impl Points {
    /// Opens what the catalog knows of, or begins anew.
    ///
    /// # Errors
    /// `Corrupt` a row or a record cannot be read.
    pub(super) async fn open(store: Part, options: Options) -> Result<Self> {
        let row = match rows::get::<PointsRow>(&store, PointsRow::KEY)? {
            Some(row) => row,
            None => begin(&store).await?,
        };
        let puts = store.open_log(LogId(row.puts)).await?;
        let mut tiers = Vec::with_capacity(TIERS.len());
        for log in &row.tiers {
            tiers.push(store.open_log(LogId(*log)).await?);
        }
        let mut blocks = vec![VecDeque::new(); TIERS.len()];
        let mut next_block = 0;
        for (key, row) in rows::scan::<BlockRow>(&store, BlockRow::PREFIX)? {
            let place = BlockRow::parse_key(&key).filter(|(tier, _)| *tier < TIERS.len());
            let (tier, number) = place.ok_or_else(|| corrupt("the key of a block"))?;
            next_block = next_block.max(number + 1);
            blocks[tier].push_back(Arc::new(Block { number, row }));
        }
        let mut head = Head::default();
        let next_put = replay(&*puts, row.next_put, &mut head).await?;
        let incoming = VecDeque::new();
        let state = State { head, leaving: None, incoming, next_put, blocks, next_block };
        let (state, rolling) = (Mutex::new(state), tokio::sync::Mutex::default());
        Ok(Self { store, options, puts, tiers, row, state, rolling })
    }

    /// Keeps points; returns when they are durable.
    ///
    /// # Errors
    /// `Full` the head has no room until it is rolled; as [`Log::append`].
    /// # Cancel safety
    /// Dropped while it waits, the points may be kept or not.
    pub(super) async fn put(&self, points: Vec<(SeriesId, Point)>) -> Result<()> {
        let mut record = codec::new_record();
        for (series, point) in &points {
            codec::put_run(&mut record, *series, std::slice::from_ref(point));
        }
        let mut batch = BatchBuilder::with_capacity(record.len() + 8);
        batch.push(b"", &record);
        let (ordinal, pending) = {
            let mut state = self.state.lock();
            if state.head.bytes() > self.options.head_bytes_max {
                let why = "the newest points have no room until they are on their way out";
                return Err(store::Error::new(ErrorKind::Full, why));
            }
            let pending = self.puts.append(batch, None)?;
            let ordinal = state.next_put;
            state.next_put += 1;
            state.incoming.push_back((ordinal, points));
            (ordinal, pending)
        };
        let outcome = pending.await;
        let mut state = self.state.lock();
        if outcome.is_err() {
            state.incoming.retain(|(of, _)| *of != ordinal);
        }
        state.settle(&*self.puts);
        outcome.map(|_| ())
    }

    /// Whether the head takes half of its room.
    pub(super) fn is_half_full(&self) -> bool {
        self.state.lock().head.bytes() > self.options.head_bytes_max / 2
    }

    /// The newest points of each series that the head has.
    pub(super) fn newest(&self) -> Vec<(SeriesId, u32)> {
        let mut state = self.state.lock();
        state.settle(&*self.puts);
        state.head.newest().collect()
    }

    /// The points of a series in a span, ascending, one a moment of the span's tier.
    ///
    /// # Errors
    /// `Corrupt` a chunk cannot be read; as [`Log::read`].
    pub(super) async fn read(&self, series: SeriesId, span: Span) -> Result<Vec<Point>> {
        let mut found = Vec::new();
        let blocks = {
            let mut state = self.state.lock();
            state.settle(&*self.puts);
            for head in state.leaving.as_deref().into_iter().chain([&state.head]) {
                head.collect(series, span, &mut found);
            }
            let is_here = |block: &&Arc<Block>| block.may_have(series, span);
            let blocks = state.blocks[span.tier].iter().filter(is_here).cloned();
            blocks.collect::<Vec<_>>()
        };
        for block in blocks {
            self.read_block(&block, series, span, &mut found).await?;
        }
        Ok(head::merged(found, TIERS[span.tier].resolution_s))
    }

    async fn read_block(
        &self,
        block: &Block,
        series: SeriesId,
        span: Span,
        found: &mut Vec<Point>,
    ) -> Result<()> {
        let chunk = block.row.chunks.partition_point(|first| *first <= series) - 1;
        let ordinal = block.row.first_ordinal + chunk as u64;
        let read = match self.tiers[span.tier].read(ordinal, 1, usize::MAX).await {
            // It has just got too old.
            Err(e) if e.kind() == ErrorKind::Trimmed => return Ok(()),
            read => read?,
        };
        let record = read.records.first().filter(|record| record.ordinal == ordinal);
        let record = record.ok_or_else(|| corrupt("a chunk that is not there"))?;
        for run in codec::runs(&record.data) {
            let (id, points) = run.ok_or_else(|| corrupt("a chunk"))?;
            if id == series {
                found.extend(points.into_iter().filter(|point| span.has(point.at_s)));
            }
        }
        Ok(())
    }

    /// Writes the head into blocks, and forgets blocks that are too old.
    ///
    /// # Errors
    /// As [`Log::append`] and [`Part::commit`]; the points stay in the head then.
    pub(super) async fn roll(&self) -> Result<()> {
        let _one = self.rolling.lock().await;
        let (head, next_put) = {
            let mut state = self.state.lock();
            state.settle(&*self.puts);
            let head = Arc::new(std::mem::take(&mut state.head));
            state.leaving = Some(head.clone());
            (head, state.incoming.front().map_or(state.next_put, |(ordinal, _)| *ordinal))
        };
        let rolled = self.write(&head, next_put).await;
        let mut state = self.state.lock();
        state.leaving = None;
        match rolled {
            Ok(Rolled { blocks, gone }) => {
                for (tier, block) in blocks {
                    state.blocks[tier].push_back(block);
                }
                for (tier, block) in gone {
                    state.blocks[tier].retain(|known| known.number != block.number);
                }
                drop(state);
                self.puts.trim_to(next_put);
                Ok(())
            }
            Err(e) => {
                state.head.take_in(&head);
                Err(e)
            }
        }
    }

    async fn write(&self, head: &Head, next_put: u64) -> Result<Rolled> {
        let mut transaction = Transaction::default();
        let mut blocks = Vec::new();
        for tier in 0..TIERS.len() {
            if let Some(row) = self.write_tier(head, tier).await? {
                let number = self.next_block();
                rows::put(&mut transaction, BlockRow::key(tier, number), &row);
                blocks.push((tier, Arc::new(Block { number, row })));
            }
        }
        let gone = self.outlived();
        for (tier, block) in &gone {
            transaction.remove(BlockRow::key(*tier, block.number));
        }
        let row = PointsRow { next_put, ..self.row.clone() };
        rows::put(&mut transaction, PointsRow::KEY.to_vec(), &row);
        if blocks.is_empty() {
            transaction.frees_room();
        }
        self.store.commit(transaction).await?;
        for (tier, block) in &gone {
            let BlockRow { first_ordinal, chunks, .. } = &block.row;
            self.tiers[*tier].trim_to(first_ordinal + chunks.len() as u64);
        }
        Ok(Rolled { blocks, gone })
    }

    /// Writes the chunks of a tier; `None` when it gets none.
    async fn write_tier(&self, head: &Head, tier: usize) -> Result<Option<BlockRow>> {
        let log = &self.tiers[tier];
        let (mut pending, mut chunks, mut bytes) = (Vec::new(), Vec::new(), 0);
        let (mut first_s, mut last_s) = (u32::MAX, 0);
        let mut runs = head.runs(tier).peekable();
        while let Some((first, _)) = runs.peek() {
            chunks.push(*first);
            let mut record = codec::new_record();
            while let Some((series, points)) = runs.next_if(|_| record.len() < CHUNK_BYTES) {
                first_s = points.first().map_or(first_s, |point| first_s.min(point.at_s));
                last_s = points.last().map_or(last_s, |point| last_s.max(point.at_s));
                codec::put_run(&mut record, series, &points);
            }
            bytes += record.len() as u64;
            let mut batch = BatchBuilder::with_capacity(record.len() + 8);
            batch.push(b"", &record);
            pending.push(log.append(batch, None)?);
        }
        let (mut first_ordinal, mut written_ms) = (None, 0);
        for pending in pending {
            let appended = pending.await?;
            first_ordinal.get_or_insert(appended.first_ordinal);
            written_ms = appended.arrival_ms;
        }
        let Some(first_ordinal) = first_ordinal else { return Ok(None) };
        Ok(Some(BlockRow { first_s, last_s, first_ordinal, chunks, bytes, written_ms }))
    }

    fn next_block(&self) -> u64 {
        let mut state = self.state.lock();
        state.next_block += 1;
        state.next_block - 1
    }

    /// Blocks that are older than their tier keeps them, and while all together are more than there
    /// is room for, the oldest of the tier that takes most.
    fn outlived(&self) -> Vec<(usize, Arc<Block>)> {
        let state = self.state.lock();
        let mut gone = Vec::new();
        let mut left: Vec<VecDeque<_>> = state.blocks.clone();
        for (tier, blocks) in left.iter_mut().enumerate() {
            let horizon_ms = self.store.clock().horizon_ms(TIERS[tier].kept_ms());
            while let Some(block) = blocks.pop_front_if(|b| b.row.written_ms < horizon_ms) {
                gone.push((tier, block));
            }
        }
        let bytes = |blocks: &VecDeque<Arc<Block>>| blocks.iter().map(|b| b.row.bytes).sum::<u64>();
        let mut sizes: Vec<u64> = left.iter().map(bytes).collect();
        while sizes.iter().sum::<u64>() > self.options.points_bytes_max as u64 {
            let largest = (0..sizes.len()).max_by_key(|tier| sizes[*tier]).unwrap_or_default();
            let Some(block) = left[largest].pop_front() else { break };
            sizes[largest] -= block.row.bytes;
            gone.push((largest, block));
        }
        gone
    }
}

impl State {
    /// Moves puts into the head that are durable by now.
    fn settle(&mut self, puts: &dyn Log) {
        let next = puts.tail().next_ordinal;
        while let Some((_, points)) = self.incoming.pop_front_if(|(ordinal, _)| *ordinal < next) {
            self.head.add(points);
        }
    }
}

impl Block {
    fn may_have(&self, series: SeriesId, span: Span) -> bool {
        let row = &self.row;
        row.chunks.first().is_some_and(|first| *first <= series)
            && i64::from(row.first_s) < span.to_s
            && i64::from(row.last_s) >= span.from_s
    }
}

/// Makes the logs, when there are none yet.
async fn begin(store: &Part) -> Result<PointsRow> {
    let logs = store.take_logs(1 + TIERS.len()).await?;
    let mut transaction = Transaction::default();
    for log in &logs {
        transaction.own(*log);
    }
    let (puts, tiers) = logs.split_first().expect("as many as were asked for");
    let tiers = tiers.iter().map(|log| log.0).collect();
    let row = PointsRow { puts: puts.0, tiers, next_put: 0 };
    rows::put(&mut transaction, PointsRow::KEY.to_vec(), &row);
    store.commit(transaction).await?;
    Ok(row)
}

/// Puts into the head what no block has; the ordinal of the next put.
async fn replay(puts: &dyn Log, from: u64, head: &mut Head) -> Result<u64> {
    puts.trim_to(from);
    let mut next = from.max(puts.tail().first_ordinal);
    while next < puts.tail().next_ordinal {
        let batch = puts.read(next, REPLAY_RECORDS, REPLAY_BYTES).await?;
        for record in &batch.records {
            for run in codec::runs(&record.data) {
                let (series, points) = run.ok_or_else(|| corrupt("a put"))?;
                head.add(points.into_iter().map(|point| (series, point)));
            }
        }
        next = batch.next_ordinal;
    }
    Ok(puts.tail().next_ordinal)
}

fn corrupt(what: &str) -> store::Error {
    store::Error::new(ErrorKind::Corrupt, format!("points of metrics: {what} cannot be read"))
}
