//! The service killed at every commit it makes, once before the commit is stored and once after,
//! and started again.

use crate::house::*;
use api::kinesis::*;
use std::collections::BTreeMap;
use std::time::Duration;
use streams::Options;

const NAME: &str = "s";

/// One thing a client asks for.
#[derive(Clone, Copy, Debug)]
enum Step {
    Create,
    Put(&'static str),
    Split(&'static str, u128),
    Merge(&'static str, &'static str),
    Scale(i32),
    Encrypt,
    Register,
    Deregister,
    Delete,
}

/// A life in which every kind of change happens, and records are written between.
const LIFE: [Step; 15] = [
    Step::Create,
    Step::Put("a"),
    Step::Split("0", 1 << 126),
    Step::Put("b"),
    Step::Register,
    Step::Merge("2", "3"),
    Step::Put("c"),
    Step::Scale(3),
    Step::Put("d"),
    Step::Encrypt,
    Step::Put("e"),
    Step::Deregister,
    Step::Scale(2),
    Step::Put("f"),
    Step::Delete,
];

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
            run_with(options(), async |house| {
                house.crash_after(at, stored).await;
                live(house, &format!("killed at commit {at}, stored: {stored}")).await;
            });
        }
    }
}

/// A catalog that is older than the records would hand their logs to other streams.
#[test]
fn records_that_nobody_owns_refuse_the_start() {
    run_with(options(), async |house| {
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

fn options() -> Options {
    Options { scaling_limits: false, ..Options::default() }
}

fn commits_of_a_life() -> usize {
    let mut commits = 0;
    run_with(options(), async |house| {
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
    for step in LIFE {
        for attempt in 0.. {
            assert!(attempt < 3, "{what}: {step:?} never succeeds");
            let outcome = try_step(house, step, &mut known).await;
            house.rest().await;
            // A background change may have met the end, too: whoever tries in vain has retries
            // left.
            if is_stuck(house).await || matches!(&outcome, Err(e) if is_down(e)) {
                assert!(!killed, "{what}: {step:?} {outcome:?}");
                killed = true;
                house.restart().await;
                house.rest().await;
            } else {
                outcome.unwrap_or_else(|e| panic!("{what}: {step:?} {e:?}"));
            }
            check(house, &known, what).await;
            if is_done(house, step).await {
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

fn is_down(e: &Error) -> bool {
    e.code() == "ServiceUnavailableException"
}

/// Whether something should have settled and did not.
async fn is_stuck(house: &House) -> bool {
    let consumers = house.rows("kinesis/consumer/").len();
    let passing = !matches!(house.status(NAME).await, None | Some(StreamStatus::Active));
    passing || (consumers > 0 && consumer(house).await != Some(ConsumerStatus::Active))
}

async fn consumer(house: &House) -> Option<ConsumerStatus> {
    let input = DescribeStreamConsumerInput {
        stream_arn: Some(stream_arn(NAME)),
        consumer_name: Some("c".into()),
        ..DescribeStreamConsumerInput::default()
    };
    let output = house.streams.describe_stream_consumer(&house.cx, input).await.ok()?;
    Some(output.consumer_description.consumer_status)
}

async fn try_step(house: &House, step: Step, known: &mut Known) -> Result<(), Error> {
    match step {
        Step::Create => house.streams.create_stream(&house.cx, create(NAME, 2)).await,
        Step::Put(data) => {
            house.put(NAME, data, data).await?;
            known.records.push(data);
            Ok(())
        }
        Step::Split(shard, at) => house.split(NAME, shard, at).await,
        Step::Merge(lower, upper) => house.merge(NAME, lower, upper).await,
        Step::Scale(target) => house.scale(NAME, target).await.map(drop),
        Step::Encrypt => {
            let input = StartStreamEncryptionInput {
                stream_name: Some(NAME.into()),
                encryption_type: EncryptionType::Kms,
                key_id: "alias/a".into(),
                ..StartStreamEncryptionInput::default()
            };
            house.streams.start_stream_encryption(&house.cx, input).await
        }
        Step::Register => house.register(NAME, "c").await.map(drop),
        Step::Deregister => {
            let input = DeregisterStreamConsumerInput {
                stream_arn: Some(stream_arn(NAME)),
                consumer_name: Some("c".into()),
                ..DeregisterStreamConsumerInput::default()
            };
            house.streams.deregister_stream_consumer(&house.cx, input).await
        }
        Step::Delete => house.delete(NAME).await,
    }
}

/// Whether what the step asks for is there; its commit may have been stored although its answer was
/// lost.
async fn is_done(house: &House, step: Step) -> bool {
    let open = house.summary(NAME).await.map_or(0, |summary| summary.open_shard_count);
    match step {
        Step::Create | Step::Merge(..) => open == 2,
        Step::Put(_) => true,
        Step::Split(..) => open == 3,
        Step::Scale(target) => open == target,
        Step::Encrypt => {
            let shown = house.summary(NAME).await.unwrap();
            shown.encryption_type == Some(EncryptionType::Kms)
        }
        Step::Register => consumer(house).await == Some(ConsumerStatus::Active),
        Step::Deregister => house.rows("kinesis/consumer/").is_empty(),
        Step::Delete => house.status(NAME).await.is_none(),
    }
}

/// Shards without a hole, every acknowledged record once, nothing of a deleted stream.
async fn check(house: &House, known: &Known, what: &str) {
    if house.status(NAME).await.is_none() {
        let any = house.rows("kinesis/shard/").len() + house.rows("kinesis/consumer/").len();
        assert_eq!(any, 0, "{what}: rows without a stream");
        return;
    }
    let shards = house.list(NAME, None).await;
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
