//! A global secondary index: places of items by other keys, in memory.
//!
//! It holds no items, only where they are; what is read through it is read from the catalog, so
//! that it can lack an item for a moment but never shows an old one. Who gave an item another place
//! touches it afterwards; a touch reads the item as it then is, so that the last one is always
//! right, however they come.

use super::rows::IndexRow;
use super::value::Item;
use bytes::Bytes;
use parking_lot::RwLock;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use store::{Keys, Order};

/// See the module.
pub(super) struct Index {
    pub(super) row: IndexRow,
    places: Arc<RwLock<Places>>,
}

#[derive(Default)]
struct Places {
    /// Key of the index and key of the item behind it -> key of the item.
    by_place: BTreeMap<Vec<u8>, Bytes>,
    /// The way back.
    of_item: HashMap<Bytes, Vec<u8>>,
}

impl Index {
    pub(super) fn new(row: IndexRow) -> Self {
        Self { row, places: Arc::default() }
    }

    /// It under a row that says other things of the same places, as its throughput; none when the
    /// places are others.
    pub(super) fn under(&self, row: &IndexRow) -> Option<Self> {
        let is_same = self.row.name == row.name && self.row.schema == row.schema;
        is_same.then(|| Self { row: row.clone(), places: self.places.clone() })
    }

    /// Where an item of this key is in the index; none when it is not.
    pub(super) fn place(&self, item: &Item, key: &[u8]) -> Option<Vec<u8>> {
        self.row.schema.place_of(item).map(|place| [&place, key].concat())
    }

    /// Whether a change of an item gives it another place.
    pub(super) fn moves(&self, old: Option<&Item>, new: Option<&Item>) -> bool {
        let of = |item: Option<&Item>, name: &str| item.and_then(|item| item.get(name)).cloned();
        let mut attributes = self.row.schema.attributes();
        attributes.any(|key| of(old, &key.name) != of(new, &key.name))
    }

    /// Looks at an item again: `read` gives it as it is now.
    ///
    /// # Errors
    /// What `read` says; the index is as it was.
    pub(super) fn touch<E>(
        &self,
        key: &[u8],
        read: impl FnOnce() -> Result<Option<Item>, E>,
    ) -> Result<(), E> {
        // Under the lock: a touch that read before another must also write before it.
        let mut places = self.places.write();
        let place = read()?.and_then(|item| self.place(&item, key));
        let Places { by_place, of_item } = &mut *places;
        if of_item.get(key) == place.as_ref() {
            return Ok(());
        }
        if let Some(old) = of_item.remove(key) {
            by_place.remove(&old);
        }
        if let Some(place) = place {
            let key = Bytes::copy_from_slice(key);
            by_place.insert(place.clone(), key.clone());
            of_item.insert(key, place);
        }
        Ok(())
    }

    /// Places in a run, each with the key of its item.
    pub(super) fn range(&self, keys: &Keys, order: Order, max: usize) -> Vec<(Vec<u8>, Bytes)> {
        let Keys { start, end } = keys;
        if end.as_ref().is_some_and(|end| end <= start) {
            return Vec::new();
        }
        let places = self.places.read();
        let from = places.by_place.range(start.clone()..);
        let inside = |place: &Vec<u8>| end.as_ref().is_none_or(|end| place < end);
        let copy = |(place, key): (&Vec<u8>, &Bytes)| (place.clone(), key.clone());
        match (order, end) {
            (Order::Forward, _) => {
                from.take_while(|(place, _)| inside(place)).take(max).map(copy).collect()
            }
            (Order::Backward, None) => from.rev().take(max).map(copy).collect(),
            (Order::Backward, Some(end)) => {
                let run = places.by_place.range(start.clone()..end.clone());
                run.rev().take(max).map(copy).collect()
            }
        }
    }

    /// How many items it has.
    pub(super) fn len(&self) -> usize {
        self.places.read().by_place.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamodb::key::{KeyAttribute, KeyKind, KeySchema};
    use crate::dynamodb::rows::Projected;
    use crate::dynamodb::value::Value;

    fn index() -> Index {
        let partition = KeyAttribute { name: "owner".into(), kind: KeyKind::S };
        let schema = KeySchema { partition, sort: None };
        Index::new(IndexRow {
            name: "i".into(),
            schema,
            projected: Projected::KeysOnly,
            units: None,
        })
    }

    fn owned(owner: &str) -> Item {
        Item::from([("owner".to_owned(), Value::S(owner.into()))])
    }

    fn keys(index: &Index, order: Order) -> Vec<Bytes> {
        let all = index.range(&Keys::default(), order, 9);
        all.into_iter().map(|(_, key)| key).collect()
    }

    #[test]
    fn the_last_touch_counts() {
        let index = index();
        let touch =
            |key: &[u8], item: Option<Item>| index.touch(key, || Ok::<_, ()>(item)).unwrap();
        touch(b"1", Some(owned("a")));
        touch(b"2", Some(owned("a")));
        touch(b"3", Some(Item::new()));
        assert_eq!(keys(&index, Order::Forward), ["1", "2"]);
        assert_eq!(keys(&index, Order::Backward), ["2", "1"]);
        touch(b"1", Some(owned("b")));
        touch(b"1", Some(owned("b")));
        touch(b"3", Some(owned("a")));
        assert_eq!(index.len(), 3);
        assert_eq!(index.touch(b"2", || Err("unreadable")), Err("unreadable"));
        assert_eq!(index.len(), 3, "as it was");
        let mut of_a = index.place(&owned("a"), b"").unwrap();
        let run = Keys::starting_with(&of_a);
        assert_eq!(index.range(&run, Order::Forward, 9).len(), 2);
        of_a.push(0xff);
        assert_eq!(index.range(&Keys { start: of_a, end: run.end }, Order::Forward, 9).len(), 0);
        touch(b"2", None);
        touch(b"3", None);
        touch(b"1", None);
        assert_eq!((index.len(), index.places.read().of_item.len()), (0, 0));
    }
}
