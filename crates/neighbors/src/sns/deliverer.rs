//! What waits in the outbox, sent: one task starts deliveries whose turn it is, each is one of its
//! own.
//!
//! ```text
//! job -> subscription, message -> envelope, signature -> post
//! 2xx -> the rows go; 4xx but 408 and 429, an address that may not be reached -> they go, too
//! else -> again after a pause, until it was tried too often or is too old
//! ```
//!
//! Tries are counted in memory: a restart begins anew, but a message's age goes on.

use super::delivery_policy::DeliveryPolicy;
use super::envelope::Envelope;
use super::metrics::Outcome;
use super::outbox::{Job, Outbox};
use super::rows::{DeliveryRow, Kind, MessageRow, State, SubscriptionRow};
use super::service::Inner;
use super::signer::Version;
use super::topics::{SubscriptionId, TopicId};
use kit::{passing, rows};
use outgoing::{Answer, Post, TroubleKind};
use std::sync::{Arc, Weak};
use std::time::Duration;
use store::Transaction;

/// What came of one try.
enum Tried {
    Delivered,
    /// Never again.
    Refused(String),
    Failed(String),
}

/// Runs for as long as the service lives.
pub(super) async fn run(service: Weak<Inner>, outbox: Arc<Outbox>) {
    loop {
        let (clock, pause) = {
            let Some(inner) = service.upgrade() else { return };
            (inner.env.clock.clone(), inner.start_due())
        };
        match pause {
            None => outbox.wake.notified().await,
            Some(pause) => tokio::select! {
                () = outbox.wake.notified() => {}
                () = clock.sleep(pause) => {}
            },
        }
    }
}

impl Inner {
    /// Starts every delivery whose turn it is; tells when the next one's is, if nothing happens
    /// before.
    fn start_due(self: &Arc<Self>) -> Option<Duration> {
        let endpoint_of = |id: &SubscriptionId| -> Option<Arc<str>> {
            let subscription = self.topics.subscription(id)?;
            Some(subscription.row().endpoint.as_ref().into())
        };
        self.metrics.waiting(self.outbox.waiting());
        loop {
            match self.outbox.next(self.env.clock.monotonic(), endpoint_of) {
                Ok(job) => {
                    let inner = Arc::clone(self);
                    self.tasks.spawn(async move { inner.deliver(job).await });
                }
                Err(pause) => return pause,
            }
        }
    }

    async fn deliver(self: Arc<Self>, job: Job) {
        let Some(subscription) = self.topics.subscription(&job.subscription) else {
            let all = self.outbox.all_of(&job);
            return self.remove(&job, &all).await;
        };
        let row = subscription.row();
        let message: Option<MessageRow> = match rows::get(&self.store, &MessageRow::key(job.number))
        {
            Ok(message) => message,
            Err(e) => {
                tracing::error!("a message cannot be delivered: {e}");
                None
            }
        };
        let Some(message) = message.filter(|message| is_wanted(message.kind, row.state)) else {
            return self.remove(&job, &[job.number]).await;
        };
        let tried = self.try_once(&job, &row, &message).await;
        let pause = self.delivery_policy(&job.subscription.topic).pause(job.tries);
        let Some(outcome) = self.judge(&job, &message, tried, pause.is_some()) else {
            self.metrics.retried();
            let again_at = self.env.clock.monotonic() + pause.unwrap_or_default();
            return self.outbox.failed(&job, again_at);
        };
        if message.kind == Kind::Notification {
            self.metrics.over(&job.subscription.topic, outcome);
        }
        self.remove(&job, &[job.number]).await;
    }

    async fn try_once(&self, job: &Job, row: &SubscriptionRow, message: &MessageRow) -> Tried {
        let post = match self.post_of(job, row, message).await {
            Ok(post) => post,
            Err(e) => return Tried::Failed(e.to_string()),
        };
        match self.poster.post(&row.endpoint, post).await {
            Ok(Answer { status: 200..=299, .. }) => Tried::Delivered,
            Ok(Answer { status: status @ (408 | 429), .. }) => {
                Tried::Failed(format!("status {status}"))
            }
            Ok(Answer { status: status @ 400..=499, .. }) => {
                Tried::Refused(format!("status {status}"))
            }
            Ok(Answer { status, .. }) => Tried::Failed(format!("status {status}")),
            Err(e) if e.kind() == TroubleKind::Refused => Tried::Refused(e.to_string()),
            Err(e) => Tried::Failed(e.to_string()),
        }
    }

    async fn post_of(
        &self,
        job: &Job,
        row: &SubscriptionRow,
        message: &MessageRow,
    ) -> store::Result<Post> {
        let base_url = self.base_url();
        let subscription = &job.subscription;
        let mut envelope = Envelope::new(message, subscription, row.is_https(), &base_url);
        if message.kind == Kind::Notification {
            envelope = envelope.of_type(self.delivery_policy(&subscription.topic).content_type);
            if row.is_raw {
                return Ok(envelope.raw());
            }
        } else {
            envelope = envelope.with_token(self.subscription_tokens.seal(subscription));
        }
        let topic = self.topics.get(&subscription.topic).map(|topic| topic.row());
        let version = topic.and_then(|topic| Version::parse(topic.signature_version.as_deref()?));
        let version = version.unwrap_or(Version::One);
        let signed = self.signer.sign(version, &envelope.text_to_sign()).await?;
        Ok(envelope.signed(&signed))
    }

    /// How a topic delivers.
    pub(super) fn delivery_policy(&self, topic: &TopicId) -> DeliveryPolicy {
        let row = self.topics.get(topic).map(|topic| topic.row());
        let own = row.and_then(|row| DeliveryPolicy::parse(row.delivery_policy.as_deref()?).ok());
        own.unwrap_or_else(|| DeliveryPolicy::of_server(&self.options))
    }

    /// What became of a delivery; `None`: it is tried again, as it may be.
    fn judge(
        &self,
        job: &Job,
        message: &MessageRow,
        tried: Tried,
        may_again: bool,
    ) -> Option<Outcome> {
        let (why, outcome) = match tried {
            Tried::Delivered => return Some(Outcome::Delivered),
            Tried::Refused(why) => (why, Outcome::Refused),
            Tried::Failed(why) => {
                let age_ms = self.now_ms().saturating_sub(message.at_ms);
                let is_young =
                    u128::try_from(age_ms).unwrap_or_default() < self.options.age_max.as_millis();
                if is_young && may_again {
                    let subscription = job.subscription.arn();
                    tracing::debug!(%subscription, tries = job.tries + 1, "not delivered: {why}");
                    return None;
                }
                (why, Outcome::GivenUp)
            }
        };
        let subscription = job.subscription.arn();
        tracing::warn!(
            %subscription, message = %message.id, tries = job.tries + 1,
            "a message is given up: {why}"
        );
        Some(outcome)
    }

    /// Removes the rows of deliveries that are over, and of messages that nobody needs any more;
    /// while that fails, the subscription waits.
    async fn remove(self: &Arc<Self>, job: &Job, numbers: &[u64]) {
        let mut transaction = Transaction::default();
        transaction.frees_room();
        let path = job.subscription.path();
        for number in numbers {
            transaction.remove(DeliveryRow::key(&path, *number));
        }
        for number in self.outbox.settle(numbers) {
            transaction.remove(MessageRow::key(number));
        }
        let transaction = &transaction;
        let commit =
            |inner: Arc<Self>| async move { inner.store.commit(transaction.clone()).await };
        passing::end(Arc::downgrade(self), self.env.clock.clone(), Duration::ZERO, commit).await;
        self.outbox.done(job, numbers);
    }
}

/// Whether a message still makes sense to a subscription in this state.
fn is_wanted(kind: Kind, state: State) -> bool {
    match kind {
        Kind::Notification => state == State::Confirmed,
        Kind::SubscriptionConfirmation => state == State::Pending,
        Kind::UnsubscribeConfirmation => state == State::Ended,
    }
}
