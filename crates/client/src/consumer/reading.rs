//! What the reader of one shard keeps: what the caller was told last, and the failures it bears.

use super::{Received, Shared};
use crate::Error;
use api::kinesis::Record;
use std::time::Duration;
use wire::Text;

/// The reading of one shard.
pub(super) struct Reading<'a> {
    pub(super) shared: &'a Shared,
    pub(super) shard_id: &'a Text,
    /// The distance that the caller was told last.
    told: Option<i64>,
    /// Since when nothing but failures came.
    since: Option<Duration>,
    pause: Duration,
    is_renewed: bool,
}

impl<'a> Reading<'a> {
    const PAUSE: Duration = Duration::from_millis(100);
    pub(super) const PAUSE_MAX: Duration = Duration::from_secs(2);

    pub(super) fn new(shared: &'a Shared, shard_id: &'a Text) -> Self {
        let pause = Self::PAUSE;
        Self { shared, shard_id, told: None, since: None, pause, is_renewed: false }
    }

    /// Hands a batch to the caller if it tells anything new; false when nobody listens any more.
    pub(super) async fn give(
        &mut self,
        records: Vec<Record>,
        millis_behind_latest: i64,
        is_last: bool,
    ) -> bool {
        if records.is_empty() && !is_last && self.told == Some(millis_behind_latest) {
            return true;
        }
        self.told = Some(millis_behind_latest);
        let shard_id = self.shard_id.clone();
        let received = Received { shard_id, records, millis_behind_latest };
        self.shared.batches.send(Ok(received)).await.is_ok()
    }

    /// After a success.
    pub(super) fn reset(&mut self) {
        self.since = None;
        self.pause = Self::PAUSE;
        self.is_renewed = false;
    }

    /// Pauses after a failure that may pass.
    ///
    /// # Errors
    /// The failure itself when it cannot pass or patience is over.
    pub(super) async fn bear(&mut self, e: Error) -> Result<(), Error> {
        if e.is_transient() { self.wait(e).await } else { Err(e) }
    }

    /// After the usual end of what a shard is read by: at once the first time, but when nothing was
    /// read since then it is a failure like others.
    ///
    /// # Errors
    /// As [`Reading::wait`].
    pub(super) async fn renew(&mut self, e: Error) -> Result<(), Error> {
        if std::mem::replace(&mut self.is_renewed, true) {
            return self.wait(e).await;
        }
        self.since.get_or_insert(self.shared.client.env().clock.monotonic());
        Ok(())
    }

    /// Pauses after a failure, whatever it is.
    ///
    /// # Errors
    /// The failure itself when patience is over.
    pub(super) async fn wait(&mut self, e: Error) -> Result<(), Error> {
        let clock = &self.shared.client.env().clock;
        let now = clock.monotonic();
        let since = *self.since.get_or_insert(now);
        if now.saturating_sub(since) > self.shared.options.patience {
            return Err(e);
        }
        clock.sleep(self.pause).await;
        self.pause = (self.pause * 2).min(Self::PAUSE_MAX);
        Ok(())
    }
}
