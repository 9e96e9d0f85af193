//! Reading by polling: iterators, portions, the end of a shard, what a shard gives per second.

use crate::plane::{
    MIB, World, check_end, cx, get_input, iterator_input, put_input, refused, run, run_unlimited,
    texts,
};
use api::kinesis::*;
use api::{Text, Timestamp};
use base::env::Clock;
use std::collections::HashSet;
use std::time::Duration;

const FIRST: &str = "shardId-000000000000";
const INVALID: &str = "InvalidArgumentException";
const NOT_FOUND: &str = "ResourceNotFoundException";
const BAD_ITERATOR: &str = "Invalid ShardIterator.";

/// A stream of one shard with records `0` .. `n`, a second apart; their numbers.
async fn stream_of(world: &World, n: usize) -> Vec<Text> {
    world.create("s", 1).await;
    let mut numbers = Vec::new();
    for i in 0..n {
        numbers.push(world.put("s", "k", i.to_string().as_bytes()).await.unwrap().sequence_number);
        world.pass(Duration::from_secs(1)).await;
    }
    numbers
}

/// What an iterator of this request reads.
async fn read(world: &World, input: GetShardIteratorInput) -> Vec<String> {
    let iterator = world.iterator_of(input).await.unwrap();
    let output = world.get(&iterator).await.unwrap();
    texts(&output.records).into_iter().map(str::to_owned).collect()
}

fn at(kind: ShardIteratorType, number: &str) -> GetShardIteratorInput {
    let mut input = iterator_input("s", FIRST, kind);
    input.starting_sequence_number = Some(number.into());
    input
}

fn at_time(ms: i64) -> GetShardIteratorInput {
    let mut input = iterator_input("s", FIRST, ShardIteratorType::AtTimestamp);
    input.timestamp = Some(Timestamp(ms));
    input
}

async fn start_of(world: &World, shard: usize) -> Text {
    world.shards("s").await[shard].sequence_number_range.starting_sequence_number.clone()
}

#[test]
fn five_types_of_iterators() {
    run_unlimited(async |world| {
        let start_ms = testkit::env::START_MS;
        let numbers = stream_of(world, 5).await;
        let of = |kind| iterator_input("s", FIRST, kind);
        assert_eq!(
            read(world, of(ShardIteratorType::TrimHorizon)).await,
            ["0", "1", "2", "3", "4"]
        );
        assert!(read(world, of(ShardIteratorType::Latest)).await.is_empty());
        let number = &numbers[2];
        assert_eq!(
            read(world, at(ShardIteratorType::AtSequenceNumber, number)).await,
            ["2", "3", "4"]
        );
        assert_eq!(
            read(world, at(ShardIteratorType::AfterSequenceNumber, number)).await,
            ["3", "4"]
        );
        let records = world.drain("s", FIRST).await;
        let Timestamp(third_ms) = records[2].approximate_arrival_timestamp.unwrap();
        assert_eq!(read(world, at_time(third_ms)).await, ["2", "3", "4"]);
        assert_eq!(read(world, at_time(third_ms + 1)).await, ["3", "4"]);
        assert_eq!(read(world, at_time(start_ms - 86_400_000)).await.len(), 5);
        assert_eq!(read(world, at_time(-1)).await.len(), 5);
        let now_ms = start_ms + i64::try_from(base_ms(world)).unwrap();
        assert!(read(world, at_time(now_ms)).await.is_empty());
    });
}

fn base_ms(world: &World) -> u128 {
    base::env::Clock::monotonic(world.clock()).as_millis()
}

#[test]
fn the_starting_number_of_an_empty_shard_is_a_place() {
    run_unlimited(async |world| {
        world.create("s", 1).await;
        let start = start_of(world, 0).await;
        for kind in [ShardIteratorType::AtSequenceNumber, ShardIteratorType::AfterSequenceNumber] {
            let iterator = world.iterator_of(at(kind, &start)).await.unwrap();
            world.put("s", "k", b"x").await.unwrap();
            let output = world.get(&iterator).await.unwrap();
            assert_eq!(texts(&output.records).last(), Some(&"x"));
        }
        assert_eq!(read(world, at(ShardIteratorType::AfterSequenceNumber, &start)).await.len(), 2);
    });
}

#[test]
fn a_number_that_the_shard_has_not_reached_means_its_tip() {
    run_unlimited(async |world| {
        let numbers = stream_of(world, 2).await;
        // Record index 0x100 of this shard.
        let ahead: u128 = 0xff << 80;
        let (high, low) = numbers[1].split_at(20);
        let low = low.parse::<u128>().unwrap() + ahead;
        let number = format!("{high}{low:036}");
        let iterator =
            world.iterator_of(at(ShardIteratorType::AtSequenceNumber, &number)).await.unwrap();
        world.put("s", "k", b"next").await.unwrap();
        assert_eq!(texts(&world.get(&iterator).await.unwrap().records), ["next"]);
    });
}

#[test]
fn latest_is_fixed_when_the_iterator_is_made() {
    run_unlimited(async |world| {
        stream_of(world, 1).await;
        let iterator = world.iterator("s", FIRST, ShardIteratorType::Latest).await;
        world.put("s", "k", b"later").await.unwrap();
        for _ in 0..2 {
            assert_eq!(texts(&world.get(&iterator).await.unwrap().records), ["later"]);
        }
    });
}

async fn no_iterator(world: &World, input: GetShardIteratorInput, code: &str, message: &str) {
    refused(world.iterator_of(input).await, code, message);
}

#[test]
fn types_and_numbers_must_fit() {
    run(async |world| {
        let numbers = stream_of(world, 1).await;
        let rule = "Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and \
                    StartingSequenceNumber or (2) TRIM_HORIZON or LATEST and no \
                    StartingSequenceNumber. Request specified";
        for kind in [ShardIteratorType::AtSequenceNumber, ShardIteratorType::AfterSequenceNumber] {
            let message = format!("{rule} {} and no StartingSequenceNumber.", kind.as_str());
            no_iterator(world, iterator_input("s", FIRST, kind), INVALID, &message).await;
        }
        for kind in [ShardIteratorType::TrimHorizon, ShardIteratorType::Latest] {
            let message = format!("{rule} {} and also a StartingSequenceNumber.", kind.as_str());
            no_iterator(world, at(kind, &numbers[0]), INVALID, &message).await;
        }
        no_iterator(
            world,
            iterator_input("s", FIRST, ShardIteratorType::AtTimestamp),
            INVALID,
            "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. Current \
             request has no timestamp parameter.",
        )
        .await;
        let now_ms = testkit::env::START_MS + i64::try_from(base_ms(world)).unwrap();
        let message = format!(
            "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. \
             timestampInMillis: {}, currentTimestampInMillis: {now_ms}",
            now_ms + 1
        );
        no_iterator(world, at_time(now_ms + 1), INVALID, &message).await;
    });
}

#[test]
fn numbers_of_others_are_refused() {
    run(async |world| {
        world.create("s", 2).await;
        world.pass(Duration::from_secs(10)).await;
        world.create("t", 1).await;
        let other_shard = start_of(world, 1).await;
        no_iterator(
            world,
            at(ShardIteratorType::AtSequenceNumber, &other_shard),
            INVALID,
            "Invalid StartingSequenceNumber. It encodes shardId-000000000001, while it was used in \
             a call to a shard with shardId-000000000000",
        )
        .await;
        let foreign = world.put("t", "k", b"x").await.unwrap().sequence_number;
        let message = format!(
            "StartingSequenceNumber {foreign} used in GetShardIterator on shard \
             shardId-000000000000 in stream s under account 000000000000 is invalid because it did \
             not come from this stream."
        );
        let input = at(ShardIteratorType::AfterSequenceNumber, &foreign);
        no_iterator(world, input, INVALID, &message).await;
    });
}

#[test]
fn shards_that_do_not_exist() {
    run(async |world| {
        world.create("s", 1).await;
        let latest = ShardIteratorType::Latest;
        for (stream, shard, message) in [
            (
                "s",
                "5",
                "Shard shardId-000000000005 in stream s under account 000000000000 does not exist",
            ),
            (
                "s",
                "x-2147483648",
                "Could not find shard x-2147483648 in stream s under account 000000000000.",
            ),
            ("s", "2.14E4", "Could not find shard 2.14E4 in stream s under account 000000000000."),
            (
                "t",
                "0",
                "Shard shardId-000000000000 in stream t under account 000000000000 does not exist",
            ),
            ("t", "ABC", "Could not find shard ABC in stream t under account 000000000000."),
        ] {
            no_iterator(world, iterator_input(stream, shard, latest), NOT_FOUND, message).await;
        }
        for shard in ["0", "x-0", "shardId-0", "-0"] {
            world.iterator("s", shard, latest).await;
            world.pass(Duration::from_secs(1)).await;
        }
    });
}

#[test]
fn every_answer_has_another_iterator() {
    run_unlimited(async |world| {
        stream_of(world, 3).await;
        let mut seen = HashSet::new();
        let mut at = world.iterator("s", FIRST, ShardIteratorType::TrimHorizon).await;
        for _ in 0..10 {
            assert!(at.len() <= 512);
            assert!(seen.insert(at.clone()), "an iterator twice");
            let mut input = get_input(&at);
            input.limit = Some(1);
            let output = world.streams.get_records(&world.cx, input).await.unwrap();
            check_end(&output);
            at = output.next_shard_iterator.unwrap();
        }
        assert!(world.get(&at).await.unwrap().records.is_empty());
    });
}

#[test]
fn limits_of_one_call() {
    run_unlimited(async |world| {
        world.create("s", 1).await;
        for _ in 0..24 {
            let records = (0..500).map(|_| crate::plane::entry("k", b"x")).collect();
            world.put_all("s", records).await.unwrap();
        }
        let at = world.iterator("s", FIRST, ShardIteratorType::TrimHorizon).await;
        let mut input = get_input(&at);
        input.limit = Some(7);
        let output = world.streams.get_records(&world.cx, input.clone()).await.unwrap();
        assert_eq!(output.records.len(), 7);
        input.limit = None;
        let output = world.streams.get_records(&world.cx, input).await.unwrap();
        assert_eq!(output.records.len(), 10_000);
        let output = world.get(&output.next_shard_iterator.unwrap()).await.unwrap();
        assert_eq!((output.records.len(), output.millis_behind_latest), (2000, Some(0)));
    });
}

#[test]
fn ten_mebibytes_of_one_call() {
    run_unlimited(async |world| {
        world.create("s", 1).await;
        for _ in 0..12 {
            world.put("s", "k", &vec![0; MIB - 1]).await.unwrap();
        }
        let at = world.iterator("s", FIRST, ShardIteratorType::TrimHorizon).await;
        let output = world.get(&at).await.unwrap();
        assert_eq!(output.records.len(), 10);
        let output = world.get(&output.next_shard_iterator.unwrap()).await.unwrap();
        assert_eq!(output.records.len(), 2);
    });
}

#[test]
fn iterators_expire_after_five_minutes() {
    run(async |world| {
        world.create("s", 1).await;
        let at = world.iterator("s", FIRST, ShardIteratorType::Latest).await;
        world.pass(Duration::from_mins(5)).await;
        world.get(&at).await.unwrap();
        world.pass(Duration::from_millis(1)).await;
        let e = world.get(&at).await.unwrap_err();
        assert_eq!(e.code(), "ExpiredIteratorException");
        let want = "Iterator expired. The iterator was created at time Thu Jan 01 00:00:0";
        assert!(e.message().starts_with(want), "{}", e.message());
        assert!(e.message().ends_with("tolerated delay of 300000 milliseconds."));
    });
}

#[test]
fn a_clock_set_back_does_not_end_iterators() {
    run(async |world| {
        world.create("s", 1).await;
        let at = world.iterator("s", FIRST, ShardIteratorType::Latest).await;
        world.clock().jump_by(-86_400_000);
        world.put("s", "k", b"x").await.unwrap();
        let output = world.get(&at).await.unwrap();
        assert_eq!(texts(&output.records), ["x"]);
        let newest = output.records[0].approximate_arrival_timestamp.unwrap();
        assert_eq!(
            read(world, at_time(newest.0)).await,
            ["x"],
            "a time of the shard's own records"
        );
    });
}

#[test]
fn iterators_cannot_be_forged_or_carried_away() {
    run(async |world| {
        world.create("s", 1).await;
        world.create("t", 1).await;
        let at = world.iterator("s", FIRST, ShardIteratorType::Latest).await;
        let (most, _) = at.split_at(at.len() - 4);
        for text in ["", "x", "AAAAAAAAAAE=", most, &format!("{at}AAAA")] {
            refused(world.get(&text.into()).await, INVALID, BAD_ITERATOR);
        }
        world.get(&format!("\"{at}\"").as_str().into()).await.unwrap();
        let mut input = get_input(&at);
        input.stream_arn = Some(world.summary("s").await.unwrap().stream_arn);
        world.streams.get_records(&world.cx, input.clone()).await.unwrap();
        let other_arn = world.summary("t").await.unwrap().stream_arn;
        let message = format!("The ShardIterator is not one of StreamARN {other_arn}.");
        input.stream_arn = Some(other_arn);
        let outcome = world.streams.get_records(&world.cx, input).await;
        refused(outcome, INVALID, &message);
    });
}

#[test]
fn another_account_has_no_use_for_an_iterator() {
    run(async |world| {
        world.create("s", 1).await;
        let at = world.iterator("s", FIRST, ShardIteratorType::Latest).await;
        let outcome = world.streams.get_records(&cx("111122223333"), get_input(&at)).await;
        assert_eq!(outcome.unwrap_err().code(), "AccessDeniedException");
        let mut elsewhere = world.cx.clone();
        elsewhere.region = base::Region::parse("eu-west-1").unwrap();
        let outcome = world.streams.get_records(&elsewhere, get_input(&at)).await;
        refused(outcome, INVALID, BAD_ITERATOR);
    });
}

#[test]
fn iterators_of_deleted_streams() {
    run(async |world| {
        world.create("s", 1).await;
        let at = world.iterator("s", FIRST, ShardIteratorType::Latest).await;
        world.delete("s").await;
        let message = "Shard shardId-000000000000 in stream s under account 000000000000 does not \
                       exist";
        refused(world.get(&at).await, NOT_FOUND, message);
        world.create("s", 1).await;
        let output = world.get(&at).await.unwrap();
        assert!(output.records.is_empty() && output.next_shard_iterator.is_some());
        // All that the new stream has is newer.
        world.put("s", "k", b"new").await.unwrap();
        assert_eq!(texts(&world.get(&at).await.unwrap().records), ["new"]);

        world.create("t", 2).await;
        let second = "shardId-000000000001";
        let at = world.iterator("t", second, ShardIteratorType::Latest).await;
        world.delete("t").await;
        world.create("t", 1).await;
        let message = "Shard shardId-000000000001 in stream t under account 000000000000 does not \
                       exist";
        refused(world.get(&at).await, NOT_FOUND, message);
    });
}

#[test]
fn iterators_outlive_a_restart() {
    crate::house::run(async |house| {
        house.create("s", 1).await;
        let input = iterator_input("s", FIRST, ShardIteratorType::Latest);
        let output = house.streams.get_shard_iterator(&house.cx, input).await.unwrap();
        let at = output.shard_iterator.unwrap();
        house.put("s", "k", "x").await.unwrap();
        house.restart().await;
        let output = house.streams.get_records(&house.cx, get_input(&at)).await.unwrap();
        assert_eq!(texts(&output.records), ["x"]);
    });
}

#[test]
fn how_far_behind_a_reader_is() {
    run_unlimited(async |world| {
        stream_of(world, 3).await;
        let mut at = world.iterator("s", FIRST, ShardIteratorType::TrimHorizon).await;
        let mut behind = Vec::new();
        for _ in 0..4 {
            let mut input = get_input(&at);
            input.limit = Some(1);
            let output = world.streams.get_records(&world.cx, input).await.unwrap();
            behind.push(output.millis_behind_latest.unwrap());
            at = output.next_shard_iterator.unwrap();
        }
        assert_eq!(behind, [3000, 2000, 0, 0]);
    });
}

#[test]
fn records_show_what_was_written() {
    run(async |world| {
        world.create("s", 1).await;
        let before_ms = testkit::env::START_MS + i64::try_from(base_ms(world)).unwrap();
        let put = world.put("s", "schlüssel", b"\0\xff").await.unwrap();
        let record = world.drain("s", FIRST).await.remove(0);
        assert_eq!(record.sequence_number, put.sequence_number);
        assert_eq!(record.partition_key.as_deref(), Some("schlüssel"));
        assert_eq!(&record.data[..], b"\0\xff");
        assert_eq!(record.approximate_arrival_timestamp, Some(Timestamp(before_ms)));
        assert_eq!(record.encryption_type, None);
    });
}

#[test]
fn a_closed_shard_ends_with_its_children() {
    run_unlimited(async |world| {
        stream_of(world, 3).await;
        let old = world.iterator("s", FIRST, ShardIteratorType::Latest).await;
        world.split("s", FIRST).await;
        world.active("s").await;
        world.put("s", "k", b"child").await.unwrap();

        let mut at = world.iterator("s", FIRST, ShardIteratorType::TrimHorizon).await;
        for want in ["0", "1"] {
            let mut input = get_input(&at);
            input.limit = Some(1);
            let output = world.streams.get_records(&world.cx, input).await.unwrap();
            assert_eq!(texts(&output.records), [want]);
            check_end(&output);
            at = output.next_shard_iterator.unwrap();
        }
        let output = world.get(&at).await.unwrap();
        assert_eq!(texts(&output.records), ["2"]);
        check_end(&output);
        let children = output.child_shards.unwrap();
        let shards = world.shards("s").await;
        assert_eq!(children.len(), 2);
        for (child, shard) in children.iter().zip(&shards[1..]) {
            assert_eq!(child.shard_id, shard.shard_id);
            assert_eq!(child.parent_shards, [FIRST]);
            assert_eq!(child.hash_key_range, shard.hash_key_range);
        }

        for at in [old, world.iterator("s", FIRST, ShardIteratorType::Latest).await] {
            world.pass(Duration::from_secs(2)).await;
            let output = world.get(&at).await.unwrap();
            assert!(output.records.is_empty() && output.next_shard_iterator.is_none());
            assert_eq!(output.child_shards.unwrap().len(), 2);
            assert!(output.millis_behind_latest.unwrap() >= 2000, "counted from the close");
        }
        let end = shards[0].sequence_number_range.ending_sequence_number.clone().unwrap();
        for kind in [ShardIteratorType::AtSequenceNumber, ShardIteratorType::AfterSequenceNumber] {
            let at = world.iterator_of(at_end(kind, &end)).await.unwrap();
            let output = world.get(&at).await.unwrap();
            assert!(output.records.is_empty());
            check_end(&output);
            assert!(output.next_shard_iterator.is_none());
        }
    });
}

fn at_end(kind: ShardIteratorType, number: &str) -> GetShardIteratorInput {
    at(kind, number)
}

#[test]
fn a_merged_shard_names_both_parents() {
    run_unlimited(async |world| {
        world.create("s", 2).await;
        world.merge("s", FIRST, "shardId-000000000001").await;
        world.active("s").await;
        for parent in [FIRST, "shardId-000000000001"] {
            let at = world.iterator("s", parent, ShardIteratorType::TrimHorizon).await;
            let output = world.get(&at).await.unwrap();
            check_end(&output);
            let children = output.child_shards.unwrap();
            assert_eq!(children.len(), 1);
            assert_eq!(children[0].shard_id, "shardId-000000000002");
            assert_eq!(children[0].parent_shards, [FIRST, "shardId-000000000001"]);
            assert_eq!(children[0].hash_key_range.starting_hash_key, "0");
        }
    });
}

#[test]
fn trimmed_places_move_to_the_horizon() {
    run_unlimited(async |world| {
        let numbers = stream_of(world, 2).await;
        let start_ms = testkit::env::START_MS;
        for _ in 0..25 {
            world.pass(Duration::from_hours(1)).await;
        }
        world.put("s", "k", b"new").await.unwrap();
        for _ in 0..20 {
            world.pass(Duration::from_secs(10)).await;
        }
        let of = |kind| iterator_input("s", FIRST, kind);
        assert_eq!(read(world, of(ShardIteratorType::TrimHorizon)).await, ["new"]);
        assert_eq!(
            read(world, at(ShardIteratorType::AtSequenceNumber, &numbers[0])).await,
            ["new"]
        );
        assert_eq!(
            read(world, at(ShardIteratorType::AfterSequenceNumber, &numbers[0])).await,
            ["new"]
        );
        assert_eq!(read(world, at_time(start_ms)).await, ["new"]);
    });
}

#[test]
fn an_iterator_that_retention_overtook_reads_on() {
    run_unlimited(async |world| {
        world.create("s", 1).await;
        world.put("s", "k", b"old").await.unwrap();
        for _ in 0..24 {
            world.pass(Duration::from_hours(1)).await;
        }
        world.clock().advance(Duration::from_millis(1));
        let at = world.iterator("s", FIRST, ShardIteratorType::TrimHorizon).await;
        world.put("s", "k", b"new").await.unwrap();
        for _ in 0..20 {
            world.pass(Duration::from_secs(10)).await;
        }
        assert_eq!(texts(&world.get(&at).await.unwrap().records), ["new"]);
    });
}

const THROTTLED: &str = "ProvisionedThroughputExceededException";
const THROTTLED_TEXT: &str = "Rate exceeded for Shard - 000000000000/s/shardId-000000000000";

#[test]
fn five_reads_and_five_iterators_a_second() {
    run(async |world| {
        world.create("s", 1).await;
        let at = world.iterator("s", FIRST, ShardIteratorType::Latest).await;
        for _ in 0..5 {
            world.get(&at).await.unwrap();
        }
        refused(world.get(&at).await, THROTTLED, THROTTLED_TEXT);
        for _ in 0..4 {
            world.iterator("s", FIRST, ShardIteratorType::Latest).await;
        }
        let latest = iterator_input("s", FIRST, ShardIteratorType::Latest);
        refused(world.iterator_of(latest.clone()).await, THROTTLED, THROTTLED_TEXT);
        world.pass(Duration::from_millis(200)).await;
        world.get(&at).await.unwrap();
        world.iterator_of(latest).await.unwrap();
        let throttled = "millweir_kinesis_throttled_total{account=\"000000000000\",\
                         region=\"us-east-1\",stream=\"s\",shard=\"shardId-000000000000\",\
                         direction=\"read\",limit=\"calls\"}";
        assert_eq!(world.metric(throttled), Some(2.0));
    });
}

#[test]
fn ten_mebibytes_stop_a_shard_for_five_seconds() {
    run(async |world| {
        world.create("s", 1).await;
        for _ in 0..11 {
            world.put("s", "k", &vec![0; MIB - 1]).await.unwrap();
            world.pass(Duration::from_secs(1)).await;
        }
        let at = world.iterator("s", FIRST, ShardIteratorType::TrimHorizon).await;
        let output = world.get(&at).await.unwrap();
        assert_eq!(output.records.len(), 10);
        let at = output.next_shard_iterator.unwrap();
        refused(world.get(&at).await, THROTTLED, THROTTLED_TEXT);
        world.pass(Duration::from_millis(4_990)).await;
        refused(world.get(&at).await, THROTTLED, THROTTLED_TEXT);
        world.pass(Duration::from_millis(10)).await;
        assert_eq!(world.get(&at).await.unwrap().records.len(), 1);
    });
}

#[test]
fn dry_runs_read_nothing() {
    run(async |world| {
        world.create("s", 1).await;
        let message = "Request would have succeeded, but the DryRun parameter is set.";
        let mut input = iterator_input("s", FIRST, ShardIteratorType::Latest);
        input.dry_run = Some(true);
        refused(world.iterator_of(input).await, "DryRunOperationException", message);
        let at = world.iterator("s", FIRST, ShardIteratorType::Latest).await;
        let mut input = get_input(&at);
        input.dry_run = Some(true);
        for _ in 0..10 {
            let outcome = world.streams.get_records(&world.cx, input.clone()).await;
            refused(outcome, "DryRunOperationException", message);
        }
        world.get(&at).await.unwrap();
    });
}

#[test]
fn a_stream_is_named_by_its_arn_as_well() {
    run(async |world| {
        world.create("s", 1).await;
        let arn = world.summary("s").await.unwrap().stream_arn;
        let mut input = put_input("s", "k", b"x");
        (input.stream_name, input.stream_arn) = (None, Some(arn.clone()));
        world.streams.put_record(&world.cx, input).await.unwrap();
        let mut input = iterator_input("s", FIRST, ShardIteratorType::TrimHorizon);
        (input.stream_name, input.stream_arn) = (None, Some(arn));
        assert_eq!(read(world, input).await, ["x"]);
    });
}

/// The seconds of a sequence number: of its shard's making, and its own. Hex digits 1 to 9 and 29 to
/// 37 of 47.
fn seconds(number: &str) -> (i64, i64) {
    let mut digits: Vec<u32> = number.chars().map(|c| c.to_digit(10).unwrap()).collect();
    let mut hex = String::new();
    for _ in 0..47 {
        let mut rest = 0;
        for d in &mut digits {
            let n = rest * 10 + *d;
            (*d, rest) = (n / 16, n % 16);
        }
        hex.insert(0, char::from_digit(rest, 16).unwrap());
    }
    let second = |from: usize| i64::from_str_radix(hex.get(from..from + 9).unwrap(), 16).unwrap();
    (second(1), second(29))
}

#[test]
fn a_new_stream_is_some_seconds_old() {
    run(async |world| {
        world.create("s", 1).await;
        let start = &world.shards("s").await[0].sequence_number_range.starting_sequence_number;
        let age_s = world.clock().now_ms() / 1000 - seconds(start).0;
        assert!((2..=7).contains(&age_s), "{age_s}");
    });
}

#[test]
fn nothing_arrives_before_its_shard_is_made() {
    run(async |world| {
        world.create("s", 1).await;
        world.split("s", FIRST).await;
        world.active("s").await;
        let put = world.put("s", "k", b"early").await.unwrap();
        let (created_s, arrival_s) = seconds(&put.sequence_number);
        assert!(created_s > world.clock().now_ms() / 1000, "a child follows its parent");
        assert_eq!(arrival_s, created_s);
        let records = world.drain("s", &put.shard_id).await;
        let shown = records[0].approximate_arrival_timestamp.unwrap();
        assert_eq!(
            (&records[0].sequence_number, shown.0),
            (&put.sequence_number, created_s * 1000)
        );
        let mut input = iterator_input("s", &put.shard_id, ShardIteratorType::AtTimestamp);
        input.timestamp = Some(shown);
        assert_eq!(read(world, input).await, ["early"], "found by the time that it shows");
    });
}
