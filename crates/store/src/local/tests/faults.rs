//! Disks that fail while the engine runs.

use super::*;
use testkit::sim_disk::{Fault, FaultKind, Op};

fn fails(op: Op, on: &str, times: u64) -> Fault {
    Fault::io(op).on(on).times(times)
}

/// An append whose commit fails; it resolves as outcome unknown.
fn put_failing(log: &Arc<dyn Log>, data: &str) {
    let failed = block_on(log.append(batch(data), None).unwrap()).unwrap_err();
    assert_eq!(failed.kind(), ErrorKind::Unavailable);
    assert!(failed.to_string().contains("unknown"), "{failed}");
}

#[test]
fn a_failed_commit_goes_to_another_file_and_keeps_its_ordinals() {
    for op in [Op::Write, Op::Sync] {
        let mut world = World::new(small());
        world.fill(1, 5);
        until("files are made", || world.files("journal").len() == 3);
        let log = world.log(1);
        world.fake.disk.fail(fails(op, ".journal", 1).on("0000.journal"));
        put_failing(&log, &text(5));
        // Rewritten from memory: it becomes durable and readable all the same.
        block_on(log.wait_beyond(5)).unwrap();
        assert_eq!(world.local().trouble(), None);
        world.fill(1, 300);
        assert_eq!(log.tail().next_ordinal, 306);
        check_filled(&log);
        drop(log);
        world.fake.disk.crash(7);
        world.start().unwrap();
        assert_eq!(world.log(1).tail().next_ordinal, 306, "{op:?}");
        check_filled(&world.log(1));
    }
}

#[test]
fn when_the_rewrite_fails_too_the_engine_is_read_only() {
    let mut world = World::new(small());
    world.fill(1, 5);
    until("files are made", || world.files("journal").len() == 3);
    let log = world.log(1);
    world.fake.disk.fail(fails(Op::Sync, ".journal", 2));
    put_failing(&log, "x");
    until("it is read-only", || world.local().trouble().is_some());
    let refused = log.append(batch("y"), None).err().unwrap();
    assert_eq!(refused.kind(), ErrorKind::Unavailable);
    assert_eq!(block_on(log.seal()).unwrap_err().kind(), ErrorKind::Unavailable);
    check_filled(&log);
    assert!(block_on(world.local().close()).is_err());
    drop(log);
    world.fake.disk.crash(8);
    world.start().unwrap();
    assert!(world.log(1).tail().next_ordinal >= 5);
    world.fill(2, 5);
    check_filled(&world.log(2));
}

#[test]
fn a_failed_syncfs_is_made_good_from_the_journal() {
    let mut world = World::new(small());
    world.fill(1, 50);
    world.fake.disk.fail(fails(Op::SyncAll, "", 1));
    world.fill(1, 900);
    assert_eq!(world.local().trouble(), None);
    check_filled(&world.log(1));
    world.close();
    assert_eq!(world.verify().unwrap().damages, []);
    world.fake.disk.crash(9);
    world.start().unwrap();
    assert_eq!(world.log(1).tail().next_ordinal, 950);
    check_filled(&world.log(1));
}

/// FUSE answers syncfs and does nothing.
#[test]
fn where_syncfs_saves_nothing_segments_are_synced_one_by_one() {
    for open_segments_max in [4, 1024] {
        for seed in 0..4 {
            let mut world = World::new(Options { open_segments_max, ..small() });
            world.fake.disk.without_sync_all();
            world.start().unwrap();
            (1..12).for_each(|id| world.fill(id, 90));
            world.fake.disk.crash(seed);
            world.start().unwrap();
            for id in 1..12 {
                assert_eq!(world.log(id).tail().next_ordinal, 90, "seed {seed}");
                check_filled(&world.log(id));
            }
        }
    }
}

/// The file's own handle is told of the pages that were lost, and they are written anew.
#[test]
fn a_failed_sync_of_a_segment_is_made_good_from_the_journal() {
    for direct in [true, false] {
        let mut world = World::new(Options { direct, ..small() });
        world.fake.disk.without_sync_all();
        world.start().unwrap();
        world.fill(1, 50);
        world.fake.disk.fail(fails(Op::Sync, ".seg", 1));
        world.fill(1, 900);
        assert_eq!(world.local().trouble(), None);
        check_filled(&world.log(1));
        world.fake.disk.crash(9);
        world.start().unwrap();
        assert_eq!(world.log(1).tail().next_ordinal, 950);
        check_filled(&world.log(1));
    }
}

#[test]
fn when_syncfs_keeps_failing_the_engine_is_read_only_and_loses_nothing() {
    check_read_only(small(), &[fails(Op::SyncAll, "", 1000)]);
}

/// The next syncfs would succeed without having saved anything.
#[test]
fn a_failed_syncfs_while_the_journal_cannot_be_read_is_not_forgotten() {
    // Nothing but what follows the syncfs reads the journal.
    let cached = Options { cache_bytes_max: 1 << 30, ..small() };
    check_read_only(cached, &[fails(Op::SyncAll, "", 1), fails(Op::Read, ".journal", 3)]);
}

fn check_read_only(options: Options, faults: &[Fault]) {
    let mut world = World::new(options);
    world.fill(1, 50);
    // Whoever makes one asks for its length, which is a read.
    until("all files are made", || world.engine().journal.all().len() == 3);
    faults.iter().for_each(|fault| world.fake.disk.fail(fault.clone()));
    for _ in 0..5000 {
        // A failed syncfs may hit a commit on its way, too: that one goes to another file.
        let next = world.engine().logs.lock()[&LogId(1)].state.lock().next_ordinal;
        let pending = world.log(1).append(batch(&text(next)), None);
        let failed = pending.map_or(true, |pending| block_on(pending).is_err());
        if failed && world.local().trouble().is_some() {
            break;
        }
    }
    let trouble = world.local().trouble().expect("the journal was full by now");
    assert!(trouble.contains("read-only"), "{trouble}");
    let tail = world.log(1).tail().next_ordinal;
    check_filled(&world.log(1));
    world.fake.disk.crash(9);
    world.start().unwrap();
    assert!(world.log(1).tail().next_ordinal >= tail);
    check_filled(&world.log(1));
    world.fill(1, 300);
}

/// A batch that waits for the disk holds up a seal, and whoever wants it a lock.
#[test]
fn a_seal_hears_that_the_disk_is_full() {
    let world = World::new(small());
    let (log, engine) = (world.log(1), world.engine());
    let committer = engine.committer.get().and_then(std::sync::Weak::upgrade).unwrap();
    let held = committer.lock();
    let _waiting = log.append(batch("x"), None).unwrap();
    let mut seal = log.seal();
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(seal.as_mut().poll(&mut cx).is_pending());
    let sealing = std::thread::scope(|threads| {
        let sealing = threads.spawn(|| block_on(seal));
        let sealed = || sealing.is_finished();
        for _ in 0..20 {
            std::thread::park_timeout(std::time::Duration::from_millis(1));
        }
        assert!(!sealed(), "its batch is not durable");
        engine.health.set_full(Some("the disk is full".into()));
        engine.answer_waiting(&Error::new(ErrorKind::Full, "no room"));
        until("the seal has its answer", sealed);
        sealing.join().unwrap()
    });
    drop(held);
    assert_eq!(sealing.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[test]
fn a_full_disk_refuses_appends_and_recovers_by_itself() {
    let mut world = World::new(small());
    world.fill(1, 5);
    until("files are made", || world.files("journal").len() == 3);
    let used = world.fake.disk.used_bytes();
    world.fake.disk.set_space(used * 100 / 96);
    world.engine().keeper.poke();
    // Each is waited for: one on its way would become durable behind a look at the tail.
    let full = |world: &World| {
        let appended = world.log(1).append(batch("x"), None).and_then(block_on);
        appended.err().map(|e| e.kind())
    };
    until("appends are refused", || full(&world) == Some(ErrorKind::Full));
    assert!(world.local().trouble().is_some());
    check_filled_but_x(&world.log(1));
    world.fake.disk.set_space(used * 4);
    world.engine().keeper.poke();
    until("appends are taken again", || full(&world).is_none());
    assert_eq!(world.local().trouble(), None);
    world.close();
}

#[test]
fn a_full_disk_does_not_keep_the_engine_from_starting() {
    // The room that is kept is a quarter of the first file: enough for the smallest one.
    let mut world = World::new(Options { journal_first_bytes: 8 << 20, ..still() });
    world.fill(1, 5);
    world.engine().keeper.poke();
    let ballast = Path::new(DIR).join("journal/ballast");
    let is_kept = || {
        world.fake.disk.files().contains(&ballast)
            && world.fake.disk.bytes(&ballast).len() == 2 << 20
    };
    until("room is kept", is_kept);
    world.fake.disk.kill();
    world.local = None;
    // Only the file in use is left, and no room for another one.
    for file in &world.files("journal")[1..] {
        world.fake.env().disk.remove(file).unwrap();
    }
    world.change_roster(|roster| roster.files.retain(|number, _| *number == 0));
    world.fake.disk.set_space(world.fake.disk.used_bytes());
    for _ in 0..5 {
        world.kill().unwrap();
        check_filled(&world.log(1));
        assert_eq!(world.log(1).tail().next_ordinal, 5);
    }
    world.fake.disk.set_space(64 << 20);
    world.engine().keeper.poke();
    until("appends are taken again", || world.local().trouble().is_none());
    world.fill(1, 5);
    check_filled(&world.log(1));
}

/// Reads everything; records of the test itself are "x".
fn check_filled_but_x(log: &Arc<dyn Log>) {
    let read = block_on(log.read(0, 1000, 1 << 20)).unwrap();
    assert!(read.records.iter().all(|r| r.data == "x" || r.data == text(r.ordinal)));
    assert_eq!(read.next_ordinal, log.tail().next_ordinal);
}

#[test]
fn segments_without_room_are_written_when_there_is_room() {
    let world = World::new(small());
    world.fill(1, 5);
    until("files are made", || world.files("journal").len() == 3);
    let failing = Fault { kind: FaultKind::NoSpace, ..fails(Op::Write, ".seg", 3) };
    world.fake.disk.fail(failing);
    let log = world.log(1);
    for n in 5..2000 {
        // Refused in between: the client tries again.
        while log.tail().next_ordinal == n {
            match log.append(batch(&text(n)), None) {
                // Taken already: it is written as soon as there is room.
                Ok(pending) => {
                    if let Err(e) = block_on(pending) {
                        assert_eq!(e.kind(), ErrorKind::Full, "{e}");
                        until("it is written", || {
                            world.tick();
                            log.tail().next_ordinal > n
                        });
                    }
                }
                Err(e) => {
                    assert_eq!(e.kind(), ErrorKind::Full);
                    world.tick();
                    std::thread::yield_now();
                }
            }
        }
    }
    check_filled(&log);
}

#[test]
fn a_broken_segment_is_left_and_another_one_started() {
    let mut world = World::new(small());
    world.fill(1, 20);
    world.fake.disk.fail(fails(Op::Write, ".seg", 2));
    world.fill(1, 500);
    check_filled(&world.log(1));
    world.close();
    world.start().unwrap();
    check_filled(&world.log(1));
}

/// Killed again and again with something new each time: the journal does not grow.
#[test]
fn a_crash_loop_uses_up_no_disk() {
    let mut world = World::new(still());
    for round in 0..40 {
        let log = world.log(1);
        assert_eq!(put(&log, &text(round)), round);
        drop(log);
        world.kill().unwrap();
        let files = world.files("journal").len();
        assert!(files <= 3, "{files} files after {round} rounds");
    }
    assert_eq!(world.log(1).tail().next_ordinal, 40);
    check_filled(&world.log(1));
    world.fake.disk.crash(1);
    world.start().unwrap();
    check_filled(&world.log(1));
}

/// A commit that was under way when the engine broke down finds no file and nobody who makes one:
/// it must not wait, since a close waits for it.
#[test]
fn a_broken_engine_keeps_no_commit_waiting() {
    let mut world = World::new(still());
    let engine = Arc::clone(&world.local().engine);
    engine.break_down("a test");
    let due = engine.journal.snapshot().0;
    let waiting = std::thread::spawn(move || engine.journal.switch(1 << 40, due, false, |_| ()));
    until("the wait ends", || waiting.is_finished());
    assert!(waiting.join().unwrap().is_none());
    assert!(block_on(world.local().close()).is_err());
    world.local = None;
}

/// The first file that a start writes to fails: it goes on in another one, as it would have if it
/// had been running.
#[test]
fn a_start_survives_what_a_running_engine_survives() {
    for acknowledged in [0, 5] {
        for op in [Op::Write, Op::Sync] {
            let mut world = World::new(still());
            world.fill(1, acknowledged);
            until("files are made", || world.files("journal").len() == 3);
            world.fake.disk.kill();
            world.local = None;
            if acknowledged > 0 {
                world.forget_newest();
            }
            world.fake.disk.fail(fails(op, ".journal", 1));
            world.start().unwrap();
            assert_eq!(world.log(1).tail().next_ordinal, acknowledged);
            world.fill(1, 3);
            world.fake.disk.crash(acknowledged);
            world.start().unwrap();
            assert_eq!(world.log(1).tail().next_ordinal, acknowledged + 3);
            check_filled(&world.log(1));
        }
    }
}

/// On a small disk the journal leaves room for records.
#[test]
fn the_journal_keeps_to_its_share_of_a_small_disk() {
    let options = Options { spill_bytes: 256 << 10, ..Options::default() };
    let mut world = World { fake: fake_env(1), options, local: None };
    world.fake.disk.set_space(100 << 20);
    world.start().unwrap();
    let record = "x".repeat(200_000);
    let refused = (0..1000).find_map(|_| {
        let pending = world.log(1).append(batch(&record), None);
        pending.and_then(block_on).err()
    });
    assert_eq!(refused.map(|e| e.kind()), Some(ErrorKind::Full));
    let bytes = |suffix| {
        let files = world.files(suffix);
        files.iter().map(|file| world.fake.disk.bytes(file).len() as u64).sum::<u64>() >> 20
    };
    assert!(bytes("journal") <= 25, "{} MiB of journal", bytes("journal"));
    assert!(bytes("seg") >= 55, "{} MiB of segments", bytes("seg"));
}

/// A commit that no file holds has one made of its own size, not of the largest.
#[test]
fn a_large_commit_finds_room_on_a_small_disk() {
    let options = Options { journal_first_bytes: 1 << 20, ..Options::default() };
    let mut world = World { fake: fake_env(1), options, local: None };
    world.fake.disk.set_space(100 << 20);
    world.start().unwrap();
    let record = "x".repeat(11 << 20);
    block_on(world.log(1).append(batch(&record), None).unwrap()).unwrap();
    assert_eq!(world.log(1).tail().next_ordinal, 1);
}

/// Without it nobody would free the journal: writers would wait for that for ever.
#[test]
fn nothing_is_taken_without_a_keeper() {
    let hook = LowSpaceHook(Arc::new(|_| panic!("as asked")));
    let options = Options { low_space_percent: 0, low_space_hook: Some(hook), ..small() };
    let world = World::new(options);
    until("its end is told", || world.local().trouble().is_some());
    let refused = world.log(1).append(batch("x"), None).err().unwrap();
    assert_eq!(refused.kind(), ErrorKind::Unavailable);
}
