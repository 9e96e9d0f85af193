//! Random histories of writes, splits, merges, reads and clock jumps, against what must always
//! hold: nothing acknowledged is lost, doubled or reordered, and a shard's end shows exactly with
//! its children.

use crate::house::{House, Subscription, is_open, range, run_unlimited};
use api::Text;
use api::kinesis::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use testkit::SeededRng;

/// What a history is made of.
struct History<'a> {
    house: &'a House,
    rng: SeededRng,
    consumer: Text,
    /// Per hash key what was acknowledged, in order.
    acked: BTreeMap<u8, Vec<String>>,
    written: u32,
    /// Iterators of polling readers per shard.
    polled: BTreeMap<Text, Text>,
    /// Subscriptions per shard.
    pushed: BTreeMap<Text, Subscription>,
    seen_polled: Seen,
    seen_pushed: Seen,
}

/// What one way of reading has seen.
#[derive(Default)]
struct Seen {
    started: BTreeSet<Text>,
    ended: BTreeSet<Text>,
    by_key: BTreeMap<u8, Vec<String>>,
    last_number: BTreeMap<Text, Text>,
}

/// Starting and ending numbers and parents of every shard.
type Ranges = BTreeMap<Text, (Text, Option<Text>, Vec<Text>)>;

impl Seen {
    fn take(&mut self, shard: &Text, records: Vec<Record>) {
        for record in records {
            let last = self.last_number.insert(shard.clone(), record.sequence_number.clone());
            assert!(last.is_none_or(|last| last < record.sequence_number), "numbers of {shard}");
            let key = record.partition_key.unwrap().parse().unwrap();
            let text = String::from_utf8(record.data.to_vec()).unwrap();
            self.by_key.entry(key).or_default().push(text);
        }
    }

    /// All numbers lie between their shard's ends, and children follow their parents.
    fn check_ranges(&self, ranges: &Ranges) {
        for (shard, last) in &self.last_number {
            let (start, end, _) = &ranges[shard];
            assert!(start < last, "{shard}");
            assert!(end.as_ref().is_none_or(|end| last < end), "{shard}");
        }
        for (shard, (start, _, parents)) in ranges {
            for parent in parents {
                let end = ranges[parent].1.as_ref().expect("a parent is closed");
                assert!(end < start, "{shard} begins before {parent} ends");
            }
        }
    }

    /// The shard is drained; the children whose parents all are can be begun.
    fn end(&mut self, shard: &Text, children: &[ChildShard]) -> Vec<Text> {
        assert!(self.ended.insert(shard.clone()), "{shard} ended twice");
        let ready = children.iter().filter(|child| {
            let drained = child.parent_shards.iter().all(|p| self.ended.contains(p));
            drained && !self.started.contains(&child.shard_id)
        });
        let ready: Vec<_> = ready.map(|child| child.shard_id.clone()).collect();
        self.started.extend(ready.iter().cloned());
        ready
    }
}

/// Hash keys spread over the whole space.
fn hash_key(key: u8) -> String {
    (u128::from(key) << 120).to_string()
}

impl History<'_> {
    async fn step(&mut self) {
        match self.rng.below(100) {
            0..40 => self.put_one().await,
            40..55 => self.put_many().await,
            55..60 => self.split().await,
            60..65 => self.merge().await,
            65..78 => self.poll_all().await,
            78..90 => self.take_events().await,
            90..94 => {
                let jump_ms = self.rng.below(7_200_000) as i64 - 3_600_000;
                self.house.fake.clock.jump_by(jump_ms / 60);
            }
            _ => self.house.pass(Duration::from_millis(self.rng.below(3_000))).await,
        }
    }

    fn next_text(&mut self) -> (u8, String) {
        self.written += 1;
        (self.rng.below(256) as u8, format!("r{}", self.written))
    }

    async fn put_one(&mut self) {
        let (key, text) = self.next_text();
        let (name, hash_key) = ("StreamName=s", hash_key(key));
        let put = format!("{name} PartitionKey='{key}' Data={text} ExplicitHashKey='{hash_key}'");
        let put = self.house.ask::<ops::PutRecord>(&put);
        let put = self.house.fake.clock.auto_advance(put).await;
        put.expect("a reshard in fake time takes less than five seconds");
        self.acked.entry(key).or_default().push(text);
    }

    async fn put_many(&mut self) {
        let written: Vec<_> = (0..=self.rng.below(30)).map(|_| self.next_text()).collect();
        let records = written.iter().map(|(key, text)| PutRecordsRequestEntry {
            data: text.clone().into(),
            partition_key: Some(key.to_string().into()),
            explicit_hash_key: Some(hash_key(*key).into()),
        });
        let put = self.house.put_all("s", records.collect());
        let output = self.house.fake.clock.auto_advance(put).await.unwrap();
        assert_eq!(output.failed_record_count, Some(0));
        for (key, text) in written {
            self.acked.entry(key).or_default().push(text);
        }
    }

    async fn open_shards(&self) -> Vec<Shard> {
        let mut shards = self.house.shards("s").await;
        shards.retain(is_open);
        shards.sort_by_key(range);
        shards
    }

    async fn is_active(&self) -> bool {
        self.house.status("s").await == Some(StreamStatus::Active)
    }

    async fn split(&self) {
        let open = self.open_shards().await;
        if self.is_active().await && open.len() < 8 {
            let shard = &open[self.rng.index(open.len())];
            self.house.split("s", &shard.shard_id).await.unwrap();
        }
    }

    async fn merge(&self) {
        let open = self.open_shards().await;
        if self.is_active().await && open.len() > 1 {
            let at = self.rng.index(open.len() - 1);
            let (lower, upper) = (&open[at].shard_id, &open[at + 1].shard_id);
            let pair = format!("ShardToMerge={lower} AdjacentShardToMerge={upper}");
            self.house.ask::<ops::MergeShards>(&format!("StreamName=s {pair}")).await.unwrap();
        }
    }

    async fn poll_all(&mut self) {
        for (shard, at) in std::mem::take(&mut self.polled) {
            // No history lasts the five minutes of an iterator.
            let output = self.house.get(&format!("{at} Limit={}", self.rng.below(20) + 1)).await;
            self.seen_polled.take(&shard, output.records);
            if let Some(next) = output.next_shard_iterator {
                self.polled.insert(shard, next);
                continue;
            }
            let children = output.child_shards.unwrap_or_default();
            for child in self.seen_polled.end(&shard, &children) {
                let at = self.house.iterator("s", &child, "TRIM_HORIZON").await;
                self.polled.insert(child, at);
            }
        }
    }

    async fn take_events(&mut self) {
        for (shard, mut events) in std::mem::take(&mut self.pushed) {
            // What is there now, and no more: a history goes on beside it.
            let event = match events.poll(self.house).await {
                None => {
                    self.pushed.insert(shard, events);
                    continue;
                }
                Some(event) => event.expect("the end comes with an event").unwrap(),
            };
            self.seen_pushed.take(&shard, event.records);
            let Some(children) = event.child_shards else {
                self.pushed.insert(shard, events);
                continue;
            };
            assert!(events.next().await.is_none());
            for child in self.seen_pushed.end(&shard, &children) {
                self.subscribe(child).await;
            }
        }
    }

    async fn subscribe(&mut self, shard: Text) {
        let events = self.house.subscribe(&self.consumer, &shard, "TRIM_HORIZON").await;
        self.pushed.insert(shard, events);
    }
}

async fn begin(house: &House, seed: u64) -> History<'_> {
    house.create("s", 2).await;
    let consumer = house.consumer("s", "c").await;
    let mut history = History {
        house,
        rng: SeededRng::new(seed),
        consumer,
        acked: BTreeMap::new(),
        written: 0,
        polled: BTreeMap::new(),
        pushed: BTreeMap::new(),
        seen_polled: Seen::default(),
        seen_pushed: Seen::default(),
    };
    for shard in ["shardId-000000000000", "shardId-000000000001"].map(Text::from_static) {
        let at = house.iterator("s", &shard, "TRIM_HORIZON").await;
        history.polled.insert(shard.clone(), at);
        history.seen_polled.started.insert(shard.clone());
        history.seen_pushed.started.insert(shard.clone());
        history.subscribe(shard).await;
    }
    history
}

fn ends(shard: Shard) -> (Text, (Text, Option<Text>, Vec<Text>)) {
    let numbers = shard.sequence_number_range;
    let parents = shard.parent_shard_id.into_iter().chain(shard.adjacent_parent_shard_id);
    let ends = (numbers.starting_sequence_number, numbers.ending_sequence_number);
    (shard.shard_id, (ends.0, ends.1, parents.collect()))
}

#[test]
fn random_histories_lose_double_and_reorder_nothing() {
    for seed in testkit::seeds(40) {
        run_unlimited(async |house| {
            let mut history = begin(house, seed).await;
            for _ in 0..120 {
                history.step().await;
            }
            house.active("s").await;
            for _ in 0..400 {
                if history.seen_polled.by_key == history.acked
                    && history.seen_pushed.by_key == history.acked
                {
                    break;
                }
                history.poll_all().await;
                history.take_events().await;
            }
            let ranges = house.shards("s").await.into_iter().map(ends).collect();
            history.seen_polled.check_ranges(&ranges);
            history.seen_pushed.check_ranges(&ranges);
            assert_eq!(history.seen_polled.by_key, history.acked, "polled, seed {seed}");
            assert_eq!(history.seen_pushed.by_key, history.acked, "pushed, seed {seed}");
        });
    }
}
