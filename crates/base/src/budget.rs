//! Memory that clients cause: one budget, and what each of them may hold of it.
//!
//! A holder is a peer's address, or an account once a signature proved it. It may hold at most
//! three times what would then still be free (the dynamic threshold of shared switches, Choudhury
//! and Hahne 1998). So a client that is alone gets three quarters of all, and whoever comes after a
//! greedy one still finds the last quarter, of which it may have three quarters again: there are no
//! fixed quotas, nothing needs to be taken back, and nobody has to know how many clients there are.
//! An eighth is kept for small rooms.
//!
//! Invariants: what is held never exceeds the total; room is taken before the memory is; a room is
//! given back when it is dropped. A room costs two atomic adds and no lock.

use crate::AccountId;
use crate::env::Clock;
use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

/// A holder has at most so many times what is left free.
const GREED: usize = 3;
/// One part in so many is for small rooms only.
const SMALL_PART: usize = 8;
/// Rooms up to this are small.
pub const SMALL_BYTES: usize = 128 << 10;
/// Pause between two tries for room. Room comes back in bursts and rarely has to be waited for, so
/// there is no queue of those who wait.
const PAUSE: Duration = Duration::from_millis(20);

/// Who holds memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Holder {
    /// Whoever is at this address, see [`Holder::peer`].
    Peer(IpAddr),
    /// Whoever signs for this account.
    Account(AccountId),
}

impl Holder {
    /// The holder behind a peer's address; of IPv6 one client has a network of 64 bits.
    pub fn peer(address: IpAddr) -> Self {
        Self::Peer(match address.to_canonical() {
            IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
            v4 @ IpAddr::V4(_) => v4,
        })
    }
}

/// All the memory there is for clients.
#[derive(Debug)]
pub struct Budget {
    total: usize,
    held: AtomicUsize,
    shares: Mutex<HashMap<Holder, Weak<Inner>>>,
}

/// What one holder has; cheap to clone. Forgotten with its last clone and its last room.
#[derive(Clone)]
pub struct Share(Arc<Inner>);

struct Inner {
    budget: Arc<Budget>,
    holder: Option<Holder>,
    held: AtomicUsize,
}

/// Bytes that are held until this is dropped.
#[must_use]
pub struct Room {
    share: Share,
    bytes: usize,
}

impl Budget {
    /// A budget of so many bytes.
    pub fn new(total: usize) -> Arc<Self> {
        Arc::new(Self { total, held: AtomicUsize::new(0), shares: Mutex::default() })
    }

    /// The share of a holder.
    pub fn share(self: &Arc<Self>, holder: Holder) -> Share {
        let mut shares = self.shares();
        if let Some(known) = shares.get(&holder).and_then(Weak::upgrade) {
            return Share(known);
        }
        let share = Share::new(self, Some(holder));
        shares.insert(holder, Arc::downgrade(&share.0));
        share
    }

    /// Bytes held by everybody.
    pub fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    fn shares(&self) -> MutexGuard<'_, HashMap<Holder, Weak<Inner>>> {
        self.shares.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes that a room of this size may be one of.
    fn total_for(&self, bytes: usize) -> usize {
        if bytes <= SMALL_BYTES { self.total } else { self.total - self.total / SMALL_PART }
    }
}

impl Share {
    /// A share without bounds, for what no client causes.
    pub fn unbounded() -> Self {
        Self::new(&Budget::new(usize::MAX / 8), None)
    }

    fn new(budget: &Arc<Budget>, holder: Option<Holder>) -> Self {
        Self(Arc::new(Inner { budget: Arc::clone(budget), holder, held: AtomicUsize::new(0) }))
    }

    /// Takes room; `None` when there is none for this holder.
    pub fn take(&self, bytes: usize) -> Option<Room> {
        let mut room = self.nothing();
        room.resize(bytes).then_some(room)
    }

    /// As [`Share::take`], trying again for a time.
    pub async fn wait(&self, clock: &dyn Clock, bytes: usize, time: Duration) -> Option<Room> {
        let mut room = self.nothing();
        room.wait(clock, (bytes, time), |_| {}).await.then_some(room)
    }

    /// Room for nothing yet.
    pub fn nothing(&self) -> Room {
        Room { share: self.clone(), bytes: 0 }
    }

    /// Bytes that this holder has.
    pub fn held(&self) -> usize {
        self.0.held.load(Ordering::Relaxed)
    }
}

impl Room {
    /// How large it is.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Makes it larger or smaller; false, and as it was, when there is no room for that.
    #[must_use]
    pub fn resize(&mut self, bytes: usize) -> bool {
        let Inner { budget, held: mine, .. } = &*self.share.0;
        let Some(more) = bytes.checked_sub(self.bytes) else {
            mine.fetch_sub(self.bytes - bytes, Ordering::Relaxed);
            budget.held.fetch_sub(self.bytes - bytes, Ordering::Relaxed);
            self.bytes = bytes;
            return true;
        };
        let total = budget.total_for(bytes);
        let had = mine.fetch_add(more, Ordering::Relaxed);
        let taken = budget.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |held| {
            let after = held.checked_add(more)?;
            (had + more <= GREED * total.checked_sub(after)?).then_some(after)
        });
        if taken.is_err() {
            mine.fetch_sub(more, Ordering::Relaxed);
            return false;
        }
        self.bytes = bytes;
        true
    }

    /// As [`Room::resize`], trying again for a time; before each further try `make_room` is told
    /// how much is missing.
    pub async fn wait(
        &mut self,
        clock: &dyn Clock,
        (bytes, time): (usize, Duration),
        make_room: impl Fn(usize),
    ) -> bool {
        let mut tries = time.div_duration_f32(PAUSE).ceil() as usize;
        while !self.resize(bytes) {
            if tries == 0 {
                return false;
            }
            tries -= 1;
            make_room(bytes - self.bytes);
            clock.sleep(PAUSE).await;
        }
        true
    }

    /// Gives it over to another holder of the same budget; false, and as it was, when that one may
    /// hold no more.
    #[must_use]
    pub fn pass_to(&mut self, share: &Share) -> bool {
        if Arc::ptr_eq(&self.share.0, &share.0) {
            return true;
        }
        let Inner { budget, held, .. } = &*share.0;
        let left = budget.total_for(self.bytes).saturating_sub(budget.held());
        let had = held.fetch_add(self.bytes, Ordering::Relaxed);
        if had + self.bytes > GREED * left {
            held.fetch_sub(self.bytes, Ordering::Relaxed);
            return false;
        }
        self.share.0.held.fetch_sub(self.bytes, Ordering::Relaxed);
        self.share = share.clone();
        true
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let Inner { budget, held, .. } = &*self.share.0;
        held.fetch_sub(self.bytes, Ordering::Relaxed);
        budget.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let Some(holder) = self.holder else { return };
        let mut shares = self.budget.shares();
        // Another share may stand under the name already.
        if shares.get(&holder).is_some_and(|share| share.strong_count() == 0) {
            shares.remove(&holder);
        }
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes of {:?}", self.held(), self.0.holder)
    }
}

impl fmt::Debug for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {:?}", self.bytes, self.share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TOTAL: usize = 64 << 20;

    fn peer(number: u8) -> Holder {
        Holder::peer(IpAddr::from([10, 0, 0, number]))
    }

    /// Takes as much as it gets, in rooms of this size.
    fn fill(share: &Share, bytes: usize) -> Vec<Room> {
        std::iter::from_fn(|| share.take(bytes)).collect()
    }

    #[test]
    fn one_client_gets_most_and_the_next_ones_get_through() {
        let budget = Budget::new(TOTAL);
        let mut rooms = Vec::new();
        for (number, parts_per_mille) in [(1, 656), (2, 164), (3, 41)] {
            let share = budget.share(peer(number));
            rooms.push(fill(&share, SMALL_BYTES + 1));
            let got = share.held() * 1000 / TOTAL;
            assert!((parts_per_mille - 4..=parts_per_mille).contains(&got), "{number}: {got}");
        }
        let small = fill(&budget.share(peer(4)), SMALL_BYTES);
        assert!(small.len() * SMALL_BYTES > TOTAL / 11, "{}", small.len());
        drop((rooms, small));
        assert_eq!((budget.held(), budget.shares().len()), (0, 0));
    }

    #[test]
    fn a_room_is_passed_on_whole_or_not_at_all() {
        let budget = Budget::new(TOTAL);
        let (stranger, account) =
            (budget.share(peer(1)), budget.share(Holder::Account(AccountId::DEFAULT)));
        let mut room = stranger.take(1 << 20).unwrap();
        assert!(room.pass_to(&account));
        assert_eq!((stranger.held(), account.held()), (0, 1 << 20));
        let full = fill(&account, 1 << 20);
        let mut other = stranger.take(1 << 20).unwrap();
        assert!(!other.pass_to(&account));
        assert_eq!(stranger.held(), 1 << 20);
        drop((room, full));
        assert!(other.pass_to(&account));
        assert!(other.resize(10) && !other.resize(TOTAL), "{other:?}");
        assert_eq!((account.held(), budget.held()), (10, 10));
    }

    #[test]
    fn peers_are_told_apart_by_what_one_client_has() {
        let of = |text: &str| Holder::peer(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::3"), of("2001:db8:1:2:ffff::"));
        assert_ne!(of("2001:db8:1:2::3"), of("2001:db8:1:3::3"));
        assert_eq!(of("::ffff:10.0.0.1"), peer(1));
        assert_ne!(peer(1), peer(2));
    }

    #[test]
    fn threads_never_hold_more_than_there_is() {
        let budget = Budget::new(TOTAL);
        std::thread::scope(|scope| {
            for number in 0..4 {
                let share = budget.share(peer(number));
                scope.spawn(move || {
                    for _ in 0..200 {
                        drop(fill(&share, 1 << 20));
                    }
                });
            }
            for _ in 0..1000 {
                assert!(budget.held() <= TOTAL);
            }
        });
        assert_eq!(budget.held(), 0);
    }

    proptest! {
        #[test]
        fn whatever_happens_a_new_peer_finds_a_share(
            steps in proptest::collection::vec((0u8..4, 0usize..TOTAL, 0usize..64, 0u8..4), 1..200),
        ) {
            let budget = Budget::new(TOTAL);
            let shares: Vec<Share> = (0..4).map(|n| budget.share(peer(n))).collect();
            let mut rooms: Vec<Room> = Vec::new();
            for (holder, bytes, at, step) in steps {
                let share = &shares[usize::from(holder)];
                match (step, rooms.len()) {
                    (0, 1..) => drop(rooms.swap_remove(at % rooms.len())),
                    (1, 1..) => { let at = at % rooms.len(); let _done = rooms[at].resize(bytes); }
                    (2, 1..) => { let at = at % rooms.len(); let _done = rooms[at].pass_to(share); }
                    _ => rooms.extend(share.take(bytes >> (at % 16))),
                }
                let held: usize = rooms.iter().map(Room::bytes).sum();
                prop_assert_eq!(budget.held(), held);
                prop_assert_eq!(shares.iter().map(Share::held).sum::<usize>(), held);
                // Four holders leave a 256th at least, of which a new one may have most.
                prop_assert!(held <= TOTAL - TOTAL / 256);
                let new = budget.share(peer(9));
                prop_assert!(new.take(((TOTAL - held) / 4 * 3).min(SMALL_BYTES)).is_some());
            }
        }
    }

    /// A clock on which a pause passes at once, and what is let go after so many.
    struct Pauses {
        passed: AtomicUsize,
        let_go: Mutex<Option<(usize, Room)>>,
    }

    impl Pauses {
        fn new(let_go: Option<(usize, Room)>) -> Self {
            Self { passed: AtomicUsize::new(0), let_go: Mutex::new(let_go) }
        }
    }

    impl Clock for Pauses {
        fn now_ms(&self) -> i64 {
            0
        }

        fn monotonic(&self) -> Duration {
            PAUSE * self.passed.load(Ordering::Relaxed) as u32
        }

        fn sleep(&self, pause: Duration) -> crate::env::Sleep {
            assert_eq!(pause, PAUSE);
            let passed = self.passed.fetch_add(1, Ordering::Relaxed) + 1;
            drop(self.let_go.lock().unwrap().take_if(|(after, _)| *after <= passed));
            Box::pin(std::future::ready(()))
        }
    }

    /// Nothing here waits for more than one poll.
    fn done<T>(future: impl Future<Output = T>) -> T {
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        match std::pin::pin!(future).poll(&mut cx) {
            std::task::Poll::Ready(done) => done,
            std::task::Poll::Pending => panic!("it waits for something else than the clock"),
        }
    }

    #[test]
    fn room_is_waited_for_as_long_as_is_said() {
        for (freed_after, wait_ms, pauses, want) in [
            (Some(1), 100, 1, true),
            (Some(5), 100, 5, true),
            (Some(6), 100, 5, false),
            (Some(6), 101, 6, true),
            (Some(1), 1, 1, true),
            (Some(1), 0, 0, false),
            (None, 1_000, 50, false),
        ] {
            let budget = Budget::new(TOTAL);
            let (greedy, other) = (budget.share(peer(1)), budget.share(peer(2)));
            let half = TOTAL / 2;
            let held = greedy.take(half).unwrap();
            let (kept, clock) = match freed_after {
                Some(after) => (None, Pauses::new(Some((after, held)))),
                None => (Some(held), Pauses::new(None)),
            };
            let room = done(other.wait(&clock, half, Duration::from_millis(wait_ms)));
            assert_eq!(room.is_some(), want, "{freed_after:?} {wait_ms}");
            assert_eq!(clock.passed.load(Ordering::Relaxed), pauses, "{freed_after:?} {wait_ms}");
            assert_eq!(other.held(), if want { half } else { 0 });
            drop((kept, room, clock));
            assert_eq!(budget.held(), 0);
        }
    }

    #[test]
    fn whoever_can_make_room_is_told_how_much() {
        let budget = Budget::new(TOTAL);
        let share = budget.share(peer(1));
        let (mut room, told) = (share.take(1000).unwrap(), Mutex::new(Vec::new()));
        let make_room = |missing| told.lock().unwrap().push(missing);
        let most = (TOTAL, PAUSE * 2);
        assert!(!done(room.wait(&Pauses::new(None), most, make_room)));
        assert_eq!(*told.lock().unwrap(), [TOTAL - 1000; 2]);
        assert_eq!((room.bytes(), share.held()), (1000, 1000), "as it was");
        assert!(done(room.wait(&Pauses::new(None), (10, PAUSE), |_| panic!("there is room"))));
        assert_eq!((room.bytes(), share.held()), (10, 10));
    }

    /// What one holder may have of a budget that nobody else uses: to the byte.
    #[test]
    fn bounds_of_one_holder() {
        let large = (TOTAL - TOTAL / SMALL_PART) / 4 * 3;
        for (bytes, want) in [(0, true), (large, true), (large + 1, false), (usize::MAX, false)] {
            let budget = Budget::new(TOTAL);
            let share = budget.share(peer(1));
            assert_eq!(share.take(bytes).is_some(), want, "{bytes}");
            assert_eq!((share.held(), budget.held()), (0, 0), "given back");
        }
        let tiny = Budget::new(4).share(peer(1));
        assert!(tiny.take(3).is_some() && tiny.take(4).is_none());
        assert!(Budget::new(0).share(peer(1)).take(1).is_none());
    }

    #[test]
    fn a_holder_has_one_share_as_long_as_it_has_anything() {
        let budget = Budget::new(TOTAL);
        let (first, second) = (budget.share(peer(1)), budget.share(peer(1)));
        let room = first.take(7).unwrap();
        assert_eq!(second.held(), 7);
        drop((first, second));
        assert_eq!(budget.share(peer(1)).held(), 7, "a room keeps it");
        assert_eq!(format!("{room:?}"), "7 of 7 bytes of Some(Peer(10.0.0.1))");
        drop(room);
        assert_eq!(budget.shares().len(), 0);
        assert_eq!(budget.share(peer(1)).held(), 0);
    }

    #[test]
    fn nothing_bounds_what_no_client_causes() {
        let (share, other) = (Share::unbounded(), Share::unbounded());
        let mut room = share.take(1 << 50).unwrap();
        assert!(room.resize(1 << 55) && other.take(1 << 55).is_some());
        assert!(room.pass_to(&share), "to itself");
        assert_eq!((share.held(), other.held()), (1 << 55, 0));
    }
}
