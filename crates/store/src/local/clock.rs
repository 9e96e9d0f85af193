//! The last known time, for the next start: see [`ClockGuard`].
//!
//! File `CLOCK` of the data directory: two slots, at 0 and at 4096, written in turn and each within
//! one sector, so that a torn write leaves the other. Written at a start, at a stop, every few
//! minutes, and when the clock comes to be in doubt or is trusted again. It is never in the way of
//! records: without it the wall clock is trusted as it is.
//!
//! All numbers little endian.
//!
//! | offset | bytes | field |
//! | --- | --- | --- |
//! | 0 | 8 | magic `MWCLOCK1` |
//! | 8 | 4 | CRC-32C of everything from 12 |
//! | 12 | 4 | gaps |
//! | 16 | 8 | sequence number: the higher one is newer |
//! | 24 | 8 | the time, ms |
//! | 32 | 8 | since when the wall clock is in doubt, ms; -2^63: it is not |
//! | 40 | 16 | the machine's start; 0: unknown |
//! | 56 | 8 | how long before that was, ms |
//! | 64 | 256 | for each gap 8 bytes from, 8 bytes until, ms; zeros |

use base::Env;
use base::env::{ClockGuard, Gap, Known, Open, Uptime};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

const FILE: &str = "CLOCK";
const MAGIC: [u8; 8] = *b"MWCLOCK1";
const HEAD_BYTES: usize = 64;
const GAP_BYTES: usize = 16;
const SLOT_BYTES: usize = HEAD_BYTES + Known::GAPS_MAX * GAP_BYTES;
const SLOT_STEP: u64 = 4096;
const NO_DOUBT: i64 = i64::MIN;

/// How old what is written down may become.
const PERIOD: Duration = Duration::from_mins(3);

/// See the module.
pub(crate) struct ClockFile {
    env: Env,
    dir: PathBuf,
    sequence: u64,
    /// What was written last, and when that was tried.
    written: Option<Known>,
    tried_at: Option<Duration>,
}

impl ClockFile {
    /// Looks for the file of a data directory; what it says.
    pub(crate) fn load(env: &Env, dir: &Path) -> (Self, Option<Known>) {
        let path = dir.join(FILE);
        let newest = match read(env, &path) {
            Ok(slots) => {
                if slots.iter().all(Option::is_none) {
                    tracing::warn!(file = %path.display(), "the last known time cannot be read");
                }
                slots.into_iter().flatten().max_by_key(|(sequence, _)| *sequence)
            }
            Err(e) => {
                if e.kind() != io::ErrorKind::NotFound {
                    let file = path.display();
                    tracing::warn!(%file, error = %e, "the last known time cannot be read");
                }
                None
            }
        };
        let (sequence, known) = newest.unzip();
        let (env, dir) = (env.clone(), dir.to_owned());
        let sequence = sequence.unwrap_or_default();
        (Self { env, dir, sequence, written: None, tried_at: None }, known)
    }

    /// Writes down what is known when that is due.
    pub(crate) fn keep(&mut self, guard: &ClockGuard) {
        let known = guard.known();
        let changed = self.written.as_ref().is_none_or(|written| {
            (written.doubt_from_ms, &written.gaps) != (known.doubt_from_ms, &known.gaps)
        });
        let now = self.env.clock.monotonic();
        let pause = if changed { PERIOD / 60 } else { PERIOD };
        if self.tried_at.is_none_or(|at| now.saturating_sub(at) >= pause) {
            self.write(known);
        }
    }

    /// Writes down what is known now.
    pub(crate) fn save(&mut self, guard: &ClockGuard) {
        self.write(guard.known());
    }

    fn write(&mut self, known: Known) {
        let failed_before = self.tried_at.is_some() && self.written.is_none();
        self.tried_at = Some(self.env.clock.monotonic());
        self.written = match self.try_write(&known) {
            Ok(()) => Some(known),
            Err(e) => {
                if !failed_before {
                    tracing::warn!(error = %e, "the time cannot be written down: trying again");
                }
                None
            }
        };
    }

    fn try_write(&mut self, known: &Known) -> io::Result<()> {
        let (disk, path) = (&self.env.disk, self.dir.join(FILE));
        let is_new = !disk.exists(&path)?;
        let file = disk.open(&path, Open::Write)?;
        // Also after a failure: the other slot is whole.
        let sequence = self.sequence + 1;
        let bytes = encode(sequence, known);
        if is_new {
            // Both, so that a full disk is in the way of neither.
            file.write_at(&bytes, (sequence + 1) % 2 * SLOT_STEP)?;
        }
        file.write_at(&bytes, sequence % 2 * SLOT_STEP)?;
        file.sync_data()?;
        if self.written.is_none() {
            // Also of a file that the last process made: it may have ended before this.
            disk.sync_dir(&self.dir)?;
        }
        self.sequence = sequence;
        Ok(())
    }
}

type Slot = Option<(u64, Known)>;

fn read(env: &Env, path: &Path) -> io::Result<[Slot; 2]> {
    let file = env.disk.open(path, Open::Read)?;
    let mut slots = [None, None];
    for (slot, at) in slots.iter_mut().zip([0, SLOT_STEP]) {
        let mut bytes = [0; SLOT_BYTES];
        file.read_at(&mut bytes, at)?;
        *slot = decode(&bytes);
    }
    Ok(slots)
}

fn encode(sequence: u64, known: &Known) -> [u8; SLOT_BYTES] {
    let mut bytes = [0; SLOT_BYTES];
    let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
    put(0, &MAGIC);
    put(12, &(known.gaps.len() as u32).to_le_bytes());
    put(16, &sequence.to_le_bytes());
    put(24, &known.now_ms.to_le_bytes());
    put(32, &known.doubt_from_ms.unwrap_or(NO_DOUBT).to_le_bytes());
    if let Some(uptime) = known.uptime {
        put(40, &uptime.boot.to_le_bytes());
        put(56, &uptime.passed_ms.to_le_bytes());
    }
    for (gap, at) in known.gaps.iter().zip((HEAD_BYTES..).step_by(GAP_BYTES)) {
        put(at, &gap.from_ms.to_le_bytes());
        put(at + 8, &gap.until_ms.to_le_bytes());
    }
    let crc = crc32c::crc32c(&bytes[12..]);
    bytes[8..12].copy_from_slice(&crc.to_le_bytes());
    bytes
}

fn decode(bytes: &[u8; SLOT_BYTES]) -> Slot {
    let take = |at: usize| *bytes[at..].first_chunk::<8>().expect("fields lie in the slot");
    let number = |at: usize| i64::from_le_bytes(take(at));
    let [crc, gaps] = [8, 12].map(|at| number(at) as u32);
    if take(0) != MAGIC || crc != crc32c::crc32c(&bytes[12..]) || gaps > Known::GAPS_MAX as u32 {
        return None;
    }
    let boot = *bytes[40..].first_chunk().expect("fields lie in the slot");
    let boot = Some(u128::from_le_bytes(boot)).filter(|boot| *boot != 0);
    let gap = |n: u32| HEAD_BYTES + n as usize * GAP_BYTES;
    let known = Known {
        now_ms: number(24),
        doubt_from_ms: Some(number(32)).filter(|from_ms| *from_ms != NO_DOUBT),
        uptime: boot.map(|boot| Uptime { boot, passed_ms: number(56) }),
        gaps: (0..gaps)
            .map(|n| Gap { from_ms: number(gap(n)), until_ms: number(gap(n) + 8) })
            .collect(),
    };
    Some((u64::from_le_bytes(take(16)), known))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use testkit::sim_disk::{Fault, Op};

    fn sample(now_ms: i64) -> Known {
        let gap = |n: i64| Gap { from_ms: n - 5, until_ms: n * 7 };
        Known {
            now_ms,
            uptime: Some(Uptime { boot: u128::MAX - 1, passed_ms: 77 }),
            doubt_from_ms: Some(-3),
            gaps: (0..Known::GAPS_MAX as i64).map(gap).collect(),
        }
    }

    #[test]
    fn it_survives_the_trip_and_every_bit_counts() {
        let bare = Known { now_ms: -1, uptime: None, doubt_from_ms: None, gaps: Vec::new() };
        for known in [sample(5), bare] {
            let bytes = encode(9, &known);
            assert!(bytes.len() <= 512, "within a sector");
            assert_eq!(decode(&bytes), Some((9, known)));
            for bit in 0..bytes.len() * 8 {
                let mut changed = bytes;
                changed[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(decode(&changed), None, "bit {bit}");
            }
        }
    }

    /// The process that made the file ended before its name was durable.
    #[test]
    fn the_next_process_makes_the_name_durable() {
        for seed in 0..8 {
            let fake = testkit::fake_env(seed);
            let dir = Path::new("/d");
            fake.env().disk.create_dir_all(dir).unwrap();
            fake.env().disk.sync_dir(Path::new("/")).unwrap();
            fake.disk.fail(Fault::io(Op::SyncDir));
            ClockFile::load(&fake.env(), dir).0.try_write(&sample(1)).unwrap_err();
            fake.disk.kill();
            ClockFile::load(&fake.env(), dir).0.try_write(&sample(2)).unwrap();
            fake.disk.crash(seed);
            assert_eq!(ClockFile::load(&fake.env(), dir).1, Some(sample(2)), "seed {seed}");
        }
    }

    #[test]
    fn a_damaged_or_torn_slot_leaves_the_one_before() {
        let fake = testkit::fake_env(1);
        let (env, dir) = (fake.env(), Path::new("/d"));
        env.disk.create_dir_all(dir).unwrap();
        let (mut file, none) = ClockFile::load(&env, dir);
        assert_eq!(none, None);
        for now_ms in 1..=3 {
            file.try_write(&sample(now_ms)).unwrap();
        }
        assert_eq!(ClockFile::load(&env, dir).1, Some(sample(3)));
        // The third lies where the first did.
        fake.disk.flip_bit(&dir.join(FILE), SLOT_STEP * 8 + 999);
        let (mut file, known) = ClockFile::load(&env, dir);
        assert_eq!(known, Some(sample(2)));
        file.try_write(&sample(4)).unwrap();
        fake.disk.fail(Fault::io(Op::Write).on(FILE));
        file.try_write(&sample(5)).unwrap_err();
        assert_eq!(ClockFile::load(&env, dir).1, Some(sample(4)));
        file.try_write(&sample(6)).unwrap();
        assert_eq!(ClockFile::load(&env, dir).1, Some(sample(6)));
    }

    #[test]
    fn it_is_written_every_few_minutes_and_when_the_clock_is_in_doubt() {
        let fake = testkit::fake_env(1);
        let (env, dir) = (fake.env(), Path::new("/d"));
        env.disk.create_dir_all(dir).unwrap();
        let guard = ClockGuard::new(Arc::clone(&env.clock));
        let (mut file, _) = ClockFile::load(&env, dir);
        let kept = || ClockFile::load(&env, dir).1.unwrap();
        file.keep(&guard);
        let first = kept();
        fake.clock.advance(PERIOD.saturating_sub(Duration::from_secs(1)));
        file.keep(&guard);
        assert_eq!(kept(), first);
        fake.clock.advance_ms(1000);
        file.keep(&guard);
        assert_eq!(kept().now_ms, first.now_ms + PERIOD.as_millis() as i64);
        fake.clock.jump_by(30 * 86_400_000);
        fake.clock.advance(PERIOD / 60);
        file.keep(&guard);
        assert_eq!(kept(), guard.known());
        assert!(kept().doubt_from_ms.is_some());
    }
}
