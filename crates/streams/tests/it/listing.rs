//! Listings: pages, tokens and filters.

use crate::house::{House, at_time, check_cover, create, free, range, run, run_with};
use crate::script::cases;
use api::Text;
use api::kinesis::*;
use std::collections::BTreeSet;
use std::time::Duration;
use testkit::SeededRng;
use testkit::script::Stage as _;

cases! {
    streams_in_pages (free()): "
        create a 1 ; create b 1 ; create c 1 ; create d 1 ; create e 1
        create f 1
        ListStreams Limit=4 = StreamNames=[a b c d] HasMoreStreams=true NextToken=$next
          = StreamSummaries.StreamStatus=[ACTIVE*4]
          = StreamSummaries.StreamARN=[$stream/a $stream/b $stream/c $stream/d]
        ListStreams Limit=4 NextToken=$next
          = StreamNames=[e f] HasMoreStreams=false NextToken=null
          = StreamSummaries.StreamStatus=[ACTIVE*2]
          = StreamSummaries.StreamARN=[$stream/e $stream/f]
        ListStreams ExclusiveStartStreamName=d = StreamNames=[e f] HasMoreStreams=false
    "
}

#[test]
fn a_hundred_streams_at_most() {
    run_with(free(), async |house| {
        for i in 0..101 {
            house.streams.create_stream(&house.cx, create(&format!("s{i:03}"), 1)).await.unwrap();
        }
        let script = "ListStreams = StreamNames.length=100 HasMoreStreams=true
            ListStreams Limit=100 = StreamNames.length=100 HasMoreStreams=true
            ListStreams Limit=10000 = StreamNames.length=100 HasMoreStreams=true";
        house.check(script).await;
    });
}

cases! {
    // The token survives a restart and stands for the listing.
    shards_in_pages: "
        create s 5
        ListShards StreamARN=$arn ExclusiveStartShardId=#0 MaxResults=2
          = Shards.ShardId=[#1 #2] NextToken=$next
        restart ; ListShards NextToken=$next = Shards.ShardId=[#3 #4] NextToken=null
        ListShards NextToken=$next StreamName=s
          ! InvalidArgumentException: NextToken and StreamName cannot be provided together.
        ListShards NextToken=$next StreamARN=$arn
          ! InvalidArgumentException: NextToken and StreamARN cannot be provided together.
        ListShards NextToken=$next ExclusiveStartShardId='0'
          ! InvalidArgumentException: NextToken and ExclusiveStartShardId cannot be provided \
            together.
        ListShards NextToken=$next ShardFilter={Type=AT_LATEST}
          ! InvalidArgumentException: NextToken and ShardFilter cannot be provided together.
        ListShards NextToken=$next StreamCreationTimestamp=0
          ! InvalidArgumentException: NextToken and StreamCreationTimestamp cannot be provided \
            together.
        ListShards
          ! InvalidArgumentException: Either NextToken or StreamName should be provided.
        ListStreams NextToken=$next ! InvalidArgumentException
        pass 300001ms ; ListShards NextToken=$next ! ExpiredNextTokenException
    "

    // No children beside their parents, and no hole.
    pages_of_the_open_shards_show_one_moment: "
        create s 3
        ListShards StreamName=s ShardFilter={Type=AT_LATEST} MaxResults=1
          = Shards.ShardId=[#0] NextToken=$second
        pass 1ms ; split s 0 1000 ; rest ; split s 2 340282366920938463463374607431768210455
        rest ; ListShards NextToken=$second MaxResults=1 = Shards.ShardId=[#1] NextToken=$third
        ListShards NextToken=$third MaxResults=1 = Shards.ShardId=[#2] NextToken=null
        shards s ShardFilter={Type=AT_LATEST} = [#1 #3 #4 #5 #6]
    "

    the_creation_time_tells_streams_apart: "
        create s 1
        ListShards StreamName=s StreamCreationTimestamp=1767225600
        ListShards StreamName=s StreamCreationTimestamp=1767225599
          ! ResourceNotFoundException: Stream s under account 000000000000 not found.
    "
}

#[test]
fn filters_show_what_they_say() {
    run(async |house| {
        house.check("create s 2 \n pass 1h \n split s 0 1000 \n rest").await;
        let between_s = house.now_ms() / 1000 + 1800;
        house.check("pass 1h \n merge s 2 3 \n rest").await;
        let now = at_time(house.now_ms());
        let now_from = now.replace("AT_", "FROM_");
        let script = format!(
            "shards s = [#0 #1 #2 #3 #4]
             shards s ShardFilter={{Type=FROM_TRIM_HORIZON}} = [#0 #1 #2 #3 #4]
             shards s ShardFilter={{Type=AT_LATEST}} = [#1 #4]
             shards s ShardFilter={{Type=AT_TRIM_HORIZON}} = [#0 #1]
             shards s ShardFilter={{Type=AFTER_SHARD_ID ShardId=#2}} = [#3 #4]
             shards s ShardFilter={{Type=AT_TIMESTAMP Timestamp={between_s}}} = [#1 #2 #3]
             shards s ShardFilter={{Type=FROM_TIMESTAMP Timestamp={between_s}}} = [#1 #2 #3 #4]
             shards s ShardFilter={{Type={now}}} = [#1 #4]
             shards s ShardFilter={{Type={now_from}}} = [#1 #4]
             shards s ShardFilter={{Type=AT_TIMESTAMP Timestamp=0}} = [#0 #1]
             shards s ShardFilter={{Type=FROM_TIMESTAMP Timestamp=0}} = [#0 #1 #2 #3 #4]
             shards s ShardFilter={{Type=AT_TIMESTAMP Timestamp=-0.005}} = [#0 #1]
             shards s ShardFilter={{Type=FROM_TIMESTAMP Timestamp=-0.005}} = [#0 #1 #2 #3 #4]"
        );
        house.check(&script).await;
        // A day after the split its parent is gone, and the children are the oldest there are.
        let script = "pass 82801s
            shards s ShardFilter={Type=AT_TRIM_HORIZON} = [#1 #2 #3]
            shards s ShardFilter={Type=FROM_TRIM_HORIZON} = [#1 #2 #3 #4]
            pass 1h
            shards s ShardFilter={Type=AT_TRIM_HORIZON} = [#1 #4]";
        house.check(script).await;
    });
}

cases! {
    filters_need_what_they_need: "
        create s 1
        shards s ShardFilter={Type=AFTER_SHARD_ID} ! InvalidArgumentException: ShardFilter of \
          type AFTER_SHARD_ID needs the parameter ShardId.
        shards s ShardFilter={Type=AT_TIMESTAMP} ! InvalidArgumentException: ShardFilter of \
          type AT_TIMESTAMP needs the parameter Timestamp.
        shards s ShardFilter={Type=FROM_TIMESTAMP} ! InvalidArgumentException: ShardFilter of \
          type FROM_TIMESTAMP needs the parameter Timestamp.
    "
}

/// A reader that starts where `AT_TRIM_HORIZON` says and follows children meets every kept shard
/// after its parents, and the open ones own every hash key; whatever was done and expired before.
#[test]
fn lineage_from_the_horizon_reaches_every_shard() {
    for seed in testkit::seeds(20) {
        run_with(free(), async |house| {
            let rng = SeededRng::new(seed);
            house.create("s", 1 + rng.below(4) as i32).await;
            for _ in 0..12 {
                random_reshard(house, &rng).await;
                house.pass(Duration::from_hours(rng.below(8))).await;
                if rng.chance(20) {
                    house.restart().await;
                }
                check_lineage(house, seed).await;
            }
        });
    }
}

async fn filtered(house: &House, kind: &str) -> Vec<Shard> {
    let members = format!("StreamName=s ShardFilter={{Type={kind}}}");
    house.ask::<ops::ListShards>(&members).await.unwrap().shards.unwrap()
}

async fn random_reshard(house: &House, rng: &SeededRng) {
    let mut open = filtered(house, "AT_LATEST").await;
    let i = rng.index(open.len());
    let call = match rng.below(3) {
        0 => {
            let at = range(&open[i]).0 + 2 + u128::from(rng.below(1000));
            let split = format!("ShardToSplit={} NewStartingHashKey='{at}'", open[i].shard_id);
            // Its place may be the end of a small shard.
            house.ask::<ops::SplitShard>(&format!("StreamName=s {split}")).await.ok();
            None
        }
        1 => {
            open.sort_by_key(range);
            open.get(i..i + 2).map(|pair| {
                let (lower, upper) = (&pair[0].shard_id, &pair[1].shard_id);
                let pair = format!("ShardToMerge={lower} AdjacentShardToMerge={upper}");
                format!("MergeShards StreamName=s {pair}")
            })
        }
        _ => {
            let target = 1 + rng.below(9);
            let scaling = format!("TargetShardCount={target} ScalingType=UNIFORM_SCALING");
            Some(format!("UpdateShardCount StreamName=s {scaling}"))
        }
    };
    if let Some(call) = call {
        house.call(&call).await.unwrap();
    }
    house.rest().await;
}

async fn check_lineage(house: &House, seed: u64) {
    let all = house.shards("s").await;
    check_cover(&all);
    let mut met: BTreeSet<Text> = BTreeSet::new();
    let kept: BTreeSet<&Text> = all.iter().map(|s| &s.shard_id).collect();
    let parents = |s: &Shard| -> Vec<Text> {
        let both = s.parent_shard_id.iter().chain(&s.adjacent_parent_shard_id);
        both.filter(|p| kept.contains(p)).cloned().collect()
    };
    for shard in filtered(house, "AT_TRIM_HORIZON").await {
        assert_eq!(parents(&shard), [""; 0], "seed {seed}: a child at the horizon");
        met.insert(shard.shard_id);
    }
    for shard in &all {
        let parents = parents(shard);
        assert!(parents.iter().all(|p| met.contains(p)), "seed {seed}: {shard:?} before a parent");
        let found = !parents.is_empty() || met.contains(&shard.shard_id);
        assert!(found, "seed {seed}: {shard:?} lost");
        met.insert(shard.shard_id.clone());
    }
}
