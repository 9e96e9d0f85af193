//! Starts, ends, sizes, encryption.

use super::*;
use testkit::sim_disk::{Fault, Op};

#[test]
fn what_was_acknowledged_is_there_after_drop_and_after_close() {
    let (dir, env) = (tempfile::tempdir().unwrap(), os_env());
    for round in 0..4_u64 {
        let (local, recovery) = Local::open(dir.path(), &env, Options::default()).unwrap();
        assert_eq!(recovery.fresh, round == 0);
        let log = block_on(local.open(LogId(7))).unwrap();
        assert_eq!(log.tail().next_ordinal, round * 2);
        assert_eq!(put(&log, &format!("a{round}")), round * 2);
        assert_eq!(put(&log, &format!("b{round}")), round * 2 + 1);
        let want: Vec<_> = (0..=round).flat_map(|n| [format!("a{n}"), format!("b{n}")]).collect();
        assert_eq!(data(&log, 0), want);
        if round % 2 == 1 {
            block_on(local.close()).unwrap();
        }
    }
}

#[test]
fn records_outlive_many_journals() {
    let mut world = World::new(small());
    for round in 0..3 {
        for id in 1..4 {
            world.fill(id, 600);
            check_filled(&world.log(id));
        }
        assert_eq!(world.log(1).tail().next_ordinal, (round + 1) * 600);
        if round == 1 {
            world.close();
        } else {
            world.fake.disk.crash(round);
        }
        world.start().unwrap();
        (1..4).for_each(|id| check_filled(&world.log(id)));
    }
    world.close();
    assert!(world.files("journal").len() <= 3, "{:?}", world.files("journal"));
    let report = world.verify().unwrap();
    assert_eq!((report.damages, report.segment_records), (vec![], 5400));
}

/// The owner forgets a log that was removed: it must not be back after a power failure, which may
/// take what is not synced.
#[test]
fn a_removed_log_stays_removed_under_relaxed_durability() {
    for seed in 0..20 {
        let mut world = World::new(Options { durability: Durability::Relaxed, ..still() });
        world.fill(1, 3);
        world.fake.clock.advance(std::time::Duration::from_secs(1));
        world.fill(1, 1);
        assert_eq!(world.local().written(), [LogId(1)]);
        block_on(world.local().remove(&[LogId(1)])).unwrap();
        world.fake.disk.crash(seed);
        world.start().unwrap();
        assert_eq!(world.local().written(), [], "seed {seed}");
    }
}

#[test]
fn an_unsynced_tail_is_made_durable_before_it_is_shown() {
    let mut world = World::new(small());
    world.fill(1, 5);
    // Written but not synced at the time of the kill: the next program finds it in the page cache.
    let file = world.files("journal")[0].clone();
    world.kill().unwrap();
    assert_eq!(world.log(1).tail().next_ordinal, 5);
    world.fake.disk.crash(99);
    world.start().unwrap();
    assert_eq!(world.log(1).tail().next_ordinal, 5, "{}", file.display());
    check_filled(&world.log(1));
}

#[test]
fn restarts_use_up_no_journal_file() {
    let mut world = World::new(still());
    for round in 0..3 {
        world.fill(1, 5);
        world.kill().unwrap();
        let files = world.files("journal").len();
        for _ in 0..20 {
            world.kill().unwrap();
        }
        assert_eq!(world.files("journal").len(), files, "round {round}");
        assert_eq!(world.log(1).tail().next_ordinal, (round + 1) * 5);
    }
    world.fake.disk.crash(7);
    world.start().unwrap();
    check_filled(&world.log(1));
}

#[test]
fn sizes_that_the_files_cannot_have_are_refused() {
    let fake = fake_env(1);
    for options in [
        Options { segment_bytes_max: 4 << 30, ..small() },
        Options { journal_first_bytes: 4 << 30, ..small() },
        Options { journal_file_bytes_max: 4 << 30, ..small() },
    ] {
        let refused = Local::open(Path::new(DIR), &fake.env(), options).err().unwrap();
        assert_eq!(refused.kind(), ErrorKind::Invalid, "{refused}");
    }
}

#[test]
fn encrypted_records_lie_nowhere_in_the_clear() {
    let options = still();
    options.keys.insert("alias/a", &[3; KEY_BYTES]).unwrap();
    let mut world = World::new(options);
    let log = world.log(1);
    for n in 0..50 {
        let pending = log.append(batch(&format!("secret words {n:987}")), Some("alias/a")).unwrap();
        assert_eq!(block_on(pending).unwrap().first_ordinal, n);
    }
    world.spill(1);
    let read = block_on(log.read(10, 1, 1)).unwrap();
    assert!(read.records[0].encrypted && read.records[0].data.starts_with(b"secret words"));
    for file in world.fake.disk.files() {
        let bytes = world.fake.disk.bytes(&file);
        assert!(!bytes.windows(6).any(|w| w == b"secret"), "{}", file.display());
    }
    world.options.keys = Arc::default();
    drop(log);
    world.kill().unwrap();
    let refused = block_on(world.log(1).read(0, 1, 1)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unavailable);
    assert!(refused.to_string().contains("`alias/a`"), "{refused}");
    world.local().keys().insert("alias/a", &[3; KEY_BYTES]).unwrap();
    assert_eq!(block_on(world.log(1).read(0, 1, 1)).unwrap().records.len(), 1);
    let unknown = world.log(1).append(batch("x"), Some("alias/b")).err().unwrap();
    assert_eq!(unknown.kind(), ErrorKind::Invalid);
}

#[test]
fn relaxed_answers_before_the_sync_and_closes_durably() {
    let options = Options { durability: Durability::Relaxed, ..small() };
    let mut world = World::new(options);
    world.fill(1, 300);
    world.close();
    world.fake.disk.crash(5);
    world.start().unwrap();
    assert_eq!(world.log(1).tail().next_ordinal, 300);
    world.fill(1, 300);
    // A crash of the program alone loses nothing either; who starts cannot tell it from another.
    let gap = u64::from(frame::GAP_ORDINALS);
    world.kill().unwrap();
    assert_eq!(world.log(1).tail().next_ordinal, 600 + gap);
    check_filled(&world.log(1));
    // What a crash of the machine leaves is a prefix, and not taken for damage; what comes behind
    // it takes no name that was given before.
    for seed in 0..20 {
        let log = world.log(1);
        let before = log.tail().next_ordinal;
        world.fill(1, 40);
        world.fake.disk.crash(seed);
        world.start().unwrap();
        let after = world.log(1).tail().next_ordinal;
        assert!((before + gap..=before + 40 + gap).contains(&after), "{before} {after}");
        check_filled(&world.log(1));
    }
}

/// A log that had nothing durable when the power went gives no number twice either.
#[test]
fn a_log_that_a_power_loss_took_whole_begins_behind_it() {
    let gap = u64::from(frame::GAP_ORDINALS);
    let mut world = World::new(Options { durability: Durability::Relaxed, ..small() });
    world.fill(1, 1);
    world.close();
    world.start().unwrap();
    world.fill(2, 3);
    world.fake.disk.crash(1);
    world.start().unwrap();
    assert_eq!(put(&world.log(2), &text(gap)), gap);
    assert_eq!(data(&world.log(2), gap), [text(gap)]);
    world.close();
    world.start().unwrap();
    assert_eq!(data(&world.log(1), 0), [text(0)]);
}

/// Its owner may never have come to name it: that is no catalog that is older than its records.
#[test]
fn a_log_of_nothing_but_a_gap_was_never_written() {
    let (ids, of_verify) = (vec![LogId(1)], [LogId(1)].into());
    let mut world = World::new(Options { durability: Durability::Relaxed, ..small() });
    world.fill(1, 1);
    world.fake.disk.kill();
    world.start().unwrap();
    assert!(world.log(2).tail().next_ordinal > 0, "it begins behind a gap");
    assert_eq!(world.local().written(), ids);
    world.close();
    assert_eq!(world.verify().unwrap().logs, of_verify, "in the journal");
    for _ in 0..2 {
        world.start().unwrap();
        assert_eq!(world.local().written(), ids);
        world.close();
        assert_eq!(world.verify().unwrap().logs, of_verify, "in the checkpoint");
    }
}

/// Where a sealed log ends is written down by its owner, so it must be there after a power loss.
#[test]
fn a_seal_is_durable_under_relaxed_durability() {
    for seed in 0..10 {
        let mut world = World::new(Options { durability: Durability::Relaxed, ..small() });
        world.fill(1, 20);
        let sealed = block_on(world.log(1).seal()).unwrap();
        assert_eq!(sealed.next_ordinal, 20);
        world.fake.disk.crash(seed);
        world.start().unwrap();
        assert!(world.log(1).tail().next_ordinal >= 20, "seed {seed}");
        check_filled(&world.log(1));
    }
}

#[test]
fn removed_logs_stay_away() {
    let mut world = World::new(small());
    (1..4).for_each(|id| world.fill(id, 50));
    world.spill(1);
    let log = world.log(1);
    block_on(world.local().remove(&[LogId(1)])).unwrap();
    block_on(world.local().remove(&[LogId(1)])).unwrap();
    assert_eq!(block_on(log.read(0, 1, 1)).unwrap_err().kind(), ErrorKind::Removed);
    assert_eq!(log.append(batch("x"), None).err().unwrap().kind(), ErrorKind::Removed);
    assert!(!world.files("seg").iter().any(|p| p.to_string_lossy().contains("00000001/")));
    drop(log);
    world.kill().unwrap();
    assert_eq!(world.log(1).tail().next_ordinal, 0);
    assert_eq!(world.log(2).tail().next_ordinal, 50);
    check_filled(&world.log(2));
}

#[test]
fn an_owner_decides_whether_writes_pass_the_page_cache() {
    for direct in [true, false] {
        let mut world = World::new(Options { direct, ..small() });
        world.fill(1, 200);
        world.kill().unwrap();
        world.fill(1, 200);
        world.spill(1);
        let opened = world.fake.disk.opened_direct();
        for suffix in ["journal", "seg"] {
            let any = opened.iter().any(|path| path.extension().is_some_and(|e| e == suffix));
            assert_eq!(any, direct, "{suffix}: {opened:?}");
        }
        assert_eq!(opened.is_empty(), !direct, "{opened:?}");
        check_filled(&world.log(1));
    }
}

/// Readers do not wait until thousands of logs are removed.
#[test]
fn many_logs_are_removed_with_few_syncs_beside_reads() {
    const LOGS: u64 = 600;
    let mut world = World::new(Options { reads_queued_max: 1, ..small() });
    let ids: Vec<LogId> = (1..=LOGS).map(LogId).collect();
    for id in &ids {
        put(&world.log(id.0), &text(0));
        world.spill(id.0);
    }
    let keeps = world.log(LOGS + 1);
    put(&keeps, &text(0));
    world.spill(LOGS + 1);
    world.fake.disk.fail(Fault::io(Op::SyncDir).on("segments").after(256));
    block_on(world.local().remove(&ids)).unwrap();
    assert_eq!(data(&keeps, 0), [text(0)]);
    assert_eq!(world.files("seg").len(), 1);
    world.fake.disk.heal();
    drop(keeps);
    world.fake.disk.crash(3);
    world.start().unwrap();
    assert_eq!(world.files("seg").len(), 1);
    assert_eq!(data(&world.log(LOGS + 1), 0), [text(0)]);
}

#[test]
fn waiters_hear_of_records_seals_and_removals() {
    let world = World::new(small());
    let log = world.log(1);
    let mut waits: Vec<_> = (0..3).map(|n| log.wait_beyond(n)).collect();
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(waits.iter_mut().all(|w| w.as_mut().poll(&mut cx).is_pending()));
    put(&log, "a");
    block_on(waits.remove(0)).unwrap();
    assert!(waits[0].as_mut().poll(&mut cx).is_pending());
    let tail = block_on(log.seal()).unwrap();
    assert!(tail.sealed && tail.next_ordinal == 1);
    block_on(waits.remove(0)).unwrap();
    assert_eq!(log.append(batch("b"), None).err().unwrap().kind(), ErrorKind::Sealed);
    drop(waits);
    let other = world.log(2);
    let wait = other.wait_beyond(7);
    block_on(world.local().remove(&[LogId(2)])).unwrap();
    block_on(wait).unwrap();
}

#[test]
fn an_idle_log_is_small() {
    let bytes = size_of::<LocalLog>();
    assert!(bytes <= 384, "{bytes}");
}

#[test]
fn an_idle_log_keeps_no_room_of_busy_times() {
    let world = World::new(small());
    world.fill(1, 200);
    world.spill(1);
    let engine_log = Arc::clone(&world.engine().logs.lock()[&LogId(1)]);
    until("everything is spilled", || engine_log.state.lock().tail.from(199).is_none());
}

#[test]
fn a_full_queue_refuses_without_taking_ordinals() {
    let world = World::new(Options { queue_bytes_max: 100_000, ..small() });
    let log = world.log(1);
    let mut pending = Vec::new();
    let refused = loop {
        match log.append(batch(&text(pending.len() as u64)), None) {
            Ok(p) => pending.push(p),
            Err(e) => break e,
        }
        assert!(pending.len() < 1_000_000, "never full");
    };
    assert_eq!(refused.kind(), ErrorKind::Unavailable);
    let count = pending.len() as u64;
    pending.into_iter().for_each(|p| assert!(block_on(p).is_ok()));
    assert_eq!(log.tail().next_ordinal, count);
    assert_eq!(put(&log, "next"), count);
}

#[test]
fn a_dropped_engine_leaves_nothing_behind() {
    let mut world = World::new(small());
    world.fill(1, 300);
    world.log(1).trim(i64::MAX);
    let engine = Arc::downgrade(&world.local().engine);
    world.local = None;
    assert!(engine.upgrade().is_none());
}
