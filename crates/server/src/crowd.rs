//! Who is connected, and who gives way when there is no room for one more.
//!
//! ```text
//! newcomer --free place--> in
//!          --full--------> in, and the peer with the most connections loses one: the oldest that
//!                          was never answered, else one that did nothing since it was looked at
//! ```
//!
//! So a crowd of silent connections keeps nobody out, not even others of its own address. A
//! connection with a verified request in flight gives way only to a peer that has fewer of them.
//!
//! Invariants: at most `connections_max` have a place, beside those that were told to go; a body
//! that is waited for gives its room back to a newcomer of its peer when it does not move.

use base::budget::{Budget, Holder, Room, Share};
use base::env::Clock;
use futures_util::task::AtomicWaker;
use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;
use tokio::sync::oneshot;

/// Connections, or bodies, looked at for one that gives way.
const LOOKS_MAX: usize = 64;
/// Time in which a body that moved need not give way.
const MOVED: Duration = Duration::from_secs(1);
/// Bodies beyond which each new one clears out those that have come.
const SWEEP_BODIES: usize = 256;

/// All connections.
pub(crate) struct Crowd {
    connections_max: usize,
    budget: Arc<Budget>,
    groups: Mutex<Groups>,
}

#[derive(Default)]
struct Groups {
    by_peer: HashMap<Holder, Group>,
    count: usize,
}

/// The connections of a peer.
struct Group {
    peer: Arc<Peer>,
    count: usize,
    /// Those that were not answered when they were last looked at, the oldest in front; some have
    /// gone already, here and below.
    strangers: VecDeque<Arc<Member>>,
    /// The others.
    known: VecDeque<Arc<Member>>,
}

/// Whoever is at an address.
pub(crate) struct Peer {
    holder: Holder,
    /// Its memory.
    pub(crate) share: Share,
    /// Bodies that are waited for, the one that gives way first in front; some have come already.
    unfinished: Mutex<VecDeque<Unfinished>>,
}

struct Unfinished {
    /// Until when it need not give way.
    safe_until: Duration,
    bytes: usize,
    /// Dropped when it gives way; closed when the body came.
    waits: oneshot::Sender<()>,
}

/// One connection, as the others see it.
#[derive(Debug, Default)]
struct Member {
    /// It was answered since it was last looked at.
    earned: AtomicBool,
    /// Verified requests in flight.
    busy: AtomicU32,
    /// It left, or was told to.
    gone: AtomicBool,
    /// It has room beside that of its requests.
    has_room: AtomicBool,
    told: AtomicWaker,
}

/// A connection's place, held as long as it lives.
pub(crate) struct Place {
    crowd: Arc<Crowd>,
    pub(crate) peer: Arc<Peer>,
    member: Arc<Member>,
}

/// A verified request in flight.
#[derive(Debug)]
pub(crate) struct Busy(Arc<Member>);

impl Crowd {
    pub(crate) fn new(connections_max: usize, budget: Arc<Budget>) -> Arc<Self> {
        Arc::new(Self { connections_max, budget, groups: Mutex::default() })
    }

    /// A place for a newcomer; nothing when all others have more right to theirs.
    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let holder = Holder::peer(address);
        let mut groups = self.groups.lock();
        if groups.count >= self.connections_max {
            let own = groups.by_peer.get(&holder).map_or(0, |group| group.count);
            let largest = groups.by_peer.values_mut().max_by_key(|group| group.count)?;
            let member = largest.next_out(largest.count > own + 1)?;
            member.go();
            largest.count -= 1;
            groups.count -= 1;
        }
        let group = groups.by_peer.entry(holder).or_insert_with(|| Group {
            peer: Arc::new(Peer::new(holder, self.budget.share(holder))),
            count: 0,
            strangers: VecDeque::new(),
            known: VecDeque::new(),
        });
        let member = Arc::new(Member::default());
        group.strangers.push_back(Arc::clone(&member));
        group.count += 1;
        let peer = Arc::clone(&group.peer);
        groups.count += 1;
        Some(Place { crowd: Arc::clone(self), peer, member })
    }

    /// Lets a connection of this peer go that did nothing, for the sake of its room.
    fn displace(&self, peer: &Peer) {
        let mut groups = self.groups.lock();
        let Some(group) = groups.by_peer.get_mut(&peer.holder) else { return };
        if let Some(member) = group.next_with_room() {
            member.go();
            group.count -= 1;
            groups.count -= 1;
        }
    }

    fn leave(&self, place: &Place) {
        let mut groups = self.groups.lock();
        let Groups { by_peer, count } = &mut *groups;
        let Some(group) = by_peer.get_mut(&place.peer.holder) else { return };
        if !place.member.gone.swap(true, Ordering::Relaxed) {
            group.count -= 1;
            *count -= 1;
        }
        if group.count == 0 {
            by_peer.remove(&place.peer.holder);
        } else if group.strangers.len() + group.known.len() > 2 * group.count + LOOKS_MAX {
            for queue in [&mut group.strangers, &mut group.known] {
                queue.retain(|member| !member.gone.load(Ordering::Relaxed));
            }
        }
    }
}

impl Group {
    /// Takes the oldest connection out that has room and did nothing since it was looked at.
    fn next_with_room(&mut self) -> Option<Arc<Member>> {
        let gives_way = |member: &Arc<Member>| {
            member.has_room.load(Ordering::Relaxed)
                && !member.gone.load(Ordering::Relaxed)
                && member.busy.load(Ordering::Relaxed) == 0
                && !member.earned.swap(false, Ordering::Relaxed)
        };
        let mut queues = [&mut self.strangers, &mut self.known].into_iter();
        queues.find_map(|queue| queue.remove(queue.iter().position(gives_way)?))
    }

    /// Takes the connection out that gives way, if there is one.
    fn next_out(&mut self, even_busy: bool) -> Option<Arc<Member>> {
        while let Some(member) = self.strangers.pop_front() {
            match member.gone.load(Ordering::Relaxed) {
                true => {}
                false if member.earned.load(Ordering::Relaxed) => self.known.push_back(member),
                false => return Some(member),
            }
        }
        let mut looks = 0;
        while let Some(member) = self.known.pop_front() {
            if member.gone.load(Ordering::Relaxed) {
                continue;
            }
            looks += 1;
            let busy = member.busy.load(Ordering::Relaxed) > 0;
            let earned = member.earned.swap(false, Ordering::Relaxed);
            if looks > LOOKS_MAX && (even_busy || !busy) || !busy && !earned {
                return Some(member);
            }
            self.known.push_back(member);
            if looks > 2 * LOOKS_MAX {
                return None;
            }
        }
        None
    }
}

impl Member {
    fn go(&self) {
        self.gone.store(true, Ordering::Relaxed);
        self.told.wake();
    }
}

impl Place {
    /// Resolves when this connection must give way.
    pub(crate) async fn lost(&self) {
        poll_fn(|cx| {
            self.member.told.register(cx.waker());
            if self.member.gone.load(Ordering::Relaxed) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Notes a request that was answered without proof of who asked.
    pub(crate) fn earn(&self) {
        self.member.earned.store(true, Ordering::Relaxed);
    }

    /// Notes that a request was verified; it is in flight until this is dropped.
    pub(crate) fn busy(&self) -> Busy {
        self.earn();
        self.member.busy.fetch_add(1, Ordering::Relaxed);
        Busy(Arc::clone(&self.member))
    }

    /// Room for what the connection itself takes, which others of the peer that did nothing give
    /// way for.
    pub(crate) async fn room(
        &self,
        clock: &dyn Clock,
        bytes: usize,
        time: Duration,
    ) -> Option<Room> {
        let mut room = self.peer.share.nothing();
        let make_room = |_| self.crowd.displace(&self.peer);
        let found = room.wait(clock, (bytes, time), make_room).await;
        self.member.has_room.fetch_or(found, Ordering::Relaxed);
        found.then_some(room)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.crowd.leave(self);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Resolves once a body must give way.
pub(crate) type GivesWay = oneshot::Receiver<()>;

impl Peer {
    fn new(holder: Holder, share: Share) -> Self {
        Self { holder, share, unfinished: Mutex::default() }
    }

    /// Notes a body that is waited for and holds so many bytes. Until `moved`, the last time that
    /// a good part of it came, is a while ago it need not give way.
    pub(crate) fn wait_for(&self, moved: Option<Duration>, bytes: usize) -> GivesWay {
        let (waits, gives_way) = oneshot::channel();
        let mut unfinished = self.unfinished.lock();
        if unfinished.len() >= SWEEP_BODIES && unfinished.len().is_power_of_two() {
            unfinished.retain(|body| !body.waits.is_closed());
        }
        let safe_until = moved.map_or(Duration::ZERO, |moved| moved + MOVED);
        unfinished.push_back(Unfinished { safe_until, bytes, waits });
        gives_way
    }

    /// Room for a newcomer. It waits, and so holds what it came with, only where others give way
    /// for it.
    pub(crate) async fn admit(
        &self,
        clock: &dyn Clock,
        bytes: usize,
        time: Duration,
    ) -> Option<Room> {
        if let Some(room) = self.share.take(bytes) {
            return Some(room);
        }
        if !self.displace(clock.monotonic(), bytes) {
            return None;
        }
        let mut room = self.share.nothing();
        self.grow(&mut room, clock, bytes, time).await.then_some(room)
    }

    /// Makes a room larger, for which bodies that do not move give way.
    pub(crate) async fn grow(
        &self,
        room: &mut Room,
        clock: &dyn Clock,
        bytes: usize,
        time: Duration,
    ) -> bool {
        let make_room = |missing| {
            self.displace(clock.monotonic(), missing);
        };
        room.wait(clock, (bytes, time), make_room).await
    }

    /// Lets bodies that do not move give way until so many bytes come free; false when there is
    /// none.
    fn displace(&self, now: Duration, bytes: usize) -> bool {
        let (mut unfinished, mut freed) = (self.unfinished.lock(), 0);
        for _ in 0..LOOKS_MAX {
            let Some(body) = unfinished.pop_front() else { break };
            if body.waits.is_closed() {
                continue;
            }
            if body.safe_until > now {
                unfinished.push_back(body);
                continue;
            }
            freed += body.bytes;
            if freed >= bytes {
                break;
            }
        }
        freed > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    fn address(number: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, number])
    }

    fn crowd(connections_max: usize) -> Arc<Crowd> {
        Crowd::new(connections_max, Budget::new(1 << 20))
    }

    fn lost(places: &[&Place]) -> Vec<bool> {
        places.iter().map(|place| place.lost().now_or_never().is_some()).collect()
    }

    #[test]
    fn connections_that_did_nothing_give_way_the_oldest_first() {
        let crowd = crowd(3);
        let enter = |number| crowd.enter(address(number)).unwrap();
        let (first, second, third) = (enter(1), enter(1), enter(1));
        first.earn();
        let _fourth = enter(1);
        assert_eq!(lost(&[&first, &second, &third]), [false, true, false]);
        let (fifth, sixth) = (enter(1), enter(1));
        assert_eq!(lost(&[&first, &third]), [false, true]);
        fifth.earn();
        sixth.earn();
        // What the first did was long ago.
        let seventh = enter(1);
        assert_eq!(lost(&[&first, &fifth, &sixth, &seventh]), [true, false, false, false]);
        seventh.earn();
        let _eighth = enter(1);
        assert_eq!(lost(&[&fifth, &sixth, &seventh]), [true, false, false]);
    }

    #[tokio::test]
    async fn connections_with_room_give_way_for_room_the_newcomer_does_not() {
        let clock = crate::system_env().clock;
        let crowd = crowd(8);
        let enter = || crowd.enter(address(1)).unwrap();
        let (plain, idle, busy) = (enter(), enter(), enter());
        let enough = async |place: &Place| place.room(&*clock, 60 << 10, Duration::ZERO).await;
        let mut rooms = Vec::new();
        for place in [&idle, &busy].into_iter().cycle() {
            place.earn();
            let Some(room) = enough(place).await else { break };
            rooms.push(room);
        }
        let _busy = busy.busy();
        let newcomer = enter();
        let waits = newcomer.room(&*clock, 60 << 10, Duration::from_millis(200));
        assert!(waits.await.is_none(), "nobody gave anything back");
        assert_eq!(lost(&[&plain, &idle, &busy, &newcomer]), [false, true, false, false]);
    }

    #[test]
    fn a_busy_connection_gives_way_to_other_peers_only() {
        let crowd = crowd(3);
        let places: Vec<_> = (0..3).map(|_| crowd.enter(address(1)).unwrap()).collect();
        let _busy: Vec<_> = places.iter().map(Place::busy).collect();
        assert!(crowd.enter(address(1)).is_none());
        let other = crowd.enter(address(2)).unwrap();
        assert_eq!(
            lost(&places.iter().collect::<Vec<_>>()).iter().filter(|lost| **lost).count(),
            1
        );
        let _busy_too = other.busy();
        assert!(crowd.enter(address(2)).is_none(), "two and one are even");
    }

    #[test]
    fn a_place_comes_free_once() {
        let crowd = crowd(2);
        for _ in 0..3 {
            let places: Vec<_> = (0..4).map(|n| crowd.enter(address(n % 2)).unwrap()).collect();
            assert_eq!(crowd.groups.lock().count, 2);
            drop(places);
            let groups = crowd.groups.lock();
            assert_eq!((groups.count, groups.by_peer.len()), (0, 0));
        }
        let keep = crowd.enter(address(1)).unwrap();
        for _ in 0..10 * LOOKS_MAX {
            drop(crowd.enter(address(1)).unwrap());
        }
        let groups = crowd.groups.lock();
        let group = &groups.by_peer[&keep.peer.holder];
        let kept = group.strangers.len() + group.known.len();
        assert!(kept <= LOOKS_MAX + 3, "{kept}");
    }

    #[test]
    fn bodies_that_do_not_move_give_way_the_oldest_first() {
        let (crowd, s) = (crowd(1), Duration::from_secs);
        let peer = Arc::clone(&crowd.enter(address(1)).unwrap().peer);
        let moves = peer.wait_for(Some(s(10)), 100);
        let came = peer.wait_for(None, 100);
        let (mut first, mut second) = (peer.wait_for(None, 100), peer.wait_for(None, 100));
        drop(came);
        assert!(peer.displace(s(10), 1));
        assert!(first.try_recv().is_err_and(|e| e == oneshot::error::TryRecvError::Closed));
        assert!(second.try_recv().is_err_and(|e| e == oneshot::error::TryRecvError::Empty));
        assert!(peer.displace(s(10), 1000));
        assert!(!peer.displace(s(10), 1), "one moves, the others came or gave way");
        assert!(peer.displace(s(11), 1));
        drop(moves);
        for _ in 0..10 * SWEEP_BODIES {
            drop(peer.wait_for(None, 0));
        }
        assert!(peer.unfinished.lock().len() <= 2 * SWEEP_BODIES);
    }
}
