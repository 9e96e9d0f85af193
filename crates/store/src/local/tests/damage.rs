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
            report.damages.iter().any(|d| d.file == files[0] && d.offset == offset),
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
fn a_log_without_its_segments_refuses_the_start() {
    let mut world = closed();
    let files: Vec<_> =
        world.files("seg").into_iter().map(|f| (f.clone(), world.fake.disk.bytes(&f))).collect();
    let disk = world.fake.env().disk;
    let segments = Path::new(DIR).join("segments");
    for gone in [files[0].0.parent().unwrap(), &segments] {
        disk.remove_dir_all(gone).unwrap();
        let told = world.start().unwrap_err();
        assert_eq!(told.kind(), ErrorKind::Corrupt);
        let place = format!("`{}`", files[0].0.parent().unwrap().display());
        assert!(told.to_string().contains(&place), "{told}");
        assert!(!world.verify().unwrap().damages.is_empty());
        disk.create_dir_all(files[0].0.parent().unwrap()).unwrap();
        files.iter().for_each(|(path, bytes)| world.fake.disk.plant(path, bytes));
    }
    world.start().unwrap();
    check_filled(&world.log(1));
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
    // A reader that had seen ordinal 19 must not take a later record for it.
    let begin = 9 + u64::from(frame::GAP_ORDINALS);
    assert_eq!(world.log(1).tail().next_ordinal, begin);
    world.options.cut_damaged_journal = false;
    world.fill(1, 5);
    world.kill().unwrap();
    assert_eq!(world.log(1).tail().next_ordinal, begin + 5);
    check_filled(&world.log(1));
    world.close();
    assert_eq!(world.verify().unwrap().damages, []);
    world.start().unwrap();
    check_filled(&world.log(1));
    assert_eq!(
        data(&world.log(1), 8),
        [8, begin, begin + 1, begin + 2, begin + 3, begin + 4].map(text)
    );
}

/// Damage takes the rest of the log that it lies in; other logs lose nothing.
#[test]
fn a_cut_takes_no_more_than_it_must() {
    let mut world = World::new(still());
    for n in 0..10 {
        assert_eq!(put(&world.log(1), &text(n)), n);
        assert_eq!(put(&world.log(2), &text(n)), n);
    }
    let file = world.files("journal")[0].clone();
    world.fake.disk.kill();
    world.local = None;
    // Ordinal 4 of log 1.
    flip(&world, &file, 4096 * 9 + 100);
    world.options.cut_damaged_journal = true;
    world.start().unwrap();
    let (begin, gap) = (10 + u64::from(frame::GAP_ORDINALS), u64::from(frame::GAP_ORDINALS));
    assert_eq!(world.log(1).tail().next_ordinal, 4 + gap);
    assert_eq!(data(&world.log(2), 0), (0..10).map(text).collect::<Vec<_>>());
    assert_eq!(world.log(2).tail().next_ordinal, begin);
    // The damage is behind us, whatever comes next.
    world.options.cut_damaged_journal = false;
    for _ in 0..2 {
        world.fake.disk.kill();
        world.local = None;
        assert_eq!(world.verify().unwrap().damages, []);
        world.start().unwrap();
        assert_eq!(data(&world.log(1), 0), (0..4).map(text).collect::<Vec<_>>());
        assert_eq!(data(&world.log(2), 0), (0..10).map(text).collect::<Vec<_>>());
    }
    assert_eq!(put(&world.log(2), &text(begin)), begin);
}

/// The newest file of a journal of several: gone, empty, cut short, or all zeros.
#[test]
fn a_lost_end_of_the_journal_is_told_and_no_copy_is_destroyed() {
    let mut world = World::new(Options { segment_bytes_max: 8 << 20, ..small() });
    let full = || world.files("journal").len();
    until("there are files to go on in", || full() == 3);
    world.fill(1, 700);
    world.fill(2, 3);
    let newest = world.engine().journal.snapshot().0.file;
    let file = journal::path_of(&Path::new(DIR).join("journal"), newest);
    world.engine().journal.note_durable().unwrap();
    world.fake.disk.kill();
    world.local = None;
    let (bytes, segments) = (world.fake.disk.bytes(&file), world.files("seg"));
    let held: Vec<Vec<u8>> = segments.iter().map(|f| world.fake.disk.bytes(f)).collect();
    let zeros = vec![0; bytes.len()];
    for left in [None, Some(&bytes[..0]), Some(&bytes[..8192]), Some(&zeros[..])] {
        match left {
            None => world.fake.env().disk.remove(&file).unwrap(),
            Some(left) => world.fake.disk.plant(&file, left),
        }
        let told = world.start().unwrap_err();
        assert_eq!(told.kind(), ErrorKind::Corrupt, "{told}");
        assert!(!world.verify().unwrap().damages.is_empty(), "{left:?}");
        let now: Vec<Vec<u8>> = segments.iter().map(|f| world.fake.disk.bytes(f)).collect();
        assert!(now == held, "a segment was changed");
        world.fake.disk.plant(&file, &bytes);
    }
    world.start().unwrap();
    assert_eq!(world.log(1).tail().next_ordinal, 700);
    check_filled(&world.log(1));
}

/// What nobody vouches for in the roster, the segments may prove.
#[test]
fn segments_that_know_more_than_the_journal_refuse_the_start() {
    for whole in [true, false] {
        let mut world = World::new(still());
        world.fill(1, 5);
        if whole {
            world.spill(1);
            world.fill(1, 5);
        } else {
            world.fill(2, 5);
            world.spill(2);
        }
        world.spill(1);
        let file = world.files("journal")[0].clone();
        world.fake.disk.kill();
        world.local = None;
        world.forget_newest();
        // As if nothing of it had ever reached the disk.
        let mut bytes = world.fake.disk.bytes(&file);
        bytes[4096 * 3..].fill(0);
        world.fake.disk.plant(&file, &bytes);
        let segments = world.files("seg");
        // Of a log that the journal still knows: refused at once; else when its owner opens it.
        let told = world.start().unwrap_err();
        assert_eq!(told.kind(), ErrorKind::Corrupt, "{told}");
        assert!(told.to_string().contains("/segments/01/"), "{told}");
        assert!(world.verify().unwrap().damages.iter().any(|d| d.what.contains("lost")));
        assert_eq!(world.files("seg"), segments);
        // Whoever gives them up can start, and goes on behind what was lost.
        world.options.cut_damaged_journal = true;
        world.start().unwrap();
        world.options.cut_damaged_journal = false;
        let next = world.log(1).tail().next_ordinal;
        assert!(next > u64::from(frame::GAP_ORDINALS), "{next}");
        assert_eq!(put(&world.log(1), &text(next)), next);
        world.kill().unwrap();
        check_filled(&world.log(1));
    }
}

/// A log that was lost whole must not begin anew, also when the start that gave it up is cut short.
#[test]
fn that_logs_were_lost_is_known_until_a_clean_stop() {
    let mut world = World::new(still());
    world.fill(1, 3);
    world.fill(2, 3);
    let file = world.files("journal")[0].clone();
    world.fake.disk.kill();
    world.local = None;
    flip(&world, &file, 4096 * 4 + 100);
    world.options.cut_damaged_journal = true;
    world.start().unwrap();
    world.options.cut_damaged_journal = false;
    // Before its owner has opened it.
    world.kill().unwrap();
    assert!(world.log(2).tail().next_ordinal >= u64::from(frame::GAP_ORDINALS));
    world.close();
    world.start().unwrap();
    assert_eq!(world.log(3).tail().next_ordinal, 0);
}

/// A volume of its own for the segments has a directory that only root may read.
#[test]
fn what_is_no_log_in_the_directory_of_segments_is_passed_over() {
    let mut world = World::new(small());
    world.fill(1, 50);
    world.fake.disk.plant(Path::new("/data/segments/lost+found"), b"");
    world.kill().unwrap();
    check_filled(&world.log(1));
    assert_eq!(world.log(1).tail().next_ordinal, 50);
}

#[test]
fn a_log_that_only_its_segments_know_is_refused_to_its_owner() {
    let mut world = World::new(still());
    world.fill(1, 5);
    world.fill(2, 5);
    world.spill(2);
    let file = world.files("journal")[0].clone();
    world.fake.disk.kill();
    world.local = None;
    world.forget_newest();
    let mut bytes = world.fake.disk.bytes(&file);
    bytes[4096 * 4..].fill(0);
    world.fake.disk.plant(&file, &bytes);
    world.start().unwrap();
    let told = block_on(world.local().open(LogId(2))).err().unwrap();
    assert_eq!(told.kind(), ErrorKind::Corrupt, "{told}");
    // Its owner may have removed it.
    block_on(world.local().remove(&[LogId(2)])).unwrap();
    assert!(world.files("seg").is_empty());
    block_on(world.local().open(LogId(2))).unwrap();
}

/// Zeros over more than any commit, with intact commits behind them.
#[test]
fn a_wide_hole_in_the_journal_is_no_end() {
    let bytes = 32 << 20;
    let large = Options { journal_first_bytes: bytes, journal_file_bytes_max: bytes, ..still() };
    let mut world = World::new(large);
    for _ in 0..100 {
        put(&world.log(1), &"large".repeat(50_000));
    }
    let file = world.files("journal")[0].clone();
    world.fake.disk.kill();
    world.local = None;
    let mut damaged = world.fake.disk.bytes(&file);
    damaged[1 << 20..23 << 20].fill(0);
    world.fake.disk.plant(&file, &damaged);
    let told = world.start().unwrap_err();
    assert_eq!(told.kind(), ErrorKind::Corrupt, "{told}");
    assert!(!world.verify().unwrap().damages.is_empty());
}

/// The last commit can be told from a torn one as soon as the roster vouches for it.
#[test]
fn damage_in_the_last_commit_is_told_after_a_moment() {
    let mut world = World::new(still());
    world.fill(1, 10);
    until("the roster vouches for it", || {
        world.tick();
        world.engine().journal.roster().durable_lsn == 11
    });
    let file = world.files("journal")[0].clone();
    world.fake.disk.kill();
    world.local = None;
    flip(&world, &file, 4096 * 10 + 100);
    let told = world.start().unwrap_err();
    assert_eq!(told.kind(), ErrorKind::Corrupt, "{told}");
    flip(&world, &file, 4096 * 10 + 100);
    world.start().unwrap();
    assert_eq!(world.log(1).tail().next_ordinal, 10);
}

#[test]
fn a_journal_without_its_roster_is_refused() {
    let mut world = World::new(small());
    world.fill(1, 3);
    world.fake.disk.kill();
    world.local = None;
    world.fake.env().disk.remove(&Path::new(DIR).join("journal/roster")).unwrap();
    let told = world.start().unwrap_err();
    assert_eq!(told.kind(), ErrorKind::Corrupt);
    assert!(told.to_string().contains("roster"), "{told}");
    assert_eq!(world.verify().unwrap().damages.len(), 1);
}

/// Frames of one log, both intact, in each other's places.
#[test]
fn encrypted_batches_cannot_change_places() {
    let mut world = World::new(still());
    world.local().keys().insert("alias/a", &[3; KEY_BYTES]).unwrap();
    let log = world.log(1);
    for data in ["one", "two"] {
        block_on(log.append(batch(data), Some("alias/a")).unwrap()).unwrap();
    }
    drop(log);
    world.close();
    let segment = world.files("seg")[0].clone();
    let mut bytes = world.fake.disk.bytes(&segment);
    let salt = {
        world.start().unwrap();
        let salt = world.engine().salt;
        world.local = None;
        salt
    };
    let first = frame::Header::decode(&bytes, salt).unwrap();
    let second = frame::Header::decode(&bytes[first.frame_bytes()..], salt).unwrap();
    assert_eq!(first.body_bytes, second.body_bytes);
    // Whoever can write the disk can make headers too.
    let body = |at: usize| at + 64..at + 64 + first.body_bytes as usize;
    let (one, two) = (bytes[body(0)].to_vec(), bytes[body(first.frame_bytes())].to_vec());
    for (at, header, data) in [(0, first, two), (first.frame_bytes(), second, one)] {
        let header = frame::Header { body_crc: crc32c::crc32c(&data), ..header };
        bytes[at..at + 64].copy_from_slice(&header.encode(salt));
        bytes[body(at)].copy_from_slice(&data);
    }
    world.fake.disk.plant(&segment, &bytes);
    world.start().unwrap();
    world.local().keys().insert("alias/a", &[3; KEY_BYTES]).unwrap();
    let told = block_on(world.log(1).read(0, 10, 1 << 20)).unwrap_err();
    assert_eq!(told.kind(), ErrorKind::Corrupt, "{told}");
}

#[test]
fn a_torn_last_commit_is_dropped_and_counted() {
    let mut world = World::new(still());
    world.fill(1, 10);
    let file = world.files("journal")[0].clone();
    world.fake.disk.kill();
    world.local = None;
    world.forget_newest();
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
    world.fake.disk.kill();
    world.local = None;
    world.forget_newest();
    world.start().unwrap();
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
    world.forget_newest();
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
