//! Which shards may be read now.

use api::kinesis::ChildShard;
use std::collections::{BTreeMap, BTreeSet};
use wire::Text;

/// The shards that are read and those that wait for their parents.
#[derive(Debug, Default)]
pub(crate) struct Lineage {
    reading: BTreeSet<Text>,
    /// Every shard ever started, so that the second parent of a merge does not start the child
    /// again.
    seen: BTreeSet<Text>,
    waiting: BTreeMap<Text, Vec<Text>>,
}

impl Lineage {
    /// A shard is read from now on.
    pub(crate) fn reading(&mut self, shard_id: Text) {
        self.seen.insert(shard_id.clone());
        self.reading.insert(shard_id);
    }

    /// A shard was read to its end. Gives the shards to read now: those whose parents are no longer
    /// read here. A parent that was never read here (its end lies before the starting point) does
    /// not hold a child back.
    pub(crate) fn ended(&mut self, shard_id: &Text, children: Vec<ChildShard>) -> Vec<Text> {
        self.reading.remove(shard_id);
        for child in children {
            if !self.seen.contains(&child.shard_id) {
                self.waiting.entry(child.shard_id).or_insert(child.parent_shards);
            }
        }
        let open = |parents: &[Text]| !parents.iter().any(|p| self.reading.contains(p));
        let ready: Vec<Text> = self
            .waiting
            .iter()
            .filter(|(_, parents)| open(parents))
            .map(|(child, _)| child.clone())
            .collect();
        for child in &ready {
            self.waiting.remove(child);
            self.reading(child.clone());
        }
        ready
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn child(id: &str, parents: &[&str]) -> ChildShard {
        ChildShard {
            shard_id: id.into(),
            parent_shards: parents.iter().map(|p| Text::from(*p)).collect(),
            ..ChildShard::default()
        }
    }

    fn reading(ids: &[&str]) -> Lineage {
        let mut lineage = Lineage::default();
        for id in ids {
            lineage.reading((*id).into());
        }
        lineage
    }

    #[test]
    fn a_split_starts_both_children() {
        let mut lineage = reading(&["0"]);
        let children = vec![child("1", &["0"]), child("2", &["0"])];
        assert_eq!(lineage.ended(&"0".into(), children), ["1", "2"]);
    }

    #[test]
    fn a_merge_waits_for_both_parents_and_starts_once() {
        let mut lineage = reading(&["0", "1"]);
        assert!(lineage.ended(&"0".into(), vec![child("2", &["0", "1"])]).is_empty());
        assert_eq!(lineage.ended(&"1".into(), vec![child("2", &["0", "1"])]), ["2"]);
        assert!(lineage.ended(&"2".into(), vec![]).is_empty());
    }

    #[test]
    fn a_parent_that_is_not_read_holds_nothing_back() {
        let mut lineage = reading(&["1"]);
        assert_eq!(lineage.ended(&"1".into(), vec![child("2", &["0", "1"])]), ["2"]);
    }
}
