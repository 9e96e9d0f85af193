//! Rot: told with file and offset, the rest stays readable, nothing is deleted.

use super::*;
use std::path::PathBuf;

/// 100 records in segments of a closed engine, and the world around it.
fn closed() -> World {
    let mut world = World::new(still());
    for _ in 0..4 {
        world.fill(1, 25);
        world.spill(1);
    }
    world.close();
    world
}

fn flip(world: &World, path: &Path, offset: u64) {
    world.fake.disk.flip_bit(path, offset * 8);
}

#[test]
fn a_damaged_segment_block_hides_no_other_record() {
    let mut world = closed();
    let files = world.files("seg");
    assert!(files.len() >= 2, "{files:?}");
    // In the magic, in the length, and in the body of the fourth frame of the first segment.
    for at in [3, 12, 500] {
        let frame_bytes = (64 + 6 + 3 + 1000_u64).next_multiple_of(8);
        let offset = frame_bytes * 3;
        flip(&world, &files[0], offset + at);
        world.start().unwrap();
        let log = world.log(1);
        assert_eq!(block_on(log.read(0, 100, 1 << 20)).unwrap().next_ordinal, 3, "byte {at}");
        let told = block_on(log.read(3, 100, 1 << 20)).unwrap_err();
        assert_eq!(told.kind(), ErrorKind::Corrupt);
        let place = format!("`{}` offset {offset}", files[0].display());
        assert!(told.to_string().contains(&place), "{told} {place}");
        let mut next = 4;
        while next < 100 {
            let read = block_on(log.read(next, 100, 1 << 20)).unwrap();
            assert!(read.records.iter().all(|r| r.data == text(r.ordinal)));
            next = read.next_ordinal;
        }
        drop(log);
        world.close();
        let report = world.verify().unwrap();
        assert!(
            report.damages.iter().any(|d| d.path == files[0] && d.offset == offset),
            "{report:?}"
        );
        flip(&world, &files[0], offset + at);
    }
}

#[test]
fn missing_and_short_segments_are_told() {
    let mut world = closed();
    let files = world.files("seg");
    let bytes = world.fake.disk.bytes(&files[0]);
    world.fake.disk.plant(&files[0], &bytes[..4096]);
    world.start().unwrap();
    let log = world.log(1);
    assert_eq!(block_on(log.read(0, 100, 1 << 20)).unwrap().next_ordinal, 3);
    assert_eq!(block_on(log.read(3, 100, 1 << 20)).unwrap_err().kind(), ErrorKind::Corrupt);
    drop(log);
    world.close();
    world.fake.disk.plant(&files[0], &bytes);
    world.fake.env().disk.remove(&files[1]).unwrap();
    world.start().unwrap();
    let lost = segment::Segment::parse(&files[1]).unwrap().first_ordinal;
    let told = block_on(world.log(1).read(lost, 100, 1 << 20)).unwrap_err();
    assert_eq!(told.kind(), ErrorKind::Corrupt);
    world.close();
    assert!(!world.verify().unwrap().damages.is_empty());
}

#[test]
fn a_damaged_index_is_made_anew() {
    let mut world = closed();
    for file in world.files("seg") {
        let len = world.fake.disk.bytes(&file).len() as u64;
        flip(&world, &file, len - 20);
    }
    world.start().unwrap();
    check_filled(&world.log(1));
}

#[test]
fn a_damaged_commit_in_the_journal_refuses_the_start() {
    let mut world = World::new(still());
    world.fill(1, 20);
    let file = world.files("journal")[0].clone();
    world.fake.disk.kill();
    world.local = None;
    // The first block is the restart record, then one commit a record: this is ordinal 9.
    let offset = 4096 * 10;
    flip(&world, &file, offset + 100);
    let told = world.start().unwrap_err();
    assert_eq!(told.kind(), ErrorKind::Corrupt);
    assert!(told.to_string().contains(&format!("`{}` offset {offset}", file.display())), "{told}");
    let report = world.verify().unwrap();
    assert_eq!((report.damages.len(), report.damages[0].offset), (1, offset), "{report:?}");
    world.options.cut_damaged_journal = true;
    let recovery = world.start().unwrap();
    assert!(recovery.cut_bytes > 0);
    assert_eq!(world.log(1).tail().next_ordinal, 9);
    world.options.cut_damaged_journal = false;
    world.fill(1, 5);
    world.kill().unwrap();
    assert_eq!(world.log(1).tail().next_ordinal, 14);
    check_filled(&world.log(1));
}

#[test]
fn a_torn_last_commit_is_dropped_and_counted() {
    let mut world = World::new(still());
    world.fill(1, 10);
    let file = world.files("journal")[0].clone();
    world.fake.disk.kill();
    world.local = None;
    flip(&world, &file, 4096 * 10 + 100);
    let recovery = world.start().unwrap();
    assert!(recovery.torn_bytes > 1000, "{recovery:?}");
    assert_eq!(world.log(1).tail().next_ordinal, 9);
    world.fill(1, 1);
    world.kill().unwrap();
    check_filled(&world.log(1));
}

/// A start copies the last commit to another file, which counts from then on: damage there must not
/// make the original the end of the journal.
#[test]
fn damage_in_a_commit_that_a_start_copied_is_no_end() {
    let mut world = World::new(still());
    world.fill(1, 10);
    world.kill().unwrap();
    world.fill(1, 5);
    let salt = world.engine().salt;
    let incarnation = |path: &PathBuf| {
        frame::Header::decode(&world.fake.disk.bytes(path), salt).map(|header| header.incarnation)
    };
    let file = world.files("journal").into_iter().max_by_key(incarnation).unwrap();
    world.fake.disk.kill();
    world.local = None;
    for at in [10, 100] {
        flip(&world, &file, at);
        let told = world.start().unwrap_err();
        assert_eq!(told.kind(), ErrorKind::Corrupt, "byte {at}: {told}");
        flip(&world, &file, at);
    }
    world.start().unwrap();
    assert_eq!(world.log(1).tail().next_ordinal, 15);
    check_filled(&world.log(1));
}

#[test]
fn a_record_cannot_pass_for_damage() {
    let mut world = World::new(still());
    world.fill(1, 3);
    // A client that knows the layout, but not the directory's salt, plants headers in its record.
    let planted = frame::Header {
        body_crc: 0,
        body_bytes: 0,
        incarnation: u32::MAX,
        records: 1,
        lsn: u64::MAX,
        log: LogId(1),
        first_ordinal: 0,
        arrival_ms: 0,
        flags: 1,
        behind: 0,
    };
    let bytes = planted.encode(frame::Salt(0)).repeat(100);
    let mut batch = BatchBuilder::default();
    (0..8).for_each(|pad| batch.push(&b"12345678"[..pad], &bytes));
    let log = world.log(1);
    block_on(log.append(batch, None).unwrap()).unwrap();
    let file = world.files("journal")[0].clone();
    drop(log);
    world.fake.disk.kill();
    world.local = None;
    flip(&world, &file, 4096 * 4 + 70);
    world.start().unwrap();
    assert_eq!(world.log(1).tail().next_ordinal, 3);
}

#[test]
fn a_journal_without_its_checkpoint_is_refused() {
    let mut world = World::new(small());
    world.fill(1, 3);
    world.fake.disk.kill();
    world.local = None;
    for copy in ["checkpoint.0", "checkpoint.1"] {
        world.fake.env().disk.remove(&Path::new(DIR).join("journal").join(copy)).unwrap();
    }
    let told = world.start().unwrap_err();
    assert_eq!(told.kind(), ErrorKind::Corrupt);
}

/// The block that the start wrote, and what was acknowledged behind it.
fn check_damaged_first_block(clean: bool) {
    let mut world = World::new(still());
    if clean {
        world.fill(1, 3);
        world.close();
        world.start().unwrap();
    }
    let restart_at = world.engine().journal.live_bytes() - 4096;
    let before = world.log(1).tail().next_ordinal;
    world.fill(1, 5);
    let file = world.files("journal")[0].clone();
    world.fake.disk.kill();
    world.local = None;
    flip(&world, &file, restart_at + 10);
    let told = world.start().unwrap_err();
    assert_eq!(told.kind(), ErrorKind::Corrupt);
    let place = format!("`{}` offset {restart_at}", file.display());
    assert!(told.to_string().contains(&place), "{told} {place}");
    flip(&world, &file, restart_at + 10);
    world.start().unwrap();
    assert_eq!(world.log(1).tail().next_ordinal, before + 5);
    check_filled(&world.log(1));
}

#[test]
fn damage_where_the_journal_begins_is_no_empty_journal() {
    check_damaged_first_block(false);
    check_damaged_first_block(true);
}

/// The restart record and the header behind it, with a commit so large that the next header is far.
#[test]
fn damage_over_two_headers_behind_a_clean_shutdown_is_no_end() {
    let bytes = 8 << 20;
    let large = Options { journal_first_bytes: bytes, journal_file_bytes_max: bytes, ..still() };
    let mut world = World::new(Options { batch_bytes_max: 3 << 20, ..large });
    world.fill(1, 3);
    world.close();
    world.start().unwrap();
    let restart_at = world.engine().journal.live_bytes() as usize - 4096;
    put(&world.log(1), &"large".repeat(400_000));
    put(&world.log(1), "small");
    let file = world.files("journal")[0].clone();
    world.fake.disk.kill();
    world.local = None;
    let mut damaged = world.fake.disk.bytes(&file);
    damaged[restart_at..restart_at + 8192].fill(0);
    world.fake.disk.plant(&file, &damaged);
    let told = world.start().unwrap_err();
    assert_eq!(told.kind(), ErrorKind::Corrupt, "{told}");
}

#[test]
fn copies_of_a_checkpoint_that_differ_are_made_alike_by_the_next_start() {
    let mut world = World::new(small());
    let copies =
        ["checkpoint.0", "checkpoint.1"].map(|copy| Path::new(DIR).join("journal").join(copy));
    for copy in &copies {
        world.fill(1, 20);
        let old = world.fake.disk.bytes(copy);
        world.close();
        let new = world.fake.disk.bytes(copy);
        // The power went between the two, or one of them rotted.
        for one in [&old[..], &new[..40]] {
            world.fake.disk.plant(copy, one);
            world.start().unwrap();
            let [first, second] = copies.each_ref().map(|copy| world.fake.disk.bytes(copy));
            assert_eq!(first, new);
            assert_eq!(second, new);
            world.local = None;
        }
        world.start().unwrap();
    }
    check_filled(&world.log(1));
}

#[test]
fn segments_without_a_journal_are_refused_and_kept() {
    let mut world = closed();
    let segments = world.files("seg");
    for file in world.fake.disk.files() {
        if file.starts_with(Path::new(DIR).join("journal")) {
            world.fake.env().disk.remove(&file).unwrap();
        }
    }
    let told = world.start().unwrap_err();
    assert_eq!(told.kind(), ErrorKind::Corrupt);
    assert!(told.to_string().contains("/data/segments"), "{told}");
    assert_eq!(world.files("seg"), segments);
}
