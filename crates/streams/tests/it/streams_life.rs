//! Making, describing, changing and deleting streams.

use crate::house::{check_cover, create, free, run, run_with};
use crate::script::cases;
use api::kinesis::*;
use std::time::Duration;
use streams::{Lifecycle, Options};
use testkit::script::Stage as _;

/// An account of so many shards.
fn shards(shards_max: u32) -> Options {
    Options { shards_max, ..Options::default() }
}

#[test]
fn a_stream_is_made_used_and_deleted() {
    run(async |house| {
        let script = "CreateStream StreamName=s ShardCount=3
            DescribeStream StreamName=s = StreamDescription={StreamStatus=CREATING Shards=[]}
            put s k d ! ResourceNotFoundException: Stream s under account 000000000000 not found.
            ListShards StreamName=s
              ! ResourceInUseException: Stream s under account 000000000000 not ACTIVE, instead \
                in state CREATING
            CreateStream StreamName=s ShardCount=1
              ! ResourceInUseException: Stream s under account 000000000000 already exists.
            rest
            DescribeStream StreamName=s
              = StreamDescription={StreamStatus=ACTIVE StreamARN=$arn RetentionPeriodHours=24 \
                EncryptionType=NONE KeyId=null EnhancedMonitoring=[{ShardLevelMetrics=[]}] \
                StreamModeDetails={StreamMode=PROVISIONED}}
              = StreamDescription.Shards.HashKeyRange.EndingHashKey=[\
                '113427455640312821154458202477256070484' \
                '226854911280625642308916404954512140969' \
                '340282366920938463463374607431768211455']
            put s k d
            DeleteStream StreamName=s
            summary s = StreamStatus=DELETING
            DeleteStream StreamName=s
            rest
            DeleteStream StreamName=s
              ! ResourceNotFoundException: Stream s under account 000000000000 not found.
            rows kinesis/s = [kinesis/secret/tokens]
            rows store/ = [store/next-log]";
        house.check(script).await;
        assert_eq!(house.logs.used_bytes(), 0, "its records are freed");
        assert!(!house.registry.render().contains("stream=\"s\""));
    });
}

cases! {
    a_name_can_be_used_again_and_is_another_stream: "
        create s 1 ; put s k old ; delete s ; create s 2 ; read s #0 = []
        put s k new
    "

    a_stream_without_a_number_has_four_shards: "
        CreateStream StreamName=p
        CreateStream StreamName=o StreamModeDetails={StreamMode=ON_DEMAND}
        rest ; summary p = OpenShardCount=4
        summary o = OpenShardCount=4 RecordDistributionStrategy=USER_PARTITION_KEY
        scale o 5 ! ValidationException: Request is invalid. Stream o under account 000000000000 \
          is in On-Demand mode.
    "

    five_streams_are_made_at_once_and_no_more: "
        let refusal LimitExceededException: This request would have exceed the limit on the \
          number  of streams that can simultaneously be in CREATING or DELETING for the account \
          000000000000. Limit: 5.
        5x CreateStream StreamName=a$i ShardCount=1
        CreateStream StreamName=f ShardCount=1 ! $refusal
        @000000000000/eu-west-1 CreateStream StreamName=f ShardCount=1
        rest
        CreateStream StreamName=f ShardCount=1
        rest
        4x DeleteStream StreamName=a$i
        CreateStream StreamName=b ShardCount=1
        CreateStream StreamName=c ShardCount=1 ! $refusal
        rest
        CreateStream StreamName=c ShardCount=1
    "

    an_account_has_so_many_shards_and_no_more (shards(5)): "
        let refusal LimitExceededException: This request would exceed the shard limit for the \
          account 000000000000 in us-east-1. Current shard count for the account
        let more Number of additional shards that would have resulted from this request
        let help Refer to the AWS Service Limits page \
          (http://docs.aws.amazon.com/general/latest/gr/aws_service_limits.html) for current \
          limits and how to request higher limits.
        create a 3
        CreateStream StreamName=b ShardCount=3 ! $refusal: 3. Limit: 5. $more: 3. $help
        CreateStream StreamName=b ShardCount=100000
          ! $refusal: 3. Limit: 5. $more: 100000. $help
        scale a 6 ! $refusal: 3. Limit: 5. $more: 3. $help
        create b 2
        split a 0 7 ! $refusal: 5. Limit: 5. $more: 1. $help
        DescribeLimits = ShardLimit=5 OpenShardCount=5
          = OnDemandStreamCount=0 OnDemandStreamCountLimit=1000
    "

    shards_on_their_way_count_against_the_account (shards(7)): "
        create a 2 ; create b 2 ; create c 1 ; scale a 4
        split a 0 1000 ! ResourceInUseException
        scale b 4 ! LimitExceededException
        split b 0 1000 ! LimitExceededException
        CreateStream StreamName=d ShardCount=1 ! LimitExceededException
        rest ; scale b 3 ! LimitExceededException
        scale a 3 ; rest ; split b 0 1000 ; split c 0 1000 ! LimitExceededException
    "
}

/// Ten thousand tasks at once filled the queue of readers, and the log with their warnings.
#[test]
fn the_logs_of_a_large_stream_go_together() {
    run_with(free(), async |house| {
        house.create("s", 3000).await;
        let before = house.catalog.commits();
        house.check("delete s \n rows store/removal/ = []").await;
        assert!(house.catalog.commits() <= before + 5, "acknowledged, gone, and three pages");
        house.check("create s 1 \n delete s \n rows store/removal/ = []").await;
    });
}

/// What could not be removed is tried again, also by the next life.
#[test]
fn logs_are_removed_when_the_catalog_takes_it() {
    run(async |house| {
        house.create("s", 3).await;
        house.crash_after(2, false).await;
        house.check("DeleteStream StreamName=s \n rest").await;
        assert_eq!(house.rows("store/removal/").len(), 3);
        let script = "restart
            settle ; rows store/removal/ = []
            create s 2
            DeleteStream StreamName=s
            pass 19ms ; pass 1ms
            rows store/removal/ = []";
        house.check(script).await;
    });
}

cases! {
    retention_goes_up_and_down: "
        let up IncreaseStreamRetentionPeriod StreamName=s RetentionPeriodHours
        let down DecreaseStreamRetentionPeriod StreamName=s RetentionPeriodHours
        let low InvalidArgumentException: Minimum allowed retention period is 24 hours. \
          Requested retention period
        create s 1
        $up=24
        $up=48
        $up=47
          ! InvalidArgumentException: Requested retention period (47 hours) for stream s can not \
            be shorter than existing retention period (48 hours). Use DecreaseRetentionPeriod API.
        $down=49
          ! InvalidArgumentException: Requested retention period (49 hours) for stream s can not \
            be longer than existing retention period (48 hours). Use IncreaseRetentionPeriod API.
        $up=8761
          ! InvalidArgumentException: Maximum allowed retention period is 8760 hours. Requested \
            retention period (8761 hours) is too long.
        $down=23 ! $low (23 hours) is too short.
        $down=0 ! $low (0 hours) is too short.
        $down=-1 ! $low (-1 hours) is too short.
        $down=24
        summary s = RetentionPeriodHours=24
    "

    expired_records_and_shards_go_and_stay_gone: "
        create s 1 ; put s k old ; split s 0 1000 ; rest ; pass 12h
        put s k new ; shards s = [#0 #1 #2]
        pass 13h ; shards s = [#1 #2]
        pass 10s ; rows kinesis/shard/ = [_ _]
        rows store/removal/ = []
        read s #2 = [new]
        pass 12h ; pass 10s ; read s #2 = []
        IncreaseStreamRetentionPeriod StreamName=s RetentionPeriodHours=8760
        restart ; read s #2 = []
    "

    /// Terraform asks for the period that there is: no reason to note a horizon, least of all one
    /// of a clock that is ahead.
    a_clock_that_was_ahead_takes_nothing_later: "
        create s 1 ; put s k before ; split s 0 1000 ; rest ; jump 259200000
        IncreaseStreamRetentionPeriod StreamName=s RetentionPeriodHours=24
        shards s = [#0 #1 #2]
        shards s ShardFilter={Type=AT_TRIM_HORIZON} = [#0]
        DescribeStream StreamName=s = StreamDescription.Shards.ShardId=[#0 #1 #2]
        jump -259200000 ; pass 30s ; jump 259200000
        IncreaseStreamRetentionPeriod StreamName=s RetentionPeriodHours=48
        shards s = [#0 #1 #2]
        shards s ShardFilter={Type=AT_TRIM_HORIZON} = [#0]
        DescribeStream StreamName=s = StreamDescription.Shards.ShardId=[#0 #1 #2]
        jump -259200000 ; pass 30s ; put s k after ; pass 30s ; read s #0 = [before]
        read s #2 = [after]
        restart ; read s #0 = [before]
        read s #2 = [after]
    "
}

/// Within one second, and under a clock that was set back: numbers and ARNs of the old stream mean
/// nothing to the new one.
#[test]
fn a_name_made_again_at_once_shares_nothing_with_the_old_stream() {
    run(async |house| {
        let mut seen = Vec::new();
        for round in 0..4 {
            house.create("s", 1).await;
            let arn = house.consumer("s", "c").await;
            let shard = house.shards("s").await.remove(0);
            let number = shard.sequence_number_range.starting_sequence_number;
            house.put("s", "k", "x").await.unwrap();
            if round == 2 {
                house.check("split s 0 1000 \n rest").await;
            }
            for (old_number, old_arn) in &seen {
                assert_ne!(old_number, &number, "round {round}");
                assert_ne!(old_arn, &arn, "round {round}");
                let at = format!("AT_SEQUENCE_NUMBER StartingSequenceNumber={old_number}");
                house.check(&format!("iterator s 0 {at} ! InvalidArgumentException")).await;
            }
            seen.push((number, arn));
            house.delete("s").await;
            if round == 0 {
                house.fake.clock.jump_by(-100_000);
            }
            house.restart().await;
        }
        // Forgotten when the clock has passed it.
        let rows = "rows kinesis/predecessor/";
        house.check(&format!("{rows} = [_] \n settle \n pass 1h \n {rows} = []")).await;
    });
}

cases! {
    a_stream_deleted_before_it_was_active_shows_no_shards: "
        CreateStream StreamName=s ShardCount=3
        DeleteStream StreamName=s
        DescribeStream StreamName=s = StreamDescription={StreamStatus=DELETING Shards=[]}
        summary s = OpenShardCount=0
        shards s = []
        restart ; summary s = StreamStatus=DELETING
        rest ; summary s ! ResourceNotFoundException
        rows kinesis/shard/ = []
        create s 1 ; put s k x
    "

    /// No task runs between an answer and the look at what it left.
    states_of_no_length_are_not_seen (lasting(0, 0, 0)): "
        CreateStream StreamName=s ShardCount=2
        DescribeStream StreamName=s = StreamDescription={StreamStatus=ACTIVE Shards=[_ _]}
        split s 0 1000
        DescribeStream StreamName=s = StreamDescription={StreamStatus=ACTIVE Shards=[_ _ _ _]}
        scale s 5 ; summary s = StreamStatus=ACTIVE OpenShardCount=5
        register s c = ConsumerStatus=ACTIVE ConsumerARN=$c
        DeregisterStreamConsumer ConsumerARN=$c
        summary s = ConsumerCount=0
        DeleteStream StreamName=s
        summary s ! ResourceNotFoundException
    "
}

#[test]
fn a_change_that_is_refused_half_way_is_acknowledged_and_done_later() {
    run_with(lasting(0, 0, 0), async |house| {
        house.streams.create_stream(&house.cx, create("s", 2)).await.unwrap();
        house.catalog.refuse_after(1);
        let done = "summary s = StreamStatus=ACTIVE OpenShardCount=3";
        house.check(&format!("scale s 3 \n pass 1s \n {done}")).await;
    });
}

/// A reshard that the catalog refused leaves nothing open, and others their logs.
#[test]
fn a_refused_reshard_leaves_no_log() {
    run(async |house| {
        house.check("create a 4 \n scale a 5").await;
        let before = house.logs.open_logs();
        house.catalog.refuse_after(0);
        house.pass(Duration::from_millis(20)).await;
        assert_eq!(house.status("a").await, Some(StreamStatus::Updating), "tried in vain");
        assert_eq!(house.logs.open_logs(), before);
        house.catalog.refuse_after(0);
        house.streams.create_stream(&house.cx, create("b", 4)).await.unwrap_err();
        assert_eq!(house.logs.open_logs(), before);
        house.check("CreateStream StreamName=b ShardCount=4 \n pass 20ms").await;
        for shard in house.shards("b").await {
            let hash_key = shard.hash_key_range.starting_hash_key;
            let put = format!("StreamName=b PartitionKey=k Data=d ExplicitHashKey='{hash_key}'");
            // Time for a write to give up in; one that is accepted at once does not need it.
            let put = house.ask::<ops::PutRecord>(&put);
            let (outcome, ()) = tokio::join!(put, house.pass(Duration::from_secs(6)));
            assert_eq!(outcome.unwrap().shard_id, shard.shard_id);
        }
        assert_eq!(house.status("a").await, Some(StreamStatus::Active), "tried again");
        let shards = house.shards("a").await;
        check_cover(&shards);
        assert_eq!(shards.len(), 15);
    });
}

cases! {
    describe_shows_a_hundred_shards_at_most: "
        create s 150
        DescribeStream StreamName=s Limit=10000
          = StreamDescription.Shards.length=100 StreamDescription.HasMoreShards=true
    "

    encryption_starts_changes_and_stops: "
        let start StartStreamEncryption StreamName=s EncryptionType=KMS KeyId
        create s 1
        $start=alias/none ! KMSNotFoundException: Key 'alias/none' does not exist.
        $start=alias/off ! KMSDisabledException: Key 'alias/off' is disabled.
        $start=alias/broken ! KMSInvalidStateException: Key 'alias/broken' cannot be used now.
        StartStreamEncryption StreamName=s EncryptionType=NONE KeyId=alias/a
          ! InvalidArgumentException
        $start=alias/aws/kinesis ; summary s = StreamStatus=UPDATING EncryptionType=NONE
        rest ; summary s = EncryptionType=KMS KeyId=alias/aws/kinesis
        StopStreamEncryption StreamName=s EncryptionType=KMS KeyId=alias/aws/kinesis
        rest ; summary s = EncryptionType=NONE
        23x $start=alias/a ; rest
        $start=alias/a ! LimitExceededException
    "

    monitoring_levels_are_kept: "
        create s 1
        EnableEnhancedMonitoring StreamName=s ShardLevelMetrics=[ALL]
          = CurrentShardLevelMetrics=[] DesiredShardLevelMetrics=[$a $b $c $d $e $f $g]
        rest
        DisableEnhancedMonitoring StreamARN=$arn ShardLevelMetrics=[OutgoingBytes IncomingBytes]
          = CurrentShardLevelMetrics=[$a $b $c $d $e $f $g]
        restart ; rest
        summary s = StreamStatus=ACTIVE
          = EnhancedMonitoring.ShardLevelMetrics=[[IncomingRecords OutgoingRecords \
            WriteProvisionedThroughputExceeded ReadProvisionedThroughputExceeded \
            IteratorAgeMilliseconds]]
    "

    record_size_mode_and_strategy_change: "
        create s 1 ; UpdateMaxRecordSize MaxRecordSizeInKiB=2048 ! InvalidArgumentException
        UpdateMaxRecordSize StreamARN=$arn MaxRecordSizeInKiB=2048
        rest ; summary s = MaxRecordSizeInKiB=2048
        UpdateStreamRecordDistributionStrategy StreamARN=$arn RecordDistributionStrategy=AUTO
          ! InvalidArgumentException
        UpdateStreamMode StreamARN=$arn StreamModeDetails={StreamMode=ON_DEMAND}
        rest
        UpdateStreamRecordDistributionStrategy StreamARN=$arn RecordDistributionStrategy=AUTO
        summary s = RecordDistributionStrategy=AUTO OpenShardCount=1
        UpdateStreamMode StreamARN=$arn StreamModeDetails={StreamMode=ON_DEMAND}
        rest
        UpdateStreamMode StreamARN=$arn StreamModeDetails={StreamMode=PROVISIONED}
        rest ; summary s = RecordDistributionStrategy=null
        UpdateStreamMode StreamARN=$arn StreamModeDetails={StreamMode=ON_DEMAND}
          ! LimitExceededException
    "
}

fn lasting(creating: u64, updating: u64, deleting: u64) -> Options {
    let [creating, updating, deleting] = [creating, updating, deleting].map(Duration::from_secs);
    Options { lifecycle: Lifecycle { creating, updating, deleting }, ..free() }
}

cases! {
    passing_states_last_as_long_as_asked (lasting(10, 20, 30)): "
        CreateStream StreamName=s ShardCount=1
        settle ; pass 9999ms ; summary s = StreamStatus=CREATING
        pass 1ms ; summary s = StreamStatus=ACTIVE
        split s 0 1000 ; settle ; pass 19999ms ; summary s = StreamStatus=UPDATING
        pass 1ms ; summary s = StreamStatus=ACTIVE
        DeleteStream StreamName=s
        settle ; pass 29999ms ; summary s = StreamStatus=DELETING
        pass 1ms ; summary s ! ResourceNotFoundException
    "

    describe_pages_through_shards: "
        create s 5
        DescribeStream StreamName=s Limit=2
          = StreamDescription.Shards.ShardId=[#0 #1] StreamDescription.HasMoreShards=true
        DescribeStream StreamName=s Limit=2 ExclusiveStartShardId=#1
          = StreamDescription.Shards.ShardId=[#2 #3] StreamDescription.HasMoreShards=true
        DescribeStream StreamName=s Limit=1 ExclusiveStartShardId='3'
          = StreamDescription.Shards.ShardId=[#4] StreamDescription.HasMoreShards=false
        DescribeStream StreamName=s Limit=5
          = StreamDescription.Shards.ShardId=[#0 #1 #2 #3 #4] StreamDescription.HasMoreShards=false
        DescribeStream StreamName=s Limit=5 ExclusiveStartShardId='4'
          = StreamDescription.Shards.ShardId=[] StreamDescription.HasMoreShards=false
    "

    the_creation_time_is_a_whole_second_and_stays: "
        pass 123ms ; create s 1 ; summary s = StreamCreationTimestamp=1767225600
        pass 1h ; restart ; summary s = StreamCreationTimestamp=1767225600
    "

    queues_and_channels_are_refused: "
        ListQueues
        ! InvalidArgumentException: This operation is not supported by this server yet.
    "
}
