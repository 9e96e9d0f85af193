//! Which shards may be read now.

use api::kinesis::HashKeyRange;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use wire::Text;

/// The shards that are read and those that wait for their parents.
///
/// Of two shards with a hash key in common one continues the other, maybe across shards that are
/// not known here yet. So whatever is read holds back what overlaps it, and of two that wait the
/// later one waits for the earlier one: shards are numbered as they come. A parent that is neither
/// read nor waits holds nothing back: it was read, or was taken away, or ended before the start.
#[derive(Debug, Default)]
pub(crate) struct Lineage {
    reading: BTreeMap<Text, Keys>,
    /// Every shard ever found, so that the second parent of a merge does not start the child again.
    seen: BTreeSet<Text>,
    waiting: BTreeMap<Text, Waiting>,
}

#[derive(Debug)]
struct Waiting {
    parents: Vec<Text>,
    keys: Keys,
}

/// Hash keys of a shard; none when the server does not tell them.
#[derive(Clone, Debug)]
struct Keys(Option<RangeInclusive<u128>>);

impl Keys {
    fn of(range: &HashKeyRange) -> Self {
        let start = range.starting_hash_key.parse().ok();
        Self(start.zip(range.ending_hash_key.parse().ok()).map(|(start, end)| start..=end))
    }

    fn overlap(&self, other: &Self) -> bool {
        let both = self.0.as_ref().zip(other.0.as_ref());
        both.is_some_and(|(a, b)| a.start() <= b.end() && b.start() <= a.end())
    }
}

impl Lineage {
    /// There is such a shard; it waits until it is `ready`.
    pub(crate) fn found(&mut self, shard_id: Text, parents: Vec<Text>, range: &HashKeyRange) {
        if self.seen.insert(shard_id.clone()) {
            self.waiting.insert(shard_id, Waiting { parents, keys: Keys::of(range) });
        }
    }

    /// A shard was read to its end.
    pub(crate) fn ended(&mut self, shard_id: &Text) {
        self.reading.remove(shard_id);
    }

    /// The shards to read from now on.
    pub(crate) fn ready(&mut self) -> Vec<Text> {
        let free = self.waiting.iter().filter(|(shard_id, of)| !self.is_held(shard_id, of));
        let mut ready: Vec<Text> = free.map(|(shard_id, _)| shard_id.clone()).collect();
        if ready.is_empty() && self.reading.is_empty() {
            // They wait for each other, which no true lineage does; all of it is still to be read.
            ready.extend(self.waiting.keys().next().cloned());
        }
        for shard_id in &ready {
            if let Some(waiting) = self.waiting.remove(shard_id) {
                self.reading.insert(shard_id.clone(), waiting.keys);
            }
        }
        ready
    }

    /// Whether a shard that waits must go on waiting.
    fn is_held(&self, shard_id: &Text, of: &Waiting) -> bool {
        let earlier = self.waiting.range(..shard_id.clone()).map(|(_, other)| &other.keys);
        let is_open = |id: &Text| self.reading.contains_key(id) || self.waiting.contains_key(id);
        self.reading.values().chain(earlier).any(|keys| keys.overlap(&of.keys))
            || of.parents.iter().any(is_open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A shard: its number, its parents, its first and last hash key.
    type Shard = (&'static str, &'static [&'static str], [u8; 2]);

    /// What starts at first, and then as each of these ends with its children.
    fn check(first: &[Shard], want: &[&str], steps: &[(&str, &[Shard], &[&str])]) {
        let mut lineage = Lineage::default();
        let found = |lineage: &mut Lineage, shards: &[Shard]| {
            for (shard_id, parents, [start, end]) in shards {
                let range = HashKeyRange {
                    starting_hash_key: start.to_string().into(),
                    ending_hash_key: end.to_string().into(),
                };
                let parents = parents.iter().map(|parent| (*parent).into()).collect();
                lineage.found((*shard_id).into(), parents, &range);
            }
        };
        found(&mut lineage, first);
        assert_eq!(lineage.ready(), want);
        for (ended, children, want) in steps {
            lineage.ended(&(*ended).into());
            found(&mut lineage, children);
            assert_eq!(lineage.ready(), *want, "after {ended}");
        }
        assert!(lineage.reading.is_empty() && lineage.waiting.is_empty(), "{lineage:?}");
    }

    #[test]
    fn a_split_starts_both_children() {
        let children: [Shard; 2] = [("1", &["0"], [0, 4]), ("2", &["0"], [5, 9])];
        let steps: [(_, &[Shard], &[_]); 3] =
            [("0", &children, &["1", "2"]), ("1", &[], &[]), ("2", &[], &[])];
        check(&[("0", &[], [0, 9])], &["0"], &steps);
    }

    #[test]
    fn a_merge_waits_for_both_parents_and_starts_once() {
        let child: Shard = ("2", &["0", "1"], [0, 9]);
        for [first, last] in [["0", "1"], ["1", "0"]] {
            let steps: [(_, &[Shard], &[_]); 3] =
                [(first, &[child], &[]), (last, &[child], &["2"]), ("2", &[], &[])];
            check(&[("0", &[], [0, 4]), ("1", &[], [5, 9])], &["0", "1"], &steps);
        }
    }

    #[test]
    fn a_parent_that_is_not_read_holds_nothing_back() {
        let steps: [(_, &[Shard], &[_]); 2] =
            [("1", &[("2", &["0", "1"], [0, 9])], &["2"]), ("2", &[], &[])];
        check(&[("1", &[], [5, 9])], &["1"], &steps);
    }

    /// `0` splits to `2` and `3`, and `3` merges with `1` to `4`.
    #[test]
    fn a_parent_that_is_not_known_yet_holds_its_child() {
        let merged: Shard = ("4", &["3", "1"], [3, 9]);
        let split: [Shard; 2] = [("2", &["0"], [0, 2]), ("3", &["0"], [3, 4])];
        let steps: [(_, &[Shard], &[_]); 5] = [
            ("1", &[merged], &[]),
            ("0", &split, &["2", "3"]),
            ("3", &[merged], &["4"]),
            ("4", &[], &[]),
            ("2", &[], &[]),
        ];
        check(&[("0", &[], [0, 4]), ("1", &[], [5, 9])], &["0", "1"], &steps);
    }

    /// As above, but `3` was taken away before `0` was read to its end.
    #[test]
    fn a_parent_that_was_taken_away_does_not_hold_its_child_for_ever() {
        let steps: [(_, &[Shard], &[_]); 4] = [
            ("1", &[("4", &["3", "1"], [3, 9])], &[]),
            ("0", &[("2", &["0"], [0, 2])], &["2", "4"]),
            ("2", &[], &[]),
            ("4", &[], &[]),
        ];
        check(&[("0", &[], [0, 4]), ("1", &[], [5, 9])], &["0", "1"], &steps);
    }

    /// `0` and `1` merge to `3`, that splits to `4` and `5`, and `5` merges with `2` to `6`: what
    /// waits holds what comes behind it, though nothing that is read overlaps that.
    #[test]
    fn who_waits_holds_who_is_later() {
        let (three, six): (Shard, Shard) = (("3", &["0", "1"], [0, 5]), ("6", &["5", "2"], [3, 9]));
        let split: [Shard; 2] = [("4", &["3"], [0, 2]), ("5", &["3"], [3, 5])];
        let steps: [(_, &[Shard], &[_]); 7] = [
            ("2", &[six], &[]),
            ("1", &[three], &[]),
            ("0", &[three], &["3"]),
            ("3", &split, &["4", "5"]),
            ("5", &[six], &["6"]),
            ("6", &[], &[]),
            ("4", &[], &[]),
        ];
        let first: [Shard; 3] = [("0", &[], [0, 2]), ("1", &[], [3, 5]), ("2", &[], [6, 9])];
        check(&first, &["0", "1", "2"], &steps);
    }

    /// What begins in the millisecond of the split finds the parent open, too.
    #[test]
    fn parents_and_children_found_at_once() {
        let first: [Shard; 3] = [("1", &["0"], [0, 4]), ("0", &[], [0, 9]), ("2", &["0"], [5, 9])];
        let steps: [(_, &[Shard], &[_]); 3] =
            [("0", &[first[0], first[2]], &["1", "2"]), ("1", &[], &[]), ("2", &[], &[])];
        check(&first, &["0"], &steps);
    }

    #[test]
    fn who_waits_for_each_other_is_read_all_the_same() {
        let first: [Shard; 2] = [("0", &["1"], [0, 9]), ("1", &["0"], [0, 9])];
        check(&first, &["0"], &[("0", &[], &["1"]), ("1", &[], &[])]);
    }
}
