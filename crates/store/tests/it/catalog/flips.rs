//! Rot: a flipped bit is repaired wherever it is; larger damage is repaired or refused, and nothing
//! is deleted.

use super::*;
use std::path::PathBuf;
use testkit::simulate;

/// A closed catalog with two snapshots and logs of both generations, and its rows.
fn closed(seed: u64) -> (FakeEnv, Model) {
    let (world, rng, mut model) = (world(seed), SeededRng::new(seed), Model::new());
    let catalog = open(&world).unwrap();
    let mut maybe = Model::new();
    while !two_generations(&world) || rng.chance(80) {
        assert!(step(catalog.as_ref(), &rng, &mut model, &mut maybe));
    }
    drop(catalog);
    world.env().disk.file_system(Path::new("/")).unwrap().sync_all().unwrap();
    (world, model)
}

fn two_generations(world: &FakeEnv) -> bool {
    let files = world.disk.files();
    files.iter().filter(|f| f.to_string_lossy().contains("snapshot-")).count() == 2
}

fn copy(world: &FakeEnv) -> FakeEnv {
    FakeEnv { disk: world.disk.durable_copy(0), ..world.clone() }
}

/// `count` bits of bytes that mean something, and a few of the zeros between and after.
fn bits(bytes: &[u8], count: usize, rng: &SeededRng) -> Vec<u64> {
    let used: Vec<u64> = (0..bytes.len() as u64).filter(|i| bytes[*i as usize] != 0).collect();
    let any = |_| used[rng.index(used.len())] * 8 + rng.below(8);
    let zeros = (0..count.div_ceil(10)).map(|_| rng.below(bytes.len() as u64 * 8));
    (0..count).map(any).chain(zeros).collect()
}

#[test]
fn every_single_flip_is_repaired() {
    simulate(2, |seed| {
        let (world, model) = closed(seed);
        let rng = SeededRng::new(seed);
        let mut flips = 0;
        for (path, bytes) in world.disk.image() {
            for bit in bits(&bytes, 40, &rng) {
                let what = format!("seed {seed}, bit {bit} of {}", path.display());
                let world = copy(&world);
                world.disk.flip_bit(&path, bit);
                flips += 1;
                check_repaired(&world, &model, &what);
            }
        }
        assert!(flips > 150, "{flips} flips");
    });
}

fn check_repaired(world: &FakeEnv, model: &Model, what: &str) {
    let damages = LocalCatalog::verify(Path::new(DATA), &world.env()).unwrap().damages;
    let catalog = open(world).unwrap_or_else(|e| panic!("{what}: {e}"));
    assert_eq!(&rows(catalog.as_ref()), model, "{what}, verify said {damages:?}");
    drop(catalog);
    world.disk.crash(1);
    let catalog = open(world).unwrap_or_else(|e| panic!("{what}, second start: {e}"));
    assert_eq!(&rows(catalog.as_ref()), model, "{what}, second start");
}

#[test]
fn verify_finds_every_flip_in_headers_and_rows() {
    let (world, _) = closed(3);
    let rng = SeededRng::new(3);
    // What is kept for a full disk means nothing.
    let files = world.disk.image().into_iter().filter(|(path, _)| !path.ends_with("ballast"));
    for (path, bytes) in files {
        let rows_end = bytes.iter().rposition(|b| *b != 0).unwrap() as u64;
        for _ in 0..60 {
            let byte = rng.below(rows_end);
            if bytes[byte as usize] == 0 {
                continue;
            }
            let world = copy(&world);
            world.disk.flip_bit(&path, byte * 8 + rng.below(8));
            let damages = LocalCatalog::verify(Path::new(DATA), &world.env()).unwrap().damages;
            assert!(damages.iter().any(|d| d.file == path), "byte {byte} of {}", path.display());
        }
    }
}

/// Damages `bytes` from `at` on of a file and answers what opening says, after checking that a
/// refusal changes nothing.
fn open_damaged(world: &FakeEnv, path: &Path, at: usize, len: usize) -> Result<Model> {
    let world = copy(world);
    let mut bytes = world.disk.bytes(path);
    let end = (at + len).min(bytes.len());
    bytes[at..end].iter_mut().for_each(|byte| *byte ^= 0x5a);
    world.disk.plant(path, &bytes);
    let before = world.disk.image();
    match open(&world) {
        Ok(catalog) => Ok(rows(catalog.as_ref())),
        Err(e) => {
            assert_eq!(world.disk.image(), before, "a refusal changes nothing");
            let damages = LocalCatalog::verify(Path::new(DATA), &world.env()).unwrap().damages;
            assert!(damages.iter().any(|d| d.file == path), "verify names {}", path.display());
            Err(e)
        }
    }
}

fn newest(world: &FakeEnv, prefix: &str) -> PathBuf {
    let files = world.disk.files();
    let named = |path: &&PathBuf| path.to_string_lossy().contains(prefix);
    files.iter().rfind(named).unwrap().clone()
}

#[test]
fn a_hole_in_the_newest_log_is_refused_with_file_and_offset() {
    let (world, _) = closed(5);
    let catalog = open(&world).unwrap();
    for i in 0..4_u8 {
        let mut transaction = Transaction::default();
        transaction.put(vec![i], vec![i]);
        block_on(catalog.commit(transaction)).unwrap();
    }
    drop(catalog);
    let path = newest(&world, "log-");
    // Both copies of the second frame: headers take 8192 bytes, each copy of a small frame 4096.
    let refused = open_damaged(&world, &path, 16_384, 8_192).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Corrupt);
    let want = format!("`{}` is corrupt at offset 16384", path.display());
    assert!(refused.to_string().contains(&want), "{refused}");
    let refused = open_damaged(&world, &path, 0, 8_192).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Corrupt, "both headers");
}

#[test]
fn a_ruined_snapshot_is_rebuilt_from_the_older_generation_and_kept_aside() {
    let (world, model) = closed(7);
    let path = newest(&world, "snapshot-");
    let len = world.disk.bytes(&path).len();
    assert_eq!(open_damaged(&world, &path, 0, len).unwrap(), model);
    // The ruined bytes are still there after the repair, whatever their name.
    let world = copy(&world);
    world.disk.plant(&path, b"ruined");
    drop(open(&world).unwrap());
    assert!(world.disk.image().iter().any(|(_, bytes)| bytes == b"ruined"));
}

#[test]
fn both_snapshots_ruined_are_refused() {
    let (world, _) = closed(9);
    for path in world.disk.files() {
        if path.to_string_lossy().contains("snapshot-") {
            world.disk.flip_bit(&path, 600);
        }
    }
    let before = world.disk.image();
    let refused = open(&world).err().unwrap();
    assert_eq!(refused.kind(), ErrorKind::Corrupt);
    assert!(refused.to_string().contains("snapshot-"), "{refused}");
    assert_eq!(world.disk.image(), before);
}

#[test]
fn a_missing_log_is_refused() {
    let (world, _) = closed(11);
    world.env().disk.remove(&newest(&world, "log-")).unwrap();
    let refused = open(&world).err().unwrap();
    assert_eq!(refused.kind(), ErrorKind::Corrupt);
    assert!(refused.to_string().contains("missing"), "{refused}");
}

fn commit_one(catalog: &LocalCatalog, key: &[u8]) {
    let mut transaction = Transaction::default();
    transaction.put(key.to_vec(), b"v".to_vec());
    block_on(catalog.commit(transaction)).unwrap();
}

fn check_refused_as_cut(world: &FakeEnv, what: &str) {
    let before = world.disk.image();
    let refused = open(world).err().unwrap_or_else(|| panic!("{what}: a loss nobody saw"));
    assert_eq!(refused.kind(), ErrorKind::Corrupt, "{what}");
    let said = refused.to_string();
    assert!(said.contains("log-") && said.contains("put back a copy"), "{what}: {said}");
    assert_eq!(world.disk.image(), before, "{what}: a refusal changes nothing");
    let damages = LocalCatalog::verify(Path::new(DATA), &world.env()).unwrap().damages;
    assert!(!damages.is_empty(), "{what}: verify sees it");
}

/// Whole frames are gone: what is left is intact, and looks like a catalog that ended there.
#[test]
fn a_log_cut_between_two_frames_is_refused() {
    let (world, _) = closed(5);
    let catalog = open(&world).unwrap();
    for key in 0..4_u8 {
        commit_one(&catalog, &[key]);
    }
    drop(catalog);
    let path = newest(&world, "log-");
    for frames_left in 0..4 {
        let world = copy(&world);
        let mut bytes = world.disk.bytes(&path);
        bytes[8_192 * (1 + frames_left)..].fill(0);
        world.disk.plant(&path, &bytes);
        check_refused_as_cut(&world, &format!("{frames_left} frames left"));
        bytes.truncate(8_192 * (1 + frames_left));
        world.disk.plant(&path, &bytes);
        check_refused_as_cut(&world, &format!("cut to {frames_left} frames"));
    }
}

#[test]
fn an_older_copy_of_the_catalog_is_refused() {
    simulate(6, |seed| {
        let (world, rng, mut model) = (world(seed), SeededRng::new(seed), Model::new());
        let catalog = open(&world).unwrap();
        let mut maybe = Model::new();
        let mut work = |catalog: &LocalCatalog, steps: usize| {
            for _ in 0..steps {
                assert!(step(catalog, &rng, &mut model, &mut maybe));
            }
        };
        work(&catalog, seed as usize * 3);
        let older = world.disk.image();
        work(&catalog, seed as usize);
        commit_one(&catalog, b"one more");
        drop(catalog);
        let is_catalog = |path: &Path| path.starts_with(Path::new(DATA).join("catalog"));
        for path in world.disk.files().iter().filter(|path| is_catalog(path)) {
            world.env().disk.remove(path).unwrap();
        }
        for (path, bytes) in older.iter().filter(|(path, _)| is_catalog(path)) {
            world.disk.plant(path, bytes);
        }
        check_refused_as_cut(&world, &format!("seed {seed}"));
    });
}

/// Without it nobody could tell a catalog that is cut.
#[test]
fn a_lost_witness_is_refused() {
    let (world, _) = closed(15);
    let catalog = open(&world).unwrap();
    commit_one(&catalog, b"a");
    drop(catalog);
    let witness = Path::new(DATA).join("journal/catalog");
    let bytes = world.disk.bytes(&witness);
    world.env().disk.remove(&witness).unwrap();
    let refused = open(&world).err().unwrap();
    assert_eq!(refused.kind(), ErrorKind::Corrupt);
    assert!(refused.to_string().contains("`/data/journal/catalog`"), "{refused}");
    assert!(!LocalCatalog::verify(Path::new(DATA), &world.env()).unwrap().damages.is_empty());
    world.disk.plant(&witness, &bytes);
    drop(open(&world).unwrap());
}

#[test]
fn random_damage_never_changes_a_row() {
    let (mut repaired, mut refused) = (0, 0);
    simulate(40, |seed| {
        let (world, model) = closed(100 + seed % 4);
        let rng = SeededRng::new(seed);
        let files = world.disk.image();
        let (path, bytes) = &files[rng.index(files.len())];
        let at = rng.index(bytes.len());
        match open_damaged(&world, path, at, 1 + rng.index(20_000)) {
            Ok(rows) => {
                assert_eq!(rows, model, "seed {seed}: {} at {at}", path.display());
                repaired += 1;
            }
            Err(e) => {
                assert_eq!(e.kind(), ErrorKind::Corrupt, "seed {seed}: {e}");
                refused += 1;
            }
        }
    });
    assert!(repaired > 0, "repaired {repaired}, refused {refused}");
}

#[test]
fn a_newer_format_is_refused() {
    let (world, _) = closed(13);
    let path = newest(&world, "log-");
    let mut bytes = world.disk.bytes(&path);
    for at in [0, 4096] {
        let header = &mut bytes[at..at + 64];
        header[8] = 9;
        let crc = crc32c::crc32c_append(crc32c::crc32c(&header[..12]), &header[16..]);
        header[12..16].copy_from_slice(&crc.to_le_bytes());
    }
    world.disk.plant(&path, &bytes);
    let refused = open(&world).err().unwrap();
    assert_eq!(refused.kind(), ErrorKind::Invalid);
    assert!(refused.to_string().contains("has format 9, this program reads up to 1"), "{refused}");
}

#[test]
fn a_catalog_lost_beside_its_records_is_no_new_one() {
    let world = world(1);
    let disk = world.env().disk;
    disk.create_dir_all(&Path::new(DATA).join("journal")).unwrap();
    drop(open(&world).unwrap());
    disk.open(&Path::new(DATA).join("journal/0000.journal"), base::env::Open::Write).unwrap();
    drop(open(&world).unwrap());
    disk.remove_dir_all(&Path::new(DATA).join("catalog")).unwrap();
    let told = open(&world).err().unwrap();
    assert_eq!(told.kind(), ErrorKind::Corrupt);
    assert!(told.to_string().contains("/data/catalog"), "{told}");
    assert!(!LocalCatalog::verify(Path::new(DATA), &world.env()).unwrap().damages.is_empty());
}
