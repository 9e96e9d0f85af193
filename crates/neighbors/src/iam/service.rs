//! The service: what it is made of, how it starts and ends.

use super::errors::Result;
use super::holder::{Change, Live};
use super::managed::Managed;
use super::options::Options;
use super::rows::{RoleRow, UserRow};
use super::texts;
use crate::sealing::SealingKey;
use base::{AccountId, Cx, Env};
use kit::{Changes, Directory, Secret, Shared, Tasks, TokenKey, Undone};
use parking_lot::RwLock;
use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use store::{ErrorKind, Part};

/// AWS's name of the service in policies, whose part of a store it needs.
pub const SERVICE: &str = "iam";

/// How long a paging token lives.
const TOKEN_LIFE_MS: i64 = 24 * 3_600_000;

/// What the service is built upon.
#[derive(Clone)]
pub struct Parts {
    /// Time, randomness and files.
    pub env: Env,
    /// Roles, users, policies: the part of [`SERVICE`].
    pub store: Part,
    /// What the secrets of access keys are sealed with.
    pub secret: Secret,
}

/// IAM; cheap to clone.
#[derive(Clone)]
pub struct Iam {
    pub(super) inner: Arc<Inner>,
}

/// What all handles share.
pub(super) struct Inner {
    pub(super) env: Env,
    pub(super) options: Options,
    pub(super) store: Part,
    pub(super) roles: Directory<Live<RoleRow>>,
    pub(super) users: Directory<Live<UserRow>>,
    pub(super) policies: Directory<Managed>,
    pub(super) tokens: TokenKey,
    pub(super) secrets: SealingKey,
    /// Access keys of all users by their ids.
    pub(super) keys: RwLock<HashMap<String, Arc<KnownKey>>>,
    /// Grows with each change: what was worked out before counts no longer.
    epoch: AtomicU64,
    tasks: Tasks,
    changes: Changes,
}

/// An access key, ready to verify signatures.
pub(super) struct KnownKey {
    pub(super) account: AccountId,
    pub(super) user_name: String,
    pub(super) secret: String,
    pub(super) is_active: bool,
}

impl Iam {
    /// Opens the service over its catalog.
    ///
    /// # Errors
    /// `Corrupt` a row cannot be read; any failure of the first start's commit.
    pub async fn open(parts: Parts, options: Options) -> store::Result<Self> {
        let Parts { env, store, secret: own } = parts;
        let secret = Secret::open(&env, &store).await?;
        let inner = Inner {
            roles: Directory::default(),
            users: Directory::default(),
            policies: Directory::default(),
            tokens: TokenKey::new(&secret.derive(b"paging tokens"), TOKEN_LIFE_MS),
            secrets: SealingKey::new(&own.derive(b"iam: access keys")),
            keys: RwLock::default(),
            epoch: AtomicU64::new(0),
            tasks: Tasks::new(),
            changes: Changes::default(),
            env,
            options,
            store,
        };
        inner.load_policies()?;
        inner.load::<RoleRow>()?;
        inner.load::<UserRow>()?;
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Stops what runs in the background; changes that were begun end first.
    pub async fn close(&self) {
        self.inner.tasks.close().await;
    }

    /// Makes one change, under the lock of all changes, to its end.
    pub(super) async fn make<I, T, F>(
        &self,
        cx: &Cx,
        input: I,
        op: impl FnOnce(Iam, Cx, I) -> F + Send + 'static,
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

    pub(super) fn now_ms(&self) -> i64 {
        self.inner.env.clock.now_ms()
    }
}

impl Inner {
    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Why behind the change: whoever reads the old epoch and sees the change already keeps it for
    /// nothing, and nobody keeps what was before it.
    pub(super) fn begin_epoch(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }

    /// Keeps the index of access keys with a change of a user.
    ///
    /// # Errors
    /// `Corrupt` a secret was not sealed here.
    pub(super) fn follow_keys(&self, change: &Change<'_, UserRow>) -> store::Result<()> {
        let mut known = Vec::new();
        for (id, key) in change.after.iter().flat_map(|user| &user.keys) {
            let sealed = base64_simd::STANDARD.decode_to_vec(&key.sealed_secret).ok();
            let secret = sealed.and_then(|sealed| self.secrets.open(id.as_bytes(), &sealed));
            let secret = secret.and_then(|bytes| String::from_utf8(bytes).ok());
            let Some(secret) = secret else {
                let text = format!("the secret of the access key `{id}` was not sealed here");
                return Err(store::Error::new(ErrorKind::Corrupt, text));
            };
            let user_name = change.after.map(|user| user.entity.name.clone()).unwrap_or_default();
            let (account, is_active) = (change.account, key.is_active);
            known.push((id.clone(), KnownKey { account, user_name, secret, is_active }));
        }
        let mut keys = self.keys.write();
        for id in change.before.iter().flat_map(|user| user.keys.keys()) {
            keys.remove(id);
        }
        keys.extend(known.into_iter().map(|(id, key)| (id, Arc::new(key))));
        Ok(())
    }
}

const SHARED: Shared = Shared { service: SERVICE, others: &[], owners: &[] };

/// Whether the caller's policies let him do this.
///
/// # Errors
/// `AccessDenied`.
pub(super) fn authorize(cx: &Cx, action: &str, arn: &str) -> Result<()> {
    SHARED.authorize(cx, action, arn).map_err(|denial| texts::denied(cx, action, arn, denial))
}

/// The account in a row's key.
///
/// # Errors
/// `Corrupt` there is none.
pub(super) fn account_of(key: &[u8], prefix: &str) -> store::Result<AccountId> {
    let text = String::from_utf8_lossy(key);
    let account = text.strip_prefix(prefix).and_then(|rest| rest.split('/').next());
    account.and_then(|account| AccountId::parse(account).ok()).ok_or_else(|| {
        store::Error::new(
            ErrorKind::Corrupt,
            format!("catalog row `{text}`: no account in the key"),
        )
    })
}
