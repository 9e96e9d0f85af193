//! The consumer: shards in the order of their lineage, and what a reader survives.

use crate::script::{Answer, client, ok, refuse, settle, timed};
use api::Boxed;
use api::kinesis::{
    ChildShard, GetRecordsInput, GetRecordsOutput, GetShardIteratorInput, GetShardIteratorOutput,
    HashKeyRange, ListShardsInput, ListShardsOutput, Record, Shard,
};
use client::{Client, Consumer, ConsumerOptions, Error, From, Mode};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use testkit::FakeEnv;

/// A shard's children: each with its parents.
pub(crate) type Children = &'static [(&'static str, &'static [&'static str])];

/// What a shard is answered with; when nothing is left, it is at its tip.
#[derive(Clone, Copy)]
pub(crate) enum Page {
    Records(&'static [u32]),
    /// Nothing, but the tip is far.
    Behind,
    Refuse(u16, &'static str),
    /// These records, and no iterator to go on with.
    End(&'static [u32], Children),
}
use Page::{Behind, End, Records, Refuse};

const SLOW: Page = Refuse(400, "ProvisionedThroughputExceededException");
const DOWN: Page = Refuse(500, "InternalFailureException");
const LATE: Page = Refuse(400, "ExpiredIteratorException");

pub(crate) fn records(numbers: &[u32]) -> Vec<Record> {
    let record = |n: &u32| Record { sequence_number: n.to_string().into(), ..Record::default() };
    numbers.iter().map(record).collect()
}

/// The hash keys of a shard stand in its name, as in `a0-4`, if they matter.
fn keys(id: &str) -> HashKeyRange {
    let (start, end) =
        id.trim_start_matches(char::is_alphabetic).split_once('-').unwrap_or_default();
    HashKeyRange { starting_hash_key: start.into(), ending_hash_key: end.into() }
}

pub(crate) fn children(children: Children) -> Vec<ChildShard> {
    let child = |(id, parents): &(&str, &[&str])| ChildShard {
        shard_id: (*id).into(),
        parent_shards: parents.iter().map(|parent| (*parent).into()).collect(),
        hash_key_range: keys(id),
    };
    children.iter().map(child).collect()
}

/// A stream whose shards answer so, and what was asked of it beside GetRecords.
#[derive(Clone)]
struct Stream {
    open: Vec<&'static str>,
    pages: Arc<Mutex<BTreeMap<&'static str, VecDeque<Page>>>>,
    asked: Arc<Mutex<Vec<String>>>,
    /// Calls of GetRecords.
    reads: Arc<Mutex<usize>>,
}

impl Stream {
    fn new(open: &[&'static str], pages: &[(&'static str, &[Page])]) -> Self {
        let queue =
            |(shard, pages): &(&'static str, &[Page])| (*shard, pages.iter().copied().collect());
        let pages = Arc::new(Mutex::new(pages.iter().map(queue).collect()));
        Self { open: open.to_vec(), pages, asked: Arc::default(), reads: Arc::default() }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn answer(&self, operation: &str, input: Boxed) -> Answer {
        match operation {
            "ListShards" => self.list(&input.downcast().unwrap()),
            "GetShardIterator" => {
                let input = input.downcast::<GetShardIteratorInput>().unwrap();
                let number = input.starting_sequence_number.map(|number| format!(" {number}"));
                let time = input.timestamp.map(|time| format!(" {}", time.0));
                let (shard, kind) = (&input.shard_id, input.shard_iterator_type.as_str());
                let place = number.or(time).unwrap_or_default();
                self.asked.lock().unwrap().push(format!("{shard} {kind}{place}"));
                let shard_iterator = Some(shard.clone());
                ok(GetShardIteratorOutput { shard_iterator })
            }
            "GetRecords" => self.page(&input.downcast().unwrap()),
            other => panic!("{other}"),
        }
    }

    /// Shards, a page each.
    fn list(&self, input: &ListShardsInput) -> Answer {
        let at: usize = input.next_token.as_ref().map_or(0, |token| token.parse().unwrap());
        if let Some(filter) = &input.shard_filter {
            let time = filter.timestamp.map(|time| format!(" {}", time.0)).unwrap_or_default();
            let kind = filter.type_.as_str();
            self.asked.lock().unwrap().push(format!("list {kind}{time}"));
        }
        assert_eq!((input.stream_name.is_some(), input.shard_filter.is_some()), (at == 0, at == 0));
        let shard = |id: &&str| Shard {
            shard_id: (*id).into(),
            hash_key_range: keys(id),
            ..Shard::default()
        };
        let shards = Some(self.open.get(at).map(shard).into_iter().collect());
        let next_token = (at + 1 < self.open.len()).then(|| (at + 1).to_string().into());
        ok(ListShardsOutput { shards, next_token })
    }

    fn page(&self, input: &GetRecordsInput) -> Answer {
        *self.reads.lock().unwrap() += 1;
        let shard = input.shard_iterator.as_str();
        let page = self.pages.lock().unwrap().get_mut(shard).and_then(VecDeque::pop_front);
        let goes_on = |numbers: &[u32], behind| GetRecordsOutput {
            records: records(numbers),
            next_shard_iterator: Some(shard.into()),
            millis_behind_latest: Some(behind),
            child_shards: None,
        };
        ok(match page {
            Some(Records(numbers)) => goes_on(numbers, 0),
            Some(Behind) => goes_on(&[], 9),
            None => goes_on(&[], 0),
            Some(Refuse(status, code)) => return refuse(status, code),
            Some(End(numbers, next)) => GetRecordsOutput {
                next_shard_iterator: None,
                child_shards: Some(children(next)),
                ..goes_on(numbers, 0)
            },
        })
    }

    fn client(&self) -> (Client, FakeEnv) {
        let stream = self.clone();
        client(move |operation, input| stream.answer(operation, input))
    }
}

fn options() -> ConsumerOptions {
    ConsumerOptions {
        mode: Mode::Poll { idle: Duration::from_secs(1) },
        ..ConsumerOptions::new("s")
    }
}

/// Reads up to `count` records, or to the end: each as `shard:number`, then the error.
pub(crate) async fn read(consumer: &mut Consumer, count: usize) -> Vec<String> {
    let mut seen = Vec::new();
    while seen.len() < count {
        match consumer.next().await {
            None => break,
            Some(Ok(batch)) => {
                let shown = |r: &Record| format!("{}:{}", batch.shard_id, r.sequence_number);
                seen.extend(batch.records.iter().map(shown));
            }
            Some(Err(e)) => {
                seen.push(e.code().to_owned());
                assert!(consumer.next().await.is_none(), "nothing comes after an error");
                break;
            }
        }
    }
    seen
}

/// Reads a stream so: what comes, in whatever order of shards that do not depend on each other,
/// and what was asked for.
async fn check(
    stream: Stream,
    options: ConsumerOptions,
    (want, asked): (&[&str], &[&str]),
) -> Duration {
    let (client, world) = stream.client();
    let seen = timed(&world, async {
        let mut consumer = Consumer::start(client, options).await.unwrap();
        read(&mut consumer, want.len()).await
    });
    assert_eq!(seen.await, want);
    assert_eq!(stream.asked(), asked);
    world.env().clock.monotonic()
}

#[tokio::test]
async fn children_come_behind_their_parents() {
    const SPLIT: Children = &[("b", &["a"]), ("c", &["a"])];
    const MERGE: Children = &[("d", &["b", "c"])];
    let pages: [(_, &[Page]); 4] = [
        ("a", &[Records(&[1, 2]), Behind, Records(&[3]), End(&[4], SPLIT)]),
        ("b", &[Records(&[5]), Behind, Behind, Behind, End(&[6], MERGE)]),
        ("c", &[End(&[], MERGE)]),
        ("d", &[Records(&[7]), End(&[8], &[])]),
    ];
    let want = ["a:1", "a:2", "a:3", "a:4", "b:5", "b:6", "d:7", "d:8", "never"];
    let asked = [
        "list AT_TRIM_HORIZON",
        "a TRIM_HORIZON",
        "b TRIM_HORIZON",
        "c TRIM_HORIZON",
        "d TRIM_HORIZON",
    ];
    let stream = Stream::new(&["a"], &pages);
    let (client, world) = stream.client();
    let seen = timed(&world, async {
        let mut consumer = Consumer::start(client, options()).await.unwrap();
        let seen = read(&mut consumer, want.len()).await;
        consumer.close().await.unwrap();
        seen
    });
    assert_eq!(seen.await, want[..8], "and then the end");
    assert_eq!(stream.asked(), asked);
}

/// A merged shard waits for a parent that comes of a split that is not known yet.
#[tokio::test]
async fn children_come_behind_parents_that_are_not_known_yet() {
    const SPLIT: Children = &[("b3-4", &["a0-4"]), ("x0-2", &["a0-4"])];
    const MERGE: Children = &[("d3-9", &["b3-4", "c5-9"])];
    let pages: [(_, &[Page]); 5] = [
        ("a0-4", &[SLOW, Records(&[1, 2]), End(&[3], SPLIT)]),
        ("b3-4", &[SLOW, End(&[5], MERGE)]),
        ("c5-9", &[End(&[4], MERGE)]),
        ("d3-9", &[End(&[6], &[])]),
        ("x0-2", &[]),
    ];
    let want = ["c5-9:4", "a0-4:1", "a0-4:2", "a0-4:3", "b3-4:5", "d3-9:6"];
    let asked = [
        "list AT_TRIM_HORIZON",
        "a0-4 TRIM_HORIZON",
        "c5-9 TRIM_HORIZON",
        "b3-4 TRIM_HORIZON",
        "x0-2 TRIM_HORIZON",
        "d3-9 TRIM_HORIZON",
    ];
    check(Stream::new(&["a0-4", "c5-9"], &pages), options(), (&want, &asked)).await;
}

/// At the time of a split parents and children are there.
#[tokio::test]
async fn children_that_are_there_from_the_start_wait() {
    const SPLIT: Children = &[("b0-4", &["a0-9"]), ("c5-9", &["a0-9"])];
    let pages: [(_, &[Page]); 3] = [
        ("a0-9", &[SLOW, End(&[1], SPLIT)]),
        ("b0-4", &[End(&[2], &[])]),
        ("c5-9", &[SLOW, End(&[3], &[])]),
    ];
    let options = ConsumerOptions { from: From::Timestamp(7), ..options() };
    let asked =
        ["list AT_TIMESTAMP 7", "a0-9 AT_TIMESTAMP 7", "b0-4 TRIM_HORIZON", "c5-9 TRIM_HORIZON"];
    let stream = Stream::new(&["a0-9", "b0-4", "c5-9"], &pages);
    check(stream, options, (&["a0-9:1", "b0-4:2", "c5-9:3"], &asked)).await;
}

/// Wherever reading starts, children of what is read are read from their beginning; a parent that
/// ended before holds nothing back.
#[tokio::test]
async fn where_reading_starts() {
    const MERGE: Children = &[("d", &["a", "c"])];
    for (from, filter, first) in [
        (From::TrimHorizon, "list AT_TRIM_HORIZON", "a TRIM_HORIZON"),
        (From::Latest, "list AT_LATEST", "a LATEST"),
        (From::Timestamp(1500), "list AT_TIMESTAMP 1500", "a AT_TIMESTAMP 1500"),
    ] {
        let pages: [(_, &[Page]); 2] = [("a", &[End(&[1], MERGE)]), ("d", &[Records(&[2])])];
        let stream = Stream::new(&["a"], &pages);
        let options = ConsumerOptions { from, ..options() };
        check(stream, options, (&["a:1", "d:2"], &[filter, first, "d TRIM_HORIZON"])).await;
    }
}

/// The place after an iterator that expired is behind the last record given.
#[tokio::test]
async fn iterators_expire() {
    const LIST: &str = "list AT_TRIM_HORIZON";
    for (pages, want, asked) in [
        (&[LATE, LATE, Records(&[1])][..], &["a:1"][..], &["a TRIM_HORIZON"; 3][..]),
        (
            &[Records(&[1, 2]), Behind, LATE, Records(&[3]), LATE, LATE, Records(&[4])],
            &["a:1", "a:2", "a:3", "a:4"],
            &[
                "a TRIM_HORIZON",
                "a AFTER_SEQUENCE_NUMBER 2",
                "a AFTER_SEQUENCE_NUMBER 3",
                "a AFTER_SEQUENCE_NUMBER 3",
            ],
        ),
        (
            &[Records(&[1]), SLOW, LATE, DOWN, Records(&[2])],
            &["a:1", "a:2"],
            &["a TRIM_HORIZON", "a AFTER_SEQUENCE_NUMBER 1"],
        ),
    ] {
        let asked = [&[LIST], asked].concat();
        check(Stream::new(&["a"], &[("a", pages)]), options(), (want, &asked)).await;
    }
    let from = From::Timestamp(7);
    let asked = ["list AT_TIMESTAMP 7", "a AT_TIMESTAMP 7", "a AT_TIMESTAMP 7"];
    let stream = Stream::new(&["a"], &[("a", &[LATE, Records(&[1])])]);
    check(stream, ConsumerOptions { from, ..options() }, (&["a:1"], &asked)).await;
}

/// A new one is asked for at once, but not for ever.
#[tokio::test]
async fn iterators_that_only_expire() {
    let patience = Duration::from_secs(10);
    for (pages, end, finds, passed_ms) in [
        (vec![LATE, Records(&[1])], "a:1", 2, 0),
        (vec![LATE, Behind, LATE, Records(&[1])], "a:1", 3, 0),
        (vec![SLOW, LATE, Records(&[1])], "a:1", 2, 100),
        (vec![LATE, LATE, Records(&[1])], "a:1", 3, 100),
        ([vec![LATE; 10], vec![Behind, LATE, Records(&[1])]].concat(), "a:1", 12, 11_100),
        (vec![LATE; 99], "ExpiredIteratorException", 11, 11_100),
    ] {
        let stream = Stream::new(&["a"], &[("a", &pages)]);
        let asked = [&["list AT_TRIM_HORIZON"][..], &vec!["a TRIM_HORIZON"; finds]].concat();
        let options = ConsumerOptions { patience, ..options() };
        let passed = check(stream, options, (&[end], &asked)).await;
        assert_eq!(passed.as_millis(), passed_ms, "{finds}");
    }
}

/// Batches without records come when there is news of the distance, and at the end.
#[tokio::test]
async fn batches_without_records() {
    const TIP: Page = Records(&[]);
    for (pages, want) in [
        (&[TIP, TIP, TIP, End(&[], &[])][..], &[(0, 0), (0, 0)][..]),
        (
            &[Behind, Behind, Records(&[1]), TIP, TIP, Behind, TIP, End(&[2], &[])],
            &[(0, 9), (1, 0), (0, 9), (0, 0), (1, 0)],
        ),
    ] {
        let stream = Stream::new(&["a"], &[("a", pages)]);
        let (client, world) = stream.client();
        let seen = timed(&world, async {
            let mut consumer = Consumer::start(client, options()).await.unwrap();
            let mut seen = Vec::new();
            while let Some(batch) = consumer.next().await {
                let batch = batch.unwrap();
                seen.push((batch.records.len(), batch.millis_behind_latest));
            }
            seen
        });
        assert_eq!(seen.await, want);
    }
}

/// What passes is borne with growing pauses, for as long as is said and from each success anew.
#[tokio::test]
async fn failures_are_borne_for_a_time() {
    let patience = Duration::from_secs(10);
    let asked = ["list AT_TRIM_HORIZON", "a TRIM_HORIZON"];
    let ms = Duration::from_millis;
    for (pages, end, passed) in [
        (vec![SLOW, DOWN, SLOW, Records(&[1])], "a:1", ms(700)),
        ([vec![DOWN; 9], vec![Records(&[1])]].concat(), "a:1", ms(11_100)),
        (vec![SLOW; 99], "ProvisionedThroughputExceededException", ms(11_100)),
        (
            [vec![SLOW; 9], vec![Behind], vec![DOWN; 9], vec![Records(&[1])]].concat(),
            "a:1",
            ms(22_200),
        ),
        (vec![Refuse(400, "ResourceNotFoundException")], "ResourceNotFoundException", ms(0)),
        (vec![SLOW, Refuse(400, "AccessDeniedException")], "AccessDeniedException", ms(100)),
    ] {
        let stream = Stream::new(&["a"], &[("a", &pages)]);
        let options = ConsumerOptions { patience, ..options() };
        assert_eq!(check(stream, options, (&[end], &asked)).await, passed, "{end}");
    }
}

/// One shard that cannot be read ends them all.
#[tokio::test]
async fn one_failure_ends_the_whole() {
    let pages: [(_, &[Page]); 2] =
        [("a", &[Records(&[1])]), ("b", &[Refuse(400, "KMSDisabledException")])];
    let stream = Stream::new(&["a", "b"], &pages);
    let asked = ["list AT_TRIM_HORIZON", "a TRIM_HORIZON", "b TRIM_HORIZON"];
    let want = ["a:1", "KMSDisabledException"];
    let (client, world) = stream.client();
    let mut seen = timed(&world, async {
        let mut consumer = Consumer::start(client, options()).await.unwrap();
        read(&mut consumer, 2).await
    })
    .await;
    seen.sort_by_key(String::len);
    assert_eq!(seen, want);
    assert_eq!(stream.asked(), asked);
}

/// With readers on other threads that all have a batch to give.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_comes_behind_the_failure() {
    const SHARDS: [&str; 9] = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
    let pages = vec![Records(&[1]); 40];
    let failing = [&pages[..2], &[Refuse(400, "KMSDisabledException")]].concat();
    for _ in 0..50 {
        let pages = SHARDS.map(|shard| (shard, if shard == "i" { &failing } else { &pages }));
        let stream = Stream::new(&SHARDS, &pages.map(|(shard, pages)| (shard, &pages[..])));
        let (client, _) = stream.client();
        let mut consumer = Consumer::start(client, options()).await.unwrap();
        let seen = read(&mut consumer, usize::MAX).await;
        assert_eq!(seen.last().unwrap(), "KMSDisabledException");
    }
}

#[tokio::test]
async fn a_stream_that_is_not_there() {
    for code in ["ResourceNotFoundException", "AccessDeniedException"] {
        let (client, _) = client(move |_, _| refuse(400, code));
        let e: Error = Consumer::start(client, options()).await.err().unwrap();
        assert_eq!((e.code(), e.status()), (code, 400));
    }
    let stream = Stream::new(&[], &[]);
    check(stream, options(), (&[], &["list AT_TRIM_HORIZON"])).await;
    let (client, _) = Stream::new(&[], &[]).client();
    let mut consumer = Consumer::start(client, options()).await.unwrap();
    assert!(consumer.next().await.is_none(), "no shard, no batch");
}

/// At the tip a shard is asked again after the pause, far from it at once.
#[tokio::test]
async fn pauses_are_for_the_tip() {
    let pages = [Behind, Behind, Records(&[1]), Records(&[2]), Behind, Records(&[3])];
    let asked = ["list AT_TRIM_HORIZON", "a TRIM_HORIZON"];
    let stream = Stream::new(&["a"], &[("a", &pages)]);
    let passed = check(stream, options(), (&["a:1", "a:2", "a:3"], &asked)).await;
    assert_eq!(passed, Duration::ZERO);
    let stream = Stream::new(&["a"], &[("a", &[Records(&[1])])]);
    let (client, world) = stream.client();
    let mut consumer = Consumer::start(client, options()).await.unwrap();
    for (passed_ms, reads) in [(0, 2), (999, 2), (1, 3), (1000, 4)] {
        world.clock.advance_ms(passed_ms);
        settle().await;
        assert_eq!(*stream.reads.lock().unwrap(), reads);
    }
    assert_eq!(read(&mut consumer, 1).await, ["a:1"]);
    drop(consumer);
    settle().await;
    world.clock.advance_ms(9_000);
    settle().await;
    assert_eq!(*stream.reads.lock().unwrap(), 4, "nobody reads any more");
}

/// Nobody takes the batches: then no more are fetched.
#[tokio::test]
async fn who_does_not_listen_holds_the_readers() {
    let pages = vec![Records(&[1]); 100];
    let stream = Stream::new(&["a"], &[("a", &pages)]);
    let (client, _) = stream.client();
    let mut consumer = Consumer::start(client, options()).await.unwrap();
    settle().await;
    let ahead = *stream.reads.lock().unwrap();
    assert_eq!(ahead, 17, "sixteen and the one in hand");
    assert_eq!(read(&mut consumer, 10).await.len(), 10);
    settle().await;
    assert_eq!(*stream.reads.lock().unwrap(), ahead + 10);
}

/// Calls on their way at once, over all shards; none of them is left out.
#[tokio::test]
async fn calls_are_bounded() {
    use crate::script::held_client;
    use tokio::sync::Semaphore;
    const SHARDS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
    for (calls_max, at_once) in [(0, 1), (1, 1), (2, 2), (64, 6)] {
        let pages = SHARDS.map(|shard| (shard, &[End(&[1], &[])][..]));
        let stream = Stream::new(&SHARDS, &pages);
        // A page of the list for each shard.
        let (permits, answering) = (Arc::new(Semaphore::new(6)), stream.clone());
        let answer = move |operation: &str, input| answering.answer(operation, input);
        let (client, _) = held_client(answer, Some(permits.clone()));
        let options = ConsumerOptions { calls_max, ..options() };
        let mut consumer = Consumer::start(client, options).await.unwrap();
        settle().await;
        assert_eq!(stream.asked().len(), 1 + at_once, "{calls_max}");
        permits.add_permits(99);
        assert_eq!(read(&mut consumer, 9).await.len(), 6);
    }
}
