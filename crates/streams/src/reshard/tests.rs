use super::*;
use crate::rows::{Mode, StreamRow};
use proptest::prelude::*;

const NOW_S: i64 = 1_700_000_000;

fn draft(shards: u32) -> Draft {
    let row = StreamRow {
        created_ms: 0,
        status: Status::Active,
        mode: Mode::Provisioned,
        retention_hours: 24,
        encryption: None,
        record_kib_max: 1024,
        auto_distribution: false,
        monitoring: Vec::new(),
        warm_mibps: None,
        next_shard: shards,
        consumer_s: 0,
        change: None,
        scaled_ms: Vec::new(),
        rekeyed_ms: Vec::new(),
        switched_ms: Vec::new(),
        trimmed_ms: 0,
    };
    let shard = |(index, range)| {
        let shard = ShardRow {
            index,
            log_id: u64::from(index) + 1_000_000,
            range,
            created_s: NOW_S,
            opened_ms: 0,
            parent: None,
            adjacent_parent: None,
            closed: None,
        };
        (index, shard)
    };
    let shards = (0..).zip(HashRange::uniform(shards)).map(shard).collect();
    Draft { row, shards, touched: BTreeSet::new() }
}

/// What must be true of every stream.
fn check(draft: &Draft) {
    let open: Vec<&ShardRow> = draft.open().iter().map(|i| &draft.shards[i]).collect();
    assert_eq!(open.first().unwrap().range.start, 0);
    assert_eq!(open.last().unwrap().range.end, u128::MAX);
    assert!(open.windows(2).all(|w| w[0].range.end.checked_add(1) == Some(w[1].range.start)));
    for (index, row) in &draft.shards {
        assert!(row.range.start <= row.range.end);
        assert!(*index < draft.row.next_shard);
        for parent in row.parents() {
            let parent = &draft.shards[&parent];
            assert!(row.created_s > parent.created_s);
            assert!(parent.closed.as_ref().unwrap().children.contains(index));
        }
        for child in row.closed.iter().flat_map(|closed| &closed.children) {
            assert!(draft.shards[child].parents().any(|parent| parent == *index));
        }
    }
}

fn ranges(draft: &Draft) -> Vec<HashRange> {
    draft.open().iter().map(|i| draft.shards[i].range).collect()
}

/// Totals with closed shards: those seen on AWS, as far as a way to even shards can have them. For
/// the last three AWS was seen to leave 37, 7 and 17, which is too few cuts for even ones.
#[test]
fn scaling_makes_as_many_shards_as_aws() {
    for (from, to, total) in
        [(2, 4, 6), (4, 5, 15), (4, 2, 6), (3, 3, 3), (10, 13, 43), (5, 3, 13), (10, 3, 23)]
    {
        let mut draft = draft(from);
        draft.scale(to, NOW_S);
        check(&draft);
        assert_eq!(ranges(&draft), HashRange::uniform(to), "{from} to {to}");
        assert_eq!(draft.shards.len(), total, "{from} to {to}");
    }
}

/// However many shards there are between.
#[test]
fn children_are_made_seconds_from_now_and_not_minutes() {
    let mut draft = draft(1);
    draft.scale(1000, NOW_S);
    draft.scale(1, NOW_S);
    check(&draft);
    let youngest_s = draft.shards.values().map(|row| row.created_s).max().unwrap();
    assert!(youngest_s <= NOW_S + 20, "{}", youngest_s - NOW_S);
}

#[test]
fn shards_of_one_hash_key_are_merged_away() {
    let mut draft = draft(1);
    let mut last = 0;
    for at in 1..=3 {
        last = draft.split(last, at, NOW_S).unwrap()[1];
    }
    draft.scale(8, NOW_S);
    check(&draft);
    assert_eq!(ranges(&draft), HashRange::uniform(8));
}

#[test]
fn what_does_not_fit_changes_nothing() {
    let mut draft = draft(3);
    let end = draft.shards[&0].range.end;
    assert_eq!(draft.split(0, 0, NOW_S), None);
    assert_eq!(draft.split(0, end + 1, NOW_S), None);
    assert_eq!(draft.split(7, 1, NOW_S), None);
    assert_eq!(draft.merge(0, 2, NOW_S), None);
    assert_eq!(draft.merge(1, 0, NOW_S), None);
    assert_eq!(draft.merge(2, 0, NOW_S), None);
    draft.split(0, end, NOW_S).unwrap();
    assert_eq!(draft.split(0, 1, NOW_S), None, "a closed shard");
    assert_eq!(draft.merge(0, 1, NOW_S), None, "a closed shard");
    check(&draft);
}

#[test]
fn closing_fills_in_time_and_ends() {
    let mut draft = draft(2);
    let [lower, _] = draft.split(0, 77, NOW_S).unwrap();
    let tail = Tail { first_ordinal: 0, next_ordinal: 9, last_arrival_ms: 50, sealed: true };
    draft.close(&BTreeMap::from([(0, tail)]), 40);
    let closed = draft.shards[&0].closed.clone().unwrap();
    assert_eq!((closed.at_ms, closed.next_ordinal), (50, 9), "no record arrives after the close");
    assert_eq!(draft.shards[&0].opened_ms, 0);
    assert_eq!(draft.shards[&lower].opened_ms, 50);
    assert_eq!(draft.touched, BTreeSet::from([0, 2, 3]));
}

#[derive(Clone, Debug)]
enum Step {
    Split(usize, u128),
    Merge(usize),
    Scale(u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (any::<usize>(), any::<u128>()).prop_map(|(i, at)| Step::Split(i, at)),
        any::<usize>().prop_map(Step::Merge),
        (1..40u32).prop_map(Step::Scale),
    ];
    prop::collection::vec(step, 1..12)
}

proptest! {
    /// Whatever is split, merged and scaled: no hole, no overlap, true lineage, and after a scaling
    /// the ranges of a stream that is made with so many shards.
    #[test]
    fn open_shards_always_cover_every_hash_key(from in 1..20u32, steps in steps()) {
        let mut draft = draft(from);
        let mut now_s = NOW_S;
        for step in steps {
            let open = draft.open();
            match step {
                Step::Split(i, at) => {
                    let shard = open[i % open.len()];
                    let HashRange { start, end } = draft.shards[&shard].range;
                    let at = start + at % (end - start).max(1) + 1;
                    let fits = draft.split(shard, at, now_s).is_some();
                    prop_assert_eq!(fits, start < end);
                }
                Step::Merge(i) if open.len() > 1 => {
                    let i = i % (open.len() - 1);
                    prop_assert!(draft.merge(open[i], open[i + 1], now_s).is_some());
                }
                Step::Merge(_) => {}
                Step::Scale(target) => {
                    draft.scale(target, now_s);
                    prop_assert_eq!(ranges(&draft), HashRange::uniform(target));
                }
            }
            check(&draft);
            // A clock set back must not let a child's numbers sort before its parents'.
            now_s -= 1;
        }
    }
}
