//! Writing: where records go, what is refused, what a shard takes per second.

use crate::plane::{
    MIB, World, entry, half_split, put_input, refused, run, run_unlimited, run_with,
    subscribe_input, texts,
};
use api::Text;
use api::kinesis::*;
use std::time::Duration;
use store::memory::MemoryOptions;
use streams::Options;

const FIRST: &str = "shardId-000000000000";
const SECOND: &str = "shardId-000000000001";
const MAX_HASH: &str = "340282366920938463463374607431768211455";

fn sequence(number: &Text) -> &str {
    assert_eq!(number.len(), 56, "{number}");
    number.as_str()
}

#[test]
fn a_record_goes_to_the_shard_of_its_hash_key() {
    run_unlimited(async |world| {
        world.create("s", 2).await;
        let first_end = "170141183460469231731687303715884105727";
        let second_start = "170141183460469231731687303715884105728";
        for (hash_key, shard) in
            [("0", FIRST), (first_end, FIRST), (second_start, SECOND), (MAX_HASH, SECOND)]
        {
            let mut input = put_input("s", "a", b"x");
            input.explicit_hash_key = Some(hash_key.into());
            let output = world.streams.put_record(&world.cx, input).await.unwrap();
            assert_eq!(output.shard_id, shard, "{hash_key}");
            assert_eq!(output.encryption_type, None);
        }
        // MD5 of `a` begins with 0c, of `b` with 92.
        assert_eq!(world.put("s", "a", b"x").await.unwrap().shard_id, FIRST);
        assert_eq!(world.put("s", "b", b"x").await.unwrap().shard_id, SECOND);
    });
}

#[test]
fn an_explicit_hash_key_is_below_two_to_the_128() {
    run(async |world| {
        world.create("s", 1).await;
        let number = "340282366920938463463374607431768211456";
        let message = format!(
            "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. \
             Specified value was {number}"
        );
        let mut input = put_input("s", "a", b"x");
        input.explicit_hash_key = Some(number.into());
        let outcome = world.streams.put_record(&world.cx, input).await;
        refused(outcome, "InvalidArgumentException", &message);
        let mut second = entry("a", b"x");
        second.explicit_hash_key = Some(number.into());
        let outcome = world.put_all("s", vec![entry("a", b"x"), second]).await;
        refused(outcome, "InvalidArgumentException", &message);
        assert!(world.drain("s", FIRST).await.is_empty(), "a malformed entry fails the whole call");
    });
}

#[test]
fn unknown_streams_are_named_in_the_refusal() {
    run(async |world| {
        let message = "Stream nope under account 000000000000 not found.";
        refused(world.put("nope", "a", b"x").await, "ResourceNotFoundException", message);
        let outcome = world.put_all("nope", vec![entry("a", b"x")]).await;
        refused(outcome, "ResourceNotFoundException", message);
    });
}

#[test]
fn a_stream_in_creation_is_not_found() {
    run(async |world| {
        let input = CreateStreamInput { stream_name: "s".into(), ..CreateStreamInput::default() };
        world.streams.create_stream(&world.cx, input).await.unwrap();
        let outcome = world.put("s", "a", b"x").await;
        let message = "Stream s under account 000000000000 not found.";
        refused(outcome, "ResourceNotFoundException", message);
        world.active("s").await;
        world.put("s", "a", b"x").await.unwrap();
    });
}

#[test]
fn a_record_counts_its_partition_key() {
    run(async |world| {
        world.create("s", 1).await;
        world.put("s", "k", &vec![0; MIB - 1]).await.unwrap();
        let outcome = world.put("s", "kk", &vec![0; MIB - 1]).await;
        refused(
            outcome,
            "InvalidArgumentException",
            "Record size of 1048577 bytes, partition key included, exceeds the limit of 1048576 \
             bytes",
        );
        let outcome = world.put("s", "k", &vec![0; MIB + 1]).await;
        refused(
            outcome,
            "ValidationException",
            "1 validation error detected: Value at 'data' failed to satisfy constraint: Member \
             must have length less than or equal to 1048576",
        );
        let outcome =
            world.put_all("s", vec![entry("k", b""), entry("k", &vec![0; MIB + 1])]).await;
        refused(
            outcome,
            "ValidationException",
            "1 validation error detected: Value at 'records.2.member.data' failed to satisfy \
             constraint: Member must have length less than or equal to 1048576",
        );
    });
}

#[test]
fn a_partition_key_is_required() {
    run(async |world| {
        world.create("s", 1).await;
        let mut input = put_input("s", "a", b"x");
        input.partition_key = None;
        let outcome = world.streams.put_record(&world.cx, input).await;
        refused(
            outcome,
            "ValidationException",
            "1 validation error detected: Value null at 'partitionKey' failed to satisfy \
             constraint: Member must not be null",
        );
        let nameless = PutRecordsRequestEntry { partition_key: None, ..entry("a", b"x") };
        refused(
            world.put_all("s", vec![nameless]).await,
            "ValidationException",
            "1 validation error detected: Value null at 'records.1.member.partitionKey' failed to \
             satisfy constraint: Member must not be null",
        );
    });
}

#[test]
fn all_entries_that_break_a_rule_are_told_of() {
    run(async |world| {
        world.create("s", 1).await;
        let nameless = PutRecordsRequestEntry { partition_key: None, ..entry("a", b"x") };
        let one = |n: usize| {
            format!(
                "Value null at 'records.{n}.member.partitionKey' failed to satisfy constraint: \
                 Member must not be null"
            )
        };
        let five: Vec<String> = (1..=5).map(one).collect();
        let text = format!("5 validation errors detected: {}", five.join("; "));
        let outcome = world.put_all("s", vec![nameless.clone(); 5]).await;
        refused(outcome, "ValidationException", &text);

        let long = PutRecordsRequestEntry { data: vec![0; MIB + 1].into(), ..nameless.clone() };
        let outcome = world.put_all("s", vec![entry("k", b""), long]).await;
        let text = format!(
            "2 validation errors detected: Value at 'records.2.member.data' failed to satisfy \
             constraint: Member must have length less than or equal to 1048576; {}",
            one(2)
        );
        refused(outcome, "ValidationException", &text);

        let outcome = world.put_all("s", vec![nameless; 30]).await;
        let text = outcome.unwrap_err().message().to_owned();
        assert!(text.starts_with("10 validation errors detected: "), "{text}");
    });
}

#[test]
fn a_stream_that_distributes_by_itself_needs_no_partition_key() {
    run(async |world| {
        let input = CreateStreamInput {
            stream_name: "s".into(),
            stream_mode_details: Some(StreamModeDetails { stream_mode: StreamMode::OnDemand }),
            ..CreateStreamInput::default()
        };
        world.streams.create_stream(&world.cx, input).await.unwrap();
        world.active("s").await;
        let stream_arn = world.summary("s").await.unwrap().stream_arn;
        let input = UpdateStreamRecordDistributionStrategyInput {
            stream_arn,
            record_distribution_strategy: RecordDistributionStrategy::Auto,
        };
        world.streams.update_stream_record_distribution_strategy(&world.cx, input).await.unwrap();
        world.active("s").await;
        for _ in 0..4 {
            let mut input = put_input("s", "a", b"one");
            input.partition_key = None;
            world.streams.put_record(&world.cx, input).await.unwrap();
        }
        let nameless = PutRecordsRequestEntry { partition_key: None, ..entry("a", b"many") };
        let mut records = vec![nameless; 499];
        records.push(entry("named", b"many"));
        world.put_all("s", records).await.unwrap();
        let mut named = 0;
        for shard in world.shards("s").await {
            let records = world.drain("s", &shard.shard_id).await;
            // 32 runs of 16 over four shards, the last one of 4.
            assert!((116..=129).contains(&records.len()), "{}", records.len());
            assert_eq!(texts(&records).iter().filter(|t| **t == "one").count(), 1);
            named += records.iter().filter(|r| r.partition_key.is_some()).count();
        }
        assert_eq!(named, 1, "a given key is kept although it decides nothing");
    });
}

#[test]
fn numbers_grow_whatever_the_clock_does() {
    run_unlimited(async |world| {
        world.create("s", 1).await;
        let mut last = String::new();
        for (i, jump_ms) in [0, 1000, -3_600_000, 86_400_000, -86_400_000, 1].iter().enumerate() {
            world.clock().jump_by(*jump_ms);
            for data in ["a", "b"] {
                let put = world.put("s", "k", data.as_bytes()).await.unwrap();
                assert!(sequence(&put.sequence_number) > last.as_str(), "jump {i}");
                last = put.sequence_number.to_string();
            }
        }
        let records = world.drain("s", FIRST).await;
        assert_eq!(texts(&records), ["a", "b"].repeat(6));
        assert!(records.is_sorted_by(|a, b| a.sequence_number < b.sequence_number));
        let arrival = |r: &Record| r.approximate_arrival_timestamp.unwrap();
        assert!(records.is_sorted_by_key(arrival), "arrival never goes back within a shard");
    });
}

#[test]
fn the_number_for_ordering_is_checked() {
    run(async |world| {
        world.create("s", 1).await;
        let first = world.put("s", "k", b"a").await.unwrap().sequence_number;
        let mut input = put_input("s", "k", b"b");
        input.sequence_number_for_ordering = Some(first.clone());
        let second = world.streams.put_record(&world.cx, input.clone()).await.unwrap();
        assert!(second.sequence_number > first);

        world.clock().jump_by(-3_600_000);
        input.sequence_number_for_ordering = Some(second.sequence_number);
        let third = world.streams.put_record(&world.cx, input.clone()).await;
        third.expect("a clock that was set back takes nothing from a shard's own numbers");

        // Of layouts before today's: 0 of the oldest, and hex 2, 45 zeros, 1.
        for number in ["0", "49039857307708443467467104868809893875799651909875269633"] {
            input.sequence_number_for_ordering = Some(number.into());
            let outcome = world.streams.put_record(&world.cx, input.clone()).await;
            outcome.unwrap_or_else(|e| panic!("{number}: {e}"));
        }

        // Digits of a record index that no shard reaches, an arrival in the year 4000, and a shard
        // made at the end of time.
        let bad = [
            "49039857307719593840066370180380661734935976090628259842",
            "49670424472731169861061894383148934335130637099872550914",
            "73559785961217003650623432644519828254653813632295501826",
        ];
        for number in bad {
            input.sequence_number_for_ordering = Some(number.into());
            let outcome = world.streams.put_record(&world.cx, input.clone()).await;
            refused(
                outcome,
                "InvalidArgumentException",
                &format!(
                    "ExclusiveMinimumSequenceNumber {number} used in PutRecord on stream s under \
                     account 000000000000 is invalid."
                ),
            );
        }
    });
}

#[test]
fn results_stand_in_the_order_of_the_entries() {
    run(async |world| {
        world.create("s", 3).await;
        let keys: Vec<String> = (0..60).map(|i| format!("key{i}")).collect();
        let records = keys.iter().map(|k| entry(k, k.as_bytes())).collect();
        let output = world.put_all("s", records).await.unwrap();
        assert_eq!((output.failed_record_count, output.encryption_type), (Some(0), None));
        assert_eq!(output.records.len(), 60);
        let mut found = 0;
        for shard in world.shards("s").await {
            let records = world.drain("s", &shard.shard_id).await;
            for record in &records {
                let text = std::str::from_utf8(&record.data).unwrap();
                let i = keys.iter().position(|k| k == text).unwrap();
                let result = &output.records[i];
                assert_eq!(result.shard_id.as_ref(), Some(&shard.shard_id));
                assert_eq!(result.sequence_number.as_ref(), Some(&record.sequence_number));
                assert_eq!((&result.error_code, &result.error_message), (&None, &None));
                assert_eq!(record.partition_key.as_deref(), Some(text));
            }
            let order: Vec<_> =
                texts(&records).iter().map(|t| keys.iter().position(|k| k == t).unwrap()).collect();
            assert!(order.is_sorted(), "{order:?}");
            found += records.len();
        }
        assert_eq!(found, 60);
    });
}

const THROTTLED: &str = "ProvisionedThroughputExceededException";
const THROTTLED_TEXT: &str =
    "Rate exceeded for shard shardId-000000000000 in stream s under account 000000000000.";

#[test]
fn a_thousand_records_a_second() {
    run(async |world| {
        world.create("s", 1).await;
        let many = |n| (0..n).map(|i| entry("k", format!("{i}").as_bytes())).collect::<Vec<_>>();
        for _ in 0..2 {
            let output = world.put_all("s", many(500)).await.unwrap();
            assert_eq!(output.failed_record_count, Some(0));
        }
        refused(world.put("s", "k", b"x").await, THROTTLED, THROTTLED_TEXT);
        world.pass(Duration::from_millis(100)).await;
        let output = world.put_all("s", many(500)).await.unwrap();
        assert_eq!(output.failed_record_count, Some(400));
        let (taken, refused) = output.records.split_at(100);
        assert!(taken.iter().all(|r| r.sequence_number.is_some() && r.error_code.is_none()));
        for result in refused {
            assert_eq!(result.error_code.as_deref(), Some(THROTTLED));
            assert_eq!(result.error_message.as_deref(), Some(THROTTLED_TEXT));
            assert_eq!((&result.sequence_number, &result.shard_id), (&None, &None));
        }
        assert_eq!(world.drain("s", FIRST).await.len(), 1100);
        let throttled = "millweir_kinesis_throttled_total{account=\"000000000000\",\
                         region=\"us-east-1\",stream=\"s\",shard=\"shardId-000000000000\",\
                         direction=\"write\",limit=\"records\"}";
        assert_eq!(world.metric(throttled), Some(401.0));
    });
}

#[test]
fn a_mebibyte_a_second_keys_included() {
    run(async |world| {
        world.create("s", 2).await;
        // MD5 of `a` falls into the first shard, of `b` into the second.
        let (kib4, kib8) = (vec![0; 4095], vec![0; 8191]);
        let mut records = vec![entry("a", &kib4); 300];
        records.extend(vec![entry("b", &kib8); 120]);
        let output = world.put_all("s", records).await.unwrap();
        let failed: Vec<_> = (0..420).filter(|i| output.records[*i].error_code.is_some()).collect();
        assert_eq!(failed, (256..300).collect::<Vec<_>>(), "1 MiB is 256 times 4 KiB");
        assert_eq!(output.failed_record_count, Some(44));
    });
}

#[test]
fn small_records_pass_where_a_large_one_does_not() {
    run(async |world| {
        world.create("s", 1).await;
        let large = vec![0; MIB / 2];
        let records = vec![
            entry("a", &large),
            entry("a", &large),
            entry("a", b"small"),
            entry("a", &large),
            entry("a", b"last"),
        ];
        let output = world.put_all("s", records).await.unwrap();
        let failed: Vec<_> = output.records.iter().map(|r| r.error_code.is_some()).collect();
        assert_eq!(failed, [false, true, false, true, false]);
        let records = world.drain("s", FIRST).await;
        assert_eq!(
            records[1..].iter().map(|r| &r.data[..]).collect::<Vec<_>>(),
            [&b"small"[..], b"last"]
        );
    });
}

async fn large_records(world: &World) {
    let stream_arn = world.summary("s").await.unwrap().stream_arn;
    let input =
        UpdateMaxRecordSizeInput { stream_arn: Some(stream_arn), max_record_size_in_kib: 10_240 };
    world.streams.update_max_record_size(&world.cx, input).await.unwrap();
    world.active("s").await;
}

#[test]
fn a_large_record_is_paid_back() {
    run(async |world| {
        world.create("s", 1).await;
        large_records(world).await;
        world.put("s", "k", &vec![1; 10 * MIB - 1]).await.unwrap();
        world.pass(Duration::from_millis(8_990)).await;
        refused(world.put("s", "k", b"x").await, THROTTLED, THROTTLED_TEXT);
        world.pass(Duration::from_millis(20)).await;
        world.put("s", "k", b"x").await.unwrap();
        let mut at = world.iterator("s", FIRST, ShardIteratorType::TrimHorizon).await;
        for bytes in [10 * MIB - 1, 1] {
            let output = world.get(&at).await.unwrap();
            assert_eq!(output.records.iter().map(|r| r.data.len()).collect::<Vec<_>>(), [bytes]);
            at = output.next_shard_iterator.unwrap();
            world.pass(Duration::from_secs(5)).await;
        }
    });
}

#[test]
fn a_request_has_ten_mebibytes() {
    run_unlimited(async |world| {
        world.create("s", 1).await;
        let mebibyte = vec![0; MIB - 1];
        let output = world.put_all("s", vec![entry("k", &mebibyte); 10]).await.unwrap();
        assert_eq!(output.failed_record_count, Some(0));
        let mut records = vec![entry("k", &mebibyte); 10];
        records.push(entry("k", b""));
        let outcome = world.put_all("s", records).await;
        refused(outcome, "InvalidArgumentException", "Records size exceeds 10 MB limit");
    });
}

#[test]
fn hardware_limits_lift_the_rates() {
    run_unlimited(async |world| {
        world.create("s", 1).await;
        for _ in 0..5 {
            let output = world.put_all("s", vec![entry("k", &[0; 4096]); 500]).await.unwrap();
            assert_eq!(output.failed_record_count, Some(0));
        }
    });
}

#[test]
fn a_dry_run_writes_nothing() {
    run(async |world| {
        world.create("s", 1).await;
        let message = "Request would have succeeded, but the DryRun parameter is set.";
        let mut input = put_input("s", "k", b"x");
        input.dry_run = Some(true);
        let outcome = world.streams.put_record(&world.cx, input).await;
        refused(outcome, "DryRunOperationException", message);
        let mut input = PutRecordsInput {
            stream_name: Some("s".into()),
            records: vec![entry("k", b"x")],
            dry_run: Some(true),
            ..PutRecordsInput::default()
        };
        let outcome = world.streams.put_records(&world.cx, input.clone()).await;
        refused(outcome, "DryRunOperationException", message);
        input.records[0].explicit_hash_key = Some("9".repeat(39).as_str().into());
        let outcome = world.streams.put_records(&world.cx, input).await;
        assert_eq!(outcome.unwrap_err().code(), "InvalidArgumentException");
        assert!(world.drain("s", FIRST).await.is_empty());
    });
}

#[test]
fn encrypted_streams_say_so() {
    run(async |world| {
        world.create("s", 1).await;
        world.put("s", "k", b"plain").await.unwrap();
        let input = StartStreamEncryptionInput {
            stream_name: Some("s".into()),
            encryption_type: EncryptionType::Kms,
            key_id: "alias/a".into(),
            ..StartStreamEncryptionInput::default()
        };
        world.streams.start_stream_encryption(&world.cx, input).await.unwrap();
        world.active("s").await;
        let put = world.put("s", "k", b"one").await.unwrap();
        assert_eq!(put.encryption_type, Some(EncryptionType::Kms));
        let put = world.put_all("s", vec![entry("k", b"two")]).await.unwrap();
        assert_eq!(put.encryption_type, Some(EncryptionType::Kms));
        let records = world.drain("s", FIRST).await;
        let types: Vec<_> = records.iter().map(|r| r.encryption_type).collect();
        assert_eq!(types, [None, Some(EncryptionType::Kms), Some(EncryptionType::Kms)]);
    });
}

#[test]
fn a_full_engine_fails_what_it_cannot_take() {
    let memory = MemoryOptions { bytes_max: 3000, ..MemoryOptions::default() };
    run_with(Options::default(), memory, async |world| {
        world.create("s", 2).await;
        let output =
            world.put_all("s", vec![entry("a", &[0; 2000]), entry("b", &[0; 2000])]).await.unwrap();
        assert_eq!(output.failed_record_count, Some(1));
        let failed = output.records.iter().find(|r| r.error_code.is_some()).unwrap();
        assert_eq!(failed.error_code.as_deref(), Some("InternalFailure"));
        assert_eq!(failed.error_message.as_deref(), Some("Internal service failure."));
        let outcome = world.put_all("s", vec![entry("a", &[0; 2000])]).await;
        assert_eq!(outcome.unwrap_err().code(), "ServiceUnavailableException");
        let outcome = world.put("s", "a", &[0; 2000]).await;
        assert_eq!(outcome.unwrap_err().code(), "ServiceUnavailableException");
        world.put("s", "a", b"small").await.unwrap();
    });
}

#[test]
fn writes_wait_for_the_children_of_a_sealed_shard() {
    run(async |world| {
        world.create("s", 2).await;
        world.put("s", "a", b"before").await.unwrap();
        half_split(world, "s", FIRST).await;
        let one = world.put("s", "a", b"one");
        let many = world
            .put_all("s", vec![entry("a", b"two"), entry("b", b"other"), entry("a", b"three")]);
        let open = async {
            world.settle().await;
            world.catalog.set_open(true);
        };
        let (one, many, ()) = tokio::join!(one, many, open);
        let (one, many) = (one.unwrap(), many.unwrap());
        assert_eq!(many.failed_record_count, Some(0));
        let child = one.shard_id;
        assert!(child == "shardId-000000000002" || child == "shardId-000000000003", "{child}");
        let shards: Vec<_> = many.records.iter().map(|r| r.shard_id.as_deref().unwrap()).collect();
        assert_eq!(shards, [child.as_str(), SECOND, child.as_str()]);
        assert_eq!(texts(&world.drain("s", FIRST).await), ["before"]);
        assert_eq!(texts(&world.drain("s", &child).await), ["one", "two", "three"]);
    });
}

#[test]
fn writes_do_not_wait_for_ever() {
    run(async |world| {
        world.create("s", 2).await;
        half_split(world, "s", FIRST).await;
        let one = world.put("s", "a", b"one");
        let many = world.put_all("s", vec![entry("a", b"two"), entry("b", b"three")]);
        let time = async {
            world.settle().await;
            world.pass(Duration::from_millis(5_001)).await;
        };
        let (one, many, ()) = tokio::join!(one, many, time);
        assert_eq!(one.unwrap_err().code(), "ServiceUnavailableException");
        let many = many.unwrap();
        assert_eq!(many.failed_record_count, Some(1));
        assert_eq!(many.records[0].error_code.as_deref(), Some("InternalFailure"));
        assert_eq!(many.records[1].shard_id.as_deref(), Some(SECOND));
        world.catalog.set_open(true);
        world.active("s").await;
        world.put("s", "a", b"after").await.unwrap();
    });
}

#[test]
fn traffic_is_counted_per_shard() {
    run(async |world| {
        world.create("s", 1).await;
        world.put("s", "key", b"12345").await.unwrap();
        world.put_all("s", vec![entry("k", b"123"), entry("k", b"4")]).await.unwrap();
        let consumer = world.consumer("s", "c").await;
        let input = subscribe_input(&consumer, FIRST, ShardIteratorType::TrimHorizon);
        let mut events = world.subscribe(input).await.unwrap();
        let pushed = events.now(world).await.unwrap().unwrap();
        assert_eq!(pushed.records.len(), 3);
        world.drain("s", FIRST).await;
        let shard = "{account=\"000000000000\",region=\"us-east-1\",stream=\"s\",\
                     shard=\"shardId-000000000000\"";
        for (name, label, want) in [
            ("incoming_bytes", ",op=\"PutRecord\"}", 8.0),
            ("incoming_records", ",op=\"PutRecord\"}", 1.0),
            ("incoming_bytes", ",op=\"PutRecords\"}", 6.0),
            ("incoming_records", ",op=\"PutRecords\"}", 2.0),
            ("outgoing_bytes", ",mode=\"poll\",consumer=\"\"}", 14.0),
            ("outgoing_records", ",mode=\"poll\",consumer=\"\"}", 3.0),
            ("outgoing_bytes", ",mode=\"push\",consumer=\"c\"}", 14.0),
            ("outgoing_records", ",mode=\"push\",consumer=\"c\"}", 3.0),
        ] {
            let line = format!("millweir_kinesis_{name}_total{shard}{label}");
            assert_eq!(world.metric(&line), Some(want), "{line}");
        }
        // What CloudWatch calls them, summed over what is no dimension.
        let samples = world.registry.samples();
        for (name, dimensions, want) in [
            ("IncomingBytes", 1, 14.0),
            ("IncomingBytes", 2, 14.0),
            ("PutRecord.Bytes", 1, 8.0),
            ("PutRecords.SuccessfulRecords", 1, 2.0),
            ("GetRecords.Records", 1, 3.0),
            ("OutgoingBytes", 2, 14.0),
            ("SubscribeToShardEvent.Bytes", 2, 14.0),
        ] {
            let named = samples.iter().flat_map(|(definition, sample)| {
                definition
                    .aws
                    .iter()
                    .filter(|aws| aws.name == name)
                    .filter_map(|aws| aws.of(sample))
            });
            let sum: f64 =
                named.filter(|(of, _)| of.len() == dimensions).map(|(_, value)| value).sum();
            assert_eq!((name, dimensions, Some(sum)), (name, dimensions, Some(want)));
        }
    });
}

#[test]
fn the_iterator_age_is_the_greatest_of_the_last_minutes() {
    run(async |world| {
        let line = "millweir_kinesis_iterator_age_seconds{account=\"000000000000\",\
                    region=\"us-east-1\",stream=\"s\",shard=\"shardId-000000000000\"}";
        world.create("s", 1).await;
        world.put("s", "k", b"late").await.unwrap();
        world.pass(Duration::from_secs(300)).await;
        world.drain("s", FIRST).await;
        assert_eq!(world.metric(line).map(f64::trunc), Some(300.0));
        world.pass(Duration::from_secs(130)).await;
        assert_eq!(world.metric(line), None, "nobody reads");
        let tip = world.iterator("s", FIRST, ShardIteratorType::Latest).await;
        world.get(&tip).await.unwrap();
        assert_eq!(world.metric(line), Some(0.0), "read at the tip");
    });
}
