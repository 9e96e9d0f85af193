//! Threads that run one at a time, in an order that follows from a seed.
//!
//! ```text
//! simulate(count, test): for each seed SimTurns::run { the test's thread enters }
//!   wait, pass, leave --> who can run? --> one of them by the seed --> it runs, all others sleep
//! ```
//!
//! Invariants: at most one thread of a simulation runs. Who waits for a time is let go when nobody
//! else can run, and now and then before: time itself stands still, see `FakeClock`.

use crate::{SeededRng, seeds};
use base::env::Turns;
use parking_lot::{Condvar, Mutex, MutexGuard};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

thread_local! {
    /// The simulation that this thread is part of, and its number there.
    static HERE: RefCell<Option<(Arc<SimTurns>, u64)>> = const { RefCell::new(None) };
}

/// How often, of a hundred times, whoever waits for a time has its time up although others run.
const EARLY_PERCENT: u64 = 3;
/// How often, of a hundred times, somebody passes although it could go on.
const PASS_PERCENT: u64 = 40;
/// Ends of times in a row, with nobody else to run, that show a history that cannot go on.
const TIMES_UP_MAX: u32 = 10_000;
/// How long a thread waits for its turn, in real time.
const STUCK: Duration = Duration::from_secs(60);

/// Runs a test for each of [`seeds`], in a simulation of its own: what [`crate::fake_env`] makes
/// there takes turns, so that a seed gives the same history each time. Says how to replay a seed
/// that fails.
pub fn simulate(count: u64, mut test: impl FnMut(u64)) {
    for seed in seeds(count) {
        let _replay = Replay(seed);
        SimTurns::new(seed).run(|| test(seed));
    }
}

/// Tells the command when its seed fails.
struct Replay(u64);

impl Drop for Replay {
    #[expect(clippy::print_stdout, reason = "the harness shows it with the failure")]
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let package = std::env::var("CARGO_PKG_NAME").unwrap_or_default();
        let thread = std::thread::current();
        let test = thread.name().unwrap_or_default();
        println!(
            "replay with: MILLWEIR_SEED={} cargo test --release -p {package} -- --exact {test}",
            self.0
        );
    }
}

/// See the module.
pub struct SimTurns {
    me: Weak<SimTurns>,
    state: Mutex<State>,
}

struct State {
    rng: SeededRng,
    threads: BTreeMap<u64, Member>,
    running: Option<u64>,
    next_thread: u64,
    next_gate: u64,
    times_up: u32,
}

/// A thread of the simulation.
struct Member {
    at: Where,
    /// Told when its turn comes.
    turn: Arc<Condvar>,
}

/// Where a thread stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Where {
    /// It can run, or runs.
    Ready {
        time_up: bool,
    },
    At {
        gate: u64,
        bounded: bool,
    },
}

impl SimTurns {
    /// A simulation with nobody in it.
    pub fn new(seed: u64) -> Arc<Self> {
        let state = State {
            rng: SeededRng::new(seed),
            threads: BTreeMap::new(),
            running: None,
            next_thread: 0,
            next_gate: 0,
            times_up: 0,
        };
        Arc::new_cyclic(|me| Self { me: Weak::clone(me), state: Mutex::new(state) })
    }

    /// Runs a test as the first thread of the simulation.
    pub fn run<T>(self: &Arc<Self>, test: impl FnOnce() -> T) -> T {
        let thread = self.announce();
        self.enter(thread);
        let _leave = Leave(self);
        test()
    }

    /// Gives the turn to somebody and waits until it comes back to `thread`; whether because its
    /// time is up.
    fn yield_turn(mut state: MutexGuard<'_, State>, thread: u64) -> bool {
        state.give();
        Self::wait_turn(state, thread)
    }

    fn wait_turn(mut state: MutexGuard<'_, State>, thread: u64) -> bool {
        let turn = Arc::clone(&state.member(thread).turn);
        while state.running != Some(thread) {
            let waited = turn.wait_for(&mut state, STUCK);
            assert!(!waited.timed_out(), "no turn comes: {:?} runs", state.running);
        }
        let ready = Where::Ready { time_up: false };
        match std::mem::replace(&mut state.member(thread).at, ready) {
            Where::Ready { time_up } => time_up,
            Where::At { .. } => panic!("a thread runs that waits"),
        }
    }
}

impl State {
    fn member(&mut self, thread: u64) -> &mut Member {
        self.threads.get_mut(&thread).expect("it was announced")
    }

    /// The threads that stand where `is` says, in order.
    fn those(&self, is: impl Fn(Where) -> bool) -> Vec<u64> {
        self.threads.iter().filter(|(_, member)| is(member.at)).map(|(id, _)| *id).collect()
    }

    /// Chooses who runs next and tells it.
    fn give(&mut self) {
        let ready = self.those(|at| matches!(at, Where::Ready { .. }));
        let timed = self.those(|at| matches!(at, Where::At { bounded: true, .. }));
        let early = !timed.is_empty() && self.rng.below(100) < EARLY_PERCENT;
        let (from, time_up) =
            if ready.is_empty() || early { (timed, true) } else { (ready, false) };
        self.times_up = if time_up { self.times_up + 1 } else { 0 };
        if from.is_empty() && self.threads.is_empty() {
            self.running = None;
            return;
        }
        assert!(
            !from.is_empty() && self.times_up < TIMES_UP_MAX,
            "nobody can go on: {:?}",
            self.threads.iter().map(|(id, member)| (id, member.at)).collect::<Vec<_>>()
        );
        let next = from[self.rng.index(from.len())];
        self.running = Some(next);
        if time_up {
            self.member(next).at = Where::Ready { time_up };
        }
        self.member(next).turn.notify_one();
    }
}

/// The simulation of the thread that calls, if it is part of one.
pub(crate) fn simulation() -> Option<Arc<SimTurns>> {
    HERE.with_borrow(|here| here.as_ref().map(|(turns, _)| Arc::clone(turns)))
}

/// The number of the thread that calls.
fn here() -> u64 {
    let here = HERE.with_borrow(|here| here.as_ref().map(|(_, thread)| *thread));
    here.expect("only threads of the simulation take turns")
}

impl Turns for SimTurns {
    fn gate(&self) -> u64 {
        let mut state = self.state.lock();
        state.next_gate += 1;
        state.next_gate
    }

    fn wait(&self, gate: u64, bounded: bool) -> bool {
        let mut state = self.state.lock();
        let thread = here();
        state.member(thread).at = Where::At { gate, bounded };
        Self::yield_turn(state, thread)
    }

    fn tell(&self, gate: u64, all: bool) {
        let mut state = self.state.lock();
        let waiting = state.those(|at| matches!(at, Where::At { gate: at, .. } if at == gate));
        if waiting.is_empty() {
            return;
        }
        let one = state.rng.index(waiting.len());
        for (n, thread) in waiting.into_iter().enumerate() {
            if all || n == one {
                state.member(thread).at = Where::Ready { time_up: false };
            }
        }
    }

    fn pass(&self) {
        let state = self.state.lock();
        if state.rng.below(100) < PASS_PERCENT {
            Self::yield_turn(state, here());
        }
    }

    fn announce(&self) -> u64 {
        let mut state = self.state.lock();
        let thread = state.next_thread;
        state.next_thread += 1;
        let at = Where::Ready { time_up: false };
        state.threads.insert(thread, Member { at, turn: Arc::default() });
        if state.running.is_none() {
            state.running = Some(thread);
        }
        thread
    }

    fn enter(&self, thread: u64) {
        let me = self.me.upgrade().expect("the simulation that runs this exists");
        HERE.set(Some((me, thread)));
        Self::wait_turn(self.state.lock(), thread);
    }

    fn leave(&self) {
        let mut state = self.state.lock();
        let thread = here();
        state.threads.remove(&thread);
        state.give();
        drop(state);
        drop(HERE.take());
    }
}

impl std::fmt::Debug for SimTurns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SimTurns")
    }
}

struct Leave<'a>(&'a Arc<SimTurns>);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{block_on, fake_env};
    use std::collections::BTreeSet;

    /// The order in which four threads came to write down their names.
    fn order(seed: u64) -> Vec<usize> {
        SimTurns::new(seed).run(|| {
            let (env, order) = (fake_env(seed).env(), Arc::new(Mutex::new(Vec::new())));
            let threads = [0, 1, 2, 3].map(|name| {
                let (inside, order) = (env.clone(), Arc::clone(&order));
                let work = move || {
                    for _ in 0..5 {
                        inside.pass();
                        order.lock().push(name);
                    }
                };
                env.spawn(format!("thread {name}"), work).unwrap()
            });
            for thread in threads {
                thread.join().unwrap();
            }
            order.lock().clone()
        })
    }

    #[test]
    fn a_seed_gives_the_same_order_twice_and_others_give_others() {
        let orders: BTreeSet<Vec<usize>> = (0..20).map(order).collect();
        assert!(orders.len() > 15, "{orders:?}");
        for seed in 0..20 {
            assert_eq!(order(seed), order(seed));
        }
    }

    #[test]
    #[should_panic(expected = "nobody can go on")]
    fn a_wait_that_nobody_ends_is_told() {
        SimTurns::new(1).run(|| block_on(std::future::pending::<()>()));
    }
}
