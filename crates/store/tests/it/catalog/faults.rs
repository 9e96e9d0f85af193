//! Disks that refuse: the transaction fails, what was acknowledged stays, the rest depends on what
//! is known.

use super::*;
use std::path::PathBuf;
use testkit::sim_disk::{Fault, Op};

fn put(catalog: &dyn Catalog, key: &str) -> Result<()> {
    let mut transaction = Transaction::default();
    transaction.put(key.as_bytes().to_vec(), b"v".to_vec());
    block_on(catalog.commit(transaction))
}

/// A failed write or sync of the log leaves the outcome open: read-only until a restart.
fn check_read_only(fault: &Fault) {
    let world = world(1);
    let catalog = open(&world).unwrap();
    put(catalog.as_ref(), "a").unwrap();
    assert_eq!(catalog.trouble(), None);
    world.disk.fail(fault.clone());
    assert_eq!(put(catalog.as_ref(), "b").unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(catalog.get(b"b"), None, "a failed transaction is not visible");
    let later = put(catalog.as_ref(), "c").unwrap_err();
    assert_eq!(later.kind(), ErrorKind::Unavailable);
    assert!(later.to_string().contains("read-only until a restart"), "{later}");
    assert!(catalog.trouble().unwrap().contains(&fault.path_part), "{:?}", catalog.trouble());
    assert!(catalog.get(b"a").is_some());
    drop(catalog);
    world.disk.crash(3);
    let catalog = open(&world).unwrap();
    assert!(catalog.get(b"a").is_some());
    assert_eq!(catalog.get(b"c"), None);
    put(catalog.as_ref(), "d").unwrap();
}

#[test]
fn a_failed_sync_stops_the_writing() {
    check_read_only(&Fault::io(Op::Sync).on("log-"));
}

#[test]
fn a_failed_write_stops_the_writing() {
    check_read_only(&Fault::io(Op::Write).on("log-"));
    // The frame, and the log that would make it void.
    check_read_only(&Fault::no_space(Op::Write).on("log-").times(2));
}

/// `a` is acknowledged; the sync of `b` failed, and its pages may be in the page cache only.
fn after_failed_sync(seed: u64) -> FakeEnv {
    let world = world(seed);
    let catalog = open(&world).unwrap();
    put(catalog.as_ref(), "a").unwrap();
    world.disk.fail(Fault::io(Op::Sync).on("log-"));
    put(catalog.as_ref(), "b").unwrap_err();
    world
}

/// After a failed sync, a restart without a power loss sees the frame in the page cache only. What
/// it then serves must survive a power loss.
#[test]
fn pages_of_a_failed_sync_are_not_trusted_after_a_restart() {
    for seed in 0..20 {
        let world = after_failed_sync(seed);
        let catalog = open(&world).unwrap();
        let served = rows(catalog.as_ref());
        assert!(served.contains_key(b"b".as_slice()), "seed {seed}: the cache shows it");
        world.disk.crash(seed);
        drop(catalog);
        assert_eq!(rows(open(&world).unwrap().as_ref()), served, "seed {seed}");
    }
}

/// Nothing is committed behind a frame that may be in the page cache only: should its snapshot fail
/// too, it is left out, and stays so.
#[test]
fn nothing_follows_pages_of_a_failed_sync_before_they_are_saved_elsewhere() {
    for seed in 0..20 {
        let world = after_failed_sync(seed);
        world.disk.fail(Fault::io(Op::Write).on("snapshot-").times(2));
        let catalog = open(&world).unwrap();
        assert_eq!(catalog.get(b"b"), None, "seed {seed}: nobody can vouch for it");
        put(catalog.as_ref(), "c").unwrap();
        put(catalog.as_ref(), "d").unwrap();
        let served = rows(catalog.as_ref());
        world.disk.crash(seed);
        drop(catalog);
        assert_eq!(rows(open(&world).unwrap().as_ref()), served, "seed {seed}");
    }
}

#[test]
fn a_full_disk_refuses_and_recovers_without_a_restart() {
    let world = world(1);
    let catalog = open(&world).unwrap();
    world.disk.set_space(world.disk.used_bytes() + (16 << 10));
    let mut keys = 0;
    let full = loop {
        match put(catalog.as_ref(), &format!("{keys}")) {
            Ok(()) => keys += 1,
            Err(e) => break e,
        }
    };
    assert_eq!(full.kind(), ErrorKind::Full, "{full}");
    assert!(keys >= 4, "the prefilled log takes commits on a full disk: {keys}");
    assert_eq!(rows(catalog.as_ref()).len(), keys);
    assert_eq!(put(catalog.as_ref(), "x").unwrap_err().kind(), ErrorKind::Full);
    assert!(catalog.trouble().is_some());
    let unfinished = |path: &PathBuf| path.extension().is_some_and(|end| end == "tmp");
    assert!(!world.disk.files().iter().any(unfinished), "what did not fit takes room");
    world.disk.set_space(1 << 30);
    put(catalog.as_ref(), "x").unwrap();
    assert_eq!(catalog.trouble(), None);
    drop(catalog);
    world.disk.crash(1);
    assert_eq!(rows(open(&world).unwrap().as_ref()).len(), keys + 1);
}

#[test]
fn a_start_on_a_full_disk_serves_reads_and_commits_once_there_is_room() {
    let world = world(1);
    let catalog = open(&world).unwrap();
    put(catalog.as_ref(), "a").unwrap();
    drop(catalog);
    world.disk.set_space(world.disk.used_bytes());
    let catalog = open(&world).unwrap();
    assert!(catalog.get(b"a").is_some());
    assert_eq!(put(catalog.as_ref(), "b").unwrap_err().kind(), ErrorKind::Full);
    world.disk.set_space(1 << 30);
    put(catalog.as_ref(), "b").unwrap();
    drop(catalog);
    world.disk.crash(1);
    assert_eq!(rows(open(&world).unwrap().as_ref()).len(), 2);
}

/// The next log begins behind the frame whose sync failed, or where it was: whether its pages come
/// back or not, no start is refused.
#[test]
fn pages_of_a_failed_sync_that_vanish_later_refuse_no_start() {
    for seed in 0..20 {
        let world = after_failed_sync(seed);
        world.disk.fail(Fault::no_space(Op::Write).on("snapshot-").times(9));
        let catalog = open(&world).unwrap();
        assert_eq!(rows(catalog.as_ref()).len(), 1, "seed {seed}");
        world.disk.crash(seed);
        drop(catalog);
        let catalog = open(&world).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        assert!(catalog.get(b"a").is_some());
        put(catalog.as_ref(), "c").unwrap();
    }
}

/// The frame is on the disk, the word that says so is not: nobody was told, and nothing is lost.
#[test]
fn a_failed_witness_stops_the_writing() {
    check_read_only(&Fault::io(Op::Sync).on("journal/catalog"));
    check_read_only(&Fault::io(Op::Write).on("journal/catalog"));
}

/// What frees room works on a full disk, again after each start, and nothing else does.
#[test]
fn a_full_disk_takes_changes_that_free_room() {
    let world = world(1);
    let open = |world: &FakeEnv| {
        let options = LocalCatalogOptions { log_bytes: 512 << 10, ..OPTIONS };
        LocalCatalog::open_with(Path::new(DATA), &world.env(), options)
    };
    let catalog = open(&world).unwrap();
    (0..8).for_each(|n| put(catalog.as_ref(), &format!("{n}")).unwrap());
    drop(catalog);
    world.disk.set_space(world.disk.used_bytes());
    for n in 0..8 {
        let catalog = open(&world).unwrap();
        assert_eq!(put(catalog.as_ref(), "x").unwrap_err().kind(), ErrorKind::Full, "start {n}");
        let mut transaction = Transaction::default();
        transaction.frees_room().remove(format!("{n}").into_bytes());
        block_on(catalog.commit(transaction)).unwrap_or_else(|e| panic!("start {n}: {e}"));
        drop(catalog);
        world.disk.kill();
    }
    world.disk.set_space(1 << 30);
    let catalog = open(&world).unwrap();
    assert!(rows(catalog.as_ref()).is_empty());
    put(catalog.as_ref(), "x").unwrap();
}

/// A file system that copies on write needs room for what is written over, too.
#[test]
fn a_full_disk_that_writes_nothing_over_takes_changes_that_free_room() {
    let world = world(1);
    let catalog = open(&world).unwrap();
    ["a", "b", "c"].iter().for_each(|key| put(catalog.as_ref(), key).unwrap());
    let full =
        |path: &str, times| world.disk.fail(Fault::no_space(Op::Write).on(path).times(times));
    let remove = |catalog: &dyn Catalog, key: &str| {
        let mut transaction = Transaction::default();
        transaction.frees_room().remove(key.into());
        block_on(catalog.commit(transaction))
    };
    full("catalog/log-", 1);
    assert_eq!(put(catalog.as_ref(), "x").unwrap_err().kind(), ErrorKind::Full);
    put(catalog.as_ref(), "y").unwrap();
    full("catalog/log-", 1);
    remove(catalog.as_ref(), "a").unwrap();
    full("journal/catalog", 1);
    remove(catalog.as_ref(), "b").unwrap();
    let served = rows(catalog.as_ref());
    assert_eq!(served.len(), 2);
    drop(catalog);
    world.disk.crash(1);
    // The new witness, and the old one.
    full("journal/catalog", 2);
    let catalog = open(&world).unwrap();
    assert_eq!(rows(catalog.as_ref()), served);
    full("catalog/log-", 1);
    remove(catalog.as_ref(), "c").unwrap();
    drop(catalog);
    world.disk.crash(2);
    assert_eq!(rows(open(&world).unwrap().as_ref()).len(), 1);
}

/// What a snapshot has was synced: a start needs no room to prove it.
#[test]
fn a_full_disk_lets_a_start_be_that_a_snapshot_proves() {
    let world = after_failed_sync(1);
    world.disk.kill();
    // The start proves `b` by a snapshot, and cannot say so.
    world.disk.fail(Fault::io(Op::Write).on("journal/catalog").times(u64::MAX));
    assert!(open(&world).is_err());
    world.disk.kill();
    let full = Fault::no_space(Op::Write).on("catalog/").times(u64::MAX);
    world.disk.fail(full);
    let catalog = open(&world).unwrap();
    assert!(catalog.get(b"a").is_some() && catalog.get(b"b").is_some());
}

/// Whatever fails while logs rotate: acknowledged rows stay, and a restart is whole.
#[test]
fn any_single_failing_operation() {
    let ops = [Op::Create, Op::Write, Op::Sync, Op::SyncDir, Op::Rename, Op::Remove, Op::Open];
    for (i, op) in ops.into_iter().enumerate() {
        for after in 0..24 {
            let seed = i as u64 * 100 + after;
            let what = format!("{op:?} number {after}");
            let (world, rng, mut model) = (world(seed), SeededRng::new(seed), Model::new());
            let catalog = open(&world).unwrap();
            world.disk.fail(Fault::io(op).after(after));
            let mut maybe = Model::new();
            for _ in 0..40 {
                let done = step(catalog.as_ref(), &rng, &mut model, &mut maybe);
                if !done && catalog.trouble().is_some_and(|t| t.contains("until a restart")) {
                    break;
                }
                // It refused for now, or it did it: either way there is no doubt.
                maybe.clone_from(&model);
            }
            assert_eq!(rows(catalog.as_ref()), model, "{what}");
            drop(catalog);
            world.disk.crash(seed);
            let found = rows(open(&world).unwrap_or_else(|e| panic!("{what}: {e}")).as_ref());
            assert!(found == model || found == maybe, "{what}: rows are neither");
        }
    }
}

#[test]
fn an_unreadable_log_is_refused_and_read_later() {
    let world = world(1);
    let catalog = open(&world).unwrap();
    put(catalog.as_ref(), "a").unwrap();
    drop(catalog);
    world.disk.fail(Fault::io(Op::Read).on("log-").times(2));
    let refused = open(&world).err().unwrap();
    assert_eq!(refused.kind(), ErrorKind::Corrupt);
    assert!(refused.to_string().contains("injected I/O error"), "{refused}");
    world.disk.heal();
    assert!(open(&world).unwrap().get(b"a").is_some());
}
