//! The producer: order, batches, room, and what becomes of each record.

use crate::script::{Answer, client, held_client, ok, refuse, settle, timed};
use api::Boxed;
use api::kinesis::{PutRecordsInput, PutRecordsOutput, PutRecordsResultEntry};
use client::{Client, Entry, Error, ErrorKind, Placed, Producer, ProducerOptions, Receipt};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use testkit::FakeEnv;
use testkit::env::SeededRng;
use tokio::sync::Semaphore;

const SLOW: &str = "ProvisionedThroughputExceededException";
const DOWN: &str = "InternalFailure";

/// The data of each record of each call, as `a b|c`: a bar between calls.
#[derive(Clone, Default)]
struct Calls(Arc<Mutex<Vec<Vec<String>>>>);

impl Calls {
    fn seen(&self) -> String {
        let calls = self.0.lock().unwrap();
        calls.iter().map(|call| call.join(" ")).collect::<Vec<_>>().join("|")
    }

    fn sizes(&self) -> Vec<usize> {
        self.0.lock().unwrap().iter().map(Vec::len).collect()
    }

    /// Notes a call and answers each entry as `fate` says: with a code, or as written.
    fn answer(&self, input: Boxed, fate: impl Fn(usize, &str) -> Option<&'static str>) -> Answer {
        let input = input.downcast::<PutRecordsInput>().unwrap();
        assert_eq!(input.stream_name.as_deref(), Some("s"));
        let text = |data: &[u8]| String::from_utf8_lossy(data).into_owned();
        let texts: Vec<String> = input.records.iter().map(|r| text(&r.data)).collect();
        let nth = self.0.lock().unwrap().len();
        let result = |text: &String| match fate(nth, text) {
            None => PutRecordsResultEntry {
                shard_id: Some("shard".into()),
                sequence_number: Some(format!("{nth}{text}").into()),
                ..PutRecordsResultEntry::default()
            },
            Some(code) => PutRecordsResultEntry {
                error_code: Some(code.into()),
                error_message: Some("not now".into()),
                ..PutRecordsResultEntry::default()
            },
        };
        let records = texts.iter().map(result).collect();
        self.0.lock().unwrap().push(texts);
        ok(PutRecordsOutput { records, ..PutRecordsOutput::default() })
    }
}

/// A service that decides on each entry by the number of the call and the entry's data.
fn service(
    fate: impl Fn(usize, &str) -> Option<&'static str> + Send + Sync + 'static,
) -> (Client, FakeEnv, Calls) {
    let calls = Calls::default();
    let noted = calls.clone();
    let (client, world) = client(move |_, input| noted.answer(input, &fate));
    (client, world, calls)
}

fn options() -> ProducerOptions {
    ProducerOptions { lanes: 1, ..ProducerOptions::new("s") }
}

fn entry(key: &str, data: impl Into<Vec<u8>>) -> Entry {
    Entry { partition_key: key.into(), explicit_hash_key: None, data: data.into().into() }
}

async fn send_all(producer: &Producer, records: &[&str]) -> Vec<Receipt> {
    let mut receipts = Vec::new();
    for record in records {
        receipts.push(producer.send(entry("k", *record)).await.unwrap());
    }
    receipts
}

async fn outcomes(receipts: Vec<Receipt>) -> Vec<Result<Placed, Error>> {
    let mut outcomes = Vec::new();
    for receipt in receipts {
        outcomes.push(receipt.await);
    }
    outcomes
}

/// Sends records of one key through one lane; the calls that were made, and what each became.
async fn check(
    fate: impl Fn(usize, &str) -> Option<&'static str> + Send + Sync + 'static,
    (options, records): (ProducerOptions, &[&str]),
    calls: &str,
    want: &[&str],
) {
    let (client, world, seen) = service(fate);
    let producer = Producer::start(&client, &options);
    let receipts = send_all(&producer, records).await;
    timed(&world, producer.finish()).await;
    assert_eq!(seen.seen(), calls);
    let short = |outcome: Result<Placed, Error>| match outcome {
        Ok(placed) => placed.sequence_number.to_string(),
        Err(e) => e.code().to_owned(),
    };
    let outcomes: Vec<String> = outcomes(receipts).await.into_iter().map(short).collect();
    assert_eq!(outcomes, want);
}

#[tokio::test]
async fn what_was_put_off_goes_before_what_is_newer() {
    let all = (options(), &["a", "b", "c"][..]);
    check(|_, _| None, all.clone(), "a b c", &["0a", "0b", "0c"]).await;
    let first = |nth, data: &str| (nth == 0 && data == "a").then_some(SLOW);
    check(first, all.clone(), "a b c|a", &["1a", "0b", "0c"]).await;
    let none = |nth, _: &str| (nth < 3).then_some(DOWN);
    check(none, all.clone(), "a b c|a b c|a b c|a b c", &["3a", "3b", "3c"]).await;
    let two = ProducerOptions { batch_records_max: 2, ..options() };
    let last = |nth, data: &str| (nth < 2 && data == "b").then_some(SLOW);
    check(last, (two, all.1), "a b|b|b|c", &["0a", "2b", "3c"]).await;
    let one = ProducerOptions { batch_records_max: 0, ..options() };
    let each = |nth, _: &str| (nth % 2 == 0).then_some(SLOW);
    check(each, (one, all.1), "a|a|b|b|c|c", &["1a", "3b", "5c"]).await;
    let none: (ProducerOptions, &[&str]) = (options(), &[]);
    check(|_, _| None, none, "", &[]).await;
}

/// Entries that the server will never take are told at once; the others are not held up.
#[tokio::test]
async fn what_is_refused_for_good() {
    const NEVER: &str = "KMSDisabledException";
    let all = (options(), &["a", "b"][..]);
    check(|_, _| Some(NEVER), all.clone(), "a b", &[NEVER; 2]).await;
    let second = |_, data: &str| (data == "b").then_some(NEVER);
    check(second, all.clone(), "a b", &["0a", NEVER]).await;
    let mixed = |nth, data: &str| match data {
        "b" => Some(NEVER),
        _ => (nth < 2).then_some(if data == "a" { SLOW } else { DOWN }),
    };
    let four = (options(), &["a", "b", "c", "a"][..]);
    check(mixed, four, "a b c a|a c a|a c a", &["2a", NEVER, "2c", "2a"]).await;
    let hasty = ProducerOptions { patience: Duration::ZERO, ..options() };
    check(mixed, (hasty, &["a", "b", "c"]), "a b c", &[SLOW, NEVER, DOWN]).await;
    for status in [400, 403] {
        let (client, _, calls) = {
            let calls = Calls::default();
            let (noted, (client, world)) =
                (calls.clone(), client(move |_, _| refuse(status, "AccessDeniedException")));
            (client, world, noted)
        };
        let producer = Producer::start(&client, &options());
        let receipts = send_all(&producer, &["a", "b"]).await;
        producer.finish().await;
        assert_eq!(calls.seen(), "");
        for outcome in outcomes(receipts).await {
            let e = outcome.unwrap_err();
            assert_eq!(
                (e.code(), e.status(), e.message()),
                ("AccessDeniedException", status, "no")
            );
        }
    }
}

/// Answers that are none: too few entries, or entries that say nothing.
#[tokio::test]
async fn answers_that_make_no_sense() {
    let entry = PutRecordsResultEntry::default;
    let half = || PutRecordsResultEntry { shard_id: Some("s".into()), ..entry() };
    let both = || PutRecordsResultEntry {
        sequence_number: Some("1".into()),
        error_code: Some("KMSDisabledException".into()),
        ..half()
    };
    for (records, kind, text) in [
        (vec![], ErrorKind::Malformed, "PutRecords answered other entries"),
        (vec![entry()], ErrorKind::Malformed, "PutRecords answered other entries"),
        (vec![entry(); 3], ErrorKind::Malformed, "PutRecords answered other entries"),
        (vec![entry(); 2], ErrorKind::Malformed, "an entry was neither written nor refused"),
        (vec![half(); 2], ErrorKind::Malformed, "an entry was neither written nor refused"),
        (vec![both(); 2], ErrorKind::Refused, ""),
    ] {
        let output = PutRecordsOutput { records, ..PutRecordsOutput::default() };
        let (client, _) = client(move |_, _| ok(output.clone()));
        let producer = Producer::start(&client, &options());
        let receipts = send_all(&producer, &["a", "b"]).await;
        producer.finish().await;
        for outcome in outcomes(receipts).await {
            let e = outcome.unwrap_err();
            assert_eq!((e.kind(), e.message()), (kind, text));
        }
    }
}

/// How long a batch is tried, and what waited behind it.
#[tokio::test]
async fn patience_is_bounded_and_not_borne_twice() {
    let (client, world, calls) = service(|_, _| Some(SLOW));
    let patience = Duration::from_secs(10);
    let options = ProducerOptions { batch_records_max: 1, patience, ..options() };
    let producer = Producer::start(&client, &options);
    for _ in 0..2 {
        let (start, before) = (world.env().clock.monotonic(), calls.sizes().len());
        let receipts = send_all(&producer, &["a", "b", "c"]).await;
        let outcomes = timed(&world, outcomes(receipts)).await;
        let passed = world.env().clock.monotonic().abs_diff(start);
        assert!((patience..patience * 3 / 2).contains(&passed), "{passed:?}");
        let tried = calls.sizes().len() - before;
        // 50, 100, ... 1600 ms, then every two seconds.
        assert_eq!(tried, 6 + 5 + 2, "{}", calls.seen());
        assert!(calls.seen().ends_with("a|b|c"), "{}", calls.seen());
        for outcome in outcomes {
            let e = outcome.unwrap_err();
            assert_eq!((e.code(), e.message()), (SLOW, "not now (tried for 10s)"));
            assert!(e.is_throttling());
        }
        assert_eq!(producer.throttled(), calls.sizes().len() as u64);
    }
    let at_once = ProducerOptions { patience: Duration::ZERO, ..options };
    let (before, hasty) = (calls.sizes().len(), Producer::start(&client, &at_once));
    let receipts = send_all(&hasty, &["a"]).await;
    assert_eq!(outcomes(receipts).await[0].as_ref().unwrap_err().code(), SLOW);
    assert_eq!(calls.sizes().len(), before + 1);
    // What is written meanwhile shows that it is not in vain: then there is time again.
    let patience = Duration::from_millis(100);
    let options = ProducerOptions { batch_records_max: 2, patience, ..at_once };
    let fate = |nth, data: &str| match data {
        "c" => None,
        "d" => (nth < 4).then_some(SLOW),
        _ => Some(SLOW),
    };
    let all = (options, &["a", "b", "c", "d"][..]);
    check(fate, all, "a b|a b|a b|c d|d", &[SLOW, SLOW, "3c", "4d"]).await;
}

#[tokio::test]
async fn failures_that_pass_are_no_throttling() {
    let (client, world, calls) = service(|nth, _| (nth < 2).then_some(DOWN));
    let producer = Producer::start(&client, &options());
    let receipts = send_all(&producer, &["a"]).await;
    timed(&world, outcomes(receipts)).await[0].as_ref().unwrap();
    assert_eq!((producer.throttled(), calls.sizes().len()), (0, 3));
    // Only those are counted that were throttled.
    let codes = |nth, data: &str| match (nth, data) {
        (0, "a" | "c") | (1, "a") => Some(SLOW),
        (0, "b" | "d") => Some(DOWN),
        (0, _) => Some("KMSDisabledException"),
        _ => None,
    };
    let (client, world, calls) = service(codes);
    let producer = Producer::start(&client, &options());
    let receipts = send_all(&producer, &["a", "b", "c", "d", "e"]).await;
    let failed = timed(&world, outcomes(receipts)).await.iter().filter(|o| o.is_err()).count();
    assert_eq!((producer.throttled(), failed), (3, 1), "{}", calls.seen());
}

#[tokio::test]
async fn batches_are_bounded_in_records_and_bytes() {
    let permits = Arc::new(Semaphore::new(0));
    let calls = Calls::default();
    let noted = calls.clone();
    let answer = move |_: &str, input| noted.answer(input, |_, _| None);
    let (client, _) = held_client(answer, Some(permits.clone()));
    let options = ProducerOptions { in_flight_bytes_max: usize::MAX, ..options() };
    let producer = Producer::start(&client, &options);
    let texts: Vec<String> = (0..1201).map(|n| n.to_string()).collect();
    let mut receipts = send_all(&producer, &[&texts[0]]).await;
    settle().await;
    assert_eq!(calls.sizes(), [1], "no lingering");
    let rest: Vec<&str> = texts[1..1001].iter().map(String::as_str).collect();
    receipts.extend(send_all(&producer, &rest).await);
    // A lane that is full takes no more until a call is answered.
    assert!(stuck(producer.send(entry("k", "x"))).await);
    permits.add_permits(usize::MAX >> 4);
    let rest: Vec<&str> = texts[1001..].iter().map(String::as_str).collect();
    receipts.extend(send_all(&producer, &rest).await);
    producer.finish().await;
    assert!(calls.sizes().iter().all(|size| *size <= 500), "{:?}", calls.sizes());
    assert_eq!(&calls.sizes()[..2], [1, 500]);
    let order: Vec<String> = calls.0.lock().unwrap().concat();
    assert_eq!(order, texts);
    assert!(outcomes(receipts).await.iter().all(Result::is_ok));
}

/// Whether a future is still waiting when nothing else moves; it is dropped then.
async fn stuck<T>(future: impl Future<Output = T>) -> bool {
    tokio::select! {
        biased;
        _ = future => false,
        () = settle() => true,
    }
}

#[tokio::test]
async fn large_records_share_no_call() {
    for (mib, want) in [
        (&[2_usize, 2, 2][..], &[2_usize, 1][..]),
        (&[3, 3, 1], &[1, 2]),
        (&[1, 7, 1], &[1, 1, 1]),
        (&[5], &[1]),
        (&[3, 2], &[2]),
        (&[3, 2, 0], &[2, 1]),
    ] {
        let (client, _, calls) = service(|_, _| None);
        let producer = Producer::start(&client, &options());
        for mib in mib {
            // With the byte of its key.
            let data = vec![b'x'; (mib << 20_usize).saturating_sub(1)];
            drop(producer.send(entry("k", data)).await.unwrap());
        }
        producer.finish().await;
        assert_eq!(calls.sizes(), want, "{mib:?}");
    }
}

/// Bytes in flight: who finds no room waits, and takes nothing when he stops waiting.
#[tokio::test]
async fn a_full_producer_takes_no_more() {
    let permits = Arc::new(Semaphore::new(0));
    let calls = Calls::default();
    let noted = calls.clone();
    let answer = move |_: &str, input| noted.answer(input, |_, _| None);
    let (client, _) = held_client(answer, Some(permits.clone()));
    let options = ProducerOptions { in_flight_bytes_max: 10, lanes: 3, ..options() };
    let producer = Producer::start(&client, &options);
    // Nine bytes with the key.
    let first = producer.send(entry("k", "a-------")).await.unwrap();
    assert!(stuck(producer.send(entry("k", "b-"))).await, "two bytes too many");
    assert!(!stuck(producer.send(entry("", "c"))).await);
    permits.add_permits(2);
    first.await.unwrap();
    settle().await;
    let large = producer.send(entry("k", "larger than all the room")).await.unwrap();
    assert!(stuck(producer.send(entry("", "d"))).await, "it has all of it");
    permits.add_permits(9);
    large.await.unwrap();
    drop(producer.send(entry("", "e")).await.unwrap());
    producer.finish().await;
    let mut taken: Vec<String> = calls.0.lock().unwrap().concat();
    taken.sort();
    assert_eq!(taken, ["a-------", "c", "e", "larger than all the room"]);
}

#[tokio::test]
async fn a_batch_lingers_for_more() {
    let (client, world, calls) = service(|_, _| None);
    let linger = Duration::from_millis(100);
    let options = ProducerOptions { linger, batch_records_max: 3, ..options() };
    let producer = Producer::start(&client, &options);
    let mut receipts = Vec::new();
    for (record, wait_ms, want) in [
        ("a", 99, ""),
        ("b", 1, "a b"),
        ("c", 99, "a b"),
        ("d", 0, "a b"),
        ("e", 0, "a b|c d e"),
        ("f", 100, "a b|c d e|f"),
        ("g", 0, "a b|c d e|f"),
    ] {
        receipts.extend(send_all(&producer, &[record]).await);
        settle().await;
        world.clock.advance_ms(wait_ms);
        settle().await;
        assert_eq!(calls.seen(), want, "{record}");
    }
    producer.finish().await;
    assert_eq!(calls.seen(), "a b|c d e|f|g", "no time passed");
    assert!(outcomes(receipts).await.iter().all(Result::is_ok));
}

#[tokio::test]
async fn who_drops_a_producer_gives_up_what_is_not_written() {
    let permits = Arc::new(Semaphore::new(1));
    let calls = Calls::default();
    let noted = calls.clone();
    let answer = move |_: &str, input| noted.answer(input, |_, _| None);
    let (client, _) = held_client(answer, Some(permits));
    let options = ProducerOptions { batch_records_max: 1, ..options() };
    let producer = Producer::start(&client, &options);
    let receipts = send_all(&producer, &["a", "b", "c"]).await;
    settle().await;
    drop(producer);
    let outcomes = outcomes(receipts).await;
    assert!(outcomes[0].is_ok());
    for outcome in &outcomes[1..] {
        let e = outcome.as_ref().unwrap_err();
        assert_eq!((e.kind(), e.message()), (ErrorKind::Broken, "the producer has stopped"));
    }
    assert_eq!(calls.seen(), "a|b", "b may be there, c is not");
}

/// What is sent is what was given; a dropped receipt changes nothing.
#[tokio::test]
async fn entries_are_sent_as_they_are() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = seen.clone();
    let (client, _) = client(move |operation, input| {
        let input = input.downcast::<PutRecordsInput>().unwrap();
        noted.lock().unwrap().push((operation.to_owned(), input.records.clone()));
        let calls = Calls::default();
        calls.answer(input, |_, _| None)
    });
    let producer = Producer::start(&client, &options());
    let hashed = Entry { explicit_hash_key: Some("7".into()), ..entry("k", [0, 255]) };
    drop(producer.send(hashed).await.unwrap());
    let placed = producer.send(entry("k", "")).await.unwrap().await.unwrap();
    assert_eq!((placed.shard_id.as_str(), placed.sequence_number.as_str()), ("shard", "0"));
    producer.finish().await;
    let (operation, records) = seen.lock().unwrap().remove(0);
    assert_eq!(operation, "PutRecords");
    assert_eq!(records[0].data, [0, 255][..]);
    assert_eq!(records[0].partition_key.as_deref(), Some("k"));
    assert_eq!(records[0].explicit_hash_key.as_deref(), Some("7"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Whatever fails on the way: each record once, and with one record a call the order of a key.
    #[test]
    fn a_key_keeps_its_order(
        keys in prop::collection::vec(0_u8..5, 1..24), lanes in 0_usize..5, seed in any::<u64>(),
        batch_records_max in prop_oneof![Just(1_usize), 2..9_usize], percent in 0_u64..60,
    ) {
        let luck = SeededRng::new(seed);
        let written = Arc::new(Mutex::new(BTreeMap::<String, Vec<usize>>::new()));
        let log = written.clone();
        let (client, world) = client(move |_, input| {
            if luck.chance(percent / 2) {
                return refuse(503, "ServiceUnavailableException");
            }
            let keys = input.downcast_ref::<PutRecordsInput>().unwrap().records.clone();
            let key = |data: &str| {
                let of = keys.iter().find(|r| r.data == data.as_bytes()).unwrap();
                of.partition_key.clone().unwrap().to_string()
            };
            Calls::default().answer(input, |_, data| {
                if luck.chance(percent) {
                    return Some(if luck.chance(50) { SLOW } else { DOWN });
                }
                log.lock().unwrap().entry(key(data)).or_default().push(data.parse().unwrap());
                None
            })
        });
        let options = ProducerOptions { lanes, batch_records_max, ..options() };
        let patience = Duration::from_hours(9);
        let options = ProducerOptions { patience, ..options };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let outcomes = runtime.block_on(timed(&world, async {
            let producer = Producer::start(&client, &options);
            let mut receipts = Vec::new();
            for (n, key) in keys.iter().enumerate() {
                let entry = entry(&key.to_string(), n.to_string());
                receipts.push(producer.send(entry).await.unwrap());
            }
            producer.finish().await;
            outcomes(receipts).await
        }));
        prop_assert!(outcomes.iter().all(Result::is_ok));
        for (n, key) in keys.iter().enumerate() {
            let found = &written.lock().unwrap()[&key.to_string()];
            prop_assert_eq!(found.iter().filter(|of| **of == n).count(), 1);
        }
        if batch_records_max == 1 {
            prop_assert!(written.lock().unwrap().values().all(|of| of.is_sorted()));
        }
    }
}
