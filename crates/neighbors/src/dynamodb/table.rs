//! A table: what it is, and what of it is in memory.

use super::errors::Result;
use super::expression::KeyCondition;
use super::index::Index;
use super::key::KeySchema;
use super::rows::{IndexRow, Projected, Status, TableRow, item_key, item_prefix};
use super::value::Item;
use super::{SERVICE, texts};
use base::{AccountId, Region};
use bytes::Bytes;
use kit::rows;
use parking_lot::RwLock;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use store::{Keys, Order, Part};

/// What names a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct TableKey {
    pub(super) account: AccountId,
    pub(super) region: Region,
    pub(super) name: Arc<str>,
}

impl TableKey {
    /// Its ARN.
    pub(super) fn arn(&self) -> String {
        let Self { account, region, name } = self;
        let resource = format!("table/{name}");
        kit::Arn { service: SERVICE, region, account: *account, resource: &resource }.to_string()
    }
}

/// A table.
pub(super) struct Table {
    pub(super) key: TableKey,
    pub(super) arn: String,
    state: RwLock<Arc<State>>,
    /// Items, and the bytes of their rows.
    items: AtomicI64,
    bytes: AtomicI64,
}

/// What is true of a table at one moment.
pub(super) struct State {
    pub(super) row: TableRow,
    /// The row as the catalog has it.
    pub(super) stored: Bytes,
    pub(super) indexes: Vec<Arc<Index>>,
}

impl Table {
    /// A table of this row; its indexes are empty.
    pub(super) fn new(key: TableKey, row: TableRow) -> Self {
        let (items, bytes) = (AtomicI64::new(0), AtomicI64::new(0));
        Self {
            arn: key.arn(),
            key,
            state: RwLock::new(Arc::new(State::new(row, &[]))),
            items,
            bytes,
        }
    }

    /// What is true of it now.
    pub(super) fn state(&self) -> Arc<State> {
        self.state.read().clone()
    }

    /// Shows a row that the catalog has now; indexes that stay keep what they hold.
    pub(super) fn replace(&self, row: TableRow) {
        let mut state = self.state.write();
        *state = Arc::new(State::new(row, &state.indexes));
    }

    /// Reads everything that it has into its counts and indexes.
    ///
    /// # Errors
    /// `Corrupt` an item cannot be read.
    pub(super) fn load(&self, store: &Part) -> store::Result<()> {
        let state = self.state();
        let prefix = item_prefix(state.row.number);
        self.each_row(store, |key, value| {
            self.count(1, row_bytes(key, value));
            let key = key.strip_prefix(prefix.as_slice()).unwrap_or_default();
            state.touch(store, key)
        })
    }

    /// Fills the indexes from the items that are there.
    ///
    /// # Errors
    /// `Corrupt` an item cannot be read.
    pub(super) fn fill_indexes(&self, store: &Part) -> store::Result<()> {
        let state = self.state();
        let prefix = item_prefix(state.row.number);
        self.each_row(store, |key, _| {
            state.touch(store, key.strip_prefix(prefix.as_slice()).unwrap_or_default())
        })
    }

    fn each_row(
        &self,
        store: &Part,
        mut each: impl FnMut(&[u8], &[u8]) -> store::Result<()>,
    ) -> store::Result<()> {
        const ROWS: usize = 1000;
        let mut keys = Keys::starting_with(&item_prefix(self.state().row.number));
        loop {
            let page = store.range(&keys, Order::Forward, ROWS);
            let Some((last, _)) = page.last() else { return Ok(()) };
            keys = keys.after(last);
            page.iter().try_for_each(|(key, value)| each(key, value))?;
        }
    }

    /// Counts items that came or went, and the bytes of their rows.
    pub(super) fn count(&self, items: i64, bytes: i64) {
        self.items.fetch_add(items, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// How many items it has.
    pub(super) fn items(&self) -> i64 {
        self.items.load(Ordering::Relaxed).max(0)
    }

    /// Bytes of the rows of its items.
    pub(super) fn bytes(&self) -> i64 {
        self.bytes.load(Ordering::Relaxed).max(0)
    }
}

/// Bytes that a row takes in memory, about.
pub(super) fn row_bytes(key: &[u8], value: &[u8]) -> i64 {
    (key.len() + value.len()) as i64
}

impl State {
    fn new(row: TableRow, before: &[Arc<Index>]) -> Self {
        let index = |wanted: &IndexRow| {
            let kept = before.iter().find_map(|index| index.under(wanted));
            Arc::new(kept.unwrap_or_else(|| Index::new(wanted.clone())))
        };
        let indexes = row.indexes.iter().map(index).collect();
        Self { stored: rows::encode(&row).into(), indexes, row }
    }

    /// Whether items can be read and written.
    pub(super) fn is_active(&self) -> bool {
        self.row.status == Status::Active
    }

    /// The index of this name.
    ///
    /// # Errors
    /// `Validation` there is none.
    pub(super) fn index(&self, name: &str) -> Result<&Arc<Index>> {
        let mut indexes = self.indexes.iter();
        indexes.find(|index| index.row.name == name).ok_or_else(|| texts::no_index(name))
    }

    /// The item of a key, if there is one.
    ///
    /// # Errors
    /// `Corrupt` it cannot be read.
    pub(super) fn item(&self, store: &Part, key: &[u8]) -> store::Result<Option<Item>> {
        rows::get(store, &item_key(self.row.number, key))
    }

    /// Lets the indexes look at an item again.
    ///
    /// # Errors
    /// `Corrupt` it cannot be read.
    pub(super) fn touch(&self, store: &Part, key: &[u8]) -> store::Result<()> {
        self.indexes.iter().try_for_each(|index| index.touch(key, || self.item(store, key)))
    }
}

/// What a query or a scan reads: a table, or an index of it.
pub(super) struct Source<'a> {
    state: &'a State,
    index: Option<&'a Arc<Index>>,
}

/// An item that was read, and where it is in its source.
pub(super) struct Found {
    pub(super) place: Vec<u8>,
    pub(super) item: Item,
}

impl<'a> Source<'a> {
    /// The table, or its index of this name.
    ///
    /// # Errors
    /// `Validation` there is no such index.
    pub(super) fn new(state: &'a State, index: Option<&str>) -> Result<Self> {
        let index = index.map(|name| state.index(name)).transpose()?;
        Ok(Self { state, index })
    }

    /// The keys by which it is read.
    pub(super) fn schema(&self) -> &'a KeySchema {
        self.index.map_or(&self.state.row.schema, |index| &index.row.schema)
    }

    /// The places that a query is about.
    ///
    /// # Errors
    /// `Validation` the condition does not fit the keys.
    pub(super) fn run(&self, condition: &KeyCondition) -> Result<Keys> {
        self.schema().run(condition)
    }

    /// The place that a request gives as the last one that was read.
    ///
    /// # Errors
    /// `Validation` it is no place of this source.
    pub(super) fn place(&self, key: &Item) -> Result<Vec<u8>> {
        let table = &self.state.row.schema;
        let own = table.of_given(&table.part_of(key)).map_err(|_| texts::start_key_invalid())?;
        let place = match self.index {
            None => own,
            Some(index) => index.place(key, &own).ok_or_else(texts::start_key_invalid)?,
        };
        if self.part_of(key).len() == key.len() {
            Ok(place)
        } else {
            Err(texts::start_key_invalid())
        }
    }

    /// The attributes that name an item's place.
    pub(super) fn part_of(&self, item: &Item) -> Item {
        let mut part = self.state.row.schema.part_of(item);
        part.extend(self.schema().part_of(item));
        part
    }

    /// What it shows of an item.
    pub(super) fn shown(&self, item: Item) -> Item {
        let Some(index) = self.index else { return item };
        match &index.row.projected {
            Projected::All => item,
            Projected::KeysOnly => self.part_of(&item),
            Projected::Include(names) => {
                let mut part = self.part_of(&item);
                part.extend(item.into_iter().filter(|(name, _)| names.contains(name)));
                part
            }
        }
    }

    /// Whether it shows only a part of its items.
    pub(super) fn is_partial(&self) -> bool {
        self.index.is_some_and(|index| index.row.projected != Projected::All)
    }

    /// The next items of a run, from at most `max` places, and the last of these places; none once
    /// the run is at its end.
    ///
    /// # Errors
    /// `Corrupt` an item cannot be read.
    pub(super) fn read(
        &self,
        store: &Part,
        run: &Keys,
        order: Order,
        max: usize,
    ) -> store::Result<(Vec<Found>, Option<Vec<u8>>)> {
        let Some(index) = self.index else {
            let found = self.read_table(store, run, order, max)?;
            let last = found.last().map(|found| found.place.clone());
            return Ok((found, last));
        };
        let (mut found, mut last) = (Vec::new(), None);
        for (place, key) in index.range(run, order, max) {
            last = Some(place.clone());
            // It may be gone or elsewhere since.
            if let Some(item) = self.state.item(store, &key)?
                && index.place(&item, &key).as_ref() == Some(&place)
            {
                found.push(Found { place, item });
            }
        }
        Ok((found, last))
    }

    fn read_table(
        &self,
        store: &Part,
        run: &Keys,
        order: Order,
        max: usize,
    ) -> store::Result<Vec<Found>> {
        let prefix = item_prefix(self.state.row.number);
        let full = |key: &[u8]| [&prefix, key].concat();
        let end = match run.end.as_deref() {
            Some(end) => Some(full(end)),
            None => Keys::starting_with(&prefix).end,
        };
        let rows = store.range(&Keys { start: full(&run.start), end }, order, max);
        let found = |(key, value): (Bytes, Bytes)| {
            let item = rows::decode(&key, &value)?;
            let place = key.strip_prefix(prefix.as_slice()).unwrap_or_default().to_vec();
            Ok(Found { place, item })
        };
        rows.into_iter().map(found).collect()
    }
}
