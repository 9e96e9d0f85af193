//! Reading by polling: iterators, portions, the end of a shard, what a shard gives per second.

use crate::house::{at_time, run, run_unlimited, texts, unlimited};
use crate::script::cases;
use api::Timestamp;
use api::kinesis::*;
use std::collections::HashSet;
use std::time::Duration;
use testkit::script::Stage as _;

cases! {
    // The third record arrives 20 ms and two seconds after the start.
    five_types_of_iterators (unlimited()): "
        create s 1 ; put s k a ; pass 1s ; put s k b ; pass 1s
        put s k c = SequenceNumber=$c
        pass 1s ; put s k d ; pass 1s ; put s k e ; pass 1s
        read s #0 TRIM_HORIZON = [a b c d e]
        read s #0 LATEST = []
        read s #0 AT_SEQUENCE_NUMBER StartingSequenceNumber=$c = [c d e]
        read s #0 AFTER_SEQUENCE_NUMBER StartingSequenceNumber=$c = [d e]
        read s #0 AT_TIMESTAMP Timestamp=1767225602.020 = [c d e]
        read s #0 AT_TIMESTAMP Timestamp=1767225602.021 = [d e]
        read s #0 AT_TIMESTAMP Timestamp=1767139200 = [a b c d e]
        read s #0 AT_TIMESTAMP Timestamp=-0.001 = [a b c d e]
        read s #0 AT_TIMESTAMP Timestamp=1767225605.020 = []
    "

    the_starting_number_of_an_empty_shard_is_a_place (unlimited()): "
        create s 1
        ListShards StreamName=s
          = Shards.SequenceNumberRange.StartingSequenceNumber=[$start]
        iterator s #0 AT_SEQUENCE_NUMBER StartingSequenceNumber=$start = $at ; put s k x
        get $at = Records.Data=[x]
        iterator s #0 AFTER_SEQUENCE_NUMBER StartingSequenceNumber=$start = $after ; put s k y
        get $after = Records.Data=[x y]
    "
}

#[test]
fn a_number_that_the_shard_has_not_reached_means_its_tip() {
    run_unlimited(async |house| {
        house.check("create s 1 \n put s k a \n put s k b = SequenceNumber=$b").await;
        // Record index 0x100 of this shard.
        let ahead: u128 = 0xff << 80;
        let (high, low) = house.names["b"].split_at(20);
        let number = format!("{high}{:036}", low.parse::<u128>().unwrap() + ahead);
        house.names.insert("ahead".into(), number);
        let script = "iterator s #0 AT_SEQUENCE_NUMBER StartingSequenceNumber=$ahead = $at
             put s k next
             get $at = Records.Data=[next]";
        house.check(script).await;
    });
}

cases! {
    latest_is_fixed_when_the_iterator_is_made: "
        create s 1 ; put s k before ; iterator s #0 LATEST = $at ; put s k later
        get $at = Records.Data=[later]
        get $at = Records.Data=[later]
    "

    types_and_numbers_must_fit: "
        let rule InvalidArgumentException: Must either specify (1) AT_SEQUENCE_NUMBER or \
          AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or (2) TRIM_HORIZON or LATEST and no \
          StartingSequenceNumber. Request specified
        create s 1 ; put s k a = SequenceNumber=$a
        iterator s #0 AT_SEQUENCE_NUMBER
          ! $rule AT_SEQUENCE_NUMBER and no StartingSequenceNumber.
        iterator s #0 AFTER_SEQUENCE_NUMBER
          ! $rule AFTER_SEQUENCE_NUMBER and no StartingSequenceNumber.
        pass 1s
        iterator s #0 TRIM_HORIZON StartingSequenceNumber=$a
          ! $rule TRIM_HORIZON and also a StartingSequenceNumber.
        iterator s #0 LATEST StartingSequenceNumber=$a
          ! $rule LATEST and also a StartingSequenceNumber.
        iterator s #0 AT_TIMESTAMP
          ! InvalidArgumentException: Must specify timestampInMillis parameter for iterator of \
            type AT_TIMESTAMP. Current request has no timestamp parameter.
        iterator s #0 AT_TIMESTAMP Timestamp=1767225601.021
          ! InvalidArgumentException: The timestampInMillis parameter cannot be greater than the \
            currentTimestampInMillis. timestampInMillis: 1767225601021, \
            currentTimestampInMillis: 1767225601020
    "

    numbers_of_others_are_refused: "
        create s 2 ; pass 10s ; create t 1
        ListShards StreamName=s = Shards.SequenceNumberRange.StartingSequenceNumber=[_ $other]
        iterator s #0 AT_SEQUENCE_NUMBER StartingSequenceNumber=$other
          ! InvalidArgumentException: Invalid StartingSequenceNumber. It encodes \
            shardId-000000000001, while it was used in a call to a shard with \
            shardId-000000000000
        put t k x = SequenceNumber=$foreign
        iterator s #0 AFTER_SEQUENCE_NUMBER StartingSequenceNumber=$foreign
          ! InvalidArgumentException: StartingSequenceNumber $foreign used in GetShardIterator \
            on shard shardId-000000000000 in stream s under account 000000000000 is invalid \
            because it did not come from this stream.
    "

    shards_that_do_not_exist: "
        create s 1
        iterator s 5 LATEST
          ! ResourceNotFoundException: Shard shardId-000000000005 in stream s under account \
            000000000000 does not exist
        iterator t 0 LATEST
          ! ResourceNotFoundException: Shard shardId-000000000000 in stream t under account \
            000000000000 does not exist
        iterator s x-2147483648 LATEST
          ! ResourceNotFoundException: Could not find shard x-2147483648 in stream s under \
            account 000000000000.
        iterator s 2.14E4 LATEST
          ! ResourceNotFoundException: Could not find shard 2.14E4 in stream s under account \
            000000000000.
        iterator t ABC LATEST
          ! ResourceNotFoundException: Could not find shard ABC in stream t under account \
            000000000000.
        iterator s 0 LATEST ; iterator s x-0 LATEST ; pass 1s ; iterator s shardId-0 LATEST
        iterator s -0 LATEST
    "
}

#[test]
fn every_answer_has_another_iterator() {
    run_unlimited(async |house| {
        house.check("create s 1 \n 3x put s k x").await;
        let mut seen = HashSet::new();
        let mut at = house.iterator("s", "#0", "TRIM_HORIZON").await;
        for _ in 0..10 {
            assert!(at.len() <= 512);
            assert!(seen.insert(at.clone()), "an iterator twice");
            at = house.get(&format!("{at} Limit=1")).await.next_shard_iterator.unwrap();
        }
        assert!(house.get(&at).await.records.is_empty());
    });
}

cases! {
    limits_of_one_call (unlimited()): "
        create s 1
        24x PutRecords StreamName=s Records=[{PartitionKey=k Data=x}*500] = FailedRecordCount=0
        iterator s #0 TRIM_HORIZON = $at ; get $at Limit=7 = Records.length=7
        get $at = Records.length=10000 NextShardIterator=$next
        get $next = Records.length=2000 MillisBehindLatest=0
    "

    ten_mebibytes_of_one_call (unlimited()): "
        create s 1
        12x put s k x*1048575
        iterator s #0 TRIM_HORIZON = $at
        get $at = Records.length=10 NextShardIterator=$next
        get $next = Records.length=2
    "
}

#[test]
fn iterators_expire_after_five_minutes() {
    run(async |house| {
        house.create("s", 1).await;
        let at = house.iterator("s", "#0", "LATEST").await;
        house.pass(Duration::from_mins(5)).await;
        house.get(&at).await;
        house.pass(Duration::from_millis(1)).await;
        let e = house.ask::<ops::GetRecords>(&format!("ShardIterator={at}")).await.unwrap_err();
        assert_eq!(e.code, "ExpiredIteratorException");
        let want = "Iterator expired. The iterator was created at time Thu Jan 01 00:00:0";
        assert!(e.message.starts_with(want), "{}", e.message);
        assert!(e.message.ends_with("tolerated delay of 300000 milliseconds."));
    });
}

cases! {
    // A time of the shard's own records is found, too.
    a_clock_set_back_does_not_end_iterators: "
        create s 1 ; iterator s #0 LATEST = $at ; jump -86400000 ; put s k x
        get $at = Records.Data=[x] Records.ApproximateArrivalTimestamp=[$arrived]
        read s #0 AT_TIMESTAMP Timestamp=$arrived = [x]
    "
}

#[test]
fn iterators_cannot_be_forged_or_carried_away() {
    run(async |house| {
        let script = "create s 1
            create t 1 ; iterator s #0 LATEST = $at
            get '\"$at\"'
            get $at StreamARN=$arn
            get $at StreamARN=$stream/t
              ! InvalidArgumentException: The ShardIterator is not one of StreamARN $stream/t.";
        house.check(script).await;
        let at = house.names["at"].clone();
        let (most, _) = at.split_at(at.len() - 4);
        for text in ["", "x", "AAAAAAAAAAE=", most, &format!("{at}AAAA")] {
            let shard_iterator = text.into();
            let input = GetRecordsInput { shard_iterator, ..GetRecordsInput::default() };
            let e = house.streams.get_records(&house.cx, input).await.unwrap_err();
            assert_eq!(
                (e.code(), e.message()),
                ("InvalidArgumentException", "Invalid ShardIterator.")
            );
        }
    });
}

cases! {
    another_account_has_no_use_for_an_iterator: "
        create s 1 ; iterator s #0 LATEST = $at
        @111122223333 get $at ! AccessDeniedException
        @000000000000/eu-west-1 get $at
          ! InvalidArgumentException: Invalid ShardIterator.
    "

    // All that a new stream of the name has is newer.
    iterators_of_deleted_streams: "
        create s 1 ; iterator s #0 LATEST = $s ; delete s
        get $s
          ! ResourceNotFoundException: Shard shardId-000000000000 in stream s under account \
            000000000000 does not exist
        create s 1 ; get $s = Records=[] NextShardIterator=_
        put s k new ; get $s = Records.Data=[new]

        create t 2 ; iterator t #1 LATEST = $t ; delete t ; create t 1
        get $t
          ! ResourceNotFoundException: Shard shardId-000000000001 in stream t under account \
            000000000000 does not exist
    "

    iterators_outlive_a_restart: "
        create s 1 ; iterator s #0 LATEST = $at ; put s k x ; restart
        get $at = Records.Data=[x]
    "

    how_far_behind_a_reader_is (unlimited()): "
        create s 1
        3x put s k x ; pass 1s
        iterator s #0 TRIM_HORIZON = $a
        get $a Limit=1 = MillisBehindLatest=3000 NextShardIterator=$b
        get $b Limit=1 = MillisBehindLatest=2000 NextShardIterator=$c
        get $c Limit=1 = MillisBehindLatest=0 NextShardIterator=$d
        get $d Limit=1 = MillisBehindLatest=0 NextShardIterator=_
    "
}

#[test]
fn records_show_what_was_written() {
    run(async |house| {
        house.create("s", 1).await;
        let before_ms = house.now_ms();
        let put = house.put("s", "schlüssel", b"\0\xff").await.unwrap();
        let record = house.drain("s", "#0").await.remove(0);
        assert_eq!(record.sequence_number, put.sequence_number);
        assert_eq!(record.partition_key.as_deref(), Some("schlüssel"));
        assert_eq!(&record.data[..], b"\0\xff");
        assert_eq!(record.approximate_arrival_timestamp, Some(Timestamp(before_ms)));
        assert_eq!(record.encryption_type, None);
    });
}

cases! {
    a_closed_shard_ends_with_its_children (unlimited()): "
        create s 1 ; put s k a ; put s k b ; put s k c ; iterator s #0 LATEST = $old
        split s #0 ; active s ; put s k child
        ListShards StreamName=s = Shards.HashKeyRange.StartingHashKey=[_ $from1 $from2]
          = Shards.HashKeyRange.EndingHashKey=[_ $to1 $to2]
          = Shards.SequenceNumberRange.EndingSequenceNumber=[$end null null]
        iterator s #0 TRIM_HORIZON = $first
        get $first Limit=1 = Records.Data=[a] NextShardIterator=$second ChildShards=null
        get $second Limit=1 = Records.Data=[b] NextShardIterator=$third ChildShards=null
        get $third = Records.Data=[c] NextShardIterator=null ChildShards=[\
          {ShardId=#1 ParentShards=[#0] \
            HashKeyRange={StartingHashKey='$from1' EndingHashKey='$to1'}} \
          {ShardId=#2 ParentShards=[#0] \
            HashKeyRange={StartingHashKey='$from2' EndingHashKey='$to2'}}]
        // Counted from the close.
        pass 2s
        get $old = Records=[] NextShardIterator=null ChildShards.length=2 MillisBehindLatest=2000
        iterator s #0 LATEST = $latest ; pass 2s
        get $latest = Records=[] NextShardIterator=null ChildShards.length=2 \
          MillisBehindLatest=4000
        iterator s #0 AT_SEQUENCE_NUMBER StartingSequenceNumber=$end = $at
        get $at = Records=[] NextShardIterator=null ChildShards.length=2
        iterator s #0 AFTER_SEQUENCE_NUMBER StartingSequenceNumber=$end = $after
        get $after = Records=[] NextShardIterator=null ChildShards.length=2
    "

    a_merged_shard_names_both_parents (unlimited()): "
        create s 2 ; merge s #0 #1 ; active s ; iterator s #0 TRIM_HORIZON = $lower
        iterator s #1 TRIM_HORIZON = $upper
        get $lower = NextShardIterator=null ChildShards.ShardId=[#2]
          = ChildShards.ParentShards=[[#0 #1]] ChildShards.HashKeyRange.StartingHashKey=['0']
        get $upper = NextShardIterator=null ChildShards.ShardId=[#2]
          = ChildShards.ParentShards=[[#0 #1]] ChildShards.HashKeyRange.StartingHashKey=['0']
    "

    trimmed_places_move_to_the_horizon (unlimited()): "
        create s 1 ; put s k a = SequenceNumber=$a
        put s k b
        25x pass 1h
        put s k new
        20x pass 10s
        read s #0 TRIM_HORIZON = [new]
        read s #0 AT_SEQUENCE_NUMBER StartingSequenceNumber=$a = [new]
        read s #0 AFTER_SEQUENCE_NUMBER StartingSequenceNumber=$a = [new]
        read s #0 AT_TIMESTAMP Timestamp=1767225600 = [new]
    "

    an_iterator_that_retention_overtook_reads_on (unlimited()): "
        create s 1 ; put s k old
        24x pass 1h
        advance 1ms ; iterator s #0 TRIM_HORIZON = $at
        put s k new
        20x pass 10s
        get $at = Records.Data=[new]
    "

    five_reads_and_five_iterators_a_second: "
        let refusal ProvisionedThroughputExceededException: Rate exceeded for Shard - \
          000000000000/s/shardId-000000000000
        create s 1 ; iterator s #0 LATEST = $at
        5x get $at
        get $at ! $refusal
        4x iterator s #0 LATEST
        iterator s #0 LATEST ! $refusal
        pass 200ms
        get $at
        iterator s #0 LATEST ; metric throttled_total shard=#0 direction=read limit=calls = 2.0
    "

    ten_mebibytes_stop_a_shard_for_five_seconds: "
        let refusal ProvisionedThroughputExceededException: Rate exceeded for Shard - \
          000000000000/s/shardId-000000000000
        create s 1
        11x put s k x*1048575 ; pass 1s
        iterator s #0 TRIM_HORIZON = $at
        get $at = Records.length=10 NextShardIterator=$next
        get $next ! $refusal
        pass 4990ms ; get $next ! $refusal
        pass 10ms ; get $next = Records.length=1
    "

    dry_runs_read_nothing: "
        let refusal DryRunOperationException: Request would have succeeded, but the DryRun \
          parameter is set.
        create s 1
        iterator s #0 LATEST DryRun=true ! $refusal
        iterator s #0 LATEST = $at
        10x get $at DryRun=true ! $refusal
        get $at
    "

    a_stream_is_named_by_its_arn_as_well: "
        create s 1
        PutRecord StreamARN=$arn PartitionKey=k Data=x
        GetShardIterator StreamARN=$arn ShardId=#0 ShardIteratorType=TRIM_HORIZON
          = ShardIterator=$at
        get $at = Records.Data=[x]
    "
}

/// The seconds of a sequence number: of its shard's making, and its own. Hex digits 1 to 9 and 29
/// to 37 of 47.
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
    run(async |house| {
        house.create("s", 1).await;
        let start = &house.shards("s").await[0].sequence_number_range.starting_sequence_number;
        let age_s = house.now_ms() / 1000 - seconds(start).0;
        assert!((2..=7).contains(&age_s), "{age_s}");
    });
}

#[test]
fn nothing_arrives_before_its_shard_is_made() {
    run(async |house| {
        house.check("create s 1 \n split s #0 \n active s").await;
        let put = house.put("s", "k", "early").await.unwrap();
        let (created_s, arrival_s) = seconds(&put.sequence_number);
        assert!(created_s > house.now_ms() / 1000, "a child follows its parent");
        assert_eq!(arrival_s, created_s);
        let record = house.drain("s", &put.shard_id).await.remove(0);
        assert_eq!(record.sequence_number, put.sequence_number);
        assert_eq!(record.approximate_arrival_timestamp, Some(Timestamp(created_s * 1000)));
        // Found by the time that it shows.
        let at = house.iterator("s", &put.shard_id, &at_time(created_s * 1000)).await;
        assert_eq!(texts(&house.get(&at).await.records), ["early"]);
    });
}
