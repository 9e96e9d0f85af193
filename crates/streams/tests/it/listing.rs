//! Listings: pages, tokens and filters.

use crate::house::*;
use api::kinesis::ShardFilterType::{
    AfterShardId, AtLatest, AtTimestamp, AtTrimHorizon, FromTimestamp, FromTrimHorizon,
};
use api::kinesis::*;
use api::{Text, Timestamp};
use std::collections::BTreeSet;
use std::time::Duration;
use testkit::SeededRng;

fn filter(type_: ShardFilterType) -> ShardFilter {
    ShardFilter { type_, ..ShardFilter::default() }
}

fn filter_at(type_: ShardFilterType, at_ms: i64) -> ShardFilter {
    ShardFilter { type_, timestamp: Some(Timestamp(at_ms)), shard_id: None }
}

#[test]
fn streams_in_pages() {
    run_with(free(), async |house| {
        for name in ["a", "b", "c", "d", "e", "f"] {
            house.create(name, 1).await;
        }
        let mut seen = Vec::new();
        let mut next_token = None;
        loop {
            let input = ListStreamsInput { limit: Some(4), next_token, ..Default::default() };
            let page = house.streams.list_streams(&house.cx, input).await.unwrap();
            let summaries = page.stream_summaries.unwrap();
            assert!(summaries.iter().all(|s| s.stream_status == StreamStatus::Active));
            assert_eq!(summaries[0].stream_arn, stream_arn(&page.stream_names[0]));
            assert_eq!(page.has_more_streams, page.next_token.is_some());
            seen.push(page.stream_names.iter().map(ToString::to_string).collect::<String>());
            next_token = page.next_token;
            if next_token.is_none() {
                break;
            }
        }
        assert_eq!(seen, ["abcd", "ef"]);
        let input = ListStreamsInput {
            exclusive_start_stream_name: Some("d".into()),
            ..ListStreamsInput::default()
        };
        let page = house.streams.list_streams(&house.cx, input).await.unwrap();
        assert_eq!(page.stream_names, ["e", "f"]);
        assert!(!page.has_more_streams);
    });
}

#[test]
fn a_hundred_streams_at_most() {
    run_with(free(), async |house| {
        for i in 0..101 {
            house.streams.create_stream(&house.cx, create(&format!("s{i:03}"), 1)).await.unwrap();
        }
        for limit in [None, Some(100), Some(10_000)] {
            let input = ListStreamsInput { limit, ..ListStreamsInput::default() };
            let page = house.streams.list_streams(&house.cx, input).await.unwrap();
            assert_eq!((page.stream_names.len(), page.has_more_streams), (100, true));
        }
    });
}

#[test]
fn shards_in_pages() {
    run(async |house| {
        house.create("s", 5).await;
        let first = ListShardsInput {
            stream_arn: Some(stream_arn("s")),
            exclusive_start_shard_id: Some("shardId-000000000000".into()),
            max_results: Some(2),
            ..ListShardsInput::default()
        };
        let page = house.streams.list_shards(&house.cx, first).await.unwrap();
        assert_eq!(numbers(&page.shards.unwrap()), [1, 2]);
        let token = page.next_token.unwrap();
        // The token survives a restart and stands for the listing.
        house.restart().await;
        let next = ListShardsInput { next_token: Some(token.clone()), ..Default::default() };
        let page = house.streams.list_shards(&house.cx, next.clone()).await.unwrap();
        assert_eq!(numbers(&page.shards.unwrap()), [3, 4]);
        assert_eq!(page.next_token, None);

        let beside = [
            ("StreamName", ListShardsInput { stream_name: Some("s".into()), ..next.clone() }),
            ("StreamARN", ListShardsInput { stream_arn: Some(stream_arn("s")), ..next.clone() }),
            (
                "ExclusiveStartShardId",
                ListShardsInput { exclusive_start_shard_id: Some("0".into()), ..next.clone() },
            ),
            (
                "ShardFilter",
                ListShardsInput { shard_filter: Some(filter(AtLatest)), ..next.clone() },
            ),
            (
                "StreamCreationTimestamp",
                ListShardsInput { stream_creation_timestamp: Some(Timestamp(0)), ..next.clone() },
            ),
        ];
        for (member, input) in beside {
            refused(
                house.streams.list_shards(&house.cx, input).await,
                "InvalidArgumentException",
                &format!("NextToken and {member} cannot be provided together."),
            );
        }
        refused(
            house.streams.list_shards(&house.cx, ListShardsInput::default()).await,
            "InvalidArgumentException",
            "Either NextToken or StreamName should be provided.",
        );
        let list = ListStreamsInput { next_token: Some(token), ..ListStreamsInput::default() };
        let outcome = house.streams.list_streams(&house.cx, list).await;
        assert_eq!(outcome.unwrap_err().code(), "InvalidArgumentException", "of another listing");
        house.pass(Duration::from_millis(300_001)).await;
        let late = house.streams.list_shards(&house.cx, next).await;
        assert_eq!(late.unwrap_err().code(), "ExpiredNextTokenException");
    });
}

#[test]
fn pages_of_the_open_shards_show_one_moment() {
    run(async |house| {
        house.create("s", 3).await;
        let mut input = ListShardsInput {
            stream_name: Some("s".into()),
            shard_filter: Some(filter(AtLatest)),
            max_results: Some(1),
            ..ListShardsInput::default()
        };
        let mut seen = Vec::new();
        loop {
            let page = house.streams.list_shards(&house.cx, input).await.unwrap();
            seen.extend(numbers(&page.shards.unwrap()));
            let Some(next_token) = page.next_token else { break };
            if seen.len() == 1 {
                house.pass(Duration::from_millis(1)).await;
                house.split("s", "0", 1000).await.unwrap();
                house.rest().await;
                house.split("s", "2", u128::MAX - 1000).await.unwrap();
                house.rest().await;
            }
            let next_token = Some(next_token);
            input = ListShardsInput { next_token, max_results: Some(1), ..Default::default() };
        }
        assert_eq!(seen, [0, 1, 2], "no children beside their parents, and no hole");
        assert_eq!(numbers(&house.list("s", Some(filter(AtLatest))).await), [1, 3, 4, 5, 6]);
    });
}

#[test]
fn the_creation_time_tells_streams_apart() {
    run(async |house| {
        house.create("s", 1).await;
        let made = house.summary("s").await.unwrap().stream_creation_timestamp;
        let list = |at| ListShardsInput {
            stream_name: Some("s".into()),
            stream_creation_timestamp: Some(at),
            ..ListShardsInput::default()
        };
        house.streams.list_shards(&house.cx, list(made)).await.unwrap();
        refused(
            house.streams.list_shards(&house.cx, list(Timestamp(made.0 - 1000))).await,
            "ResourceNotFoundException",
            "Stream s under account 000000000000 not found.",
        );
    });
}

#[test]
fn filters_show_what_they_say() {
    run(async |house| {
        let second = Duration::from_secs(1);
        let hour = Duration::from_hours(1);
        house.create("s", 2).await;
        house.pass(hour).await;
        house.split("s", "0", 1000).await.unwrap();
        house.rest().await;
        let split_ms = now_ms(house);
        house.pass(hour).await;
        house.merge("s", "2", "3").await.unwrap();
        house.rest().await;
        let now_ms = now_ms(house);
        let shown = async |filter| numbers(&house.list("s", Some(filter)).await);
        assert_eq!(numbers(&house.list("s", None).await), [0, 1, 2, 3, 4]);
        assert_eq!(shown(filter(FromTrimHorizon)).await, [0, 1, 2, 3, 4]);
        assert_eq!(shown(filter(AtLatest)).await, [1, 4]);
        assert_eq!(shown(filter(AtTrimHorizon)).await, [0, 1]);
        let after = ShardFilter {
            type_: AfterShardId,
            shard_id: Some("shardId-000000000002".into()),
            timestamp: None,
        };
        assert_eq!(shown(after).await, [3, 4]);
        let between_ms = split_ms + 1_800_000;
        assert_eq!(shown(filter_at(AtTimestamp, between_ms)).await, [1, 2, 3]);
        assert_eq!(shown(filter_at(FromTimestamp, between_ms)).await, [1, 2, 3, 4]);
        assert_eq!(shown(filter_at(AtTimestamp, now_ms)).await, [1, 4]);
        assert_eq!(shown(filter_at(FromTimestamp, now_ms)).await, [1, 4]);
        for at_ms in [0, -5] {
            assert_eq!(shown(filter_at(AtTimestamp, at_ms)).await, [0, 1], "before the horizon");
            assert_eq!(shown(filter_at(FromTimestamp, at_ms)).await, [0, 1, 2, 3, 4]);
        }
        // A day after the split its parent is gone, and the children are the oldest there are.
        house.pass(hour * 23 + second).await;
        assert_eq!(shown(filter(AtTrimHorizon)).await, [1, 2, 3]);
        assert_eq!(shown(filter(FromTrimHorizon)).await, [1, 2, 3, 4]);
        house.pass(hour).await;
        assert_eq!(shown(filter(AtTrimHorizon)).await, [1, 4]);
    });
}

#[test]
fn filters_need_what_they_need() {
    run(async |house| {
        house.create("s", 1).await;
        for (kind, member) in
            [(AfterShardId, "ShardId"), (AtTimestamp, "Timestamp"), (FromTimestamp, "Timestamp")]
        {
            let input = ListShardsInput {
                stream_name: Some("s".into()),
                shard_filter: Some(filter(kind)),
                ..ListShardsInput::default()
            };
            refused(
                house.streams.list_shards(&house.cx, input).await,
                "InvalidArgumentException",
                &format!("ShardFilter of type {} needs the parameter {member}.", kind.as_str()),
            );
        }
    });
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

async fn random_reshard(house: &House, rng: &SeededRng) {
    let open = house.list("s", Some(filter(AtLatest))).await;
    let key = |text: &Text| text.parse::<u128>().unwrap();
    let at = |i: usize| (key(&open[i].hash_key_range.starting_hash_key), open[i].shard_id.clone());
    let i = rng.index(open.len());
    match rng.below(3) {
        0 => {
            let (start, id) = at(i);
            house.split("s", &id, start + 2 + u128::from(rng.below(1000))).await.ok();
        }
        1 => {
            let mut sorted: Vec<_> = (0..open.len()).map(at).collect();
            sorted.sort();
            if let Some([lower, upper]) = sorted.get(i..i + 2) {
                house.merge("s", &lower.1, &upper.1).await.unwrap();
            }
        }
        _ => drop(house.scale("s", 1 + rng.below(9) as i32).await.unwrap()),
    }
    house.rest().await;
}

async fn check_lineage(house: &House, seed: u64) {
    let all = house.list("s", None).await;
    check_cover(&all);
    let mut met: BTreeSet<Text> = BTreeSet::new();
    let start = house.list("s", Some(filter(AtTrimHorizon))).await;
    let kept: BTreeSet<&Text> = all.iter().map(|s| &s.shard_id).collect();
    let parents = |s: &Shard| -> Vec<Text> {
        let both = s.parent_shard_id.iter().chain(&s.adjacent_parent_shard_id);
        both.filter(|p| kept.contains(p)).cloned().collect()
    };
    for shard in &start {
        assert_eq!(parents(shard), [""; 0], "seed {seed}: a child at the horizon");
        met.insert(shard.shard_id.clone());
    }
    for shard in &all {
        let parents = parents(shard);
        assert!(parents.iter().all(|p| met.contains(p)), "seed {seed}: {shard:?} before a parent");
        assert!(
            !parents.is_empty() || met.contains(&shard.shard_id),
            "seed {seed}: {shard:?} lost"
        );
        met.insert(shard.shard_id.clone());
    }
}

fn now_ms(house: &House) -> i64 {
    house.fake.env().clock.now_ms()
}
