//! The fake environment: time that a test moves, randomness from a seed, files in memory.
//!
//! ```text
//! fake_env(seed) --> FakeEnv { clock, rng, disk } --env()--> base::Env for the code under test
//!                      |         `-- crash, faults, bit flips: see `sim_disk`
//!                      `-- advance, jump, auto_advance
//! ```

use crate::{SimDisk, SimTurns, turns};
use base::Env;
use base::env::{Clock, Rng, Sleep, Turns};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

/// Where every [`FakeClock`] starts: 2026-01-01T00:00:00Z, in milliseconds since the epoch.
pub const START_MS: i64 = 1_767_225_600_000;

/// A clock that stands still until a test moves it.
#[derive(Debug)]
pub struct FakeClock {
    state: Arc<Mutex<ClockState>>,
}

#[derive(Debug)]
struct ClockState {
    now_ms: i64,
    monotonic: Duration,
    boot: Option<u128>,
    sleepers: BTreeMap<(Duration, u64), Option<Waker>>,
    next_sleeper: u64,
}

impl Default for FakeClock {
    fn default() -> Self {
        Self::at(START_MS)
    }
}

impl FakeClock {
    /// A clock that shows this wall time.
    pub fn at(now_ms: i64) -> Self {
        let state = ClockState {
            now_ms,
            monotonic: Duration::ZERO,
            boot: None,
            sleepers: BTreeMap::new(),
            next_sleeper: 0,
        };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Moves wall and monotonic time on and wakes every sleep that ends by then.
    pub fn advance(&self, by: Duration) {
        let mut state = self.state.lock();
        state.monotonic += by;
        state.now_ms += i64::try_from(by.as_millis()).expect("tests move time by years at most");
        let later = (state.monotonic + Duration::from_nanos(1), 0);
        let pending = state.sleepers.split_off(&later);
        let due = std::mem::replace(&mut state.sleepers, pending);
        drop(state);
        due.into_values().flatten().for_each(Waker::wake);
    }

    /// Moves wall and monotonic time on by milliseconds.
    pub fn advance_ms(&self, by_ms: u64) {
        self.advance(Duration::from_millis(by_ms));
    }

    /// Sets the wall clock, forward or back, as an operator or NTP does; no monotonic time passes.
    pub fn jump_to(&self, now_ms: i64) {
        self.state.lock().now_ms = now_ms;
    }

    /// Moves the wall clock, forward or back; no monotonic time passes.
    pub fn jump_by(&self, by_ms: i64) {
        self.state.lock().now_ms += by_ms;
    }

    /// Says which start of the machine time counts from; a clock that is not told says nothing.
    pub fn set_boot(&self, boot: u128) {
        self.state.lock().boot = Some(boot);
    }

    /// Sleeps that have not ended.
    pub fn sleepers(&self) -> usize {
        self.state.lock().sleepers.len()
    }

    /// Moves time to the end of the sleep that ends first; false when nothing sleeps.
    pub fn advance_to_next(&self) -> bool {
        let wait = {
            let state = self.state.lock();
            state.sleepers.keys().next().map(|(end, _)| end.saturating_sub(state.monotonic))
        };
        wait.inspect(|wait| self.advance(*wait)).is_some()
    }

    /// Runs a future and moves time to the next sleep's end whenever the future and the tasks
    /// beside it wait for nothing else.
    ///
    /// It polls [`IDLE_POLLS`] times before it moves time, so that other tasks of a single-threaded
    /// runtime get their turn. Work on other threads does not hold the time.
    pub async fn auto_advance<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        let mut idle_polls = 0;
        poll_fn(|cx| {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(output);
            }
            idle_polls += 1;
            if idle_polls > IDLE_POLLS {
                idle_polls = 0;
                self.advance_to_next();
                std::thread::yield_now();
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await
    }
}

/// Polls without progress after which [`FakeClock::auto_advance`] moves time.
pub const IDLE_POLLS: u32 = 64;

impl Clock for FakeClock {
    fn now_ms(&self) -> i64 {
        self.state.lock().now_ms
    }

    fn monotonic(&self) -> Duration {
        self.state.lock().monotonic
    }

    fn boot(&self) -> Option<u128> {
        self.state.lock().boot
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        let mut state = self.state.lock();
        let key = (state.monotonic + duration, state.next_sleeper);
        state.next_sleeper += 1;
        if !duration.is_zero() {
            state.sleepers.insert(key, None);
        }
        Box::pin(FakeSleep { state: Arc::clone(&self.state), key })
    }
}

struct FakeSleep {
    state: Arc<Mutex<ClockState>>,
    key: (Duration, u64),
}

impl Future for FakeSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.state.lock().sleepers.get_mut(&self.key) {
            Some(waker) => {
                *waker = Some(cx.waker().clone());
                Poll::Pending
            }
            None => Poll::Ready(()),
        }
    }
}

impl Drop for FakeSleep {
    fn drop(&mut self) {
        self.state.lock().sleepers.remove(&self.key);
    }
}

/// Random bytes from a seed (SplitMix64); the same calls give the same bytes.
#[derive(Debug)]
pub struct SeededRng(AtomicU64);

impl SeededRng {
    /// A generator; equal seeds give equal sequences.
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// The next 64 random bits.
    pub fn next_u64(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `0..end`; 0 when `end` is 0.
    pub fn below(&self, end: u64) -> u64 {
        if end == 0 { 0 } else { self.next_u64() % end }
    }

    /// An index in `0..end`; 0 when `end` is 0.
    pub fn index(&self, end: usize) -> usize {
        self.below(end as u64) as usize
    }

    /// True in `percent` of 100 calls.
    pub fn chance(&self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// A generator of its own, told apart by `label`.
    #[must_use]
    pub fn fork(&self, label: u64) -> Self {
        Self::new(self.next_u64() ^ label.rotate_left(32))
    }
}

impl Rng for SeededRng {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next_u64().to_le_bytes()[..chunk.len()]);
        }
    }
}

/// A fake world and the handles that move it.
#[derive(Clone, Debug)]
pub struct FakeEnv {
    /// Time.
    pub clock: Arc<FakeClock>,
    /// Randomness.
    pub rng: Arc<SeededRng>,
    /// Files.
    pub disk: Arc<SimDisk>,
    /// Who runs; the system decides when there is nobody.
    pub turns: Option<Arc<SimTurns>>,
}

impl FakeEnv {
    /// The seams for the code under test, with the disk as this life's program sees it.
    pub fn env(&self) -> Env {
        Env {
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            rng: Arc::clone(&self.rng) as Arc<dyn Rng>,
            disk: self.disk.mount(),
            turns: self.turns.clone().map(|turns| turns as Arc<dyn Turns>),
        }
    }
}

/// A fake world from a seed: the clock at [`START_MS`], an empty disk; in [`simulate`] its threads
/// take turns.
pub fn fake_env(seed: u64) -> FakeEnv {
    FakeEnv {
        clock: Arc::new(FakeClock::default()),
        rng: Arc::new(SeededRng::new(seed)),
        disk: SimDisk::new(seed),
        turns: turns::simulation(),
    }
}

/// The seeds of a test: `0..count`, or as many as `MILLWEIR_SEEDS` says, or only the one of
/// `MILLWEIR_SEED` (to replay a failure). Histories that start threads take [`simulate`].
///
/// # Panics
/// When a variable is set and not a number.
pub fn seeds(count: u64) -> std::ops::Range<u64> {
    let number = |name: &str| {
        std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a seed is a number"))
    };
    match number("MILLWEIR_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("MILLWEIR_SEEDS").unwrap_or(count),
    }
}

/// Waits until other threads make something true.
///
/// # Panics
/// When it is not true after [`STUCK`].
pub fn eventually(what: &str, mut is_true: impl FnMut() -> bool) {
    const LOOK: Duration = Duration::from_millis(2);
    let turns = turns::simulation();
    for _ in 0..STUCK.as_millis() / LOOK.as_millis() {
        if is_true() {
            return;
        }
        match &turns {
            Some(turns) => _ = turns.wait(turns.gate(), true),
            None => std::thread::park_timeout(LOOK),
        }
    }
    panic!("not so after {STUCK:?}: {what}");
}

struct Unpark {
    thread: Thread,
    woken: AtomicBool,
    /// The simulation that the thread is part of, and the gate where it waits.
    turns: Option<(Arc<SimTurns>, u64)>,
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        match &self.turns {
            Some((turns, gate)) => turns.tell(*gate, true),
            None => self.thread.unpark(),
        }
    }
}

/// How long [`block_on`] waits for a wake before it calls the future stuck, in real time.
pub const STUCK: Duration = Duration::from_secs(30);

/// Runs a future on this thread without a runtime.
///
/// # Panics
/// When nothing wakes it for [`STUCK`]: a lost wake-up is a failure, not a hang.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let thread = std::thread::current();
    let turns = turns::simulation().map(|turns| {
        let gate = turns.gate();
        (turns, gate)
    });
    let unpark = Arc::new(Unpark { thread, woken: AtomicBool::new(false), turns });
    let waker = Waker::from(Arc::clone(&unpark));
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
        let mut waits = 0;
        while !unpark.woken.swap(false, Ordering::Acquire) {
            if let Some((turns, gate)) = &unpark.turns {
                turns.wait(*gate, false);
                continue;
            }
            // Another permit of this thread may end a park early, so one early end proves nothing.
            assert!(waits < 2, "nothing woke the future for {STUCK:?}");
            std::thread::park_timeout(STUCK);
            waits += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleep_ends_when_time_passes() {
        let clock = FakeClock::default();
        let mut sleep = clock.sleep(Duration::from_secs(5));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(sleep.as_mut().poll(&mut cx).is_pending());
        clock.advance_ms(4_999);
        assert!(sleep.as_mut().poll(&mut cx).is_pending());
        clock.advance_ms(1);
        assert!(sleep.as_mut().poll(&mut cx).is_ready());
        assert_eq!(clock.now_ms(), START_MS + 5_000);
        assert_eq!(clock.sleepers(), 0);
    }

    #[test]
    fn a_jump_ends_no_sleep() {
        let clock = FakeClock::default();
        let mut sleep = clock.sleep(Duration::from_secs(1));
        clock.jump_by(86_400_000);
        let mut cx = Context::from_waker(Waker::noop());
        assert!(sleep.as_mut().poll(&mut cx).is_pending());
        assert_eq!(clock.monotonic(), Duration::ZERO);
        drop(sleep);
        assert_eq!(clock.sleepers(), 0);
    }

    #[test]
    fn auto_advance_runs_sleeps_in_order() {
        let clock = FakeClock::default();
        block_on(clock.auto_advance(async {
            clock.sleep(Duration::from_hours(1)).await;
            clock.sleep(Duration::from_millis(1)).await;
        }));
        assert_eq!(clock.monotonic(), Duration::from_millis(3_600_001));
    }

    #[test]
    fn equal_seeds_give_equal_bytes() {
        let (a, b, c) = (SeededRng::new(7), SeededRng::new(7), SeededRng::new(8));
        let (first, second) = (a.bytes16(), a.bytes16());
        assert_ne!(first, second);
        assert_eq!((first, second), (b.bytes16(), b.bytes16()));
        assert_ne!(first, c.bytes16());
    }
}
