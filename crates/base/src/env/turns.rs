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
