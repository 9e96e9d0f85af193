//! Wall clocks that are wrong, at a start and later.

use super::*;
use std::time::Duration;
use testkit::env::START_MS;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

impl World {
    /// What an owner that keeps records for a day does again and again.
    fn trim(&self) {
        self.log(1).trim(self.local().clock().horizon_ms(DAY_MS));
    }

    /// Time passes while the engine runs.
    fn run(&self, hours: i64) {
        for _ in 0..hours * 60 {
            self.fake.clock.advance(Duration::from_mins(1));
            self.trim();
        }
    }

    fn arrivals(&self) -> Vec<i64> {
        let read = block_on(self.log(1).read(0, 1000, 1 << 20)).unwrap();
        read.records.iter().map(|record| record.arrival_ms - START_MS).collect()
    }
}

/// Stops the engine, and starts it with a clock that is wrong by so much.
fn started_wrong(kill: bool, step_ms: i64) -> World {
    let mut world = World::new(small());
    world.fill(1, 50);
    world.spill(1);
    if kill {
        world.fake.disk.kill();
    } else {
        world.close();
    }
    world.fake.clock.jump_by(step_ms);
    world.start().unwrap();
    world
}

/// A dead battery, or a machine before its first answer from a time server.
#[test]
fn a_start_with_a_wrong_clock_expires_nothing_and_stamps_nothing_wrong() {
    for step_ms in [-20 * 365 * DAY_MS, -2 * HOUR_MS, HOUR_MS, 30 * DAY_MS, 9 * 365 * DAY_MS] {
        for kill in [false, true] {
            let mut world = started_wrong(kill, step_ms);
            assert!(world.local().clock().trouble().is_some(), "{step_ms}");
            world.trim();
            world.fill(1, 1);
            world.kill().unwrap();
            assert!(world.local().clock().trouble().is_some(), "{step_ms}: still");
            world.trim();
            world.fake.clock.advance_ms(1000);
            world.fake.clock.jump_by(-step_ms);
            world.fill(1, 1);
            assert_eq!(world.local().clock().trouble(), None);
            world.run(23);
            assert_eq!(world.arrivals(), [vec![0; 51], vec![1000]].concat(), "{step_ms}");
            check_filled(&world.log(1));
            world.run(1);
            assert_eq!(world.log(1).tail().first_ordinal, 51);
        }
    }
}

/// The machine was off for long: what it kept goes an hour late, and what comes in that hour lives
/// as long as everything else.
#[test]
fn a_start_long_after_the_last_one_goes_on_after_an_hour() {
    let mut world = World::new(small());
    world.fill(1, 50);
    world.fake.clock.advance_ms(1000);
    world.close();
    world.fake.clock.jump_by(30 * DAY_MS);
    world.start().unwrap();
    world.fill(1, 1);
    world.run(1);
    assert_eq!(world.local().clock().trouble(), None);
    assert_eq!(world.log(1).tail().first_ordinal, 50, "the old ones are gone");
    world.fill(1, 1);
    world.close();
    world.start().unwrap();
    assert_eq!(world.local().clock().trouble(), None);
    world.run(22);
    assert_eq!(world.log(1).tail().first_ordinal, 50);
    world.run(2);
    assert_eq!(world.log(1).tail().first_ordinal, 51, "a day after the time was trusted");
    world.run(1);
    assert_eq!(world.log(1).tail().first_ordinal, 52);
}

#[test]
fn a_restart_of_the_program_alone_is_in_no_doubt() {
    let fake = fake_env(1);
    fake.clock.set_boot(7);
    let mut world = World { fake, options: small(), local: None };
    world.start().unwrap();
    world.fill(1, 5);
    world.close();
    world.fake.clock.advance(Duration::from_hours(50));
    world.start().unwrap();
    assert_eq!(world.local().clock().trouble(), None);
    world.trim();
    assert_eq!(world.log(1).tail().first_ordinal, 5);
    world.close();
    world.fake.clock.advance(Duration::from_hours(50));
    world.fake.clock.set_boot(8);
    world.start().unwrap();
    assert!(world.local().clock().trouble().is_some());
}

/// The keeper writes the time down also when nothing is written.
#[test]
fn an_idle_server_that_is_killed_knows_the_time() {
    let mut world = World::new(small());
    for _ in 0..10 {
        let file = Path::new(DIR).join("CLOCK");
        let before = world.fake.disk.bytes(&file);
        world.fake.clock.advance(Duration::from_mins(30));
        until("the time is written down", || {
            world.engine().keeper.poke();
            world.fake.disk.bytes(&file) != before
        });
    }
    world.kill().unwrap();
    assert_eq!(world.local().clock().trouble(), None);
    assert_eq!(world.local().clock().now_ms(), START_MS + 5 * HOUR_MS);
}

/// Without what was known the wall clock is all there is.
#[test]
fn a_lost_time_keeps_nobody_from_starting() {
    let mut world = World::new(small());
    world.fill(1, 5);
    world.close();
    let file = Path::new(DIR).join("CLOCK");
    for damage in [&b"garbage"[..], &[0; 9000], &[]] {
        world.fake.disk.plant(&file, damage);
        world.fake.clock.jump_by(DAY_MS / 2);
        world.start().unwrap();
        assert_eq!(world.local().clock().trouble(), None);
        world.close();
    }
    world.fake.env().disk.remove(&file).unwrap();
    world.start().unwrap();
    check_filled(&world.log(1));
}
