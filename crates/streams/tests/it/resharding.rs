//! Splits, merges and UpdateShardCount: the shards they make and what is refused.

use crate::house::*;
use api::Text;
use api::kinesis::*;
use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);

#[test]
fn a_split_and_a_merge() {
    run(async |house| {
        house.create("s", 2).await;
        house.put("s", "k", "before").await.unwrap();
        house.split("s", "shardId-0", 1000).await.unwrap();
        assert_eq!(house.status("s").await, Some(StreamStatus::Updating));
        refused(
            house.split("s", "shardId-1", 7).await,
            "InvalidArgumentException",
            "NewStartingHashKey 7 used in SplitShard() on shard shardId-000000000001 in stream s \
             under account 000000000000 is not both greater than one plus the shard's \
             StartingHashKey 170141183460469231731687303715884105728 and less than the shard's \
             EndingHashKey 340282366920938463463374607431768211455.",
        );
        refused(
            house.merge("s", "0", "1").await,
            "ResourceInUseException",
            "Stream s under account 000000000000 not ACTIVE, instead in state UPDATING",
        );
        assert_eq!(numbers(&house.list("s", None).await), [0, 1], "no children before it is done");
        house.rest().await;
        let shards = house.list("s", None).await;
        assert_eq!(numbers(&shards), [0, 1, 2, 3]);
        check_cover(&shards);
        let [parent, _, lower, upper] = &shards[..] else { panic!("{shards:?}") };
        assert_eq!(lower.hash_key_range.ending_hash_key, "999");
        assert_eq!(upper.hash_key_range.starting_hash_key, "1000");
        for child in [lower, upper] {
            assert_eq!(child.parent_shard_id, Some("shardId-000000000000".into()));
            assert_eq!(child.adjacent_parent_shard_id, None);
            let start = &child.sequence_number_range.starting_sequence_number;
            let end = parent.sequence_number_range.ending_sequence_number.as_ref().unwrap();
            assert!(start.len() == 56 && end.len() == 56 && start > end);
        }
        refused(
            house.split("s", "0", 7).await,
            "InvalidArgumentException",
            "Shard shardId-000000000000 in stream s under account 000000000000 has already been \
             merged or split, and thus is not eligible for merging or splitting.",
        );
        house.merge("s", "3", "1").await.unwrap();
        house.rest().await;
        let shards = house.list("s", None).await;
        check_cover(&shards);
        assert_eq!(shards[4].parent_shard_id, Some("shardId-000000000003".into()));
        assert_eq!(shards[4].adjacent_parent_shard_id, Some("shardId-000000000001".into()));
    });
}

#[test]
fn refusals_of_splits_and_merges() {
    run(async |house| {
        house.create("s", 3).await;
        let missing = |id: &str, stream: &str| {
            format!("Could not find shard {id} in stream {stream} under account 000000000000.")
        };
        for id in ["x", "2.14E4", "2147483648", "shardId-2147483648"] {
            for stream in ["s", "none"] {
                let text = missing(id, stream);
                refused(house.split(stream, id, 7).await, "ResourceNotFoundException", &text);
                refused(house.merge(stream, "0", id).await, "ResourceNotFoundException", &text);
            }
        }
        for id in ["9", "-9", "x-9", "shardId-000000000009"] {
            let text = missing("shardId-000000000009", "s");
            refused(house.split("s", id, 7).await, "ResourceNotFoundException", &text);
            refused(house.merge("s", "0", id).await, "ResourceNotFoundException", &text);
            let text = "Stream none under account 000000000000 not found.";
            refused(house.split("none", id, 7).await, "ResourceNotFoundException", text);
        }
        let apart = |a, b| {
            format!(
                "Shards shardId-00000000000{a} and shardId-00000000000{b} in stream s under \
                 account 000000000000 are not an adjacent pair of shards eligible for merging"
            )
        };
        for (a, b) in [(0, 2), (1, 0), (2, 0), (1, 1)] {
            let outcome = house.merge("s", &a.to_string(), &b.to_string()).await;
            refused(outcome, "InvalidArgumentException", &apart(a, b));
        }
        for at in [0, 1, u128::MAX] {
            let outcome = house.split("s", "0", at).await;
            assert_eq!(outcome.unwrap_err().code(), "InvalidArgumentException", "{at}");
        }
        house.split("s", "0", 2).await.unwrap();
    });
}

#[test]
fn scaling_keeps_to_the_limits_of_aws() {
    run(async |house| {
        house.create("s", 4).await;
        let text = |what: &str, target| {
            format!(
                "UpdateShardCount cannot scale {what} your current open shard count. Current open \
                 shard count: 4, Target shard count: {target}"
            )
        };
        let outcome = house.scale("s", 9).await;
        refused(outcome, "LimitExceededException", &text("up over double", 9));
        let outcome = house.scale("s", 1).await;
        refused(outcome, "LimitExceededException", &text("down below half", 1));
        refused(
            house.scale("s", 10_001).await,
            "LimitExceededException",
            "Target shard count or number of open shards cannot be greater than 10000. Current \
             open shard count: 4, Target shard count: 10001",
        );
        let output = house.scale("s", 5).await.unwrap();
        assert_eq!((output.current_shard_count, output.target_shard_count), (Some(4), Some(5)));
        house.rest().await;
        let shards = house.list("s", None).await;
        check_cover(&shards);
        assert_eq!(shards.len(), 15);
        for target in [4, 5, 4, 5, 4, 5, 4, 5, 4] {
            house.scale("s", target).await.unwrap();
            house.rest().await;
        }
        let e = house.scale("s", 5).await.unwrap_err();
        assert_eq!(e.code(), "LimitExceededException");
        house.scale("s", 4).await.unwrap();
        house.fake.clock.advance(HOUR * 24);
        house.scale("s", 5).await.unwrap();
    });
}

#[test]
fn uneven_shards_become_even() {
    run_with(free(), async |house| {
        let width = |shards: &[Shard]| -> Vec<u128> {
            let key = |text: &Text| text.parse::<u128>().unwrap();
            let open = shards.iter().filter(|shard| is_open(shard));
            open.map(|s| {
                key(&s.hash_key_range.ending_hash_key) - key(&s.hash_key_range.starting_hash_key)
            })
            .collect()
        };
        for target in [4, 3, 1] {
            let name = format!("s{target}");
            house.create(&name, 1).await;
            house.split(&name, "0", u128::MAX / 10).await.unwrap();
            house.rest().await;
            house.scale(&name, target).await.unwrap();
            house.rest().await;
            let shards = house.list(&name, None).await;
            check_cover(&shards);
            let width = width(&shards);
            assert_eq!(width.len(), target as usize);
            let (min, max) = (width.iter().min().unwrap(), width.iter().max().unwrap());
            assert!(max - min < 4, "{target}: {width:?}");
        }
    });
}
