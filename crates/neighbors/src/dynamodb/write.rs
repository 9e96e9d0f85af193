//! Changes of items: each looks at the item, and is made only if the item is still the same.
//!
//! ```text
//! read the row -> condition -> new item -> transaction that checks the row -> indexes, counts
//!      ^------------------ somebody else changed it first ------------------'
//! ```
//!
//! Cost of one: a row read and written as JSON, one commit of the catalog, shared by all that wait.
//! There is no lock: of those who change one item at the same time one wins each commit, and the
//! others look again.

use super::errors::{Result, fail};
use super::expression::{Condition, Update};
use super::rows::{IndexRow, item_key};
use super::service::Inner;
use super::table::{State, Table, row_bytes};
use super::texts;
use super::value::{Binary, Item, Value, item_bytes};
use api::dynamodb::Error;
use base::Cx;
use bytes::Bytes;
use kit::rows;
use std::sync::Arc;
use store::{ErrorKind, Transaction};

/// Largest item (model's documentation).
pub(super) const ITEM_BYTES_MAX: usize = 400 << 10;
/// How often a change is tried that meets others.
const TRIES_MAX: usize = 200;

/// One change of one item.
pub(super) struct Write {
    pub(super) table: Arc<Table>,
    /// The key attributes.
    pub(super) key: Item,
    pub(super) condition: Option<Condition>,
    pub(super) change: Change,
}

/// What is done.
#[derive(Debug)]
pub(super) enum Change {
    Put(Item),
    Update(Update),
    Delete,
    /// Nothing: only its condition counts.
    Check,
}

/// A change as it would be made now.
pub(super) struct Made {
    /// The item before.
    pub(super) old: Option<Item>,
    /// And after.
    pub(super) new: Option<Item>,
    state: Arc<State>,
    /// Key of the item in its table, and of its row.
    item_key: Vec<u8>,
    row_key: Vec<u8>,
    stored: Option<Bytes>,
    written: Option<Vec<u8>>,
}

/// Why a change is not made.
pub(super) enum Refused {
    /// Its condition is not true of this item.
    Condition(Option<Item>),
    Error(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// Makes one change.
///
/// # Errors
/// `Refused`; what the store says.
pub(super) async fn make(
    inner: &Inner,
    cx: &Cx,
    write: &Write,
) -> std::result::Result<Made, Refused> {
    for _ in 0..TRIES_MAX {
        let made = write.look(inner, cx)?;
        let mut transaction = Transaction::default();
        made.put_into(&mut transaction, write);
        if commit(inner, cx, transaction).await? {
            made.note(inner, cx, write);
            return Ok(made);
        }
    }
    Err(texts::write_conflict().into())
}

/// Makes several changes together or none; `extra` adds to the transaction.
///
/// # Errors
/// Of each change that is refused its place and why, or one error of all.
pub(super) async fn make_all(
    inner: &Inner,
    cx: &Cx,
    writes: &[Write],
    extra: impl Fn(&mut Transaction),
) -> Result<std::result::Result<(), Vec<(usize, Refused)>>> {
    for _ in 0..TRIES_MAX {
        let (mut all, mut refused) = (Vec::new(), Vec::new());
        for (place, write) in writes.iter().enumerate() {
            match write.look(inner, cx) {
                Ok(made) => all.push(made),
                Err(why) => refused.push((place, why)),
            }
        }
        if !refused.is_empty() {
            return Ok(Err(refused));
        }
        let mut transaction = Transaction::default();
        extra(&mut transaction);
        for (made, write) in all.iter().zip(writes) {
            made.put_into(&mut transaction, write);
        }
        if commit(inner, cx, transaction).await? {
            for (made, write) in all.iter().zip(writes) {
                made.note(inner, cx, write);
            }
            return Ok(Ok(()));
        }
    }
    Err(texts::write_conflict())
}

/// Whether the transaction was made: not, when something that it rests on changed.
async fn commit(inner: &Inner, cx: &Cx, transaction: Transaction) -> Result<bool> {
    match inner.store.commit(transaction).await {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == ErrorKind::Conflict => Ok(false),
        Err(e) => Err(fail(cx, &e)),
    }
}

impl Write {
    /// What it would do to the item as it is now.
    fn look(&self, inner: &Inner, cx: &Cx) -> std::result::Result<Made, Refused> {
        let state = self.table.state();
        if !state.is_active() {
            return Err(texts::not_found().into());
        }
        let item_key = match &self.change {
            Change::Put(item) => state.row.schema.of_item(item)?,
            _ => state.row.schema.of_given(&self.key)?,
        };
        let row_key = item_key_of(&state, &item_key);
        let stored = inner.store.get(&row_key);
        let old: Option<Item> = stored
            .as_ref()
            .map(|stored| rows::decode(&row_key, stored))
            .transpose()
            .map_err(|e| fail(cx, &e))?;
        if let Some(condition) = &self.condition {
            let nothing = Item::new();
            if !condition.holds(old.as_ref().unwrap_or(&nothing)) {
                return Err(Refused::Condition(old));
            }
        }
        let new = match &self.change {
            Change::Put(item) => Some(item.clone()),
            Change::Update(update) => Some(self.updated(update, old.as_ref())?),
            Change::Delete => None,
            Change::Check => old.clone(),
        };
        if let Some(new) = &new {
            let is_update = matches!(self.change, Change::Update(_));
            state.row.indexes.iter().try_for_each(|index| check_index(index, new, is_update))?;
        }
        let written = new.as_ref().filter(|new| Some(*new) != old.as_ref()).map(rows::encode);
        if let Some(written) = &written {
            let more = written.len() as i64 - stored.as_ref().map_or(0, |old| old.len() as i64);
            inner.check_room(more)?;
        }
        Ok(Made { old, new, state, item_key, row_key, stored, written })
    }

    fn updated(&self, update: &Update, old: Option<&Item>) -> Result<Item> {
        let new = update.apply(old.unwrap_or(&self.key))?;
        if item_bytes(&new) > ITEM_BYTES_MAX {
            return Err(texts::updated_item_too_large());
        }
        Ok(new)
    }
}

fn item_key_of(state: &State, key: &[u8]) -> Vec<u8> {
    item_key(state.row.number, key)
}

/// Keys of an index are keys where they are there.
fn check_index(index: &IndexRow, item: &Item, is_update: bool) -> Result<()> {
    for (attribute, bytes_max) in index.schema.attributes_with_bounds() {
        let (name, wanted) = (&attribute.name, attribute.kind.name());
        let Some(value) = item.get(name) else { continue };
        if value.type_name() != wanted {
            return Err(texts::index_key_type(name, wanted, value.type_name(), &index.name));
        }
        let (len, kind) = match value {
            Value::S(text) => (text.len(), "string"),
            Value::B(Binary(bytes)) => (bytes.len(), "binary"),
            _ => continue,
        };
        if len == 0 {
            return Err(texts::index_key_empty(&index.name, name, kind, is_update));
        }
        if len > bytes_max {
            return Err(texts::key_too_long(bytes_max));
        }
    }
    Ok(())
}

impl Made {
    fn put_into(&self, transaction: &mut Transaction, write: &Write) {
        let table_key = super::rows::TableRow::key(&write.table.key);
        transaction.check(table_key, Some(self.state.stored.clone()));
        transaction.check(self.row_key.clone(), self.stored.clone());
        match (&self.new, &self.written) {
            (None, _) if self.stored.is_some() => {
                transaction.remove(self.row_key.clone());
            }
            (Some(_), Some(written)) => {
                transaction.put(self.row_key.clone(), written.clone());
            }
            _ => {}
        }
    }

    /// Counts the change, and lets the indexes see it in which the item has another place.
    fn note(&self, inner: &Inner, cx: &Cx, write: &Write) {
        let bytes_of = |value: &[u8]| row_bytes(&self.row_key, value);
        let old = self.stored.as_deref().map(bytes_of);
        let new = match (&self.new, &self.written) {
            (None, _) => None,
            (Some(_), None) => old,
            (Some(_), Some(written)) => Some(bytes_of(written)),
        };
        let bytes = new.unwrap_or(0) - old.unwrap_or(0);
        write.table.count(i64::from(new.is_some()) - i64::from(old.is_some()), bytes);
        inner.count(bytes);
        // Of the table as it is now: an index may have come meanwhile.
        let state = write.table.state();
        let (old, new) = (self.old.as_ref(), self.new.as_ref());
        for index in state.indexes.iter().filter(|index| index.moves(old, new)) {
            // The row that was just written is read back, so that it cannot be broken.
            let touched = index.touch(&self.item_key, || state.item(&inner.store, &self.item_key));
            touched.unwrap_or_else(|e| drop(fail(cx, &e)));
        }
    }
}
