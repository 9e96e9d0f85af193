//! Room kept for the moment when the disk has none.
//!
//! Removing trimmed segments takes a checkpoint that says so, and a checkpoint takes room: on a
//! disk that is full to the last block a trim could never free anything. So a file of no use lies
//! beside the journal; it goes when a checkpoint does not fit, and comes back as soon as that is
//! written.

use super::journal::failed;
use crate::{ErrorKind, Result};
use base::Env;
use base::env::Open;
use std::io;
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
        let bytes_max = journal_first_bytes / PART;
        Self { env: env.clone(), path: journal_dir.join(NAME), bytes_max, bytes: 0 }
    }

    /// Makes the file unless it is there in full size.
    ///
    /// # Errors
    /// `Full`, `Unavailable` the disk refused.
    pub(crate) fn keep(&mut self) -> Result<()> {
        if self.bytes == self.bytes_max {
            return Ok(());
        }
        self.fill(self.bytes_max).map_err(|e| failed("write", &self.path, &e))
    }

    /// Runs `work`; when the disk is full, again in the room that was kept, which is then taken
    /// back.
    pub(crate) fn make_room(&mut self, work: impl Fn() -> Result<()>) -> Result<()> {
        match work() {
            Err(e) if e.kind() == ErrorKind::Full && self.give() => {
                let done = work();
                // Why at once: what comes next may fill the room, and then nothing is left for the
                // checkpoint that would free some.
                let max = self.bytes_max;
                let taken = (0..HALVES_MAX).any(|halves| self.fill(max >> halves).is_ok());
                tracing::warn!(taken, "the disk is full: used the room that is kept for that");
                done
            }
            done => done,
        }
    }

    fn give(&mut self) -> bool {
        self.bytes = 0;
        self.env.disk.remove(&self.path).is_ok()
    }

    fn fill(&mut self, bytes: u64) -> io::Result<()> {
        let written = self.write(bytes);
        if written.is_err() {
            // A part would be room that nobody knows of.
            drop(self.env.disk.remove(&self.path));
        }
        self.bytes = if written.is_ok() { bytes } else { 0 };
        written
    }

    fn write(&self, bytes: u64) -> io::Result<()> {
        let file = self.env.disk.open(&self.path, Open::Write)?;
        // Why not zeros: some file systems give no room to them.
        let mut chunk = vec![0; CHUNK_BYTES];
        for offset in (file.len()?..bytes).step_by(CHUNK_BYTES) {
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
    }
}
