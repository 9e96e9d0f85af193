//! Writing: where records go, what is refused, what a shard takes per second.

use crate::house::{House, MIB, entry, run, run_on, run_unlimited, texts, unlimited};
use crate::script::cases;
use api::kinesis::*;
use base::metrics::{AwsMetric, Numbers};
use std::time::Duration;
use store::memory::MemoryOptions;
use streams::Options;
use testkit::script::Stage as _;

const SECOND: &str = "shardId-000000000001";

cases! {
    a_record_goes_to_the_shard_of_its_hash_key (unlimited()): "
        let put PutRecord StreamName=s PartitionKey=a Data=x ExplicitHashKey
        create s 2
        $put='0' = ShardId=#0 EncryptionType=null
        $put='170141183460469231731687303715884105727' = ShardId=#0 EncryptionType=null
        $put='170141183460469231731687303715884105728' = ShardId=#1 EncryptionType=null
        $put='340282366920938463463374607431768211455' = ShardId=#1 EncryptionType=null
        // MD5 of `a` begins with 0c, of `b` with 92.
        put s a x = ShardId=#0
        put s b x = ShardId=#1
    "

    an_explicit_hash_key_is_below_two_to_the_128: "
        let n 340282366920938463463374607431768211456
        create s 1
        PutRecord StreamName=s PartitionKey=a Data=x ExplicitHashKey=$n
          ! InvalidArgumentException: Invalid ExplicitHashKey. ExplicitHashKey must be in the \
            range: [0, 2^128-1]. Specified value was $n
        // A malformed entry fails the whole call.
        PutRecords StreamName=s \
          Records=[{PartitionKey=a Data=x} {PartitionKey=a Data=x ExplicitHashKey=$n}]
          ! InvalidArgumentException: Invalid ExplicitHashKey. ExplicitHashKey must be in the \
            range: [0, 2^128-1]. Specified value was $n
        read s #0 = []
    "

    unknown_streams_are_named_in_the_refusal: "
        put nope a x
          ! ResourceNotFoundException: Stream nope under account 000000000000 not found.
        PutRecords StreamName=nope Records=[{PartitionKey=a Data=x}]
          ! ResourceNotFoundException: Stream nope under account 000000000000 not found.
    "

    a_stream_in_creation_is_not_found: "
        CreateStream StreamName=s
        put s a x ! ResourceNotFoundException: Stream s under account 000000000000 not found.
        active s ; put s a x
    "

    a_record_counts_its_partition_key: "
        create s 1 ; put s k x*1048575
        put s kk x*1048575
          ! InvalidArgumentException: Record size of 1048577 bytes, partition key included, \
            exceeds the limit of 1048576 bytes
        put s k x*1048577
          ! ValidationException: 1 validation error detected: Value at 'data' failed to satisfy \
            constraint: Member must have length less than or equal to 1048576
        PutRecords StreamName=s Records=[{PartitionKey=k Data=} {PartitionKey=k Data=x*1048577}]
          ! ValidationException: 1 validation error detected: Value at 'records.2.member.data' \
            failed to satisfy constraint: Member must have length less than or equal to 1048576
    "

    a_partition_key_is_required: "
        create s 1
        PutRecord StreamName=s Data=x
          ! ValidationException: 1 validation error detected: Value null at 'partitionKey' \
            failed to satisfy constraint: Member must not be null
        PutRecords StreamName=s Records=[{Data=x}]
          ! ValidationException: 1 validation error detected: Value null at \
            'records.1.member.partitionKey' failed to satisfy constraint: Member must not be null
    "
}

#[test]
fn all_entries_that_break_a_rule_are_told_of() {
    run(async |house| {
        let one = |n: usize| {
            format!(
                "Value null at 'records.{n}.member.partitionKey' failed to satisfy constraint: \
                 Member must not be null"
            )
        };
        let up_to = |n| (1..=n).map(one).collect::<Vec<_>>().join("; ");
        let script = format!(
            "create s 1
             PutRecords StreamName=s Records=[{{Data=x}}*5]
               ! ValidationException: 5 validation errors detected: {}
             PutRecords StreamName=s Records=[{{PartitionKey=k Data=}} {{Data=x*1048577}}]
               ! ValidationException: 2 validation errors detected: Value at \
                 'records.2.member.data' failed to satisfy constraint: Member must have length \
                 less than or equal to 1048576; {}
             PutRecords StreamName=s Records=[{{Data=x}}*30]
               ! ValidationException: 10 validation errors detected: {}",
            up_to(5),
            one(2),
            up_to(10),
        );
        house.check(&script).await;
    });
}

#[test]
fn a_stream_that_distributes_by_itself_needs_no_partition_key() {
    run(async |house| {
        let script = "CreateStream StreamName=s StreamModeDetails={StreamMode=ON_DEMAND}
             active s
             UpdateStreamRecordDistributionStrategy StreamARN=$arn \
               RecordDistributionStrategy=AUTO
             active s
             4x PutRecord StreamName=s Data=one
             PutRecords StreamName=s Records=[{Data=many}*499 {PartitionKey=named Data=many}]
               = FailedRecordCount=0";
        house.check(script).await;
        let mut named = 0;
        for shard in house.shards("s").await {
            let records = house.drain("s", &shard.shard_id).await;
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
    run_unlimited(async |house| {
        house.create("s", 1).await;
        let mut last = String::new();
        for (i, jump_ms) in [0, 1000, -3_600_000, 86_400_000, -86_400_000, 1].iter().enumerate() {
            house.fake.clock.jump_by(*jump_ms);
            for data in ["a", "b"] {
                let number = house.put("s", "k", data).await.unwrap().sequence_number.to_string();
                assert_eq!(number.len(), 56, "{number}");
                assert!(number > last, "jump {i}");
                last = number;
            }
        }
        let records = house.drain("s", "#0").await;
        assert_eq!(texts(&records), ["a", "b"].repeat(6));
        assert!(records.is_sorted_by(|a, b| a.sequence_number < b.sequence_number));
        let arrival = |r: &Record| r.approximate_arrival_timestamp.unwrap();
        assert!(records.is_sorted_by_key(arrival), "arrival never goes back within a shard");
    });
}

cases! {
    the_number_for_ordering_is_checked: "
        let put PutRecord StreamName=s PartitionKey=k Data=b SequenceNumberForOrdering
        let refusal used in PutRecord on stream s under account 000000000000 is invalid.
        create s 1 ; put s k a = SequenceNumber=$first
        $put=$first = SequenceNumber=$second
        // A clock that was set back takes nothing from a shard's own numbers.
        jump -3600000
        $put=$second
        // Of layouts before today's: 0 of the oldest, and hex 2, 45 zeros, 1.
        $put='0'
        $put='49039857307708443467467104868809893875799651909875269633'
        // Digits of a record index that no shard reaches.
        $put='49039857307719593840066370180380661734935976090628259842'
          ! InvalidArgumentException: ExclusiveMinimumSequenceNumber \
            49039857307719593840066370180380661734935976090628259842 $refusal
        // An arrival in the year 4000.
        $put='49670424472731169861061894383148934335130637099872550914'
          ! InvalidArgumentException: ExclusiveMinimumSequenceNumber \
            49670424472731169861061894383148934335130637099872550914 $refusal
        // A shard made at the end of time.
        $put='73559785961217003650623432644519828254653813632295501826'
          ! InvalidArgumentException: ExclusiveMinimumSequenceNumber \
            73559785961217003650623432644519828254653813632295501826 $refusal
    "
}

#[test]
fn results_stand_in_the_order_of_the_entries() {
    run(async |house| {
        house.create("s", 3).await;
        let keys: Vec<String> = (0..60).map(|i| format!("key{i}")).collect();
        let records = keys.iter().map(|k| entry(k, k.as_bytes())).collect();
        let output = house.put_all("s", records).await.unwrap();
        assert_eq!((output.failed_record_count, output.encryption_type), (Some(0), None));
        assert_eq!(output.records.len(), 60);
        let mut found = 0;
        for shard in house.shards("s").await {
            let records = house.drain("s", &shard.shard_id).await;
            let place = |t: &str| keys.iter().position(|k| k == t).unwrap();
            let order: Vec<_> = texts(&records).into_iter().map(place).collect();
            assert!(order.is_sorted(), "{order:?}");
            for (record, &i) in records.iter().zip(&order) {
                let result = &output.records[i];
                assert_eq!(result.shard_id.as_ref(), Some(&shard.shard_id));
                assert_eq!(result.sequence_number.as_ref(), Some(&record.sequence_number));
                assert_eq!((&result.error_code, &result.error_message), (&None, &None));
                assert_eq!(record.partition_key.as_deref(), Some(&*keys[i]));
            }
            found += records.len();
        }
        assert_eq!(found, 60);
    });
}

cases! {
    a_thousand_records_a_second: "
        let refusal Rate exceeded for shard shardId-000000000000 in stream s under account \
          000000000000.
        create s 1
        2x PutRecords StreamName=s Records=[{PartitionKey=k Data=x}*500] = FailedRecordCount=0
        put s k x ! ProvisionedThroughputExceededException: $refusal
        pass 100ms
        PutRecords StreamName=s Records=[{PartitionKey=k Data=x}*500] = FailedRecordCount=400
          = Records.ErrorCode=[null*100 ProvisionedThroughputExceededException*400]
          = Records.ErrorMessage=[null*100 '$refusal'*400]
          = Records.SequenceNumber=[_*100 null*400] Records.ShardId=[#0*100 null*400]
        read s #0 = [x*1100]
        metric throttled_total shard=#0 direction=write limit=records = 401.0
    "

    // MD5 of `a` falls into the first shard, of `b` into the second; 1 MiB is 256 times 4 KiB.
    a_mebibyte_a_second_keys_included: "
        create s 2
        PutRecords StreamName=s \
          Records=[{PartitionKey=a Data=x*4095}*300 {PartitionKey=b Data=x*8191}*120]
          = FailedRecordCount=44
          = Records.ErrorCode=[null*256 ProvisionedThroughputExceededException*44 null*120]
    "

    small_records_pass_where_a_large_one_does_not: "
        create s 1
        PutRecords StreamName=s Records=[{PartitionKey=a Data=x*524288}*2 \
          {PartitionKey=a Data=small} {PartitionKey=a Data=x*524288} {PartitionKey=a Data=last}]
          = Records.ErrorCode=[null ProvisionedThroughputExceededException null \
            ProvisionedThroughputExceededException null]
        iterator s #0 TRIM_HORIZON = $at ; get $at = Records.Data=[_ small last]
    "
}

#[test]
fn a_large_record_is_paid_back() {
    run(async |house| {
        let script = "create s 1
             UpdateMaxRecordSize StreamARN=$arn MaxRecordSizeInKiB=10240
             active s ; put s k x*10485759 ; pass 8990ms
             put s k x ! ProvisionedThroughputExceededException: Rate exceeded for shard \
               shardId-000000000000 in stream s under account 000000000000.
             pass 20ms
             put s k x";
        house.check(script).await;
        let mut at = house.iterator("s", "#0", "TRIM_HORIZON").await;
        for bytes in [10 * MIB - 1, 1] {
            let output = house.get(&at).await;
            assert_eq!(output.records.iter().map(|r| r.data.len()).collect::<Vec<_>>(), [bytes]);
            at = output.next_shard_iterator.unwrap();
            house.pass(Duration::from_secs(5)).await;
        }
    });
}

cases! {
    a_request_has_ten_mebibytes (unlimited()): "
        create s 1
        PutRecords StreamName=s Records=[{PartitionKey=k Data=x*1048575}*10] = FailedRecordCount=0
        PutRecords StreamName=s Records=[{PartitionKey=k Data=x*1048575}*10 {PartitionKey=k Data=}]
          ! InvalidArgumentException: Records size exceeds 10 MB limit
    "

    hardware_limits_lift_the_rates (unlimited()): "
        create s 1
        5x PutRecords StreamName=s Records=[{PartitionKey=k Data=x*4096}*500] = FailedRecordCount=0
    "

    a_dry_run_writes_nothing: "
        let refusal DryRunOperationException: Request would have succeeded, but the DryRun \
          parameter is set.
        let hash_key 999999999999999999999999999999999999999
        create s 1
        PutRecord StreamName=s PartitionKey=k Data=x DryRun=true ! $refusal
        PutRecords StreamName=s Records=[{PartitionKey=k Data=x}] DryRun=true ! $refusal
        PutRecords StreamName=s DryRun=true \
          Records=[{PartitionKey=k Data=x ExplicitHashKey=$hash_key}] ! InvalidArgumentException
        read s #0 = []
    "

    encrypted_streams_say_so: "
        create s 1 ; put s k plain
        StartStreamEncryption StreamName=s EncryptionType=KMS KeyId=alias/a
        active s ; put s k one = EncryptionType=KMS
        PutRecords StreamName=s Records=[{PartitionKey=k Data=two}] = EncryptionType=KMS
        iterator s #0 TRIM_HORIZON = $at ; get $at = Records.EncryptionType=[null KMS KMS]
    "
}

#[test]
fn a_full_engine_fails_what_it_cannot_take() {
    let memory = MemoryOptions { bytes_max: 3000, ..MemoryOptions::default() };
    run_on(memory, Options::default(), async |house| {
        house.create("s", 2).await;
        let records = vec![entry("a", &[0; 2000]), entry("b", &[0; 2000])];
        let output = house.put_all("s", records).await.unwrap();
        assert_eq!(output.failed_record_count, Some(1));
        let failed = output.records.iter().find(|r| r.error_code.is_some()).unwrap();
        assert_eq!(failed.error_code.as_deref(), Some("InternalFailure"));
        assert_eq!(failed.error_message.as_deref(), Some("Internal service failure."));
        let script = "PutRecords StreamName=s Records=[{PartitionKey=a Data=x*2000}]
               ! ServiceUnavailableException
             put s a x*2000 ! ServiceUnavailableException
             put s a small";
        house.check(script).await;
    });
}

#[test]
fn writes_wait_for_the_children_of_a_sealed_shard() {
    run(async |house| {
        house.create("s", 2).await;
        house.put("s", "a", "before").await.unwrap();
        house.half_split("s", "#0").await;
        let one = house.put("s", "a", "one");
        let many = house
            .put_all("s", vec![entry("a", b"two"), entry("b", b"other"), entry("a", b"three")]);
        let open = async {
            house.settle().await;
            house.catalog.set_open(true);
        };
        let (one, many, ()) = tokio::join!(one, many, open);
        let (one, many) = (one.unwrap(), many.unwrap());
        assert_eq!(many.failed_record_count, Some(0));
        let child = one.shard_id;
        assert!(child == "shardId-000000000002" || child == "shardId-000000000003", "{child}");
        let shards: Vec<_> = many.records.iter().map(|r| r.shard_id.as_deref().unwrap()).collect();
        assert_eq!(shards, [child.as_str(), SECOND, child.as_str()]);
        assert_eq!(house.read("s", "#0").await, ["before"]);
        assert_eq!(house.read("s", &child).await, ["one", "two", "three"]);
    });
}

#[test]
fn writes_do_not_wait_for_ever() {
    run(async |house| {
        house.create("s", 2).await;
        house.half_split("s", "#0").await;
        let one = house.put("s", "a", "one");
        let many = house.put_all("s", vec![entry("a", b"two"), entry("b", b"three")]);
        let time = async {
            house.settle().await;
            house.pass(Duration::from_millis(5_001)).await;
        };
        let (one, many, ()) = tokio::join!(one, many, time);
        assert_eq!(one.unwrap_err().code(), "ServiceUnavailableException");
        let many = many.unwrap();
        assert_eq!(many.failed_record_count, Some(1));
        assert_eq!(many.records[0].error_code.as_deref(), Some("InternalFailure"));
        assert_eq!(many.records[1].shard_id.as_deref(), Some(SECOND));
        house.catalog.set_open(true);
        house.active("s").await;
        house.put("s", "a", "after").await.unwrap();
    });
}

#[test]
fn traffic_is_counted_per_shard() {
    run(async |house| {
        let script = "create s 1
             put s key 'five.'
             PutRecords StreamName=s Records=[{PartitionKey=k Data=two} {PartitionKey=k Data='4'}]";
        house.check(script).await;
        let consumer = house.consumer("s", "c").await;
        let mut events = house.subscribe(&consumer, "#0", "TRIM_HORIZON").await;
        let pushed = events.now(house).await.unwrap().unwrap();
        assert_eq!(pushed.records.len(), 3);
        let script = "read s #0 = [five. two '4']
            metric incoming_bytes_total shard=#0 op=PutRecord = 8.0
            metric incoming_records_total shard=#0 op=PutRecord = 1.0
            metric incoming_bytes_total shard=#0 op=PutRecords = 6.0
            metric incoming_records_total shard=#0 op=PutRecords = 2.0
            metric outgoing_bytes_total shard=#0 mode=poll consumer= = 14.0
            metric outgoing_records_total shard=#0 mode=poll consumer= = 3.0
            metric outgoing_bytes_total shard=#0 mode=push consumer=c = 14.0
            metric outgoing_records_total shard=#0 mode=push consumer=c = 3.0";
        house.check(script).await;
        // What CloudWatch calls them: how many calls or counters there are, and their sum.
        let samples = house.registry.samples();
        for (name, dimensions, want) in [
            ("IncomingBytes", 1, (2, 14)),
            ("IncomingBytes", 2, (2, 14)),
            ("IncomingRecords", 1, (2, 3)),
            ("PutRecord.Bytes", 1, (1, 8)),
            ("PutRecord.Success", 1, (1, 1)),
            ("PutRecords.Success", 1, (1, 1)),
            ("PutRecords.SuccessfulRecords", 1, (1, 2)),
            ("PutRecords.TotalRecords", 1, (1, 2)),
            ("PutRecords.FailedRecords", 1, (1, 0)),
            ("PutRecords.ThrottledRecords", 1, (1, 0)),
            ("WriteProvisionedThroughputExceeded", 1, (2, 0)),
            ("GetRecords.Records", 1, (2, 3)),
            ("GetRecords.Success", 1, (2, 2)),
            ("OutgoingBytes", 2, (1, 14)),
            ("SubscribeToShard.Success", 2, (1, 1)),
            ("SubscribeToShard.RateExceeded", 2, (1, 0)),
            ("SubscribeToShardEvent.Bytes", 2, (1, 14)),
        ] {
            let named = samples.iter().flat_map(|(definition, sample)| {
                let is_wanted = |aws: &&AwsMetric| {
                    let of = aws.dimensions_of(sample);
                    aws.name == name && of.is_some_and(|of| of.len() == dimensions)
                };
                definition.aws.iter().filter(is_wanted).map(|_| match sample.numbers {
                    Numbers::Counter(total) => (u64::from(total > 0), total),
                    Numbers::Summary { count, sum, .. } => (count, sum),
                    Numbers::Gauge(_) => (1, 0),
                })
            });
            let got = named.fold((0, 0), |(count, sum), (c, s)| (count + c, sum + s));
            assert_eq!(got, want, "{name} of {dimensions} dimensions");
        }
        // Of a shard only what enhanced monitoring asks for.
        let is_of_shard = |metric: &&AwsMetric| metric.dimensions.len() == 2 && metric.is_enhanced;
        let wanted = |house: &House| {
            let samples = house.registry.samples();
            let all =
                samples.iter().flat_map(|(of, sample)| of.aws.iter().map(move |m| (m, sample)));
            let of_shard = all.filter(|(metric, _)| is_of_shard(metric));
            let wanted = of_shard.filter(|(metric, sample)| house.registry.wants(metric, sample));
            let names = wanted.map(|(metric, _)| metric.name);
            names.collect::<std::collections::BTreeSet<_>>()
        };
        assert!(wanted(house).is_empty());
        let on = "EnableEnhancedMonitoring StreamName=s ShardLevelMetrics=[IncomingBytes]";
        house.check(on).await;
        house.check("pass 1s").await;
        assert_eq!(wanted(house), ["IncomingBytes"].into());
    });
}

cases! {
    the_iterator_age_is_the_greatest_of_the_last_minutes: "
        create s 1 ; put s k late ; pass 300s ; read s #0 = [late]
        metric iterator_age_seconds shard=#0 = 300.0
        // Nobody reads.
        pass 130s ; metric iterator_age_seconds shard=#0 = null
        // Read at the tip.
        read s #0 LATEST = []
        metric iterator_age_seconds shard=#0 = 0.0
    "
}
