//! Retention.

use super::*;
use std::time::Duration;
use testkit::sim_disk::{Fault, Op};

/// 200 records, a second apart, in segments of about 32 of them.
fn filled() -> World {
    let world = World::new(small());
    let log = world.log(1);
    for n in 0..200 {
        assert_eq!(put(&log, &text(n)), n);
        world.fake.clock.advance_ms(1000);
        world.spill(1);
    }
    world
}

#[test]
fn trimmed_records_are_hidden_at_once_and_their_segments_removed_later() {
    let mut world = filled();
    let segments = world.files("seg").len();
    let log = world.log(1);
    let arrival = |n: i64| testkit::env::START_MS + n * 1000;
    assert_eq!(block_on(log.find_arrival(arrival(100))).unwrap(), 100);
    assert_eq!(block_on(log.find_arrival(arrival(100) + 1)).unwrap(), 101);
    log.trim(arrival(100));
    assert_eq!(log.tail().first_ordinal, 100);
    assert_eq!(block_on(log.read(99, 1, 1)).unwrap_err().kind(), ErrorKind::Trimmed);
    log.trim(arrival(50));
    assert_eq!(log.tail().first_ordinal, 100, "never moves backwards");
    assert_eq!(block_on(log.find_arrival(0)).unwrap(), 100);
    until("trimmed segments are removed", || {
        world.fake.clock.advance_ms(100);
        world.files("seg").len() < segments
    });
    check_filled(&log);
    world.fake.disk.crash(3);
    world.start().unwrap();
    assert_eq!(world.log(1).tail().first_ordinal, 100);
    check_filled(&world.log(1));
}

/// Also in the midst of a batch: the owner is done with some of its records.
#[test]
fn records_that_the_owner_is_done_with_are_freed() {
    let mut world = filled();
    let segments = world.files("seg").len();
    let log = world.log(1);
    let mut batch = BatchBuilder::default();
    (200..203).for_each(|n| batch.push(b"key", text(n).as_bytes()));
    assert_eq!(block_on(log.append(batch, None).unwrap()).unwrap().first_ordinal, 200);
    log.trim_to(100);
    assert_eq!(log.tail().first_ordinal, 100);
    until("trimmed segments are removed", || {
        world.fake.clock.advance_ms(100);
        world.files("seg").len() < segments
    });
    check_filled(&log);
    log.trim_to(50);
    assert_eq!(log.tail().first_ordinal, 100, "never moves backwards");
    log.trim_to(201);
    assert_eq!(block_on(log.read(200, 1, 1)).unwrap_err().kind(), ErrorKind::Trimmed);
    assert_eq!(block_on(log.read(201, 9, 9999)).unwrap().records.len(), 2);
    log.trim_to(u64::MAX);
    assert_eq!(log.tail().first_ordinal, 203, "what comes is kept");
    drop(log);
    world.fake.disk.crash(5);
    world.start().unwrap();
    let tail = world.log(1).tail();
    assert!(tail.first_ordinal >= 100 && tail.next_ordinal == 203, "{tail:?}");
}

#[test]
fn an_idle_log_loses_its_last_segment_too_and_goes_on() {
    let mut world = filled();
    let log = world.log(1);
    world.fake.clock.advance(Duration::from_secs(3600));
    log.trim(world.fake.env().clock.now_ms());
    until("all segments are removed", || {
        world.fake.clock.advance_ms(100);
        world.files("seg").is_empty()
    });
    assert_eq!((log.tail().first_ordinal, log.tail().next_ordinal), (200, 200));
    drop(log);
    world.fake.disk.crash(4);
    world.start().unwrap();
    let log = world.log(1);
    assert_eq!((log.tail().first_ordinal, log.tail().next_ordinal), (200, 200));
    assert_eq!(put(&log, "on"), 200);
    world.spill(1);
    assert_eq!(data(&log, 200), ["on"]);
}

#[test]
fn segments_that_cannot_be_removed_at_once_go_later() {
    let world = filled();
    let log = world.log(1);
    world.fake.disk.fail(Fault::io(Op::Remove).on("segments").times(3));
    world.fake.clock.advance(Duration::from_secs(3600));
    log.trim(world.fake.env().clock.now_ms());
    until("all segments are removed", || {
        world.fake.clock.advance_ms(1000);
        world.files("seg").is_empty()
    });
    let none = world.engine().metrics.segments.get();
    assert!(none.abs() < 0.5, "{none} segments are counted");
}

#[test]
fn segments_that_a_kill_left_behind_go_after_the_start() {
    let mut world = filled();
    let log = world.log(1);
    let checkpoint = Path::new(DIR).join("journal").join("checkpoint.1");
    let before = world.fake.disk.bytes(&checkpoint);
    world.fake.disk.fail(Fault::io(Op::Remove).on("segments").times(1000));
    world.fake.clock.advance(Duration::from_secs(3600));
    log.trim(world.fake.env().clock.now_ms());
    until("a checkpoint has the trim", || {
        world.fake.clock.advance_ms(1000);
        world.fake.disk.bytes(&checkpoint) != before
    });
    drop(log);
    world.fake.disk.heal();
    world.kill().unwrap();
    assert_eq!(world.log(1).tail().first_ordinal, 200);
    assert!(!world.files("seg").is_empty());
    until("all segments are removed", || {
        world.fake.clock.advance_ms(1000);
        world.files("seg").is_empty()
    });
}

#[test]
fn a_clock_that_jumps_forward_deletes_nothing() {
    let world = filled();
    let log = world.log(1);
    world.fake.clock.jump_by(365 * 86_400_000);
    log.trim(world.fake.env().clock.now_ms() - 86_400_000);
    assert_eq!(log.tail().first_ordinal, 0);
    world.fake.clock.jump_by(-365 * 86_400_000);
    log.trim(world.fake.env().clock.now_ms() - 100_000);
    assert_eq!(log.tail().first_ordinal, 100);
}

#[test]
fn arrival_never_goes_back_with_the_clock() {
    let mut world = World::new(small());
    world.fill(1, 3);
    let before = world.log(1).tail().last_arrival_ms;
    world.fake.clock.jump_by(-1_000_000);
    world.fill(1, 3);
    world.kill().unwrap();
    world.fill(1, 3);
    let read = block_on(world.log(1).read(0, 100, 1 << 20)).unwrap();
    assert!(read.records.iter().all(|r| r.arrival_ms == before), "{read:?}");
}

#[test]
fn what_was_trimmed_before_it_was_spilled_is_not_missed() {
    let mut world = World::new(still());
    let log = world.log(1);
    for n in 0..90 {
        assert_eq!(put(&log, &text(n)), n);
        world.fake.clock.advance_ms(1000);
        if n == 30 {
            world.spill(1);
        }
    }
    // Ordinals 31 to 59 never reach a segment, and the first one stays until a checkpoint.
    world.fake.disk.fail(Fault::io(Op::Remove).on("segments").times(1000));
    log.trim(testkit::env::START_MS + 60_000);
    drop(log);
    world.close();
    assert_eq!(world.files("seg").len(), 2);
    let report = world.verify().unwrap();
    assert_eq!(report.damages, vec![]);
}
