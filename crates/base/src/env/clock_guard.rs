//! Time that a wrong wall clock does not move: what records are stamped with and what expires by.
//!
//! ```text
//! wall clock --within SLACK of what is known--> trusted: that is the time
//!            `-- ahead or behind --> in doubt: what is known + what has passed since is the time
//!                   back within SLACK, or steady for PROOF --> trusted
//! ```
//!
//! What is known comes from the life before ([`Known`], written down by whoever keeps the records)
//! and from the clock of what has passed. So neither a machine that starts with a wrong clock nor
//! one whose clock is set wrong, however far, lets anything expire or gives a record a time from
//! the future. A clock that is right although it jumped (the machine was off or paused, or its
//! clock was wrong until now) is trusted an hour late.
//!
//! By then records have been stamped with a time long past, which must not count against them: such
//! a [`Gap`] is remembered, and [`ClockGuard::horizon_ms`] takes its records for those of its end.
//!
//! Cost while the clock is trusted: a reading of each clock and one load, some 0.1 us a batch.

use super::Clock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How far the wall clock may be from what is known: more than a reboot takes, and much less than
/// the shortest retention.
const SLACK_MS: i64 = 15 * 60_000;

/// How long a wall clock that jumped must be steady: time for an owner, or NTP, to set it right.
const PROOF_MS: i64 = 3_600_000;

/// How far the wall clock may drift before what is known follows it.
const DRIFT_MS: u64 = 1000;

/// Gaps longer ago than this are of no record: more than the longest retention.
const GAP_AGE_MAX_MS: i64 = 400 * 24 * 3_600_000;

/// Stands where no offset is: what is known goes its own way.
const IN_DOUBT: i64 = i64::MIN;

/// Guarded time; see the module.
pub struct ClockGuard {
    clock: Arc<dyn Clock>,
    boot: Option<u128>,
    /// What the wall clock was ahead of the time that had passed when last looked at, so that the
    /// usual answer takes no lock; or [`IN_DOUBT`].
    trusted_ms: AtomicI64,
    state: Mutex<State>,
}

struct State {
    /// What the time is ahead of the time that has passed.
    offset_ms: i64,
    doubt: Option<Doubt>,
    gaps: Vec<Gap>,
}

/// A wall clock that is not trusted.
#[expect(clippy::struct_field_names, reason = "units stand last")]
struct Doubt {
    /// What it is ahead of the time that has passed.
    offset_ms: i64,
    /// Since when, in time that has passed.
    since_ms: i64,
    /// The time when it began to be in doubt.
    from_ms: i64,
}

/// Records that arrived at `from_ms` or later may have arrived as late as `until_ms`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gap {
    /// The time that went on beside the wall clock, where the gap begins.
    pub from_ms: i64,
    /// The wall clock's time when it was trusted again.
    pub until_ms: i64,
}

/// A start of the machine and how long ago it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Uptime {
    /// As [`Clock::boot`].
    pub boot: u128,
    /// As [`Clock::uptime`], in milliseconds.
    pub passed_ms: i64,
}

/// What is known of the time, for the next life.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Known {
    /// The time, in milliseconds since the epoch.
    pub now_ms: i64,
    /// When that was, for as long as the machine runs.
    pub uptime: Option<Uptime>,
    /// Since which time the wall clock is in doubt, if it is.
    pub doubt_from_ms: Option<i64>,
    /// At most [`Known::GAPS_MAX`], in order.
    pub gaps: Vec<Gap>,
}

impl Known {
    /// Most gaps; where there are more, old ones are taken together.
    pub const GAPS_MAX: usize = 16;
}

impl ClockGuard {
    /// Trusts the wall clock as it is now.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let offset_ms = clock.now_ms().saturating_sub(passed_ms(&*clock));
        let state = State { offset_ms, doubt: None, gaps: Vec::new() };
        let (boot, trusted_ms) = (clock.boot(), AtomicI64::new(offset_ms));
        Self { clock, boot, trusted_ms, state: Mutex::new(state) }
    }

    /// Goes by what an earlier life knew. For a start: time may go back here.
    pub fn recall(&self, known: Known) {
        let passed_ms = passed_ms(&*self.clock);
        let since = known.uptime.filter(|then| Some(then.boot) == self.boot);
        let off_ms = since.map_or(0, |then| passed_ms.saturating_sub(then.passed_ms).max(0));
        let mut state = self.state();
        state.offset_ms = known.now_ms.saturating_add(off_ms).saturating_sub(passed_ms);
        state.gaps = known.gaps;
        // What the last life saw of the clock proves nothing of it now.
        let offset_ms = self.clock.now_ms().saturating_sub(passed_ms);
        let doubt = |from_ms| Doubt { offset_ms, since_ms: passed_ms, from_ms };
        state.doubt = known.doubt_from_ms.map(doubt);
        self.look(&mut state);
    }

    /// What the next life is to know.
    pub fn known(&self) -> Known {
        let mut state = self.state();
        let now_ms = self.look(&mut state);
        let passed_ms = passed_ms(&*self.clock);
        let uptime = self.boot.map(|boot| Uptime { boot, passed_ms });
        let doubt_from_ms = state.doubt.as_ref().map(|doubt| doubt.from_ms);
        Known { now_ms, uptime, doubt_from_ms, gaps: state.gaps.clone() }
    }

    /// The time, in milliseconds since the epoch. It goes back only when the wall clock is set back
    /// a little, or proves that it was ahead.
    pub fn now_ms(&self) -> i64 {
        let trusted_ms = self.trusted_ms.load(Ordering::Relaxed);
        let wall_ms = self.clock.now_ms();
        let drift_ms = wall_ms.saturating_sub(passed_ms(&*self.clock)).abs_diff(trusted_ms);
        if trusted_ms != IN_DOUBT && drift_ms <= DRIFT_MS {
            return wall_ms;
        }
        self.look(&mut self.state())
    }

    /// The arrival time before which everything is older than `kept_ms`.
    pub fn horizon_ms(&self, kept_ms: i64) -> i64 {
        let mut state = self.state();
        let cut_ms = self.look(&mut state).saturating_sub(kept_ms);
        let younger = state.gaps.iter().filter(|gap| cut_ms < gap.until_ms);
        younger.map(|gap| gap.from_ms).fold(cut_ms, i64::min)
    }

    /// Why the wall clock is not trusted, if so.
    pub fn trouble(&self) -> Option<String> {
        let mut state = self.state();
        let now_ms = self.look(&mut state);
        state.doubt.as_ref()?;
        let ahead_ms = self.clock.now_ms().saturating_sub(now_ms);
        let (span, way) = (span(ahead_ms), if ahead_ms < 0 { "behind" } else { "ahead of" });
        Some(format!(
            "the wall clock is {span} {way} the last known time: it is not used until it is right \
             or has been steady for an hour"
        ))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What a panic could leave is whole: nothing in here panics between two changes.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the wall clock; the time.
    fn look(&self, state: &mut State) -> i64 {
        let (wall_ms, passed_ms) = (self.clock.now_ms(), passed_ms(&*self.clock));
        let now_ms = state.judge(wall_ms, passed_ms);
        let trusted_ms = if state.doubt.is_none() { state.offset_ms } else { IN_DOUBT };
        self.trusted_ms.store(trusted_ms, Ordering::Relaxed);
        now_ms
    }
}

impl State {
    fn judge(&mut self, wall_ms: i64, passed_ms: i64) -> i64 {
        let seen_ms = wall_ms.saturating_sub(passed_ms);
        let now_ms = passed_ms.saturating_add(self.offset_ms);
        if within_slack(seen_ms, self.offset_ms) {
            (self.offset_ms, self.doubt) = (seen_ms, None);
            return wall_ms;
        }
        let fresh = Doubt { offset_ms: seen_ms, since_ms: passed_ms, from_ms: now_ms };
        let doubt = self.doubt.get_or_insert(fresh);
        if !within_slack(seen_ms, doubt.offset_ms) {
            // Another jump: what was proven so far is void.
            (doubt.offset_ms, doubt.since_ms) = (seen_ms, passed_ms);
        }
        if passed_ms.saturating_sub(doubt.since_ms) < PROOF_MS {
            return now_ms;
        }
        let gap = Gap { from_ms: doubt.from_ms, until_ms: wall_ms };
        (self.offset_ms, self.doubt) = (seen_ms, None);
        self.note(gap);
        wall_ms
    }

    /// Remembers a gap, when it is one: a clock that proved to be behind leaves none.
    fn note(&mut self, gap: Gap) {
        let now_ms = gap.until_ms;
        for known in &mut self.gaps {
            // One of a time that was none.
            known.until_ms = known.until_ms.min(now_ms);
        }
        if gap.from_ms < gap.until_ms {
            self.gaps.push(gap);
        }
        let oldest_ms = now_ms.saturating_sub(GAP_AGE_MAX_MS);
        self.gaps.retain(|known| known.until_ms >= oldest_ms && known.from_ms < known.until_ms);
        if self.gaps.len() > Known::GAPS_MAX {
            let first = self.gaps.remove(0);
            self.gaps[0].from_ms = self.gaps[0].from_ms.min(first.from_ms);
        }
    }
}

fn within_slack(a_ms: i64, b_ms: i64) -> bool {
    a_ms.abs_diff(b_ms) <= SLACK_MS as u64
}

fn passed_ms(clock: &dyn Clock) -> i64 {
    i64::try_from(clock.uptime().as_millis()).unwrap_or(i64::MAX)
}

/// A time without its sign, as people say it.
fn span(ms: i64) -> String {
    let minutes = ms.unsigned_abs() / 60_000;
    match minutes / 60 {
        0..2 => format!("{minutes} minutes"),
        hours @ 2..48 => format!("{hours} hours"),
        hours => format!("{} days", hours / 24),
    }
}

#[cfg(test)]
mod tests;
