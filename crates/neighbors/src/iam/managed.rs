//! Managed policies in memory: those of accounts, and AWS's own.

use super::built_in;
use super::documents;
use super::errors::{Result, fail};
use super::holder::NOWHERE;
use super::policy_name::{Owner, PolicyName};
use super::rows::PolicyRow;
use super::service::{Iam, Inner, account_of, authorize};
use super::texts;
use base::policy::Policy;
use base::{AccountId, Cx};
use kit::rows;
use std::sync::Arc;
use store::Transaction;

/// A managed policy, with the version that counts read.
pub(super) struct Managed {
    pub(super) name: PolicyName,
    pub(super) row: PolicyRow,
    document: Arc<Policy>,
}

impl Managed {
    pub(super) fn new(name: PolicyName, row: PolicyRow) -> Self {
        let document = documents::stored_identity(&name.arn("aws"), row.document());
        Self { name, row, document }
    }

    /// The ARN; AWS's policies are in every partition.
    pub(super) fn arn(&self, cx: &Cx) -> String {
        match self.name.owner() {
            Some(Owner::Account(_)) => self.name.arn(&self.row.partition),
            _ => self.name.arn(cx.partition),
        }
    }
}

impl Inner {
    /// Reads all rows.
    ///
    /// # Errors
    /// `Corrupt`.
    pub(super) fn load_policies(&self) -> store::Result<()> {
        for (key, row) in rows::scan::<PolicyRow>(&self.store, PolicyRow::PREFIX)? {
            self.show_policy(account_of(&key, PolicyRow::PREFIX)?, row);
        }
        Ok(())
    }

    /// A policy of an account by its bare name, in whatever case.
    pub(super) fn policy(&self, account: AccountId, name: &str) -> Option<Arc<Managed>> {
        self.policies.get(account, &NOWHERE, &name.to_ascii_lowercase())
    }

    /// All of an account, in order of the names in lower case.
    pub(super) fn list_policies(&self, account: AccountId) -> Vec<Arc<Managed>> {
        self.policies.list(account, &NOWHERE)
    }

    /// A policy, AWS's or an account's.
    pub(super) fn managed(&self, name: &PolicyName) -> Option<Arc<Managed>> {
        match name.owner()? {
            Owner::Aws => built_in::find(name),
            Owner::Account(account) => {
                self.policy(account, name.name()).filter(|managed| managed.name == *name)
            }
        }
    }

    /// What counts of a policy.
    pub(super) fn managed_document(&self, name: &PolicyName) -> Option<Arc<Policy>> {
        self.managed(name).map(|managed| Arc::clone(&managed.document))
    }

    fn show_policy(&self, account: AccountId, row: PolicyRow) {
        let key = row.name.to_ascii_lowercase().into();
        let name = PolicyName::local(account, &row.path, &row.name);
        let managed = Arc::new(Managed::new(name, row));
        self.policies.insert(account, &NOWHERE, key, managed);
    }

    /// Keeps a policy as it is now: the catalog first, then memory, then an epoch begins.
    ///
    /// # Errors
    /// What the store says.
    pub(super) async fn put_policy(&self, cx: &Cx, row: PolicyRow) -> Result<()> {
        let mut transaction = Transaction::default();
        rows::put(&mut transaction, PolicyRow::key(cx.account, &row.name), &row);
        self.store.commit(transaction).await.map_err(|e| fail(cx, &e))?;
        self.show_policy(cx.account, row);
        self.begin_epoch();
        Ok(())
    }

    /// Takes a policy out.
    ///
    /// # Errors
    /// What the store says.
    pub(super) async fn remove_policy(&self, cx: &Cx, managed: &Managed) -> Result<()> {
        let name = &managed.row.name;
        let mut transaction = Transaction::default();
        transaction.remove(PolicyRow::key(cx.account, name));
        self.store.commit(transaction).await.map_err(|e| fail(cx, &e))?;
        self.policies.remove(cx.account, &NOWHERE, &name.to_ascii_lowercase());
        self.begin_epoch();
        Ok(())
    }
}

impl Iam {
    /// A policy that the caller wants to see, and may.
    ///
    /// # Errors
    /// `AccessDenied`, `NoSuchEntity`, `InvalidInput`.
    pub(super) fn seen_policy(&self, cx: &Cx, action: &str, arn: &str) -> Result<Arc<Managed>> {
        let name = PolicyName::parse(arn).ok_or_else(|| texts::invalid_arn(arn))?;
        let managed = self.inner.managed(&name);
        // Not by the ARN as it was sent: it may name the same policy in another partition.
        let own_arn = managed.as_ref().map_or_else(|| name.arn(cx.partition), |m| m.arn(cx));
        authorize(cx, action, &own_arn)?;
        match name.owner() {
            Some(Owner::Account(account)) if account != cx.account => {
                Err(texts::of_another_account(cx, action, arn))
            }
            _ => managed.ok_or_else(|| texts::no_such_policy(arn)),
        }
    }

    /// A policy that the caller wants to change, and may.
    ///
    /// # Errors
    /// `AccessDenied`, also for one of AWS's; `NoSuchEntity`, `InvalidInput`.
    pub(super) fn own_policy(&self, cx: &Cx, action: &str, arn: &str) -> Result<Arc<Managed>> {
        let managed = self.seen_policy(cx, action, arn)?;
        match managed.name.owner() {
            Some(Owner::Account(_)) => Ok(managed),
            _ => Err(texts::of_another_account(cx, action, arn)),
        }
    }

    /// A policy that can hang on somebody of an account.
    ///
    /// # Errors
    /// `InvalidInput`, and what `missing` says when there is none.
    pub(super) fn attachable(
        &self,
        account: AccountId,
        arn: &str,
        missing: impl FnOnce(&str) -> api::iam::Error,
    ) -> Result<PolicyName> {
        let name = PolicyName::parse(arn).ok_or_else(|| texts::invalid_arn(arn))?;
        let is_near = match name.owner() {
            Some(Owner::Account(owner)) => owner == account,
            Some(Owner::Aws) => true,
            None => false,
        };
        match is_near && self.inner.managed(&name).is_some() {
            true => Ok(name),
            false => Err(missing(arn)),
        }
    }
}
