//! How subscriptions begin and end.
//!
//! ```text
//! Subscribe -> Pending -- token --> Confirmed -- its owner, signed --> gone
//!              two days: gone        |    ^
//!                                    |    token
//!                  without signature |    |
//!                                    `-> Ended -- two days --> gone
//! ```
//!
//! Callers hold the lock of changes.

use super::errors::{Result, fail};
use super::rows::{Kind, MessageRow, State, SubscriptionRow};
use super::service::Inner;
use super::texts;
use super::topics::{Subscription, SubscriptionId, Topic};
use base::RequestId;
use kit::rows;
use std::sync::Arc;
use store::Transaction;

/// How long a token is good for (model's documentation of email: three days; observed two).
pub(super) const PENDING_MS: i64 = 2 * 86_400_000;

/// How a subscription is confirmed.
#[derive(Clone, Copy)]
pub(super) struct Confirmation {
    /// Whether the request was signed.
    pub(super) is_signed: bool,
    /// Whether only a signed request may end it.
    pub(super) guards_end: bool,
}

impl Inner {
    /// Stores a subscription and asks its endpoint whether it agrees.
    ///
    /// # Errors
    /// `ServiceUnavailable` there is no room for the question; what the store says.
    pub(super) async fn ask(
        &self,
        request_id: RequestId,
        topic: &Topic,
        id: &SubscriptionId,
        row: SubscriptionRow,
    ) -> Result<()> {
        let mut transaction = Transaction::default();
        rows::put(&mut transaction, SubscriptionRow::key(&id.path()), &row);
        let mut staged = None;
        let before = topic.subscription(&id.id).map(|known| known.state());
        // Who asks again and again does not send again and again.
        if before != Some(State::Pending) || !self.outbox.has(id) {
            let text = texts::confirm_message(&id.topic.arn());
            let question = self.question(Kind::SubscriptionConfirmation, text);
            let room = self.stage(&mut transaction, &id.topic, &question, vec![id.clone()]);
            staged = Some(room.ok_or_else(texts::outbox_full)?);
        }
        self.store.commit(transaction).await.map_err(|e| fail(request_id, &e))?;
        topic.show(id.clone(), row);
        if let Some(staged) = staged {
            staged.go();
        }
        Ok(())
    }

    /// Confirms the subscription that a token is for; once more is fine.
    ///
    /// # Errors
    /// `InvalidParameter` the token is none, or too old; what the store says.
    pub(super) async fn confirm(
        &self,
        request_id: RequestId,
        topic: &Topic,
        token: &str,
        how: Confirmation,
    ) -> Result<SubscriptionId> {
        let invalid = texts::invalid_subscription_token;
        let id = self.subscription_tokens.open(&topic.id, token).ok_or_else(invalid)?;
        let subscription = topic.subscription(&id.id).ok_or_else(invalid)?;
        let row = subscription.row();
        if row.state == State::Confirmed {
            return Ok(id);
        }
        let now_ms = self.now_ms();
        if now_ms.saturating_sub(row.changed_ms) > PENDING_MS {
            return Err(invalid());
        }
        let row = SubscriptionRow {
            state: State::Confirmed,
            was_authenticated: how.is_signed,
            guards_end: how.guards_end && how.is_signed,
            changed_ms: now_ms,
            ..SubscriptionRow::clone(&row)
        };
        let mut transaction = Transaction::default();
        rows::put(&mut transaction, SubscriptionRow::key(&id.path()), &row);
        self.store.commit(transaction).await.map_err(|e| fail(request_id, &e))?;
        topic.show(id.clone(), row);
        Ok(id)
    }

    /// Ends a subscription for good.
    ///
    /// # Errors
    /// What the store says.
    pub(super) async fn remove_subscription(
        &self,
        request_id: RequestId,
        topic: &Topic,
        subscription: &Subscription,
    ) -> Result<()> {
        let id = &subscription.id;
        let mut transaction = Transaction::default();
        transaction.frees_room().remove(SubscriptionRow::key(&id.path()));
        self.store.commit(transaction).await.map_err(|e| fail(request_id, &e))?;
        topic.forget(&id.id);
        Ok(())
    }

    /// Ends a subscription for somebody who is not its owner: the endpoint is told, and may take it
    /// back.
    ///
    /// # Errors
    /// What the store says.
    pub(super) async fn end(
        &self,
        request_id: RequestId,
        topic: &Topic,
        subscription: &Arc<Subscription>,
    ) -> Result<()> {
        let (id, row) = (&subscription.id, subscription.row());
        let mut transaction = Transaction::default();
        let text = texts::unsubscribed_message(&id.arn());
        let told = self.question(Kind::UnsubscribeConfirmation, text);
        let staged = match row.state {
            State::Ended => return Ok(()),
            State::Confirmed => self.stage(&mut transaction, &id.topic, &told, vec![id.clone()]),
            State::Pending => None,
        };
        // That there is no room to tell it does not keep it.
        let Some(staged) = staged else {
            return self.remove_subscription(request_id, topic, subscription).await;
        };
        let changed_ms = self.now_ms();
        let row =
            SubscriptionRow { state: State::Ended, changed_ms, ..SubscriptionRow::clone(&row) };
        rows::put(&mut transaction, SubscriptionRow::key(&id.path()), &row);
        self.store.commit(transaction).await.map_err(|e| fail(request_id, &e))?;
        topic.show(id.clone(), row);
        staged.go();
        Ok(())
    }

    fn question(&self, kind: Kind, message: String) -> MessageRow {
        let (id, at_ms) = (self.new_id(), self.now_ms());
        let (subject, https_message, attributes) = (None, None, Vec::new());
        MessageRow { kind, id, subject, message, https_message, attributes, at_ms }
    }
}
