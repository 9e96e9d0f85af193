//! Who reads which shard as which consumer: one subscription each, and who takes over from whom.
//!
//! ```text
//! claim --within 5 s of the last one--> refused
//!       --later-----------------------> the old claim learns that it was taken over
//! ```

use crate::admission::SUBSCRIBE_PAUSE;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// Consumer ARN and shard index.
type Key = (Arc<str>, u32);

/// Every subscription of the service.
#[derive(Default)]
pub(crate) struct Subscriptions {
    held: Mutex<HashMap<Key, Held>>,
}

struct Held {
    /// When it was claimed, on the monotonic clock.
    since: Duration,
    /// Dropped when another claim takes over; closed once the claim itself is dropped.
    claim: oneshot::Sender<()>,
}

/// The right to read a shard as a consumer; dropped when its event stream is.
#[derive(Debug)]
pub(crate) struct Claim(oneshot::Receiver<()>);

/// Entries beyond which each new claim clears out what has ended.
const SWEEP_ENTRIES: usize = 1024;

impl Subscriptions {
    /// Claims a shard for a consumer; `None` when a claim was granted less than five seconds ago,
    /// whether or not its stream still lives (model). That is stricter than one call a second, the
    /// other limit of AWS, so no call is granted more often than that either.
    pub(crate) fn claim(
        &self,
        consumer: &Arc<str>,
        shard_index: u32,
        now: Duration,
    ) -> Option<Claim> {
        let mut held = self.held.lock();
        let key = (consumer.clone(), shard_index);
        let fresh = |held: &Held| now.saturating_sub(held.since) < SUBSCRIBE_PAUSE;
        if held.get(&key).is_some_and(fresh) {
            return None;
        }
        if held.len() >= SWEEP_ENTRIES && held.len().is_power_of_two() {
            held.retain(|_, held| fresh(held) || !held.claim.is_closed());
        }
        let (sender, receiver) = oneshot::channel();
        held.insert(key, Held { since: now, claim: sender });
        Some(Claim(receiver))
    }
}

impl Claim {
    /// Resolves once another claim took over.
    ///
    /// # Cancel safety
    /// Safe.
    pub(crate) async fn taken_over(&mut self) {
        // Nothing is ever sent: the sender is dropped with its entry.
        let _dropped = (&mut self.0).await;
    }

    /// Whether another claim took over.
    pub(crate) fn is_taken_over(&mut self) -> bool {
        self.0.try_recv() == Err(oneshot::error::TryRecvError::Closed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_second_claim_waits_five_seconds_then_takes_over() {
        let (all, consumer) = (Subscriptions::default(), Arc::from("c"));
        let mut first = all.claim(&consumer, 0, s(100)).unwrap();
        assert!(all.claim(&consumer, 0, s(104)).is_none());
        assert!(!first.is_taken_over());
        let mut second = all.claim(&consumer, 0, s(105)).unwrap();
        assert!(first.is_taken_over());
        assert!(!second.is_taken_over());
    }

    #[test]
    fn a_refused_claim_starts_no_new_pause() {
        let (all, consumer) = (Subscriptions::default(), Arc::from("c"));
        let _first = all.claim(&consumer, 0, s(0)).unwrap();
        assert!(all.claim(&consumer, 0, s(4)).is_none());
        assert!(all.claim(&consumer, 0, s(5)).is_some());
    }

    #[test]
    fn shards_and_consumers_do_not_meet() {
        let (all, a, b) = (Subscriptions::default(), Arc::from("a"), Arc::from("b"));
        let _claims = [(&a, 0), (&a, 1), (&b, 0)].map(|(c, i)| all.claim(c, i, s(0)).unwrap());
    }

    #[test]
    fn ended_claims_are_swept() {
        let (all, consumer) = (Subscriptions::default(), Arc::from("c"));
        for index in 0..SWEEP_ENTRIES as u32 {
            drop(all.claim(&consumer, index, s(0)).unwrap());
        }
        let _live = all.claim(&consumer, u32::MAX, s(10)).unwrap();
        assert_eq!(all.held.lock().len(), 1);
    }
}
