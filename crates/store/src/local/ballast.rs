//! Room kept for the moment when the disk has none.
//!
//! Removing trimmed segments takes a checkpoint that says so, and a checkpoint takes room: on a
//! disk that is full to the last block a trim could never free anything. So a file of no use lies
//! beside the journal; it goes when a checkpoint does not fit, and comes back as soon as that is
//! written. Another one lies beside the catalog, for the changes that free room.

use super::journal::failed;
use crate::{ErrorKind, Result};
use base::Env;
use base::env::{DiskFile, Open};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

const NAME: &str = "ballast";
/// Which part of the first journal file's size is kept.
const PART: u64 = 4;
const CHUNK_BYTES: usize = 16 << 10;
/// How often the room that is taken back is halved until it fits.
const HALVES_MAX: u32 = 4;

/// See the module. Only the keeper has it, and before it runs whoever opens the journal.
pub(crate) struct Ballast {
    env: Env,
    path: PathBuf,
    bytes_max: u64,
    bytes: u64,
}

impl Ballast {
    /// The ballast of a journal's directory, not looked at yet.
    pub(crate) fn new(env: &Env, journal_dir: &Path, journal_first_bytes: u64) -> Self {
        Self::of(env, journal_dir, journal_first_bytes / PART)
    }

    /// The ballast of a directory, not looked at yet.
    pub(crate) fn of(env: &Env, dir: &Path, bytes_max: u64) -> Self {
        Self { env: env.clone(), path: dir.join(NAME), bytes_max, bytes: 0 }
    }

    /// Keeps more from now on, if it is more.
    pub(crate) fn grow(&mut self, bytes_max: u64) {
        self.bytes_max = self.bytes_max.max(bytes_max);
    }

    /// Makes the file unless it is there in full size.
    ///
    /// # Errors
    /// `Full`, `Unavailable` the disk refused.
    pub(crate) fn keep(&mut self) -> Result<()> {
        if self.bytes >= self.bytes_max {
            return Ok(());
        }
        self.fill(self.bytes_max).map_err(|e| failed("write", &self.path, &e))
    }

    /// Runs `work`; when the disk is full, again in the room that was kept, which is then taken
    /// back.
    pub(crate) fn make_room<T>(&mut self, mut work: impl FnMut() -> Result<T>) -> Result<T> {
        match work() {
            Err(e) if e.kind() == ErrorKind::Full && self.give() => {
                let done = work();
                self.take_back();
                done
            }
            done => done,
        }
    }

    /// Gives the room away; whether there was some.
    pub(crate) fn give(&mut self) -> bool {
        self.bytes = 0;
        self.env.disk.remove(&self.path).is_ok()
    }

    /// Takes back what is left of it. Why at once: what comes next may fill the room, and then
    /// nothing is left for the checkpoint that would free some.
    pub(crate) fn take_back(&mut self) {
        let max = self.bytes_max;
        let taken = (0..HALVES_MAX).any(|halves| self.fill(max >> halves).is_ok());
        tracing::warn!(taken, "the disk is full: used the room that is kept for that");
    }

    /// Fills the file up; what does not fit leaves it as it was.
    fn fill(&mut self, bytes: u64) -> io::Result<()> {
        let file = self.env.disk.open(&self.path, Open::Write)?;
        let had_bytes = file.len()?;
        let written = self.write(&*file, had_bytes..bytes);
        self.bytes = if written.is_ok() { bytes } else { had_bytes };
        if written.is_err() && (had_bytes == 0 || file.set_len(had_bytes).is_err()) {
            self.give();
        }
        written
    }

    fn write(&self, file: &dyn DiskFile, bytes: Range<u64>) -> io::Result<()> {
        // Why not zeros: some file systems give no room to them.
        let mut chunk = vec![0; CHUNK_BYTES];
        for offset in bytes.step_by(CHUNK_BYTES) {
            self.env.rng.fill(&mut chunk);
            file.write_at(&chunk, offset)?;
        }
        file.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_room_gives_it_and_takes_it_back() {
        let fake = testkit::fake_env(1);
        let env = fake.env();
        env.disk.create_dir_all(Path::new("/j")).unwrap();
        let mut ballast = Ballast::new(&env, Path::new("/j"), 1 << 20);
        fake.disk.set_space(128 << 10);
        assert_eq!(ballast.keep().unwrap_err().kind(), ErrorKind::Full);
        assert_eq!(fake.disk.used_bytes(), 0, "a part of it helps nobody");
        fake.disk.set_space(256 << 10);
        ballast.keep().unwrap();
        assert_eq!(fake.disk.used_bytes(), 256 << 10);
        // The next process takes it over.
        let mut ballast = Ballast::new(&env, Path::new("/j"), 1 << 20);
        ballast.keep().unwrap();
        let write = |path: &str| {
            let written = env
                .disk
                .open(Path::new(path), Open::Write)
                .and_then(|file| file.write_at(&[1; 4096], 0));
            written.map_err(Into::into)
        };
        ballast.make_room(|| write("/j/a")).unwrap();
        assert_eq!(fake.disk.used_bytes(), (128 << 10) + 4096, "half of it fits beside that");
        fake.disk.set_space(fake.disk.used_bytes());
        ballast.make_room(|| write("/j/b")).unwrap();
        fake.disk.set_space(1 << 20);
        ballast.keep().unwrap();
        assert_eq!(fake.disk.used_bytes(), (256 << 10) + 2 * 4096);
        // What more does not fit costs nothing of it.
        fake.disk.set_space(fake.disk.used_bytes() + (32 << 10));
        ballast.grow(512 << 10);
        assert_eq!(ballast.keep().unwrap_err().kind(), ErrorKind::Full);
        assert_eq!(fake.disk.used_bytes(), (256 << 10) + 2 * 4096);
    }
}
