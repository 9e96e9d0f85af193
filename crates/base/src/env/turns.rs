//! Threads and what they wait at: the system's own, or a simulation that lets one run at a time.
//!
//! ```text
//! Env::spawn --> Thread          Gate::wait --> the system's condition variable
//!     |                              |
//!     `--- with `Env::turns` ---> Turns: who runs next follows from a seed
//! ```
//!
//! In a simulation a thread runs until it waits at a gate or says [`Env::pass`]; no other runs
//! meanwhile, so a history is the same each time. A thread holds no lock when it passes: whoever
//! ran next and wanted it would wait for somebody who may not run.

use super::Env;
use parking_lot::{Condvar, Mutex, MutexGuard};
use std::io;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// Who runs: implemented by simulations alone.
pub trait Turns: Send + Sync + 'static {
    /// A new number for a gate.
    fn gate(&self) -> u64;
    /// Lets others run until the gate is told, or, when it is `bounded`, perhaps until time is up:
    /// then true.
    fn wait(&self, gate: u64, bounded: bool) -> bool;
    /// Lets one of those who wait at a gate go on, or all, in their turn.
    fn tell(&self, gate: u64, all: bool);
    /// Lets others run, perhaps.
    fn pass(&self);
    /// Announces a thread: the number that it enters with.
    fn announce(&self) -> u64;
    /// Waits for the first turn of a thread that was announced.
    fn enter(&self, thread: u64);
    /// Ends the turns of the thread that runs.
    fn leave(&self);
}

/// Where threads wait for each other, as a condition variable.
pub struct Gate {
    condvar: Condvar,
    turns: Option<(Arc<dyn Turns>, u64)>,
}

impl Default for Gate {
    /// A gate outside of every simulation.
    fn default() -> Self {
        Self { condvar: Condvar::new(), turns: None }
    }
}

impl Gate {
    /// Waits until told; `guard` is unlocked meanwhile.
    pub fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        match &self.turns {
            Some((turns, gate)) => {
                MutexGuard::unlocked(guard, || _ = turns.wait(*gate, false));
            }
            None => self.condvar.wait(guard),
        }
    }

    /// As [`Gate::wait`], for this long at most; whether the time was up.
    pub fn wait_for<T>(&self, guard: &mut MutexGuard<'_, T>, time: Duration) -> bool {
        match &self.turns {
            Some((turns, gate)) => MutexGuard::unlocked(guard, || turns.wait(*gate, true)),
            None => self.condvar.wait_for(guard, time).timed_out(),
        }
    }

    /// Lets one of those who wait go on.
    pub fn notify_one(&self) {
        match &self.turns {
            Some((turns, gate)) => turns.tell(*gate, false),
            None => _ = self.condvar.notify_one(),
        }
    }

    /// Lets all who wait go on.
    pub fn notify_all(&self) {
        match &self.turns {
            Some((turns, gate)) => turns.tell(*gate, true),
            None => _ = self.condvar.notify_all(),
        }
    }
}

/// A thread that was started, to be joined.
pub struct Thread<T> {
    handle: JoinHandle<T>,
    ended: Arc<Ended>,
}

#[derive(Default)]
struct Ended {
    is_true: Mutex<bool>,
    gate: Gate,
}

impl<T> Thread<T> {
    /// Waits for its end.
    ///
    /// # Errors
    /// What it panicked with.
    pub fn join(self) -> std::thread::Result<T> {
        if self.ended.gate.turns.is_some() {
            let mut ended = self.ended.is_true.lock();
            while !*ended {
                self.ended.gate.wait(&mut ended);
            }
        }
        self.handle.join()
    }

    /// Whether it is the thread that calls.
    pub fn is_here(&self) -> bool {
        self.handle.thread().id() == std::thread::current().id()
    }
}

impl Env {
    /// A gate for threads of this environment.
    pub fn gate(&self) -> Gate {
        let turns = self.turns.clone().map(|turns| {
            let gate = turns.gate();
            (turns, gate)
        });
        Gate { condvar: Condvar::new(), turns }
    }

    /// Starts a thread.
    ///
    /// # Errors
    /// The system has no room for it.
    pub fn spawn<T: Send + 'static>(
        &self,
        name: String,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<Thread<T>> {
        let ended = Arc::new(Ended { is_true: Mutex::new(false), gate: self.gate() });
        let turn = self.turns.clone().map(|turns| {
            let thread = turns.announce();
            Turn { turns, thread, ended: Arc::clone(&ended) }
        });
        let handle = Builder::new().name(name).spawn(move || {
            if let Some(turn) = &turn {
                turn.turns.enter(turn.thread);
            }
            work()
        })?;
        Ok(Thread { handle, ended })
    }

    /// In a simulation: lets others run, perhaps. No lock may be held.
    pub fn pass(&self) {
        if let Some(turns) = &self.turns {
            turns.pass();
        }
    }
}

/// A thread's part in a simulation, until it ends, also by a panic.
struct Turn {
    turns: Arc<dyn Turns>,
    thread: u64,
    ended: Arc<Ended>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        *self.ended.is_true.lock() = true;
        self.ended.gate.notify_all();
        self.turns.leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::{Clock, OsDisk, Rng, Sleep};
    use std::sync::atomic::{AtomicU64, Ordering};

    struct Nothing;

    impl Clock for Nothing {
        fn now_ms(&self) -> i64 {
            0
        }

        fn monotonic(&self) -> Duration {
            Duration::ZERO
        }

        fn sleep(&self, _: Duration) -> Sleep {
            Box::pin(std::future::pending())
        }
    }

    impl Rng for Nothing {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    fn env(turns: Option<Arc<dyn Turns>>) -> Env {
        Env { clock: Arc::new(Nothing), rng: Arc::new(Nothing), disk: Arc::new(OsDisk), turns }
    }

    /// Writes down what is asked of it. Who waits at a gate is told by whoever tells it.
    #[derive(Default)]
    struct Noted {
        said: Mutex<Vec<String>>,
        told: Condvar,
        numbers: AtomicU64,
    }

    impl Noted {
        fn note(&self, text: String) {
            self.said.lock().push(text);
            self.told.notify_all();
        }
    }

    impl Turns for Noted {
        fn gate(&self) -> u64 {
            self.numbers.fetch_add(1, Ordering::Relaxed)
        }

        fn wait(&self, gate: u64, bounded: bool) -> bool {
            self.note(format!("wait {gate} {bounded}"));
            let mut said = self.said.lock();
            while !bounded && !said.iter().any(|s| s.starts_with(&format!("tell {gate} "))) {
                self.told.wait(&mut said);
            }
            bounded
        }

        fn tell(&self, gate: u64, all: bool) {
            self.note(format!("tell {gate} {all}"));
        }

        fn pass(&self) {
            self.note("pass".into());
        }

        fn announce(&self) -> u64 {
            self.note("announce".into());
            90
        }

        fn enter(&self, thread: u64) {
            self.note(format!("enter {thread}"));
        }

        fn leave(&self) {
            self.note("leave".into());
        }
    }

    #[test]
    fn a_thread_gives_its_result_or_its_panic() {
        for turns in [None, Some(Arc::new(Noted::default()) as Arc<dyn Turns>)] {
            let env = env(turns);
            env.pass();
            let name = || std::thread::current().name().map(str::to_owned);
            let named = env.spawn("keeper".into(), name).unwrap();
            assert!(!named.is_here());
            assert_eq!(named.join().unwrap(), Some("keeper".into()));
            let panics = env.spawn("x".into(), || std::panic::resume_unwind(Box::new(3)));
            let why = panics.unwrap().join().map(|()| "no panic").unwrap_err();
            assert_eq!(why.downcast_ref(), Some(&3));
        }
    }

    #[test]
    fn a_thread_of_a_simulation_has_turns_to_its_end() {
        let noted = Arc::new(Noted::default());
        let env = env(Some(noted.clone()));
        let work = noted.clone();
        let thread = env.spawn("x".into(), move || work.note("work".into())).unwrap();
        thread.join().unwrap();
        env.pass();
        let mut said = noted.said.lock().clone();
        // Whether it was joined before or behind its end is the system's to say.
        said.retain(|text| !text.starts_with("wait"));
        assert_eq!(said, ["announce", "enter 90", "work", "tell 0 true", "leave", "pass"]);
    }

    #[test]
    fn a_gate_of_a_simulation_asks_whose_turn_it_is() {
        let noted = Arc::new(Noted::default());
        let env = env(Some(noted.clone()));
        let (_first, gate) = (env.gate(), env.gate());
        gate.notify_one();
        gate.notify_all();
        let lock = Mutex::new(());
        let mut guard = lock.lock();
        assert!(gate.wait_for(&mut guard, Duration::from_hours(9)), "the simulation says so");
        gate.wait(&mut guard);
        let want = ["tell 1 false", "tell 1 true", "wait 1 true", "wait 1 false"];
        assert_eq!(*noted.said.lock(), want);
    }

    /// Whoever waits lets others have the lock, and goes on when told.
    #[test]
    fn a_gate_of_the_system_opens() {
        let shared = Arc::new((Mutex::new(0), env(None).gate()));
        let mut guard = shared.0.lock();
        assert!(shared.1.wait_for(&mut guard, Duration::from_millis(1)), "nobody told");
        for all in [false, true] {
            let other = Arc::clone(&shared);
            let tell = move || {
                *other.0.lock() += 1;
                if all { other.1.notify_all() } else { other.1.notify_one() }
            };
            let thread = env(None).spawn("tells".into(), tell).unwrap();
            let before = *guard;
            while *guard == before {
                shared.1.wait(&mut guard);
            }
            assert_eq!(*guard, before + 1);
            MutexGuard::unlocked(&mut guard, || thread.join().unwrap());
        }
    }

    #[test]
    fn an_environment_shows_nothing_and_its_defaults_say_nothing() {
        let env = env(None);
        assert_eq!(format!("{env:?}"), "Env");
        assert_eq!((env.clock.boot(), env.clock.uptime()), (None, env.clock.monotonic()));
        assert_eq!(env.rng.bytes16(), [7; 16]);
    }
}
