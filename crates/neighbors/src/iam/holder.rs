//! Who holds policies: roles and users in memory, and the changes of them.
//!
//! ```text
//! row -> its documents, read -> Live; permissions: worked out once an epoch
//! ```

use super::documents;
use super::errors::{Result, fail};
use super::policy_name::PolicyName;
use super::rows::{Entity, RoleRow, UserRow};
use super::service::{Iam, Inner, authorize};
use super::texts;
use base::policy::{Bounded, Limit, Limits, Permissions, Policy};
use base::{AccountId, Cx, Region};
use kit::{Directory, rows};
use parking_lot::RwLock;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::{Arc, LazyLock};
use store::Transaction;

/// What words and numbers differ in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Role,
    User,
}

impl Kind {
    /// As in ARNs and in the middle of a sentence.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::User => "user",
        }
    }

    /// As in names of quotas and at the beginning of a sentence.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Role => "Role",
            Self::User => "User",
        }
    }

    /// Most characters of all inline policies, white space not counted (AWS's quotas).
    pub(super) fn inline_characters_max(self) -> usize {
        match self {
            Self::Role => 10_240,
            Self::User => 2048,
        }
    }
}

/// A row of one that holds policies.
pub(super) trait Holder:
    Clone + Serialize + DeserializeOwned + Send + Sync + 'static
{
    const KIND: Kind;
    /// What the keys of all rows begin with.
    const PREFIX: &str;
    fn key(account: AccountId, name: &str) -> Vec<u8>;
    fn entity(&self) -> &Entity;
    fn entity_mut(&mut self) -> &mut Entity;
    /// The policy that says who may take it on.
    fn trust(&self) -> Option<&str>;
    fn directory(inner: &Inner) -> &Directory<Live<Self>>;
    /// Follows a change, after the catalog has it.
    ///
    /// # Errors
    /// `Corrupt` something in the row cannot be read.
    fn follow(inner: &Inner, change: &Change<'_, Self>) -> store::Result<()>;
}

/// What a row becomes: one comes, goes, or takes another's place.
pub(super) struct Change<'a, R> {
    pub(super) account: AccountId,
    pub(super) before: Option<&'a R>,
    pub(super) after: Option<&'a R>,
}

/// A row in memory, with its documents read.
pub(super) struct Live<R> {
    pub(super) account: AccountId,
    pub(super) row: R,
    trust: Option<Arc<Policy>>,
    inline: Vec<Arc<Policy>>,
    /// What it may do, and in which epoch that was worked out.
    permissions: RwLock<Option<(u64, Permissions)>>,
}

impl Holder for RoleRow {
    const KIND: Kind = Kind::Role;
    const PREFIX: &str = Self::PREFIX;

    fn key(account: AccountId, name: &str) -> Vec<u8> {
        Self::key(account, name)
    }

    fn entity(&self) -> &Entity {
        &self.entity
    }

    fn entity_mut(&mut self) -> &mut Entity {
        &mut self.entity
    }

    fn trust(&self) -> Option<&str> {
        Some(&self.trust)
    }

    fn directory(inner: &Inner) -> &Directory<Live<Self>> {
        &inner.roles
    }

    fn follow(_: &Inner, _: &Change<'_, Self>) -> store::Result<()> {
        Ok(())
    }
}

impl Holder for UserRow {
    const KIND: Kind = Kind::User;
    const PREFIX: &str = Self::PREFIX;

    fn key(account: AccountId, name: &str) -> Vec<u8> {
        Self::key(account, name)
    }

    fn entity(&self) -> &Entity {
        &self.entity
    }

    fn entity_mut(&mut self) -> &mut Entity {
        &mut self.entity
    }

    fn trust(&self) -> Option<&str> {
        None
    }

    fn directory(inner: &Inner) -> &Directory<Live<Self>> {
        &inner.users
    }

    fn follow(inner: &Inner, change: &Change<'_, Self>) -> store::Result<()> {
        inner.follow_keys(change)
    }
}

impl<R: Holder> Live<R> {
    fn new(account: AccountId, row: R) -> Self {
        let entity = row.entity();
        let of = format!("{account}/{}/{}", R::KIND.word(), entity.name);
        let inline = entity.inline.values();
        let inline = inline.map(|document| documents::stored_identity(&of, document)).collect();
        let trust = row.trust().map(|document| documents::stored_trust(&of, document));
        Self { account, trust, inline, permissions: RwLock::default(), row }
    }

    pub(super) fn entity(&self) -> &Entity {
        self.row.entity()
    }

    /// The ARN.
    pub(super) fn arn(&self) -> String {
        let Entity { partition, path, name, .. } = self.entity();
        arn_in::<R>(partition, self.account, (path, name))
    }

    /// Who may take it on.
    pub(super) fn trust(&self) -> Option<&Arc<Policy>> {
        self.trust.as_ref()
    }

    /// What all its policies together let it do, within its boundary.
    pub(super) fn permissions(&self, inner: &Inner) -> Permissions {
        let epoch = inner.epoch();
        if let Some((of, known)) = &*self.permissions.read()
            && *of == epoch
        {
            return known.clone();
        }
        let entity = self.entity();
        let managed = entity.attached.iter().filter_map(|name| inner.managed_document(name));
        let policies = self.inline.iter().cloned().chain(managed).collect();
        // A boundary that is gone lets nothing through.
        let limits = entity.boundary.iter().map(|name| Limit {
            of: Limits::Boundary,
            policies: Vec::from_iter(inner.managed_document(name)),
        });
        let bounded = Bounded { policies, limits: limits.collect() };
        let permissions = Permissions::Within(Arc::new(bounded));
        *self.permissions.write() = Some((epoch, permissions.clone()));
        permissions
    }
}

/// IAM knows no region; the directories of `kit` do.
pub(super) static NOWHERE: LazyLock<Region> = LazyLock::new(Region::default);

impl Inner {
    /// Reads all rows of a kind.
    ///
    /// # Errors
    /// `Corrupt`.
    pub(super) fn load<R: Holder>(&self) -> store::Result<()> {
        for (key, row) in rows::scan::<R>(&self.store, R::PREFIX)? {
            let account = super::service::account_of(&key, R::PREFIX)?;
            self.show(&Change { account, before: None, after: Some(&row) })?;
        }
        Ok(())
    }

    /// One of this name, in its case.
    pub(super) fn find<R: Holder>(&self, account: AccountId, name: &str) -> Option<Arc<Live<R>>> {
        let found = R::directory(self).get(account, &NOWHERE, &name.to_ascii_lowercase());
        found.filter(|live| live.entity().name == name)
    }

    /// Whether one has this name, in whatever case.
    pub(super) fn is_taken<R: Holder>(&self, account: AccountId, name: &str) -> bool {
        R::directory(self).get(account, &NOWHERE, &name.to_ascii_lowercase()).is_some()
    }

    /// Everyone of a kind in an account, in order of the names in lower case.
    pub(super) fn list<R: Holder>(&self, account: AccountId) -> Vec<Arc<Live<R>>> {
        R::directory(self).list(account, &NOWHERE)
    }

    /// Puts into memory what the catalog has now. Whoever asks meanwhile finds the old or the new.
    fn show<R: Holder>(&self, change: &Change<'_, R>) -> store::Result<()> {
        let Change { account, before, after } = *change;
        let directory = R::directory(self);
        let name = |row: &R| row.entity().name.to_ascii_lowercase();
        if let Some(row) = after {
            let live = Arc::new(Live::new(account, row.clone()));
            directory.insert(account, &NOWHERE, name(row).into(), live);
        }
        let followed = R::follow(self, change);
        if let Some(row) = before.filter(|row| after.is_none_or(|after| name(after) != name(row))) {
            directory.remove(account, &NOWHERE, &name(row));
        }
        followed
    }

    /// Makes a change: the catalog first, then memory, then an epoch begins.
    ///
    /// # Errors
    /// What the store says.
    pub(super) async fn change<R: Holder>(&self, cx: &Cx, change: Change<'_, R>) -> Result<()> {
        let Change { account, before, after } = change;
        let key = |row: &R| R::key(account, &row.entity().name);
        let mut transaction = Transaction::default();
        if let Some(row) = before.filter(|row| after.is_none_or(|after| key(after) != key(row))) {
            transaction.remove(key(row));
        }
        if let Some(row) = after {
            rows::put(&mut transaction, key(row), row);
        }
        self.store.commit(transaction).await.map_err(|e| fail(cx, &e))?;
        let shown = self.show(&change);
        self.begin_epoch();
        shown.map_err(|e| fail(cx, &e))
    }
}

impl Iam {
    /// One of this name, if the caller may do this with it.
    ///
    /// # Errors
    /// `AccessDenied`, `NoSuchEntity`.
    pub(super) fn asked<R: Holder>(
        &self,
        cx: &Cx,
        action: &str,
        name: &str,
    ) -> Result<Arc<Live<R>>> {
        let found = self.inner.find::<R>(cx.account, name);
        let arn = found.as_ref().map_or_else(|| arn_of::<R>(cx, "/", name), |live| live.arn());
        authorize(cx, action, &arn)?;
        found.ok_or_else(|| texts::no_such_holder(R::KIND, name))
    }

    /// Puts another row into the place of one.
    ///
    /// # Errors
    /// What the store says.
    pub(super) async fn update<R: Holder>(
        &self,
        cx: &Cx,
        live: &Live<R>,
        change: impl FnOnce(&mut R),
    ) -> Result<()> {
        let mut row = live.row.clone();
        change(&mut row);
        let change = Change { account: live.account, before: Some(&live.row), after: Some(&row) };
        self.inner.change(cx, change).await
    }

    /// How many hold a policy, and for how many it is the boundary.
    pub(super) fn usage(&self, account: AccountId, name: &PolicyName) -> (i32, i32) {
        let (roles, users) =
            (self.inner.list::<RoleRow>(account), self.inner.list::<UserRow>(account));
        let entities = roles.iter().map(|r| r.entity()).chain(users.iter().map(|u| u.entity()));
        entities.fold((0, 0), |(attached, bounded), entity| {
            let bounds = entity.boundary.as_ref() == Some(name);
            let is_attached = entity.attached.contains(name);
            (attached + i32::from(is_attached), bounded + i32::from(bounds))
        })
    }
}

/// The ARN that one of this name would have here.
pub(super) fn arn_of<R: Holder>(cx: &Cx, path: &str, name: &str) -> String {
    arn_in::<R>(cx.partition, cx.account, (path, name))
}

/// The ARN of one with this path and name.
pub(super) fn arn_in<R: Holder>(
    partition: &str,
    account: AccountId,
    (path, name): (&str, &str),
) -> String {
    format!("arn:{partition}:iam::{account}:{}{path}{name}", R::KIND.word())
}
