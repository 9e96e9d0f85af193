//! The service: what it is made of, how it starts and ends.
//!
//! ```text
//! open: catalog rows -> tables, their indexes and counts -> deletions go on
//! change of a table: lock of changes -> one catalog transaction -> directory
//! ```

use super::errors::{Result, fail};
use super::options::Options;
use super::rows::{Status, TableRow, item_prefix, tags_key};
use super::table::{Table, TableKey, row_bytes};
use super::texts;
use api::dynamodb::Error;
use base::{Cx, Env};
use kit::{Changes, Directory, Shared, Tasks, Undone, passing, rows};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use store::{ErrorKind, Keys, Order, Part, Transaction};

/// AWS's name of the service, whose part of a store it needs.
pub const SERVICE: &str = "dynamodb";

/// Shortest and longest name of a table (model).
const NAME_BYTES_MIN: usize = 3;
const NAME_BYTES_MAX: usize = 255;
/// Items that are removed in one transaction when their table goes.
const REMOVED_AT_ONCE: usize = 2000;

/// What the service is built upon.
#[derive(Clone)]
pub struct Parts {
    /// Time, randomness and files.
    pub env: Env,
    /// Tables and items: the part of [`SERVICE`].
    pub store: Part,
}

/// DynamoDB; cheap to clone.
#[derive(Clone)]
pub struct DynamoDb {
    pub(super) inner: Arc<Inner>,
}

/// What all handles share.
pub(super) struct Inner {
    pub(super) env: Env,
    pub(super) options: Options,
    pub(super) store: Part,
    pub(super) directory: Directory<Table>,
    tasks: Tasks,
    changes: Changes,
    /// Bytes of all items' rows.
    bytes: AtomicI64,
}

impl DynamoDb {
    /// Opens the service over its catalog and goes on with what was left unfinished.
    ///
    /// Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// `Corrupt` a row cannot be read.
    pub fn open(Parts { env, store }: Parts, options: Options) -> store::Result<Self> {
        let inner = Arc::new(Inner {
            env,
            options,
            store,
            directory: Directory::default(),
            tasks: Tasks::new(),
            changes: Changes::default(),
            bytes: AtomicI64::new(0),
        });
        for (key, row) in rows::scan::<TableRow>(&inner.store, TableRow::PREFIX)? {
            let key = TableRow::parse_key(&key).ok_or_else(|| {
                let key = String::from_utf8_lossy(&key);
                store::Error::new(ErrorKind::Corrupt, format!("`{key}` is no key of a table"))
            })?;
            let table = Arc::new(Table::new(key, row));
            table.load(&inner.store)?;
            inner.count(table.bytes());
            inner.insert(&table);
            if !table.state().is_active() {
                delete_later(&inner, &table);
            }
        }
        Ok(Self { inner })
    }

    /// Stops what runs in the background; it goes on at the next start.
    pub async fn close(&self) {
        self.inner.tasks.close().await;
    }

    /// Makes one change of tables, under the lock of all such changes, to its end.
    pub(super) async fn change<I, T, F>(
        &self,
        cx: &Cx,
        input: I,
        op: impl FnOnce(DynamoDb, Cx, I) -> F + Send + 'static,
    ) -> Result<T>
    where
        I: Send + 'static,
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let (service, cx, inner) = (self.clone(), cx.clone(), &self.inner);
        let change = async move { op(service, cx, input).await };
        match inner.changes.make(&inner.tasks, change).await {
            Ok(changed) => changed,
            Err(Undone::Closed) => Err(texts::stopping()),
            Err(Undone::Busy) => Err(texts::too_many_changes()),
        }
    }

    /// The table that a request names, by name or ARN, if the caller may do this with it.
    ///
    /// # Errors
    /// `AccessDenied`; `Validation` another service's ARN; what `absent` makes of the name.
    pub(super) fn table(
        &self,
        cx: &Cx,
        action: &str,
        name: &str,
        absent: impl FnOnce(&str) -> Error,
    ) -> Result<Arc<Table>> {
        let key = table_key(cx, name)?;
        authorize(cx, action, &key.arn())?;
        self.inner.get(&key).ok_or_else(|| absent(&key.name))
    }

    /// As [`Self::table`], for its items: a table that is being deleted has none.
    pub(super) fn live_table(&self, cx: &Cx, action: &str, name: &str) -> Result<Arc<Table>> {
        self.live_source(cx, action, name, None)
    }

    /// As [`Self::live_table`], for what is read through an index: policies name the index then.
    pub(super) fn live_source(
        &self,
        cx: &Cx,
        action: &str,
        name: &str,
        index: Option<&str>,
    ) -> Result<Arc<Table>> {
        let key = table_key(cx, name)?;
        let table_arn = key.arn();
        match index {
            Some(index) => authorize(cx, action, &format!("{table_arn}/index/{index}"))?,
            None => authorize(cx, action, &table_arn)?,
        }
        let table = self.inner.get(&key).filter(|table| table.state().is_active());
        table.ok_or_else(texts::not_found)
    }
}

/// What a request names: a name in the caller's account and region, or an ARN of it.
pub(super) fn table_key(cx: &Cx, name: &str) -> Result<TableKey> {
    if !name.starts_with("arn:") {
        check_name(name)?;
        let (account, region) = (cx.account, cx.region.clone());
        return Ok(TableKey { account, region, name: name.into() });
    }
    let arn = kit::Arn::of(SERVICE, name).ok_or_else(|| texts::invalid_arn(name))?;
    let table = arn.resource.strip_prefix("table/").unwrap_or_default();
    if arn.region != cx.region {
        return Err(texts::invalid_arn(name));
    }
    check_name(table)?;
    Ok(TableKey { account: arn.account, region: arn.region, name: table.into() })
}

fn check_name(name: &str) -> Result<()> {
    if name.len() < NAME_BYTES_MIN {
        return Err(texts::name_too_short(name));
    }
    let is_inside = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    let is_name = name.len() <= NAME_BYTES_MAX && name.bytes().all(is_inside);
    if is_name { Ok(()) } else { Err(texts::invalid_name()) }
}

/// No table has a policy of its own.
const SHARED: Shared = Shared { service: SERVICE, others: &[], owners: &[] };

/// Whether the caller's policies let him do this; another account's tables are out of reach.
///
/// # Errors
/// `AccessDenied`.
pub(super) fn authorize(cx: &Cx, action: &str, arn: &str) -> Result<()> {
    let is_owned =
        arn == "*" || kit::Arn::of(SERVICE, arn).is_some_and(|a| a.account == cx.account);
    let allowed = match is_owned {
        true => SHARED.authorize(cx, action, arn),
        false => Err(base::policy::Denial::NoResource),
    };
    allowed.map_err(|denial| texts::denied(cx, action, arn, denial))
}

impl Inner {
    pub(super) fn get(&self, key: &TableKey) -> Option<Arc<Table>> {
        self.directory.get(key.account, &key.region, &key.name)
    }

    /// Shows a table that the catalog has.
    pub(super) fn insert(&self, table: &Arc<Table>) {
        let TableKey { account, region, name } = &table.key;
        self.directory.insert(*account, region, name.clone(), table.clone());
    }

    /// Counts bytes of items that came or went.
    pub(super) fn count(&self, bytes: i64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Refuses more bytes of items than there is room for.
    ///
    /// # Errors
    /// `RequestLimitExceeded`.
    pub(super) fn check_room(&self, more: i64) -> Result<()> {
        let max = i64::try_from(self.options.items_bytes_max).unwrap_or(i64::MAX);
        let is_over = more > 0 && self.bytes.load(Ordering::Relaxed).saturating_add(more) > max;
        if is_over { Err(texts::no_room()) } else { Ok(()) }
    }

    /// Stores a table's new row and shows it.
    pub(super) async fn update(&self, cx: &Cx, table: &Table, row: TableRow) -> Result<()> {
        self.update_in(Transaction::default(), cx, table, row).await
    }

    /// As [`Self::update`], in the room that is kept for what frees some.
    pub(super) async fn update_freeing(&self, cx: &Cx, table: &Table, row: TableRow) -> Result<()> {
        let mut transaction = Transaction::default();
        transaction.frees_room();
        self.update_in(transaction, cx, table, row).await
    }

    async fn update_in(
        &self,
        mut transaction: Transaction,
        cx: &Cx,
        table: &Table,
        row: TableRow,
    ) -> Result<()> {
        rows::put(&mut transaction, TableRow::key(&table.key), &row);
        self.store.commit(transaction).await.map_err(|e| fail(cx, &e))?;
        table.replace(row);
        Ok(())
    }
}

/// Removes a table that is in `DELETING`, its items first.
pub(super) fn delete_later(inner: &Arc<Inner>, table: &Arc<Table>) {
    let (table, clock) = (table.clone(), inner.env.clock.clone());
    let work = move |inner: Arc<Inner>| {
        let table = table.clone();
        async move { delete(&inner, &table).await }
    };
    inner.tasks.spawn(passing::end(Arc::downgrade(inner), clock, Duration::ZERO, work));
}

/// Nobody writes an item of it meanwhile: each write rests on the table's row, and that is another.
async fn delete(inner: &Arc<Inner>, table: &Table) -> store::Result<()> {
    let items = Keys::starting_with(&item_prefix(table.state().row.number));
    loop {
        let page = inner.store.range(&items, Order::Forward, REMOVED_AT_ONCE);
        if page.is_empty() {
            break;
        }
        let mut transaction = Transaction::default();
        transaction.frees_room();
        for (key, _) in &page {
            transaction.remove(key.to_vec());
        }
        inner.store.commit(transaction).await?;
        let bytes: i64 = page.iter().map(|(key, value)| row_bytes(key, value)).sum();
        table.count(-(page.len() as i64), -bytes);
        inner.count(-bytes);
    }
    let mut transaction = Transaction::default();
    transaction.frees_room().remove(TableRow::key(&table.key)).remove(tags_key(&table.key));
    inner.store.commit(transaction).await?;
    let TableKey { account, region, name } = &table.key;
    inner.directory.remove(*account, region, name);
    Ok(())
}

/// Whether a table can be changed now.
///
/// # Errors
/// `ResourceInUse` it is being deleted.
pub(super) fn check_active(table: &Table) -> Result<()> {
    match table.state().row.status {
        Status::Active => Ok(()),
        Status::Deleting => Err(texts::table_deleting(&table.key.name)),
    }
}
