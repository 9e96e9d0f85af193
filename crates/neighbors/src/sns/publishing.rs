//! Messages to all subscriptions of a topic.

use super::outbox::Staged;
use super::rows::{AlarmRow, DeliveryRow, Kind, MessageRow, State};
use super::service::{Inner, SHARED, Sns};
use super::topics::{SubscriptionId, Topic, TopicId};
use base::policy::{Context, Denial};
use base::{AccountId, Cx, RequestId};
use kit::{Target, rows};
use std::fmt;
use std::sync::Arc;
use store::{ErrorKind, Transaction};

/// Longest subject of an alarm's message, as of any other's.
const SUBJECT_BYTES_MAX: usize = 100;

/// Why a message was not published.
#[derive(Debug)]
pub enum Trouble {
    /// There is no such topic, or the ARN is none of a topic.
    NoTopic,
    /// The topic's policy does not let this account.
    Denied,
    /// Too many messages wait, or the service is stopping: later it may work.
    Busy,
    /// It cannot be stored.
    Store(store::Error),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTopic => f.write_str("there is no such topic"),
            Self::Denied => f.write_str("the topic's policy does not allow it"),
            Self::Busy => f.write_str("too many messages wait"),
            Self::Store(e) => write!(f, "it cannot be stored: {e}"),
        }
    }
}

impl std::error::Error for Trouble {}

/// As whom alarms ask a topic's policy.
const CLOUDWATCH: &str = "cloudwatch.amazonaws.com";

/// What an alarm tells a topic.
#[derive(Clone, Copy, Debug)]
pub struct AlarmMessage<'a> {
    /// Where to.
    pub topic_arn: &'a str,
    /// The alarm's.
    pub alarm_arn: &'a str,
    /// Whose alarm it is.
    pub account: AccountId,
    /// One that is no line of at most a hundred printable ASCII characters is made one.
    pub subject: &'a str,
    /// JSON, as AWS's alarms have it.
    pub message: &'a str,
    /// What this message of this alarm has and no other has, as the alarm's ARN with the time of
    /// its change.
    pub dedup: &'a str,
}

impl Inner {
    /// Publishes a message and gives it an id. Durable, with whom it goes to, when this answers.
    ///
    /// # Errors
    /// `Busy`, `Store`.
    pub(super) async fn publish(
        self: &Arc<Self>,
        topic: &Topic,
        row: MessageRow,
    ) -> Result<Box<str>, Trouble> {
        let row = MessageRow { id: self.new_id(), at_ms: self.now_ms(), ..row };
        self.publish_with(topic, row, Transaction::default()).await
    }

    /// As [`Inner::publish`], together with other changes. Without any subscription nothing but
    /// these is stored.
    async fn publish_with(
        self: &Arc<Self>,
        topic: &Topic,
        row: MessageRow,
        mut transaction: Transaction,
    ) -> Result<Box<str>, Trouble> {
        let id = row.id.clone();
        let subscriptions = topic.subscriptions().into_iter();
        let to: Vec<_> = subscriptions
            .filter(|subscription| subscription.state() == State::Confirmed)
            .map(|subscription| subscription.id.clone())
            .collect();
        let staged = match to.is_empty() {
            true => None,
            false => {
                let staged = self.stage(&mut transaction, &topic.id, &row, to);
                Some(staged.ok_or(Trouble::Busy)?)
            }
        };
        if transaction.writes.is_empty() {
            self.metrics.published(&topic.id, row.message.len());
            return Ok(id);
        }
        let store = self.store.clone();
        let stored = self.to_its_end(async move {
            store.commit(transaction).await?;
            if let Some(staged) = staged {
                staged.go();
            }
            Ok(())
        });
        stored.await.ok_or(Trouble::Busy)?.map_err(Trouble::Store)?;
        self.metrics.published(&topic.id, row.message.len());
        Ok(id)
    }

    /// Takes room for a message, and puts its rows into a transaction; `None`: there is no room.
    pub(super) fn stage(
        &self,
        transaction: &mut Transaction,
        topic: &TopicId,
        row: &MessageRow,
        to: Vec<SubscriptionId>,
    ) -> Option<Staged> {
        let stored = rows::encode(row);
        let staged = self.outbox.stage(topic.account, stored.len(), to)?;
        for subscription in staged.subscriptions() {
            let key = DeliveryRow::key(&subscription.path(), staged.number);
            rows::put(transaction, key, &DeliveryRow::default());
        }
        transaction.put(MessageRow::key(staged.number), stored);
        Some(staged)
    }

    /// A UUID, for messages and subscriptions.
    pub(super) fn new_id(&self) -> Box<str> {
        RequestId::from_random(self.env.rng.bytes16()).to_string().into()
    }
}

impl Sns {
    /// Publishes an alarm's message in the name of the account whose alarm it is, and tells the
    /// message's id. With the same `dedup` within a day it is published once: a caller that does
    /// not know whether it did calls again.
    ///
    /// # Errors
    /// [`Trouble`]; nothing was published then, but for `Store` with a commit whose end is unknown.
    pub async fn publish_alarm(&self, alarm: AlarmMessage<'_>) -> Result<String, Trouble> {
        let AlarmMessage { topic_arn, subject, message, dedup, .. } = alarm;
        let inner = &self.inner;
        let topic = inner.topic_for_alarm(&alarm)?;
        let key = AlarmRow::key(topic_arn, dedup);
        if let Some(id) = inner.known_alarm(&key)? {
            return Ok(id);
        }
        let row = MessageRow {
            kind: Kind::Notification,
            id: inner.new_id(),
            subject: Some(line(subject)).filter(|subject| !subject.is_empty()),
            message: message.to_owned(),
            https_message: None,
            attributes: Vec::new(),
            at_ms: inner.now_ms(),
        };
        inner.publish_alarm(&topic, row, key).await
    }
}

impl Inner {
    /// CloudWatch publishes by itself, as on AWS; a topic whose policy does not know it may let in
    /// the alarm's account.
    fn topic_for_alarm(&self, alarm: &AlarmMessage<'_>) -> Result<Arc<Topic>, Trouble> {
        let &AlarmMessage { topic_arn: arn, alarm_arn, account, .. } = alarm;
        let id = TopicId::parse_arn(arn).ok_or(Trouble::NoTopic)?;
        let topic = self.topics.get(&id).ok_or(Trouble::NoTopic)?;
        let cx = Cx::of_service(account, id.region.clone()).at(self.now_ms());
        let decide = |service| {
            let (source_arn, source_account) = (Some(alarm_arn), Some(account.as_str()));
            let context = Context { service, source_arn, source_account, ..Context::default() };
            let target = Target { context, ..Target::new(arn, id.account == account) };
            topic.policy.decide(&SHARED, &cx, "Publish", target)
        };
        let decided = match decide(Some(CLOUDWATCH)) {
            Err(Denial::NoResource) => decide(None),
            decided => decided,
        };
        decided.map(|()| topic.clone()).map_err(|_| Trouble::Denied)
    }

    fn known_alarm(&self, key: &[u8]) -> Result<Option<String>, Trouble> {
        let known: Option<AlarmRow> = rows::get(&self.store, key).map_err(Trouble::Store)?;
        Ok(known.map(|known| known.message_id.into()))
    }

    async fn publish_alarm(
        self: &Arc<Self>,
        topic: &Topic,
        row: MessageRow,
        key: Vec<u8>,
    ) -> Result<String, Trouble> {
        let (message_id, at_ms) = (row.id.clone(), row.at_ms);
        let mut transaction = Transaction::default();
        transaction.check(key.clone(), None);
        rows::put(&mut transaction, key.clone(), &AlarmRow { message_id, at_ms });
        match self.publish_with(topic, row, transaction).await {
            Ok(id) => Ok(id.into()),
            // Somebody else published it meanwhile.
            Err(Trouble::Store(e)) if e.kind() == ErrorKind::Conflict => {
                self.known_alarm(&key)?.ok_or(Trouble::Store(e))
            }
            Err(trouble) => Err(trouble),
        }
    }
}

/// A text as a subject may be.
fn line(text: &str) -> String {
    let printable = text.chars().map(|c| if (' '..='~').contains(&c) { c } else { '?' });
    let line: String = printable.skip_while(|c| *c == ' ').take(SUBJECT_BYTES_MAX).collect();
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_become_lines() {
        let (long, most) = ("x".repeat(200), "x".repeat(100));
        for (text, want) in
            [("a b", "a b"), ("", ""), (" a\nb ", "a?b"), ("é", "?"), (&long, &most)]
        {
            assert_eq!(line(text), want);
        }
    }
}
