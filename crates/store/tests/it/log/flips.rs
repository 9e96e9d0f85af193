//! Rot under the local engine: every flipped bit is repaired, told with file and offset, or
//! refused; an altered record is never served and no file goes away because it cannot be read.

use super::local::{DATA, LocalRig};
use super::model::{Batch, Written};
use super::*;
use std::path::{Path, PathBuf};
use store::local::verify;
use store::{ErrorKind, LogId, Logs};
use testkit::{SeededRng, block_on, simulate};

const LOGS: u64 = 3;
const BATCHES: u64 = 60;

/// A data directory that nobody has open, and what it holds.
struct Closed {
    rig: LocalRig,
    models: Vec<ModelLog>,
    /// The log of the last batch, when the engine was killed: its commit looks torn when damaged.
    last: Option<usize>,
    /// Damage up to the end of the journal takes more commits than the last one.
    to_the_end: bool,
}

impl Closed {
    fn new(seed: u64, killed: bool) -> Self {
        let (rig, rng) = (LocalRig::new(seed), SeededRng::new(seed));
        let mut models: Vec<ModelLog> = (0..LOGS).map(|_| ModelLog::default()).collect();
        let engine = rig.open_local().unwrap();
        let mut which = 0;
        for stamp in 0..BATCHES {
            which = rng.index(LOGS as usize);
            let log = block_on(engine.open(LogId(which as u64 + 1))).unwrap();
            rig.world.clock.advance_ms(10);
            let encrypted = rng.chance(30);
            let batch = batch(stamp, encrypted, &rng);
            let first = models[which].assigned();
            let pending = log.append(batch.builder(), encrypted.then_some("alias/a")).unwrap();
            models[which].batches.push(batch);
            models[which].acknowledge(first, block_on(pending).unwrap());
        }
        if killed {
            rig.world.disk.kill();
        } else {
            block_on(engine.close()).unwrap();
        }
        drop(engine);
        rig.world.env().disk.file_system(Path::new("/")).unwrap().sync_all().unwrap();
        Self { rig, models, last: killed.then_some(which), to_the_end: false }
    }

    fn files(&self) -> Vec<PathBuf> {
        let lock = Path::new(DATA).join("LOCK");
        self.rig.world.disk.files().into_iter().filter(|path| *path != lock).collect()
    }

    /// Flips one bit of a copy and reports what became of it.
    fn flip(&self, path: &Path, bit: u64) -> Outcome {
        let rig = self.rig.copy();
        rig.world.disk.flip_bit(path, bit);
        self.outcome(&rig, &format!("bit {bit} of {}", path.display()))
    }

    /// What became of a damaged directory.
    fn outcome(&self, rig: &LocalRig, what: &str) -> Outcome {
        let found = damages(&rig.copy());
        let before = rig.world.disk.image();
        let outcome = match rig.open_local() {
            Ok(engine) => self.read_all(engine.as_ref(), what),
            Err(e) => {
                let told = matches!(e.kind(), ErrorKind::Corrupt | ErrorKind::Invalid);
                assert!(told && e.to_string().contains(DATA), "{what}: {:?}: {e}", e.kind());
                check_kept(&before, &rig.world.disk.image(), what);
                Outcome::Refused
            }
        };
        if outcome != Outcome::Repaired && outcome != Outcome::Torn {
            assert!(found != Some(0), "{what}: {outcome:?}, but verify found nothing");
        }
        outcome
    }

    fn read_all(&self, engine: &dyn Logs, what: &str) -> Outcome {
        let mut outcome = Outcome::Repaired;
        for (i, id) in (1..=LOGS).enumerate() {
            let model = &self.models[i];
            let log = block_on(engine.open(LogId(id))).unwrap();
            let tail = log.tail();
            if tail.next_ordinal < model.sure && self.to_the_end {
                assert!(self.last.is_some(), "{what}: log {id} lost its end: {tail:?}");
                outcome = Outcome::Torn;
            } else if tail.next_ordinal < model.sure {
                assert_eq!(self.last, Some(i), "{what}: log {id} lost its end: {tail:?}");
                assert_eq!(tail.next_ordinal, model.last_start(), "{what}: log {id}: {tail:?}");
                outcome = Outcome::Torn;
            }
            for from in tail.first_ordinal..tail.next_ordinal {
                match block_on(log.read(from, 1, 1 << 20)) {
                    Ok(got) => {
                        assert_eq!(got.records.len(), 1, "{what}: log {id} at {from}");
                        model.check_record(from, &got.records[0]);
                    }
                    Err(e) => {
                        assert_eq!(e.kind(), ErrorKind::Corrupt, "{what}: log {id} at {from}: {e}");
                        assert!(e.to_string().contains(DATA), "{what}: {e}");
                        outcome = Outcome::Told;
                    }
                }
            }
        }
        outcome
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Outcome {
    /// Everything is there.
    Repaired,
    /// The last commit of a killed process is gone, as if it had been torn.
    Torn,
    /// Some reads fail and say where.
    Told,
    /// The engine does not start and says where.
    Refused,
}

fn batch(stamp: u64, encrypted: bool, rng: &SeededRng) -> Batch {
    let len = if rng.chance(30) { 10_000 + rng.index(30_000) } else { rng.index(900) };
    let data = (stamp + 1).to_le_bytes().repeat(len / 8 + 1);
    let record = |n: u8| Written { key: vec![b'a' + n; 3], data: data.clone() };
    let records = (0..=(stamp % 3) as u8).map(record).collect();
    Batch { records, encrypted, arrival_ms: None }
}

/// A refusal keeps every file as it was, but for those that were never finished.
fn check_kept(before: &[(PathBuf, Vec<u8>)], after: &[(PathBuf, Vec<u8>)], what: &str) {
    let finished = before.iter().filter(|(path, _)| path.extension().is_none_or(|e| e != "new"));
    for (path, bytes) in finished {
        let kept = after.iter().find(|(p, _)| p == path);
        assert!(kept.is_some_and(|(_, now)| now == bytes), "{what}: {} changed", path.display());
    }
}

/// How many damages verify finds; `None` when it refuses to look.
fn damages(rig: &LocalRig) -> Option<usize> {
    let report =
        verify(&*store::data_dir::look(Path::new(DATA), &rig.world.env()).ok()?, |_| ()).ok()?;
    Some(report.damages.len())
}

/// At most `count` bits of bytes that mean something, and a few of the zeros. A kill may leave a
/// file that was just made and has none.
fn bits(bytes: &[u8], count: usize, rng: &SeededRng) -> Vec<u64> {
    if bytes.is_empty() {
        return Vec::new();
    }
    let used: Vec<u64> = (0..bytes.len() as u64).filter(|i| bytes[*i as usize] != 0).collect();
    let any = |_| used.get(rng.index(used.len())).map(|byte| byte * 8 + rng.below(8));
    let zeros = (0..count.div_ceil(20)).map(|_| rng.below(bytes.len() as u64 * 8));
    (0..count).filter_map(any).chain(zeros).collect()
}

fn check_flips(killed: bool) {
    let mut counts = [0; 4];
    simulate(2, |seed| {
        let closed = Closed::new(seed, killed);
        assert_eq!(damages(&closed.rig.copy()), Some(0), "nothing is damaged yet");
        let rng = SeededRng::new(seed);
        for path in closed.files() {
            let bytes = closed.rig.world.disk.bytes(&path);
            for bit in bits(&bytes, 20, &rng) {
                counts[closed.flip(&path, bit) as usize] += 1;
            }
        }
    });
    println!("repaired, torn, told, refused: {counts:?}");
    assert!(counts.iter().sum::<u32>() > 200, "{counts:?}");
}

#[test]
fn flips_after_a_clean_close() {
    check_flips(false);
}

#[test]
fn flips_after_a_kill() {
    check_flips(true);
}

/// Every byte of every header counts, wherever a frame lies.
#[test]
fn flips_in_frame_headers() {
    let closed = Closed::new(3, true);
    let rng = SeededRng::new(3);
    for path in closed.files() {
        let bytes = closed.rig.world.disk.bytes(&path);
        let headers: Vec<usize> =
            (0..bytes.len()).step_by(8).filter(|at| bytes[*at..].starts_with(b"MWF1")).collect();
        for at in headers {
            if rng.chance(30) {
                closed.flip(&path, (at as u64 + rng.below(64)) * 8 + rng.below(8));
            }
        }
    }
}

#[test]
fn a_lost_segment_is_told_and_the_rest_is_served() {
    let closed = Closed::new(5, false);
    let segments = closed.files();
    let segments = segments.iter().filter(|path| path.to_string_lossy().contains("/segments/"));
    for path in segments {
        let rig = closed.rig.copy();
        rig.world.env().disk.remove(path).unwrap();
        rig.world.env().disk.file_system(Path::new("/")).unwrap().sync_all().unwrap();
        let what = format!("without {}", path.display());
        assert_eq!(closed.outcome(&rig, &what), Outcome::Told, "{what}");
    }
}

#[test]
fn larger_damage_anywhere() {
    simulate(60, |seed| {
        let mut closed = Closed::new(seed % 3, seed % 2 == 0);
        let rng = SeededRng::new(seed);
        let files = closed.files();
        let path = &files[rng.index(files.len())];
        let mut bytes = closed.rig.world.disk.bytes(path);
        let used = bytes.iter().rposition(|b| *b != 0).unwrap_or(0) + 1;
        let (at, len) = (rng.index(used), 1 + rng.index(20_000));
        let end = (at + len).min(bytes.len());
        let kind = rng.below(3);
        // Behind the last whole frame that it leaves nothing tells what had been there.
        let left = &bytes[end..];
        let frame = left.windows(4).any(|w| w == b"MWF1");
        closed.to_the_end = kind == 2 || !frame;
        match kind {
            0 => bytes[at..end].fill(0),
            1 => bytes[at..end].iter_mut().for_each(|b| *b ^= 0x5a),
            _ => bytes.truncate(at),
        }
        let rig = closed.rig.copy();
        rig.world.disk.plant(path, &bytes);
        closed.outcome(&rig, &format!("seed {seed}: {len} bytes at {at} of {}", path.display()));
    });
}
