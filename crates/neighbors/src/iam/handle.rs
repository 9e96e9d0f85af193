//! What others of this server ask IAM.

use super::rows::{RoleRow, UserRow};
use super::service::Iam;
use super::texts;
use base::policy::{Context, Permissions, Policy, Request, decide_trust};
use base::{AccountId, Cx, Region};
use std::fmt;
use std::sync::Arc;

/// What an access key of a user is good for.
#[derive(Clone)]
pub struct IamKey {
    /// Whose it is.
    pub account: AccountId,
    /// The user.
    pub user_name: String,
    /// The user's ARN.
    pub user_arn: Arc<str>,
    /// The user's id: `AIDA...`.
    pub user_id: String,
    /// What requests are signed with.
    pub secret: String,
    /// What the user's policies let him do now.
    pub permissions: Permissions,
}

impl fmt::Debug for IamKey {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IamKey").field("user_arn", &self.user_arn).finish_non_exhaustive()
    }
}

/// A role as it is now.
#[derive(Clone, Debug)]
pub struct RoleView {
    /// Its id, `AROA...`: another role of the same name has another.
    pub id: String,
    /// Its ARN.
    pub arn: String,
    /// Who may take it on.
    pub trust: Arc<Policy>,
    /// Longest session, in seconds.
    pub session_seconds_max: i32,
    /// What its policies let it do.
    pub permissions: Permissions,
}

impl RoleView {
    /// Whether a service, as `firehose.amazonaws.com`, may take the role on to work for an account.
    /// `context`: what it works on, and any external id. `now_ms`: since the epoch.
    pub fn trusts(
        &self,
        service: &str,
        account: AccountId,
        context: Context<'_>,
        now_ms: i64,
    ) -> bool {
        let cx = Cx::of_service(account, Region::default()).at(now_ms);
        let context = Context { service: Some(service), ..context };
        let request = Request { cx: &cx, action: "sts:AssumeRole", resource: &self.arn, context };
        decide_trust(&request, &self.trust, true).is_ok()
    }
}

impl Iam {
    /// What an access key of a user is good for; `None`: no such key, or an inactive one.
    pub fn key(&self, access_key_id: &str) -> Option<IamKey> {
        let key = self.inner.keys.read().get(access_key_id).cloned()?;
        let user = self.inner.find::<UserRow>(key.account, &key.user_name)?;
        key.is_active.then(|| IamKey {
            account: key.account,
            user_name: key.user_name.clone(),
            user_arn: user.arn().into(),
            user_id: user.entity().id.clone(),
            secret: key.secret.clone(),
            permissions: user.permissions(&self.inner),
        })
    }

    /// Whether there is such a key that is not good for anything now.
    pub fn is_switched_off(&self, access_key_id: &str) -> bool {
        self.inner.keys.read().get(access_key_id).is_some_and(|key| !key.is_active)
    }

    /// A role of an account by its name.
    pub fn role(&self, account: AccountId, name: &str) -> Option<RoleView> {
        let role = self.inner.find::<RoleRow>(account, name)?;
        Some(RoleView {
            id: role.entity().id.clone(),
            arn: role.arn(),
            trust: Arc::clone(role.trust()?),
            session_seconds_max: role.row.session_seconds_max,
            permissions: role.permissions(&self.inner),
        })
    }

    /// A role of an account by its ARN, of whatever partition; policies must be asked about
    /// [`RoleView::arn`], not about what was sent.
    pub fn role_by_arn(&self, arn: &str) -> Option<(AccountId, RoleView)> {
        let mut parts = arn.splitn(6, ':').skip(4);
        let account = AccountId::parse(parts.next()?).ok()?;
        let view = self.role(account, parts.next()?.rsplit('/').next()?)?;
        let after_partition = |arn: &str| arn.splitn(3, ':').nth(2).map(ToOwned::to_owned);
        let is_it = arn.starts_with("arn:") && after_partition(arn) == after_partition(&view.arn);
        is_it.then_some((account, view))
    }

    /// The document of a managed policy that an account can use, read; the default version.
    pub fn managed_policy(&self, account: AccountId, arn: &str) -> Option<Arc<Policy>> {
        let name = self.attachable(account, arn, texts::no_such_policy).ok()?;
        self.inner.managed_document(&name)
    }
}
