//! Failing and full disks under the local engine.

use super::local::{DATA, LocalRig};
use super::*;
use std::path::Path;
use std::sync::Arc;
use store::local::Local;
use store::{BatchBuilder, ErrorKind, Log, LogId, Logs, Result};
use testkit::sim_disk::{Fault, Op};
use testkit::{block_on, eventually, seeds, simulate};

const FAULTY: Mix = Mix { steps: 200, logs: 4, flights: 6, faulty: true };

#[test]
fn histories() {
    simulate(60, |seed| LocalRig::new(seed).live(seed, FAULTY));
}

/// The same where the system says which thread runs.
#[test]
fn histories_of_real_threads() {
    for seed in seeds(10) {
        LocalRig::new(seed).live(seed, FAULTY);
    }
}

/// Where direct I/O is refused the journal goes through the page cache, which shows pages that a
/// failed sync has lost.
#[test]
fn histories_through_the_page_cache() {
    simulate(60, |seed| {
        let mut rig = LocalRig::new(seed);
        rig.options.direct = false;
        rig.live(seed, FAULTY);
    });
}

/// Where one call does not sync all files of the file system.
#[test]
fn histories_where_each_file_is_synced() {
    simulate(60, |seed| {
        let mut rig = LocalRig::new(seed);
        rig.world.disk.without_sync_all();
        (rig.options.direct, rig.options.open_segments_max) = (false, 2);
        rig.live(seed, FAULTY);
    });
}

fn put(log: &dyn Log, bytes: usize) -> Result<u64> {
    let mut batch = BatchBuilder::with_capacity(bytes);
    batch.push(b"k", &vec![1; bytes]);
    block_on(log.append(batch, None)?).map(|appended| appended.first_ordinal)
}

fn opened(rig: &LocalRig) -> (Arc<Local>, Arc<dyn Log>) {
    let engine = rig.open_local().unwrap();
    let log = block_on(engine.open(LogId(1))).unwrap();
    (engine, log)
}

/// Records from the start to the tail.
fn count(log: &dyn Log) -> u64 {
    let (mut from, tail) = (log.tail().first_ordinal, log.tail());
    while from < tail.next_ordinal {
        let got = block_on(log.read(from, 100, 1 << 20)).unwrap();
        assert!(!got.records.is_empty());
        from = got.next_ordinal;
    }
    from
}

/// One failed write or sync: its waiters hear that the outcome is unknown, the records go to
/// another file, and the engine goes on.
#[expect(clippy::needless_pass_by_value, reason = "a case reads better without `&`")]
fn check_goes_on(fault: Fault) {
    for seed in 0..8 {
        let rig = LocalRig::new(seed);
        let (engine, log) = opened(&rig);
        assert_eq!(put(&*log, 100).unwrap(), 0);
        rig.world.disk.fail(fault.clone());
        assert_eq!(put(&*log, 100).unwrap_err().kind(), ErrorKind::Unavailable);
        assert_eq!(put(&*log, 100).unwrap(), 2, "ordinals stay dense");
        assert_eq!(count(&*log), 3);
        assert_eq!(engine.trouble(), None);
        rig.world.disk.crash(seed);
        drop((engine, log));
        let (_engine, log) = opened(&rig);
        assert_eq!(count(&*log), 3, "seed {seed}");
    }
}

#[test]
fn a_failed_journal_sync_moves_on_to_another_file() {
    check_goes_on(Fault::io(Op::Sync).on(".journal"));
}

#[test]
fn a_failed_journal_write_moves_on_to_another_file() {
    check_goes_on(Fault::io(Op::Write).on(".journal"));
}

#[test]
fn a_journal_that_fails_twice_is_read_only_until_a_restart() {
    for seed in 0..8 {
        let rig = LocalRig::new(seed);
        let (engine, log) = opened(&rig);
        put(&*log, 100).unwrap();
        rig.world.disk.fail(Fault::io(Op::Sync).on(".journal").times(2));
        assert_eq!(put(&*log, 100).unwrap_err().kind(), ErrorKind::Unavailable);
        eventually("the engine tells its trouble", || engine.trouble().is_some());
        let refused = put(&*log, 100).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Unavailable);
        assert_eq!(count(&*log), 1, "reads go on");
        rig.world.disk.crash(seed);
        drop((engine, log));
        let (engine, log) = opened(&rig);
        assert!(count(&*log) >= 1, "seed {seed}");
        assert_eq!(engine.trouble(), None);
        put(&*log, 100).unwrap();
    }
}

#[test]
fn a_failed_syncfs_loses_nothing() {
    for seed in 0..6 {
        let rig = LocalRig::new(seed);
        let (engine, log) = opened(&rig);
        // The journal is small: recycling it takes a syncfs.
        rig.world.disk.fail(Fault::io(Op::SyncAll).times(1 + seed % 3));
        let mut acknowledged = 0;
        for _ in 0..200 {
            acknowledged += u64::from(put(&*log, 60_000).is_ok());
        }
        // Commits that lost their pages too are written again, their waiters hear of it.
        assert!(acknowledged > 190 || engine.trouble().is_some(), "seed {seed}: {acknowledged}");
        rig.world.disk.crash(seed);
        drop((engine, log));
        let (_engine, log) = opened(&rig);
        assert!(count(&*log) >= acknowledged, "seed {seed}");
    }
}

#[test]
fn an_unreadable_segment_is_told_and_read_later() {
    let rig = LocalRig::new(1);
    let (engine, log) = opened(&rig);
    for _ in 0..20 {
        put(&*log, 20_000).unwrap();
    }
    block_on(engine.close()).unwrap();
    drop((engine, log));
    let (_engine, log) = opened(&rig);
    rig.world.disk.fail(Fault::io(Op::Read).on("/segments/").times(3));
    let refused = block_on(log.read(0, 1, 1)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unavailable, "{refused}");
    rig.world.disk.heal();
    assert_eq!(count(&*log), 20);
}

/// A disk that fills up refuses appends, answers every one of them, serves reads, and takes appends
/// again when a trim has made room.
#[test]
fn a_full_disk_refuses_and_recovers_without_a_restart() {
    let rig = LocalRig::new(1);
    let (engine, log) = opened(&rig);
    rig.world.disk.set_space(12 << 20);
    let mut acknowledged = 0;
    let refused = loop {
        rig.world.clock.advance_ms(1);
        match put(&*log, 50_000) {
            Ok(_) => acknowledged += 1,
            Err(e) => break e,
        }
        assert!(acknowledged < 1000, "12 MiB never fill up");
    };
    assert_eq!(refused.kind(), ErrorKind::Full, "{refused}");
    assert!(acknowledged > 50, "{acknowledged} batches of 50 kB fit on 12 MiB");
    assert!(engine.trouble().is_some());
    assert_eq!(count(&*log), acknowledged);
    log.trim(log.tail().last_arrival_ms);
    eventually("there is room again", || put(&*log, 50_000).is_ok());
    assert_eq!(engine.trouble(), None);
    drop((engine, log));
    rig.world.disk.crash(1);
    let (_engine, log) = opened(&rig);
    assert!(log.tail().next_ordinal > acknowledged);
    count(&*log);
}

/// The disk is full from one moment to the next: nobody waits forever.
#[test]
fn a_disk_that_is_suddenly_full_answers_every_append() {
    let rig = LocalRig::new(1);
    let (engine, log) = opened(&rig);
    put(&*log, 100).unwrap();
    rig.world.disk.set_space(rig.world.disk.used_bytes());
    let mut acknowledged = 1;
    loop {
        match put(&*log, 60_000) {
            Ok(_) => acknowledged += 1,
            Err(e) => {
                assert!(matches!(e.kind(), ErrorKind::Full | ErrorKind::Unavailable), "{e}");
                break;
            }
        }
        assert!(acknowledged < 1000, "a full disk takes everything");
    }
    assert!(count(&*log) >= acknowledged);
    rig.world.disk.set_space(1 << 30);
    eventually("there is room again", || put(&*log, 100).is_ok());
    drop((engine, log));
    rig.world.disk.crash(1);
    let (_engine, log) = opened(&rig);
    assert!(count(&*log) > acknowledged);
}

/// An idle journal that cannot grow refuses nothing: what it has takes what comes.
#[test]
fn a_disk_too_small_for_a_larger_journal_takes_appends() {
    let rig = LocalRig::new(1);
    rig.world.disk.set_space(13 << 18);
    let (engine, log) = opened(&rig);
    for written in 1..=6 {
        // Each is moved to a segment, with a look at the journal.
        put(&*log, 70_000).unwrap();
        let segment = |path: &Path| path.to_string_lossy().contains("/segments/");
        eventually("the batch is in a segment", || {
            let files = rig.world.disk.files();
            let bytes = |path: &Path| rig.world.disk.bytes(path).len();
            let in_segments = files.iter().filter(|f| segment(f)).map(|f| bytes(f)).sum::<usize>();
            in_segments >= written * 70_000
        });
    }
    let journals = rig.world.disk.files().iter().filter(|f| is_journal(f)).count();
    assert_eq!(journals, 2, "there was room for a third");
    assert_eq!(engine.trouble(), None);
}

fn is_journal(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "journal")
}

/// Each finds no room in the file that the one before it has left, nor in the small ones.
#[test]
fn batches_larger_than_the_journal_s_files_follow_each_other() {
    let mut rig = LocalRig::new(1);
    rig.options.batch_bytes_max = 3 << 20;
    let (_engine, log) = opened(&rig);
    for _ in 0..4 {
        let log = log.clone();
        let flight = std::thread::spawn(move || put(&*log, 5 << 19));
        eventually("the batch has an answer", || flight.is_finished());
        flight.join().unwrap().unwrap();
    }
    assert_eq!(count(&*log), 4);
}

#[test]
fn a_second_engine_is_refused() {
    let rig = LocalRig::new(1);
    let (engine, _log) = opened(&rig);
    assert_eq!(rig.open_local().err().unwrap().kind(), ErrorKind::Fenced);
    drop(engine);
    rig.open_local().unwrap();
}

#[test]
fn no_plaintext_of_an_encrypted_batch_is_on_disk() {
    let rig = LocalRig::new(1);
    let (engine, log) = opened(&rig);
    let secret = b"the secret of the batch";
    let mut batch = BatchBuilder::default();
    batch.push(b"a-secret-key", &secret.repeat(2_000));
    block_on(log.append(batch, Some("alias/a")).unwrap()).unwrap();
    let refused = log.append(one(), Some("alias/unknown")).err().unwrap();
    assert_eq!(refused.kind(), ErrorKind::Invalid);
    block_on(engine.close()).unwrap();
    let files = rig.world.disk.files();
    assert!(files.iter().any(|path| path.starts_with(Path::new(DATA).join("segments"))));
    for path in files {
        let bytes = rig.world.disk.bytes(&path);
        for part in [&secret[..], b"a-secret-key"] {
            assert!(!bytes.windows(part.len()).any(|w| w == part), "{}", path.display());
        }
    }
}

fn one() -> BatchBuilder {
    let mut batch = BatchBuilder::default();
    batch.push(b"k", b"v");
    batch
}

/// A segment whose sync failed is removed. Its name comes back with a power failure unless the next
/// process makes that durable before it goes on behind it.
#[test]
fn a_segment_that_the_last_process_removed_does_not_come_back() {
    for seed in 0..32 {
        let rig = LocalRig::new(seed);
        rig.world.disk.without_sync_all();
        let life = |fault: Option<Fault>| {
            let (engine, log) = opened(&rig);
            put(&*log, 100).unwrap();
            let fails = fault.is_some();
            fault.into_iter().for_each(|fault| rig.world.disk.fail(fault));
            assert_eq!(block_on(engine.close()).is_err(), fails, "seed {seed}");
            rig.world.disk.kill();
        };
        life(None);
        life(Some(Fault::io(Op::Sync).on("/segments/").times(2)));
        life(None);
        rig.world.disk.crash(seed);
        assert_eq!(count(&*opened(&rig).1), 3, "seed {seed}");
    }
}
