//! Splits, merges and UpdateShardCount: the shards they make and what is refused.

use crate::house::{free, is_open, range, run, run_with};
use crate::script::cases;
use testkit::script::Stage as _;

#[test]
fn a_split_and_a_merge() {
    run(async |house| {
        let script = "create s 2
            put s k before
            split s shardId-0 1000
            summary s = StreamStatus=UPDATING
            split s shardId-1 7 ! InvalidArgumentException: NewStartingHashKey 7 used in \
              SplitShard() on shard shardId-000000000001 in stream s under account 000000000000 \
              is not both greater than one plus the shard's StartingHashKey \
              170141183460469231731687303715884105728 and less than the shard's EndingHashKey \
              340282366920938463463374607431768211455.
            merge s 0 1 ! ResourceInUseException: Stream s under account 000000000000 not ACTIVE, \
              instead in state UPDATING
            shards s = [#0 #1]
            rest
            cover s
            ListShards StreamName=s = Shards.ShardId=[#0 #1 #2 #3]
              = Shards.ParentShardId=[null null #0 #0] Shards.AdjacentParentShardId=[null*4]
              = Shards.HashKeyRange.EndingHashKey=[_ _ '999' _]
              = Shards.HashKeyRange.StartingHashKey=[_ _ _ '1000']
              = Shards.SequenceNumberRange.StartingSequenceNumber=[_ _ $lower $upper]
              = Shards.SequenceNumberRange.EndingSequenceNumber=[$end null null null]
            split s 0 7 ! InvalidArgumentException: Shard shardId-000000000000 in stream s under \
              account 000000000000 has already been merged or split, and thus is not eligible for \
              merging or splitting.
            merge s 3 1
            rest
            cover s
            ListShards StreamName=s = Shards.ParentShardId=[null null #0 #0 #3]
              = Shards.AdjacentParentShardId=[null*4 #1]";
        house.check(script).await;
        let [end, lower, upper] = ["end", "lower", "upper"].map(|name| &house.names[name]);
        assert_eq!([end, lower, upper].map(String::len), [56; 3]);
        assert!(lower > end && upper > end);
    });
}

#[test]
fn refusals_of_splits_and_merges() {
    run(async |house| {
        house.create("s", 3).await;
        let not_found = "! ResourceNotFoundException: Could not find shard";
        for id in ["x", "2.14E4", "2147483648", "shardId-2147483648"] {
            for stream in ["s", "none"] {
                let refusal =
                    format!("{not_found} {id} in stream {stream} under account 000000000000.");
                let split = format!("split {stream} {id} 7 {refusal}");
                house.check(&format!("{split} \n merge {stream} 0 {id} {refusal}")).await;
            }
        }
        for id in ["9", "-9", "x-9", "shardId-000000000009"] {
            let refusal =
                format!("{not_found} shardId-000000000009 in stream s under account 000000000000.");
            let script = format!(
                "split s {id} 7 {refusal}
                 merge s 0 {id} {refusal}
                 split none {id} 7
                   ! ResourceNotFoundException: Stream none under account 000000000000 not found."
            );
            house.check(&script).await;
        }
        for (a, b) in [(0, 2), (1, 0), (2, 0), (1, 1)] {
            let script = format!(
                "merge s {a} {b} ! InvalidArgumentException: Shards shardId-00000000000{a} and \
                 shardId-00000000000{b} in stream s under account 000000000000 are not an adjacent \
                 pair of shards eligible for merging"
            );
            house.check(&script).await;
        }
        for at in [0, 1, u128::MAX] {
            house.check(&format!("split s 0 {at} ! InvalidArgumentException")).await;
        }
        house.check("split s 0 2").await;
    });
}

cases! {
    scaling_keeps_to_the_limits_of_aws: "
        create s 4
        scale s 9 ! LimitExceededException: UpdateShardCount cannot scale up over double your \
          current open shard count. Current open shard count: 4, Target shard count: 9
        scale s 1 ! LimitExceededException: UpdateShardCount cannot scale down below half your \
          current open shard count. Current open shard count: 4, Target shard count: 1
        scale s 10001 ! LimitExceededException: Target shard count or number of open shards \
          cannot be greater than 10000. Current open shard count: 4, Target shard count: 10001
        scale s 5 = CurrentShardCount=4 TargetShardCount=5
        rest ; cover s ; shards s = [_*15]
        4x scale s 4 ; rest ; scale s 5 ; rest
        scale s 4 ; rest ; scale s 5 ! LimitExceededException
        scale s 4 ; advance 24h ; scale s 5
    "
}

#[test]
fn uneven_shards_become_even() {
    run_with(free(), async |house| {
        for target in [4, 3, 1] {
            let script = format!(
                "create s{target} 1
                 split s{target} 0 {}
                 rest
                 scale s{target} {target}
                 rest
                 cover s{target}",
                u128::MAX / 10
            );
            house.check(&script).await;
            let shards = house.shards(&format!("s{target}")).await;
            let ranges = shards.iter().filter(|shard| is_open(shard)).map(range);
            let widths: Vec<u128> = ranges.map(|(start, end)| end - start).collect();
            assert_eq!(widths.len(), target);
            let (min, max) = (widths.iter().min().unwrap(), widths.iter().max().unwrap());
            assert!(max - min < 4, "{target}: {widths:?}");
        }
    });
}
