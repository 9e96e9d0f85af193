//! The service: what it is made of, how it starts and ends, what it does by itself.
//!
//! ```text
//! open: rows -> topics, subscriptions, outbox
//! at once, and whenever there is something: outbox -> deliverer
//! every hour: what was not confirmed, what is remembered of alarms -> gone
//! ```

use super::deliverer;
use super::errors::Result;
use super::metrics::Metrics;
use super::options::Options;
use super::outbox::Outbox;
use super::rows::{DeliveryRow, MessageRow};
use super::signer::Signer;
use super::texts;
use super::token::SubscriptionTokens;
use super::topics::{SubscriptionId, Topic, TopicId, Topics, unreadable};
use super::upkeep;
use crate::sealing::SealingKey;
use base::metrics::Registry;
use base::policy::Denial;
use base::{Cx, Env};
use kit::{Changes, Secret, Shared, Target, Tasks, TokenKey, Undone, rows};
use outgoing::Poster;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use store::{Part, Transaction};
use tokio::sync::oneshot;

/// AWS's name of the service in policies, whose part of a store it needs.
pub const SERVICE: &str = "sns";

/// How long a paging token lives.
const TOKEN_LIFE_MS: i64 = 24 * 3_600_000;

/// What the service is built upon.
#[derive(Clone)]
pub struct Parts {
    /// Time, randomness and files.
    pub env: Env,
    /// Topics, subscriptions, messages: the part of [`SERVICE`].
    pub store: Part,
    /// What the private key of signatures is sealed with.
    pub secret: Secret,
    /// Where the service's numbers go.
    pub registry: Registry,
    /// What posts to endpoints.
    pub poster: Poster,
    /// Where endpoints find this server, as `https://millweir.example:4566`: it stands in messages,
    /// before the addresses that confirm, unsubscribe, and give the certificate.
    pub base_url: Arc<dyn Fn() -> String + Send + Sync>,
}

/// SNS; cheap to clone.
#[derive(Clone)]
pub struct Sns {
    pub(super) inner: Arc<Inner>,
}

/// What all handles share.
pub(super) struct Inner {
    pub(super) env: Env,
    pub(super) options: Options,
    pub(super) store: Part,
    pub(super) topics: Topics,
    pub(super) outbox: Arc<Outbox>,
    pub(super) signer: Signer,
    pub(super) poster: Poster,
    pub(super) metrics: Metrics,
    pub(super) tokens: TokenKey,
    pub(super) subscription_tokens: SubscriptionTokens,
    pub(super) tasks: Tasks,
    base_url: Arc<dyn Fn() -> String + Send + Sync>,
    changes: Changes,
}

impl Sns {
    /// Opens the service over its catalog; deliveries go on.
    ///
    /// Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// `Corrupt` a row cannot be read; any failure of the first start's commit.
    pub async fn open(parts: Parts, options: Options) -> store::Result<Self> {
        let Parts { env, store, secret: own, registry, poster, base_url } = parts;
        let secret = Secret::open(&env, &store).await?;
        let sealing = SealingKey::new(&own.derive(b"sns: signing keys"));
        let outbox = Outbox::new(&options);
        restore(&store, &outbox).await?;
        let inner = Arc::new(Inner {
            topics: Topics::open(&store)?,
            outbox,
            signer: Signer::new(env.clone(), store.clone(), sealing),
            poster,
            metrics: Metrics::new(registry),
            tokens: TokenKey::new(&secret.derive(b"paging tokens"), TOKEN_LIFE_MS),
            subscription_tokens: SubscriptionTokens::new(&own.derive(b"sns: subscriptions")),
            env,
            options,
            store,
            tasks: Tasks::new(),
            base_url,
            changes: Changes::default(),
        });
        let clock = inner.env.clock.clone();
        inner.tasks.spawn(deliverer::run(Arc::downgrade(&inner), inner.outbox.clone()));
        inner.tasks.spawn(upkeep::run(Arc::downgrade(&inner), clock));
        Ok(Self { inner })
    }

    /// Stops what runs in the background; it goes on at the next start.
    pub async fn close(&self) {
        self.inner.tasks.close().await;
    }

    /// Makes one change of topics or subscriptions, under the lock of all such changes, to its end.
    pub(super) async fn change<I, T, F>(
        &self,
        cx: &Cx,
        input: I,
        op: impl FnOnce(Sns, Cx, I) -> F + Send + 'static,
    ) -> Result<T>
    where
        I: Send + 'static,
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let (service, cx) = (self.clone(), cx.clone());
        self.inner.alone(async move { op(service, cx, input).await }).await
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.inner.now_ms()
    }
}

impl Inner {
    /// By the clock that records are stamped with.
    pub(super) fn now_ms(&self) -> i64 {
        self.store.clock().now_ms()
    }

    /// Where endpoints find this server, without a slash at the end.
    pub(super) fn base_url(&self) -> String {
        let mut url = (self.base_url)();
        url.truncate(url.trim_end_matches('/').len());
        url
    }

    /// Waits until nobody else changes topics or subscriptions, and keeps it so.
    pub(super) async fn lock_changes(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.changes.lock().await
    }

    /// Makes a change when no other is made, to its end.
    pub(super) async fn alone<T: Send + 'static>(
        &self,
        change: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        match self.changes.make(&self.tasks, change).await {
            Ok(changed) => changed,
            Err(Undone::Closed) => Err(texts::stopping()),
            Err(Undone::Busy) => Err(texts::too_many_changes()),
        }
    }

    /// Does something to its end, even if the caller goes away; `None`: the service closed.
    pub(super) async fn to_its_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let (done, answer) = oneshot::channel();
        self.tasks.spawn(async move {
            // The caller may be gone; it is done all the same.
            let _gone = done.send(work.await);
        });
        answer.await.ok()
    }

    /// The topic of an ARN, if it is there and the caller may do this with it.
    ///
    /// # Errors
    /// `InvalidParameter` it is no topic's of this region; `AuthorizationError`; `NotFound`.
    pub(super) fn topic(&self, cx: &Cx, action: &str, arn: &str) -> Result<Arc<Topic>> {
        let id = topic_id(cx, arn)?;
        let found = self.find_topic(cx, action, &id)?;
        found.ok_or_else(texts::no_such_topic)
    }

    /// As [`Inner::topic`]; `None` for one that is not there.
    ///
    /// # Errors
    /// `AuthorizationError`.
    pub(super) fn find_topic(
        &self,
        cx: &Cx,
        action: &str,
        id: &TopicId,
    ) -> Result<Option<Arc<Topic>>> {
        let arn = id.arn();
        let is_owned = id.account == cx.account;
        let denied = |denial| texts::denied(cx, action, &arn, denial);
        match self.topics.get(id) {
            Some(topic) => {
                let target = Target::new(&arn, is_owned);
                topic.policy.decide(&SHARED, cx, action, target).map_err(denied)?;
                Ok(Some(topic))
            }
            None if is_owned => {
                SHARED.authorize(cx, action, &arn).map_err(denied)?;
                Ok(None)
            }
            // Who may not do a thing learns nothing of what exists.
            None => Err(denied(Denial::NoResource)),
        }
    }
}

/// Which topic an ARN means.
///
/// # Errors
/// `InvalidParameter` none of this region.
pub(super) fn topic_id(cx: &Cx, arn: &str) -> Result<TopicId> {
    if arn.split(':').count() < 6 {
        return Err(texts::short_arn("TopicArn", arn));
    }
    let id = TopicId::parse_arn(arn).filter(|id| id.region == cx.region);
    id.ok_or_else(|| texts::invalid("TopicArn"))
}

pub(super) const SHARED: Shared = Shared {
    service: SERVICE,
    others: &["Publish", "Subscribe", "GetTopicAttributes", "ListSubscriptionsByTopic"],
    owners: &["SetTopicAttributes"],
};

/// Whether the caller's policies let him do this.
///
/// # Errors
/// `AuthorizationError`.
pub(super) fn authorize(cx: &Cx, action: &str, arn: &str) -> Result<()> {
    SHARED.authorize(cx, action, arn).map_err(|denial| texts::denied(cx, action, arn, denial))
}

/// Takes in what waited at the last stop. Messages that nobody waits for go: their last delivery
/// was over when the stop came between two commits.
async fn restore(store: &Part, outbox: &Outbox) -> store::Result<()> {
    let mut waiting: BTreeMap<u64, Vec<SubscriptionId>> = BTreeMap::new();
    for (key, _) in rows::scan::<DeliveryRow>(store, DeliveryRow::PREFIX)? {
        let (path, number) = DeliveryRow::parse_key(&key).ok_or_else(|| unreadable(&key))?;
        let id = SubscriptionId::parse_path(path).ok_or_else(|| unreadable(&key))?;
        waiting.entry(number).or_default().push(id);
    }
    let mut transaction = Transaction::default();
    for (key, _) in rows::scan::<MessageRow>(store, MessageRow::PREFIX)? {
        let number = MessageRow::parse_key(&key).ok_or_else(|| unreadable(&key))?;
        if !waiting.contains_key(&number) {
            transaction.frees_room().remove(key.to_vec());
        }
    }
    for (number, subscriptions) in waiting {
        let bytes = store.get(&MessageRow::key(number)).map_or(0, |row| row.len());
        let Some(account) = subscriptions.first().map(|id| id.topic.account) else { continue };
        outbox.restore(account, (number, bytes), subscriptions);
    }
    if transaction.writes.is_empty() { Ok(()) } else { store.commit(transaction).await }
}
