//! Name spaces of accounts and regions, and an account's settings.

use crate::house::{House, entry, free, is_open, run, run_with};
use crate::script::cases;
use api::kinesis::*;
use streams::Options;
use testkit::script::Stage as _;

cases! {
    accounts_and_regions_are_name_spaces: "
        CreateStream StreamName=s ShardCount=1
        @000000000000/eu-west-1 CreateStream StreamName=s ShardCount=2
        @111111111111/us-east-1 CreateStream StreamName=s ShardCount=3
        @111111111111/cn-north-1 CreateStream StreamName=s ShardCount=4
        rest ; restart ; summary s = OpenShardCount=1 StreamARN=$arn
        ListStreams = StreamNames=[s]
        @000000000000/eu-west-1 summary s = OpenShardCount=2
          = StreamARN=arn:aws:kinesis:eu-west-1:000000000000:stream/s
        @000000000000/eu-west-1 ListStreams = StreamNames=[s]
        @111111111111/us-east-1 summary s = OpenShardCount=3
          = StreamARN=arn:aws:kinesis:us-east-1:111111111111:stream/s
        @111111111111/us-east-1 ListStreams = StreamNames=[s]
        @111111111111/cn-north-1 summary s = OpenShardCount=4
          = StreamARN=arn:aws-cn:kinesis:cn-north-1:111111111111:stream/s
        @111111111111/cn-north-1 ListStreams = StreamNames=[s]
        @000000000000/eu-west-1 DeleteStream StreamName=s
        rest
        summary s
        @000000000000/eu-west-1 summary s ! ResourceNotFoundException
        @111111111111/us-east-1 summary s
        @111111111111/cn-north-1 summary s
    "

    made_up_regions_share_one_quota (Options { shards_max: 4, ..free() }): "
        CreateStream StreamName=s ShardCount=4
        @000000000000/eu-west-1 CreateStream StreamName=s ShardCount=4
        @000000000000/x1 CreateStream StreamName=s ShardCount=3
        @000000000000/x2 CreateStream StreamName=s ShardCount=1
        CreateStream StreamName=t ShardCount=1 ! LimitExceededException
        @000000000000/x1 CreateStream StreamName=t ShardCount=1 ! LimitExceededException
        @000000000000/x2 CreateStream StreamName=t ShardCount=1 ! LimitExceededException
        @000000000000/x3 CreateStream StreamName=t ShardCount=1 ! LimitExceededException
        DescribeLimits = OpenShardCount=4
        @000000000000/x1 DescribeLimits = OpenShardCount=4
        @000000000000/x2 DescribeLimits = OpenShardCount=4
        @000000000000/x3 DescribeLimits = OpenShardCount=4
        @111111111111/x3 CreateStream StreamName=t ShardCount=4
        // A space of its own all the same.
        @000000000000/x2 ListStreams = StreamNames=[s]
    "

    names_and_arns_must_agree: "
        create s 1 ; create t 1 ; summary s = StreamName=s
        DescribeStreamSummary StreamARN=$arn = StreamDescriptionSummary.StreamName=s
        DescribeStreamSummary StreamARN=$arn StreamName=s = StreamDescriptionSummary.StreamName=s
        DescribeStreamSummary ! InvalidArgumentException
        DescribeStreamSummary StreamARN=$arn StreamName=t ! InvalidArgumentException
        DescribeStreamSummary StreamARN=arn:aws:kinesis:eu-west-1:000000000000:stream/s
          ! InvalidArgumentException
        DescribeStreamSummary StreamARN=$arn/consumer/c:1 ! InvalidArgumentException
        DescribeStreamSummary StreamARN=$stream/u ! ResourceNotFoundException
    "

    a_commitment_lasts_a_day_at_least: "
        let set UpdateAccountSettings MinimumThroughputBillingCommitment
        DescribeAccountSettings = MinimumThroughputBillingCommitment.Status=DISABLED
        $set={Status=DISABLED} = MinimumThroughputBillingCommitment.StartedAt=null
        $set={Status=ENABLED} = MinimumThroughputBillingCommitment={Status=ENABLED \
          StartedAt=1767225600 EarliestAllowedEndAt=1767312000 EndedAt=null}
        pass 1h
        $set={Status=DISABLED}
          = MinimumThroughputBillingCommitment.Status=ENABLED_UNTIL_EARLIEST_ALLOWED_END
        // The end is taken back.
        $set={Status=ENABLED} = MinimumThroughputBillingCommitment={Status=ENABLED \
          StartedAt=1767225600 EarliestAllowedEndAt=1767312000 EndedAt=null}
        $set={Status=DISABLED}
          = MinimumThroughputBillingCommitment.Status=ENABLED_UNTIL_EARLIEST_ALLOWED_END
        pass 23h
        DescribeAccountSettings
          = MinimumThroughputBillingCommitment={Status=DISABLED EndedAt=1767312000}
        $set={Status=ENABLED} = MinimumThroughputBillingCommitment.StartedAt=1767312000
        pass 25h
        $set={Status=DISABLED} = MinimumThroughputBillingCommitment.Status=DISABLED
    "
}

fn tight() -> Options {
    Options { shards_max: 30, stream_shards_max: 25, ..free() }
}

const ON_DEMAND: &str = "StreamModeDetails={StreamMode=ON_DEMAND}";

cases! {
    warm_throughput_needs_a_commitment_and_makes_shards: "
        CreateStream StreamName=s StreamModeDetails={StreamMode=ON_DEMAND} WarmThroughputMiBps=8
          ! ValidationException
        UpdateAccountSettings MinimumThroughputBillingCommitment={Status=ENABLED}
        CreateStream StreamName=p ShardCount=1 WarmThroughputMiBps=8 ! InvalidArgumentException
        CreateStream StreamName=s StreamModeDetails={StreamMode=ON_DEMAND} WarmThroughputMiBps=8
        rest ; summary s = OpenShardCount=8
        UpdateStreamWarmThroughput StreamName=s WarmThroughputMiBps=12
          = WarmThroughput={TargetMiBps=12 CurrentMiBps=8}
        rest ; summary s = OpenShardCount=12 WarmThroughput={TargetMiBps=12 CurrentMiBps=12}
        cover s
        UpdateStreamWarmThroughput StreamName=s WarmThroughputMiBps=10241 ! InvalidArgumentException
    "

    // 25 shards of the stream, 30 of the account.
    warm_throughput_keeps_to_the_limits_and_takes_no_shard (tight()): "
        let mode UpdateStreamMode StreamARN=$arn StreamModeDetails={StreamMode=ON_DEMAND} \
          WarmThroughputMiBps
        let warm UpdateStreamWarmThroughput StreamName=s WarmThroughputMiBps
        UpdateAccountSettings MinimumThroughputBillingCommitment={Status=ENABLED}
        create s 20
        $mode=26 ! LimitExceededException
        $mode=1
        rest ; summary s = OpenShardCount=20
        create t 9
        $warm=22 ! LimitExceededException
        $warm=26 ! LimitExceededException
        $warm=21
        rest ; summary s = OpenShardCount=21
        split t 0 1000 ! LimitExceededException
    "
}

/// Writes more than it takes until the next look to one open shard of each `every`.
async fn overfill(house: &House, name: &str, every: usize) {
    let shards = house.shards(name).await;
    for shard in shards.iter().filter(|shard| is_open(shard)).step_by(every) {
        let explicit_hash_key = Some(shard.hash_key_range.starting_hash_key.clone());
        let record =
            PutRecordsRequestEntry { explicit_hash_key, ..entry("k", &vec![0; 1000 << 10]) };
        for _ in 0..2 {
            let output = house.put_all(name, vec![record.clone(); 10]).await.unwrap();
            assert!(output.failed_record_count.unwrap() > 0);
        }
    }
}

/// Time until on-demand streams have been looked at and have grown.
const LOOK: &str = "pass 10s \n rest";

#[test]
fn an_on_demand_stream_grows_as_far_as_the_account_may() {
    run_with(Options { shards_max: 6, ..free() }, async |house| {
        house.check(&format!("CreateStream StreamName=s {ON_DEMAND} \n rest \n pass 10s")).await;
        overfill(house, "s", 1).await;
        house.check(&format!("{LOOK} \n summary s = OpenShardCount=6")).await;
    });
}

cases! {
    an_on_demand_stream_with_a_commitment_has_fifty_consumers (free()): "
        create p 1
        CreateStream StreamName=o StreamModeDetails={StreamMode=ON_DEMAND}
        rest
        20x register o a$i
        register o more ! LimitExceededException
        UpdateAccountSettings MinimumThroughputBillingCommitment={Status=ENABLED}
        20x register p a$i
        register p more ! LimitExceededException
        30x register o b$i
        register o more ! LimitExceededException
    "

    consumers_of_a_shared_stream_are_limited_by_its_owners_commitment (free()): "
        allow policy kinesis:* $arn
        CreateStream StreamName=s StreamModeDetails={StreamMode=ON_DEMAND}
        rest
        PutResourcePolicy ResourceARN=$arn Policy=$policy
        @111111111111 UpdateAccountSettings MinimumThroughputBillingCommitment={Status=ENABLED}
        20x @111111111111 register s a$i
        @111111111111 register s more ! LimitExceededException
        UpdateAccountSettings MinimumThroughputBillingCommitment={Status=ENABLED}
        @111111111111 register s more
    "
}

#[test]
fn an_on_demand_stream_grows_when_it_refused_writes() {
    run(async |house| {
        let script = format!(
            "CreateStream StreamName=s {ON_DEMAND}
             create p 1 ; pass 10s
             summary s = OpenShardCount=4"
        );
        house.check(&script).await;
        for stream in ["s", "p"] {
            overfill(house, stream, 1).await;
        }
        // Once for each refusal.
        let script = format!(
            "{LOOK}
             summary s = OpenShardCount=8
             summary p = OpenShardCount=1
             cover s
             {LOOK}
             summary s = OpenShardCount=8"
        );
        house.check(&script).await;
        overfill(house, "s", 2).await;
        // Half of its shards are enough.
        house.check(&format!("{LOOK} \n summary s = OpenShardCount=16")).await;
    });
}

/// What one shard is asked for says little of what the stream is.
#[test]
fn a_hot_key_stays_throttled_and_makes_no_shards() {
    run(async |house| {
        house.check(&format!("CreateStream StreamName=s {ON_DEMAND} \n rest")).await;
        for _ in 0..6 {
            overfill(house, "s", usize::MAX).await;
            house.check(LOOK).await;
        }
        house.check("summary s = OpenShardCount=4").await;
    });
}

/// Refusals of its time as a provisioned stream are no demand.
#[test]
fn a_stream_that_becomes_on_demand_grows_with_what_comes_then() {
    run(async |house| {
        house.create("s", 1).await;
        overfill(house, "s", 1).await;
        let script = format!(
            "pass 20s
             UpdateStreamMode StreamARN=$arn {ON_DEMAND}
             rest
             {LOOK}
             summary s = OpenShardCount=1"
        );
        house.check(&script).await;
        overfill(house, "s", 1).await;
        house.check(&format!("{LOOK} \n summary s = OpenShardCount=2")).await;
    });
}
