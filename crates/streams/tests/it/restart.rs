//! The service killed at every commit it makes, once before the commit is stored and once after,
//! and started again.

use crate::house::{House, check_cover, free, run_with};
use api::kinesis::*;
use std::collections::BTreeMap;
use std::time::Duration;
use testkit::script::Stage as _;

const NAME: &str = "s";

/// A life in which every kind of change happens, and records are written between: what a client
/// asks for, and what then is there. A commit may have been stored although its answer was lost.
const LIFE: [(&str, &str); 15] = [
    ("CreateStream StreamName=s ShardCount=2", "summary s = OpenShardCount=2"),
    ("put s a a", ""),
    ("split s 0 85070591730234615865843651857942052864", "summary s = OpenShardCount=3"),
    ("put s b b", ""),
    ("RegisterStreamConsumer StreamARN=$arn ConsumerName=c", IS_CONSUMER_ACTIVE),
    ("merge s 2 3", "summary s = OpenShardCount=2"),
    ("put s c c", ""),
    ("scale s 3", "summary s = OpenShardCount=3"),
    ("put s d d", ""),
    (
        "StartStreamEncryption StreamName=s EncryptionType=KMS KeyId=alias/a",
        "summary s = EncryptionType=KMS",
    ),
    ("put s e e", ""),
    ("DeregisterStreamConsumer StreamARN=$arn ConsumerName=c", "rows kinesis/consumer/ = []"),
    ("scale s 2", "summary s = OpenShardCount=2"),
    ("put s f f", ""),
    ("DeleteStream StreamName=s", "summary s ! ResourceNotFoundException"),
];

const IS_CONSUMER_ACTIVE: &str = "DescribeStreamConsumer StreamARN=$arn ConsumerName=c \
                                  = ConsumerDescription.ConsumerStatus=ACTIVE";

/// What a client knows to have happened.
#[derive(Default)]
struct Known {
    /// Data of acknowledged records.
    records: Vec<&'static str>,
}

#[test]
fn every_change_survives_a_kill_at_any_commit() {
    let commits = commits_of_a_life();
    assert!(commits > 15, "{commits}");
    for at in 0..commits {
        for stored in [false, true] {
            run_with(free(), async |house| {
                house.crash_after(at, stored).await;
                live(house, &format!("killed at commit {at}, stored: {stored}")).await;
            });
        }
    }
}

/// A catalog that is older than the records would hand their logs to other streams.
#[test]
fn records_that_nobody_owns_refuse_the_start() {
    run_with(free(), async |house| {
        assert!(house.open_over_nothing().is_ok(), "no records, no question");
        house.create(NAME, 1).await;
        house.put(NAME, "a", "secret").await.unwrap();
        let refused = house.open_over_nothing().err().unwrap();
        assert_eq!(refused.kind(), store::ErrorKind::Corrupt);
        let said = refused.to_string();
        assert!(
            said.starts_with("log 1 holds records and no row of the catalog names it"),
            "{said}"
        );
        assert_eq!(house.read(NAME, "0").await, ["secret"]);
    });
}

fn commits_of_a_life() -> usize {
    let mut commits = 0;
    run_with(free(), async |house| {
        // As the lives below: opened a second time, so that the first commits are the same.
        house.restart().await;
        live(house, "never killed").await;
        commits = house.catalog.commits();
    });
    commits
}

/// Lives a whole life, starting the service again once it was killed.
async fn live(house: &mut House, what: &str) {
    let mut known = Known::default();
    let mut killed = false;
    for (step, done) in LIFE {
        for attempt in 0.. {
            assert!(attempt < 3, "{what}: {step} never succeeds");
            let outcome = house.act(step).await;
            if let (Some(record), Ok(_)) = (step.strip_prefix("put s "), &outcome) {
                known.records.extend(record.split(' ').next());
            }
            house.rest().await;
            // A background change may have met the end, too: whoever tries in vain has retries
            // left.
            if is_stuck(house).await
                || matches!(&outcome, Err(e) if e.code == "ServiceUnavailableException")
            {
                assert!(!killed, "{what}: {step} {outcome:?}");
                killed = true;
                house.restart().await;
                house.rest().await;
            } else {
                outcome.unwrap_or_else(|e| panic!("{what}: {step} {e:?}"));
            }
            check(house, &known, what).await;
            if done.is_empty() || house.holds(done).await {
                break;
            }
        }
    }
    assert_eq!(house.status(NAME).await, None, "{what}");
    house.pass(Duration::from_secs(1)).await;
    for prefix in [
        "kinesis/stream/",
        "kinesis/shard/",
        "kinesis/consumer/",
        "kinesis/tags/",
        "kinesis/policy/",
        "store/log/",
        "store/removal/",
    ] {
        if killed || !house.rows(prefix).is_empty() {
            house.restart().await;
            house.rest().await;
        }
        assert_eq!(house.rows(prefix), [""; 0], "{what}");
    }
    assert_eq!(house.logs.used_bytes(), 0, "{what}");
}

/// Whether something should have settled and did not.
async fn is_stuck(house: &mut House) -> bool {
    let consumers = house.rows("kinesis/consumer/").len();
    let passing = !matches!(house.status(NAME).await, None | Some(StreamStatus::Active));
    passing || (consumers > 0 && !house.holds(IS_CONSUMER_ACTIVE).await)
}

/// Shards without a hole, every acknowledged record once, nothing of a deleted stream.
async fn check(house: &House, known: &Known, what: &str) {
    if house.status(NAME).await.is_none() {
        let any = house.rows("kinesis/shard/").len() + house.rows("kinesis/consumer/").len();
        assert_eq!(any, 0, "{what}: rows without a stream");
        return;
    }
    let shards = house.shards(NAME).await;
    check_cover(&shards);
    let mut found: BTreeMap<String, u32> = BTreeMap::new();
    for shard in &shards {
        for data in house.read(NAME, &shard.shard_id).await {
            *found.entry(data).or_default() += 1;
        }
    }
    for data in &known.records {
        assert_eq!(found.get(*data), Some(&1), "{what}: record {data} in {found:?}");
    }
}
