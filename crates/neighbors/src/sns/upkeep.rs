//! What is done again and again: what nobody confirmed goes, and what is remembered of alarms.

use super::rows::{AlarmRow, State, SubscriptionRow};
use super::service::Inner;
use super::subscriptions::PENDING_MS;
use base::env::Clock;
use kit::{passing, rows};
use std::sync::{Arc, Weak};
use std::time::Duration;
use store::Transaction;

/// Time between turns.
const TURN: Duration = Duration::from_secs(3600);
/// How long an alarm's message is published once only.
const ALARM_MS: i64 = 86_400_000;

/// Runs for as long as the service lives.
pub(super) async fn run(service: Weak<Inner>, clock: Arc<dyn Clock>) {
    loop {
        clock.sleep(TURN).await;
        let Some(inner) = service.upgrade() else { return };
        for done in [inner.forget_subscriptions().await, inner.forget_alarms().await] {
            if let Err(e) = done {
                passing::warn(&e);
            }
        }
    }
}

impl Inner {
    async fn forget_subscriptions(&self) -> store::Result<()> {
        let _alone = self.lock_changes().await;
        let horizon_ms = self.store.clock().horizon_ms(PENDING_MS);
        for topic in self.topics.all() {
            let mut transaction = Transaction::default();
            let mut gone = Vec::new();
            for subscription in topic.subscriptions() {
                let row = subscription.row();
                if row.state != State::Confirmed && row.changed_ms < horizon_ms {
                    transaction.remove(SubscriptionRow::key(&subscription.id.path()));
                    gone.push(subscription);
                }
            }
            if gone.is_empty() {
                continue;
            }
            transaction.frees_room();
            self.store.commit(transaction).await?;
            for subscription in gone {
                topic.forget(&subscription.id.id);
            }
        }
        Ok(())
    }

    async fn forget_alarms(&self) -> store::Result<()> {
        let horizon_ms = self.store.clock().horizon_ms(ALARM_MS);
        let mut transaction = Transaction::default();
        for (key, row) in rows::scan::<AlarmRow>(&self.store, AlarmRow::PREFIX)? {
            if row.at_ms < horizon_ms {
                transaction.remove(key.to_vec());
            }
        }
        if transaction.writes.is_empty() {
            return Ok(());
        }
        transaction.frees_room();
        self.store.commit(transaction).await
    }
}
