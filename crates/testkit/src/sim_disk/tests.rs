use super::*;
use crate::seeds;

fn disk() -> Arc<SimDisk> {
    let disk = SimDisk::new(1);
    disk.create_dir_all(Path::new("/d")).unwrap();
    disk.sync_dir(Path::new("/")).unwrap();
    disk
}

fn file(disk: &SimDisk, path: &str) -> Arc<dyn DiskFile> {
    disk.open(Path::new(path), Open::Write).unwrap()
}

#[test]
fn synced_bytes_and_names_survive_and_others_may_not() {
    let (mut kept, mut lost) = (0, 0);
    for seed in seeds(64) {
        let disk = disk();
        let a = file(&disk, "/d/a");
        a.write_at(b"durable", 0).unwrap();
        a.sync_data().unwrap();
        disk.sync_dir(Path::new("/d")).unwrap();
        a.write_at(b"pending", 0).unwrap();
        let _b = file(&disk, "/d/b");
        disk.crash(seed);
        let bytes = disk.bytes(Path::new("/d/a"));
        assert!(bytes == b"durable" || bytes == b"pending", "seed {seed}: {bytes:?}");
        *(if bytes == b"pending" { &mut kept } else { &mut lost }) += 1;
        assert!(a.read_at(&mut [0], 0).is_err(), "handles die with the machine");
    }
    assert!(kept > 0 && lost > 0, "kept {kept}, lost {lost}");
}

#[test]
fn a_write_can_tear_between_sectors() {
    let torn = (0..200).any(|seed| {
        let disk = disk();
        let a = file(&disk, "/d/a");
        a.set_len(2048).unwrap();
        a.sync_data().unwrap();
        disk.sync_dir(Path::new("/d")).unwrap();
        a.write_at(&[7; 2048], 0).unwrap();
        disk.crash(seed);
        let bytes = disk.bytes(Path::new("/d/a"));
        assert!(bytes.chunks(512).all(|s| s == [0; 512] || s == [7; 512]), "sectors are whole");
        bytes.contains(&0) && bytes.contains(&7)
    });
    assert!(torn);
}

#[test]
fn a_rename_without_sync_dir_is_old_or_new() {
    let (mut old, mut new) = (0, 0);
    for seed in 0..64 {
        let disk = disk();
        for (name, bytes) in [("/d/a", b"old"), ("/d/t", b"new")] {
            let f = file(&disk, name);
            f.write_at(bytes, 0).unwrap();
            f.sync_data().unwrap();
        }
        disk.sync_dir(Path::new("/d")).unwrap();
        disk.rename(Path::new("/d/t"), Path::new("/d/a")).unwrap();
        disk.crash(seed);
        match disk.bytes(Path::new("/d/a")).as_slice() {
            b"old" => old += 1,
            b"new" => new += 1,
            other => panic!("seed {seed}: {other:?}"),
        }
    }
    assert!(old > 0 && new > 0, "old {old}, new {new}");
}

#[test]
fn after_a_failed_sync_a_second_one_saves_nothing() {
    let lost = (0..32).any(|seed| {
        let disk = SimDisk::new(seed);
        let a = file(&disk, "/a");
        a.set_len(512).unwrap();
        a.sync_data().unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        a.write_at(&[9; 512], 0).unwrap();
        disk.fail(Fault::io(Op::Sync));
        assert!(a.sync_data().is_err());
        a.sync_data().unwrap();
        assert_eq!(disk.bytes(Path::new("/a")), [9; 512], "the cache still shows it");
        disk.crash(1);
        disk.bytes(Path::new("/a")) == [0; 512]
    });
    assert!(lost);
}

#[test]
fn a_planned_power_loss_fails_everything_until_the_crash() {
    let disk = disk();
    let a = file(&disk, "/d/a");
    disk.power_off_after(1);
    a.write_at(b"x", 0).unwrap();
    assert!(a.write_at(b"y", 1).is_err());
    assert!(disk.is_off());
    assert!(disk.list(Path::new("/d")).is_err());
    disk.crash(3);
    assert!(disk.list(Path::new("/d")).is_ok());
}

#[test]
fn a_killed_program_leaves_its_writes_in_the_cache_only() {
    let lost = (0..32).any(|seed| {
        let disk = disk();
        let a = file(&disk, "/d/a");
        disk.sync_dir(Path::new("/d")).unwrap();
        a.write_at(b"cached", 0).unwrap();
        disk.kill();
        assert!(a.write_at(b"x", 0).is_err(), "handles die with the program");
        assert_eq!(disk.bytes(Path::new("/d/a")), b"cached");
        disk.crash(seed);
        disk.bytes(Path::new("/d/a")).is_empty()
    });
    assert!(lost);
}

#[test]
fn a_full_disk_refuses_new_pages_and_takes_old_ones() {
    let disk = disk();
    disk.set_space(2 * PAGE_BYTES);
    let a = file(&disk, "/d/a");
    a.write_at(&[0; 8192], 0).unwrap();
    let full = a.write_at(&[1; 1], 8192).unwrap_err();
    assert_eq!(full.kind(), io::ErrorKind::StorageFull);
    a.write_at(&[1; 8192], 0).unwrap();
    assert_eq!(disk.space(Path::new("/d")).unwrap().free_bytes, 0);
    disk.remove(Path::new("/d/a")).unwrap();
    assert_eq!(disk.used_bytes(), 0);
}

#[test]
fn direct_io_must_be_aligned_and_locks_exclude() {
    let disk = disk();
    let a = disk.open(Path::new("/d/a"), Open::WriteDirect).unwrap();
    assert_eq!(a.write_at(&[0; 100], 0).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    let held = disk.lock(Path::new("/d/lock"), Open::Write).unwrap();
    let second = disk.lock(Path::new("/d/lock"), Open::Write).err().unwrap();
    assert_eq!(second.kind(), io::ErrorKind::WouldBlock);
    drop(held);
    disk.lock(Path::new("/d/lock"), Open::Write).unwrap();
}

#[test]
fn a_durable_copy_and_a_flipped_bit() {
    let disk = disk();
    let a = file(&disk, "/d/a");
    a.write_at(b"ab", 0).unwrap();
    a.sync_data().unwrap();
    disk.sync_dir(Path::new("/d")).unwrap();
    a.write_at(b"xy", 0).unwrap();
    let copy = disk.durable_copy(0);
    copy.flip_bit(Path::new("/d/a"), 8);
    assert_eq!(copy.bytes(Path::new("/d/a")), b"ac");
    assert_eq!(disk.bytes(Path::new("/d/a")), b"xy");
}

#[test]
fn files_of_a_directory_that_nobody_saved_go_with_it() {
    let gone = (0..16).filter(|seed| {
        let disk = SimDisk::new(*seed);
        disk.create_dir_all(Path::new("/a/b")).unwrap();
        let f = file(&disk, "/a/b/f");
        f.sync_data().unwrap();
        disk.sync_dir(Path::new("/a/b")).unwrap();
        disk.crash(*seed);
        !disk.exists(Path::new("/a/b/f")).unwrap()
    });
    assert!((2..16).contains(&gone.count()));
}
