use super::*;
use crate::env::Sleep;
use std::time::Duration;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 365 * DAY;
/// When the tests begin.
const START: i64 = 1_767_225_600_000;

/// A clock that is moved by hand.
struct Hands(Mutex<(i64, i64, Option<u128>)>);

impl Clock for Hands {
    fn now_ms(&self) -> i64 {
        self.0.lock().unwrap().0
    }
    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.0.lock().unwrap().1 as u64)
    }
    fn boot(&self) -> Option<u128> {
        self.0.lock().unwrap().2
    }
    fn sleep(&self, _: Duration) -> Sleep {
        Box::pin(std::future::ready(()))
    }
}

/// A machine: its clock and a guard, and what the time really is.
struct Machine {
    clock: Arc<Hands>,
    guard: ClockGuard,
    true_ms: i64,
}

impl Machine {
    fn new() -> Self {
        let clock = Arc::new(Hands(Mutex::new((START, 5 * DAY, Some(1)))));
        Self { guard: ClockGuard::new(clock.clone()), clock, true_ms: START }
    }

    /// Sets the wall clock, or lets it be wrong by this much more.
    fn step(&self, ms: i64) {
        self.clock.0.lock().unwrap().0 += ms;
    }

    /// Time passes, with a look every minute as the keeper has one.
    fn pass(&mut self, ms: i64) {
        for _ in 0..ms / MINUTE {
            self.true_ms += MINUTE;
            {
                let mut clock = self.clock.0.lock().unwrap();
                (clock.0, clock.1) = (clock.0 + MINUTE, clock.1 + MINUTE);
            }
            self.guard.now_ms();
        }
    }

    /// Another life of the server after this much time.
    fn restart(&mut self, off_ms: i64) {
        let known = self.guard.known();
        self.true_ms += off_ms;
        {
            let mut clock = self.clock.0.lock().unwrap();
            (clock.0, clock.1) = (clock.0 + off_ms, clock.1 + off_ms);
        }
        self.guard = ClockGuard::new(self.clock.clone());
        self.guard.recall(known);
    }

    /// Another life of the machine.
    fn reboot(&mut self, off_ms: i64) {
        let known = self.guard.known();
        self.true_ms += off_ms;
        {
            let mut clock = self.clock.0.lock().unwrap();
            *clock = (clock.0 + off_ms, 1000, clock.2.map(|boot| boot + 1));
        }
        self.guard = ClockGuard::new(self.clock.clone());
        self.guard.recall(known);
    }

    /// How far the guarded time is ahead of the true one.
    fn ahead(&self) -> i64 {
        self.guard.now_ms() - self.true_ms
    }

    fn trusts(&self) -> bool {
        self.guard.trouble().is_none()
    }
}

#[test]
fn a_small_step_is_followed_either_way() {
    for step in [-15 * MINUTE, -500, 0, 999, 15 * MINUTE] {
        let mut machine = Machine::new();
        machine.step(step);
        assert_eq!((machine.ahead(), machine.trusts()), (step, true));
        machine.pass(MINUTE);
        machine.step(step);
        assert_eq!((machine.ahead(), machine.trusts()), (2 * step, true), "each by itself");
    }
}

/// Minutes, hours, days, years: wrong, and set right before it is believed.
#[test]
fn a_wall_clock_that_is_wrong_moves_nothing() {
    for step in [-40 * YEAR, -DAY, -2 * HOUR, -16 * MINUTE, 16 * MINUTE, 5 * HOUR, 30 * DAY, YEAR] {
        for at_start in [false, true] {
            let mut machine = Machine::new();
            machine.pass(HOUR);
            machine.step(step);
            if at_start {
                machine.reboot(0);
            }
            for _ in 0..3 {
                assert_eq!((machine.ahead(), machine.trusts()), (0, false), "{step}");
                machine.pass(19 * MINUTE);
            }
            assert_eq!(machine.guard.horizon_ms(DAY), machine.true_ms - DAY, "it goes on");
            machine.step(-step);
            assert_eq!((machine.ahead(), machine.trusts()), (0, true), "{step}");
            machine.pass(3 * HOUR);
            assert_eq!(machine.guard.horizon_ms(DAY), machine.true_ms - DAY, "no trace is left");
        }
    }
}

#[test]
fn a_wall_clock_that_is_steady_for_an_hour_is_believed() {
    for step in [-YEAR, -2 * HOUR, 16 * MINUTE, 8 * HOUR, 3 * YEAR] {
        let mut machine = Machine::new();
        machine.pass(HOUR);
        machine.step(step);
        assert_eq!(machine.ahead(), 0);
        machine.pass(30 * MINUTE);
        machine.step(if step < 0 { -HOUR } else { HOUR });
        assert_eq!(machine.ahead(), 0);
        machine.pass(59 * MINUTE);
        assert_eq!((machine.ahead(), machine.trusts()), (0, false), "from the last jump on");
        machine.pass(MINUTE);
        let wrong = step + if step < 0 { -HOUR } else { HOUR };
        assert_eq!((machine.ahead(), machine.trusts()), (wrong, true), "{step}");
    }
}

/// A machine that is off or paused for long: what it kept expires an hour late, and what came in
/// that hour lives as long as anything else.
#[test]
fn records_of_the_hour_in_doubt_live_their_whole_life() {
    let mut machine = Machine::new();
    machine.pass(HOUR);
    machine.true_ms += 21 * DAY;
    machine.step(21 * DAY);
    let first = machine.guard.now_ms();
    assert_eq!(first, machine.true_ms - 21 * DAY);
    machine.pass(HOUR);
    let trusted = machine.true_ms;
    assert_eq!(machine.ahead(), 0);
    for kept in [DAY, 7 * DAY, YEAR] {
        let horizon = |machine: &Machine| machine.guard.horizon_ms(kept);
        assert_eq!(horizon(&machine), first.min(trusted - kept), "the old ones have expired");
    }
    machine.pass(DAY - MINUTE);
    assert_eq!(machine.guard.horizon_ms(DAY), first, "they are not a day old");
    machine.pass(MINUTE);
    assert_eq!(machine.guard.horizon_ms(DAY), machine.true_ms - DAY);
    machine.pass(7 * DAY);
    assert_eq!(machine.guard.horizon_ms(7 * DAY), machine.true_ms - 7 * DAY);
    assert_eq!(machine.guard.horizon_ms(30 * DAY), machine.true_ms - 30 * DAY);
    machine.restart(0);
    assert_eq!(machine.guard.horizon_ms(20 * DAY), first, "a restart remembers");
}

#[test]
fn time_off_is_known_as_long_as_the_machine_runs() {
    let mut machine = Machine::new();
    machine.restart(9 * DAY);
    assert_eq!((machine.ahead(), machine.trusts()), (0, true));
    machine.step(9 * DAY);
    machine.restart(DAY);
    assert_eq!((machine.ahead(), machine.trusts()), (0, false));
    machine.step(-9 * DAY);
    machine.reboot(10 * MINUTE);
    assert_eq!((machine.ahead(), machine.trusts()), (0, true));
    machine.reboot(2 * DAY);
    assert_eq!((machine.ahead(), machine.trusts()), (-2 * DAY, false), "who knows?");
}

#[test]
fn a_restart_in_doubt_is_in_doubt() {
    let mut machine = Machine::new();
    machine.step(30 * DAY);
    let from = machine.guard.now_ms();
    machine.pass(59 * MINUTE);
    machine.reboot(MINUTE);
    for _ in 0..2 {
        assert_eq!((machine.ahead(), machine.trusts()), (-MINUTE, false));
        machine.pass(30 * MINUTE);
    }
    assert!(machine.trusts());
    // The first life's records are of the same gap.
    assert_eq!(machine.guard.horizon_ms(DAY), from);
}

#[test]
fn a_clock_that_proved_to_be_ahead_and_was_not_holds_nothing_up() {
    let mut machine = Machine::new();
    machine.step(YEAR);
    machine.pass(2 * HOUR);
    assert_eq!(machine.ahead(), YEAR);
    machine.step(-YEAR);
    machine.pass(2 * HOUR);
    assert_eq!(machine.ahead(), 0);
    machine.pass(2 * DAY);
    assert_eq!(machine.guard.horizon_ms(DAY), machine.true_ms - DAY);
}

/// A laptop whose system does not tell how long it slept.
#[test]
fn many_gaps_hold_nothing_up_and_are_bounded() {
    let mut machine = Machine::new();
    let mut first = None;
    for _ in 0..40 {
        machine.pass(10 * HOUR);
        machine.true_ms += 14 * HOUR;
        machine.step(14 * HOUR);
        first.get_or_insert(machine.guard.now_ms());
    }
    machine.pass(2 * HOUR);
    assert!(machine.guard.known().gaps.len() <= Known::GAPS_MAX);
    let horizon = machine.guard.horizon_ms(2 * DAY);
    assert!((machine.true_ms - 3 * DAY..=machine.true_ms - 2 * DAY).contains(&horizon));
    assert_eq!(machine.guard.horizon_ms(30 * DAY), first.unwrap(), "kept rather than lost");
    machine.pass(2 * YEAR);
    machine.step(HOUR);
    machine.pass(2 * HOUR);
    assert_eq!(machine.guard.known().gaps.len(), 1, "old ones are forgotten");
}

#[test]
fn no_clock_is_too_wrong() {
    for wall in [i64::MIN, -1, 0, i64::MAX] {
        let mut machine = Machine::new();
        machine.clock.0.lock().unwrap().0 = wall;
        assert_eq!(machine.ahead(), 0);
        assert!(machine.guard.trouble().is_some());
        machine.clock.0.lock().unwrap().0 = machine.true_ms;
        machine.pass(HOUR);
        assert_eq!((machine.ahead(), machine.trusts()), (0, true));
    }
}

#[test]
fn the_reason_says_how_far_and_which_way() {
    let machine = Machine::new();
    for (step, want) in [(30 * DAY, "30 days ahead of"), (-DAY - HOUR, "25 hours behind")] {
        machine.step(step);
        let trouble = machine.guard.trouble().unwrap();
        assert!(trouble.contains(want), "{trouble}");
        machine.step(-step);
        assert_eq!(machine.guard.trouble(), None);
    }
}

/// What comes of any history of jumps, restarts and passing time.
mod histories {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Step {
        Jump(i64),
        Pass(i64),
        Restart(i64),
        Reboot(i64),
    }

    fn step() -> impl Strategy<Value = Step> {
        let jump = prop_oneof![-HOUR..HOUR, -30 * DAY..30 * DAY, -3 * YEAR..3 * YEAR];
        prop_oneof![
            jump.prop_map(Step::Jump),
            (0..4 * HOUR).prop_map(Step::Pass),
            (0..3 * DAY).prop_map(Step::Restart),
            (0..DAY).prop_map(Step::Reboot),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_is_known_is_whole(steps in prop::collection::vec(step(), 1..60)) {
            let mut machine = Machine::new();
            for step in steps {
                match step {
                    Step::Jump(ms) => machine.step(ms),
                    Step::Pass(ms) => machine.pass(ms),
                    Step::Restart(ms) => machine.restart(ms),
                    Step::Reboot(ms) => machine.reboot(ms),
                }
                let now = machine.guard.now_ms();
                prop_assert_eq!(now, machine.guard.now_ms(), "looking does not change it");
                let known = machine.guard.known();
                prop_assert_eq!(known.now_ms, now);
                prop_assert_eq!(known.doubt_from_ms.is_none(), machine.trusts());
                if machine.trusts() {
                    prop_assert_eq!(now, machine.clock.now_ms());
                }
                prop_assert!(known.gaps.len() <= Known::GAPS_MAX);
                for gap in &known.gaps {
                    prop_assert!(gap.from_ms < gap.until_ms, "{:?}", gap);
                }
                let horizons = [0, HOUR, DAY, YEAR].map(|kept| machine.guard.horizon_ms(kept));
                prop_assert!(horizons[0] <= now && horizons.is_sorted_by(|a, b| a >= b));
                // A life that begins at once, on the same machine, knows the same.
                machine.restart(0);
                prop_assert_eq!(machine.guard.known(), known);
                let again = [0, HOUR, DAY, YEAR].map(|kept| machine.guard.horizon_ms(kept));
                prop_assert_eq!(again, horizons);
            }
        }

        /// However a wall clock jumps, one that is never steady for an hour moves nothing.
        #[test]
        fn a_wall_clock_that_never_stands_is_not_believed(
            steps in prop::collection::vec((20 * MINUTE..YEAR, any::<bool>(), 1..60_i64), 1..40),
        ) {
            let mut machine = Machine::new();
            let mut off = 0;
            for (jump, back, minutes) in steps {
                // To the other side of the time, so that it comes near neither it nor itself.
                let to = if back { -jump } else { jump };
                if (to - off).abs() <= 20 * MINUTE {
                    continue;
                }
                machine.step(to - off);
                off = to;
                machine.guard.now_ms();
                machine.pass(minutes * MINUTE - MINUTE);
                prop_assert_eq!((machine.ahead(), machine.trusts()), (0, false), "{}", off);
            }
        }
    }
}
