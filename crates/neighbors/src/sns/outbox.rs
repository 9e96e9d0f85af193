//! What waits to be delivered, in memory: which subscription's turn it is.
//!
//! ```text
//! stage: room -> Staged -> (the rows are durable) -> go: lanes
//! lane: ready -> running, or waits for its endpoint -> done: ready again, or failed: sleeps
//! ```
//!
//! A lane has the messages of one subscription in the order in which they were published, and one
//! of them is on its way. An endpoint gets one message at a time, also of two subscriptions. The
//! rows of the catalog are the truth; this is made of them at the start.

use super::options::Options;
use super::topics::SubscriptionId;
use base::AccountId;
use parking_lot::Mutex;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// What a delivery counts beside its message, in bytes: its row, and its place here.
const DELIVERY_BYTES: usize = 200;

/// All that waits.
pub(super) struct Outbox {
    state: Mutex<Waiting>,
    /// Told when there may be something to do.
    pub(super) wake: Notify,
    all_max: Share,
    account_max: Share,
    posts_max: usize,
}

#[derive(Default)]
struct Waiting {
    lanes: HashMap<SubscriptionId, Lane>,
    ready: VecDeque<SubscriptionId>,
    /// By when they wake, on the monotonic clock.
    sleeping: BTreeSet<(Duration, SubscriptionId)>,
    /// Endpoints with a post on its way, and who waits for them.
    busy: HashMap<Arc<str>, VecDeque<SubscriptionId>>,
    running: usize,
    messages: HashMap<u64, Use>,
    of_all: Share,
    of_accounts: HashMap<AccountId, Share>,
    next_number: u64,
}

/// The messages of one subscription, by their numbers.
#[derive(Default)]
struct Lane {
    messages: BTreeSet<u64>,
    /// Failures of the first one.
    tries: u32,
}

/// Who still needs a message.
struct Use {
    account: AccountId,
    deliveries_left: usize,
    bytes: usize,
}

/// Deliveries and bytes.
#[derive(Clone, Copy, Default)]
struct Share {
    deliveries: usize,
    bytes: usize,
}

impl Share {
    fn of(deliveries: usize, bytes: usize) -> Self {
        Self { deliveries, bytes: bytes + deliveries * DELIVERY_BYTES }
    }

    fn fits(self, more: Self, most: Self) -> bool {
        self.deliveries + more.deliveries <= most.deliveries
            && self.bytes + more.bytes <= most.bytes
    }

    fn add(&mut self, more: Self) {
        self.deliveries += more.deliveries;
        self.bytes += more.bytes;
    }

    fn take(&mut self, less: Self) {
        self.deliveries = self.deliveries.saturating_sub(less.deliveries);
        self.bytes = self.bytes.saturating_sub(less.bytes);
    }

    fn four_fifths(self) -> Self {
        Self { deliveries: self.deliveries / 5 * 4, bytes: self.bytes / 5 * 4 }
    }
}

/// A delivery whose turn it is.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) subscription: SubscriptionId,
    /// None: there is no such subscription any more.
    pub(super) endpoint: Option<Arc<str>>,
    pub(super) number: u64,
    /// Tries that failed.
    pub(super) tries: u32,
}

/// A message that has its room and is not there yet; dropped, it gives the room back.
pub(super) struct Staged {
    outbox: Arc<Outbox>,
    pub(super) number: u64,
    subscriptions: Vec<SubscriptionId>,
    has_gone: bool,
}

impl Outbox {
    pub(super) fn new(options: &Options) -> Arc<Self> {
        let &Options { deliveries_max: deliveries, outbox_bytes_max: bytes, posts_max, .. } =
            options;
        let all_max = Share { deliveries, bytes };
        Arc::new(Self {
            state: Mutex::default(),
            wake: Notify::new(),
            all_max,
            account_max: all_max.four_fifths(),
            posts_max,
        })
    }

    /// Takes room for a message of an account to these subscriptions; `None`: there is none.
    pub(super) fn stage(
        self: &Arc<Self>,
        account: AccountId,
        bytes: usize,
        subscriptions: Vec<SubscriptionId>,
    ) -> Option<Staged> {
        let deliveries = subscriptions.len();
        let more = Share::of(deliveries, bytes);
        let mut state = self.state.lock();
        let of_account = state.of_accounts.get(&account).copied().unwrap_or_default();
        if !state.of_all.fits(more, self.all_max) || !of_account.fits(more, self.account_max) {
            return None;
        }
        let number = state.next_number;
        state.add(number, Use { account, deliveries_left: deliveries, bytes });
        drop(state);
        Some(Staged { outbox: Arc::clone(self), number, subscriptions, has_gone: false })
    }

    /// Takes in a message that the catalog has since before the start, however full it is.
    pub(super) fn restore(
        &self,
        account: AccountId,
        (number, bytes): (u64, usize),
        subscriptions: Vec<SubscriptionId>,
    ) {
        let mut state = self.state.lock();
        let deliveries_left = subscriptions.len();
        state.add(number, Use { account, deliveries_left, bytes });
        state.enter(number, subscriptions);
    }

    /// Whether something waits for a subscription.
    pub(super) fn has(&self, subscription: &SubscriptionId) -> bool {
        self.state.lock().lanes.contains_key(subscription)
    }

    /// How many deliveries wait.
    pub(super) fn waiting(&self) -> usize {
        self.state.lock().of_all.deliveries
    }

    /// The next delivery whose turn it is; else how long until there may be one, if nothing else
    /// happens before (`None`: never).
    pub(super) fn next(
        &self,
        now: Duration,
        endpoint_of: impl Fn(&SubscriptionId) -> Option<Arc<str>>,
    ) -> Result<Job, Option<Duration>> {
        let mut state = self.state.lock();
        state.wake(now);
        while state.running < self.posts_max {
            let Some(subscription) = state.ready.pop_front() else { break };
            let Some(lane) = state.lanes.get(&subscription) else { continue };
            let Some(number) = lane.messages.first().copied() else { continue };
            let tries = lane.tries;
            let endpoint = endpoint_of(&subscription);
            if let Some(endpoint) = &endpoint {
                if let Some(line) = state.busy.get_mut(endpoint) {
                    line.push_back(subscription);
                    continue;
                }
                state.busy.insert(endpoint.clone(), VecDeque::new());
            }
            state.running += 1;
            return Ok(Job { subscription, endpoint, number, tries });
        }
        if state.running >= self.posts_max {
            return Err(None);
        }
        Err(state.sleeping.first().map(|(end, _)| end.saturating_sub(now)))
    }

    /// All messages of a job's subscription.
    pub(super) fn all_of(&self, job: &Job) -> Vec<u64> {
        let state = self.state.lock();
        let lane = state.lanes.get(&job.subscription);
        lane.map_or_else(Vec::new, |lane| lane.messages.iter().copied().collect())
    }

    /// Gives up the room of deliveries of one subscription; tells which messages nobody needs then.
    pub(super) fn settle(&self, numbers: &[u64]) -> Vec<u64> {
        let mut state = self.state.lock();
        numbers.iter().copied().filter(|number| state.settle(*number)).collect()
    }

    /// A job's deliveries are over, and no rows of the catalog any more.
    pub(super) fn done(&self, job: &Job, numbers: &[u64]) {
        let mut state = self.state.lock();
        if let Some(lane) = state.lanes.get_mut(&job.subscription) {
            lane.tries = 0;
            for number in numbers {
                lane.messages.remove(number);
            }
            if lane.messages.is_empty() {
                state.lanes.remove(&job.subscription);
            } else {
                state.ready.push_back(job.subscription.clone());
            }
        }
        state.release(job);
        drop(state);
        self.wake.notify_one();
    }

    /// A job failed, and is tried again then.
    pub(super) fn failed(&self, job: &Job, again_at: Duration) {
        let mut state = self.state.lock();
        if let Some(lane) = state.lanes.get_mut(&job.subscription) {
            lane.tries += 1;
            state.sleeping.insert((again_at, job.subscription.clone()));
        }
        state.release(job);
        drop(state);
        self.wake.notify_one();
    }
}

impl Waiting {
    fn add(&mut self, number: u64, used: Use) {
        let share = Share::of(used.deliveries_left, used.bytes);
        self.of_all.add(share);
        self.of_accounts.entry(used.account).or_default().add(share);
        self.messages.insert(number, used);
        self.next_number = self.next_number.max(number + 1);
    }

    fn enter(&mut self, number: u64, subscriptions: Vec<SubscriptionId>) {
        for subscription in subscriptions {
            let is_new = !self.lanes.contains_key(&subscription);
            self.lanes.entry(subscription.clone()).or_default().messages.insert(number);
            if is_new {
                self.ready.push_back(subscription);
            }
        }
    }

    /// One delivery less of a message; whether it was the last one.
    fn settle(&mut self, number: u64) -> bool {
        let Some(used) = self.messages.get_mut(&number) else { return false };
        used.deliveries_left = used.deliveries_left.saturating_sub(1);
        let is_last = used.deliveries_left == 0;
        let share = Share::of(1, if is_last { used.bytes } else { 0 });
        let account = used.account;
        if is_last {
            self.messages.remove(&number);
        }
        self.give_back(account, share);
        is_last
    }

    fn give_back(&mut self, account: AccountId, share: Share) {
        self.of_all.take(share);
        if let Some(of_account) = self.of_accounts.get_mut(&account) {
            of_account.take(share);
            if of_account.deliveries == 0 {
                self.of_accounts.remove(&account);
            }
        }
    }

    /// Ends the sleeps that are over.
    fn wake(&mut self, now: Duration) {
        while let Some((end, _)) = self.sleeping.first()
            && *end <= now
            && let Some((_, subscription)) = self.sleeping.pop_first()
        {
            self.ready.push_back(subscription);
        }
    }

    /// A job is not on its way any more: the next one may have its endpoint.
    fn release(&mut self, job: &Job) {
        self.running = self.running.saturating_sub(1);
        let Some(line) = job.endpoint.as_ref().and_then(|endpoint| self.busy.remove(endpoint))
        else {
            return;
        };
        // All of them: the first one takes the endpoint, the others line up behind it again.
        for subscription in line.into_iter().rev() {
            self.ready.push_front(subscription);
        }
    }
}

impl Staged {
    /// The rows are durable: the deliveries begin.
    pub(super) fn go(mut self) {
        let subscriptions = std::mem::take(&mut self.subscriptions);
        self.outbox.state.lock().enter(self.number, subscriptions);
        self.outbox.wake.notify_one();
        self.has_gone = true;
    }

    /// Whom it goes to.
    pub(super) fn subscriptions(&self) -> &[SubscriptionId] {
        &self.subscriptions
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if self.has_gone {
            return;
        }
        let mut state = self.outbox.state.lock();
        if let Some(used) = state.messages.remove(&self.number) {
            state.give_back(used.account, Share::of(used.deliveries_left, used.bytes));
        }
    }
}

#[cfg(test)]
mod tests;
