//! The seams to the world: time, randomness and files.
//!
//! Everything that must replay from a seed takes an [`Env`] instead of calling the system.
//! `millweir` wires the real ones, `testkit` the simulated ones.

use std::fmt;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

mod clock_guard;
mod os_disk;
mod system;
mod turns;
pub use clock_guard::{ClockGuard, Gap, Known, Uptime};
pub use os_disk::OsDisk;
pub use system::{SystemClock, SystemRng};
pub use turns::{Gate, Thread, Turns};

/// A sleep that a [`Clock`] hands out.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Wall and monotonic time.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since the Unix epoch; may jump either way.
    fn now_ms(&self) -> i64;
    /// Time since an arbitrary start; never goes back.
    fn monotonic(&self) -> Duration;
    /// As `monotonic`, with the time that the machine slept where the system knows it.
    fn uptime(&self) -> Duration {
        self.monotonic()
    }
    /// The machine's start that `uptime` counts from: two processes that are told the same one can
    /// compare theirs. `None`: nothing can be said.
    fn boot(&self) -> Option<u128> {
        None
    }
    /// Resolves once `duration` of monotonic time has passed.
    fn sleep(&self, duration: Duration) -> Sleep;
}

/// A source of random bytes.
pub trait Rng: Send + Sync + 'static {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);

    /// Sixteen random bytes.
    fn bytes16(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        bytes
    }
}

/// How a file is opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Open {
    /// For reading; must exist.
    Read,
    /// For reading and writing; made when absent.
    Write,
    /// As `Write`, bypassing the page cache where the file system allows it: offsets, lengths and
    /// buffers are then multiples of 4 KiB. Falls back to buffered writing where refused.
    WriteDirect,
    /// For reading and writing; must not exist.
    CreateNew,
}

/// The files of one data directory.
pub trait Disk: Send + Sync + 'static {
    /// Opens a file.
    fn open(&self, path: &Path, how: Open) -> io::Result<Arc<dyn DiskFile>>;
    /// Makes a directory and its parents; fine when present.
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;
    /// Names of the entries of a directory, sorted.
    fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>>;
    /// Whether a file or directory of this name exists.
    fn exists(&self, path: &Path) -> io::Result<bool>;
    /// Renames a file, replacing `to`. Durable after `sync_dir` of the parent.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file. Durable after `sync_dir` of the parent.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Removes a directory and all below it; fine when absent.
    fn remove_dir_all(&self, path: &Path) -> io::Result<()>;
    /// Makes the names in a directory durable.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// A handle to the file system that holds the directory `path`.
    fn file_system(&self, path: &Path) -> io::Result<Arc<dyn FileSystem>>;
    /// Bytes still free on, and in total of, the file system that holds `path`.
    fn space(&self, path: &Path) -> io::Result<Space>;
    /// Locks a file for this process until the answer is dropped; it is opened as `how` says.
    ///
    /// # Errors
    /// `WouldBlock` when another process holds it.
    fn lock(&self, path: &Path, how: Open) -> io::Result<Box<dyn Send + Sync>>;
}

/// Room on a file system, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Space {
    /// Free for this process.
    pub free_bytes: u64,
    /// Size of the file system.
    pub total_bytes: u64,
}

/// An open file system.
pub trait FileSystem: Send + Sync + 'static {
    /// Whether `sync_all` makes files durable here and tells when it could not. Where it does not,
    /// each file and each directory must be synced by itself.
    fn syncs_all(&self) -> bool;
    /// Makes every dirty file durable (`syncfs`).
    ///
    /// Tells of every page that could not be written since the handle was opened or told last. Why
    /// a handle: the kernel tells a new one nothing of what another process was told already.
    fn sync_all(&self) -> io::Result<()>;
}

/// One open file.
pub trait DiskFile: Send + Sync + 'static {
    /// Reads into `buf` at `offset`; returns fewer bytes only at the end of the file.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes all of `buf` at `offset`.
    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()>;
    /// Makes the file's bytes durable (`fdatasync`). After an error the file's state is unknown:
    /// callers never retry on the same pages.
    fn sync_data(&self) -> io::Result<()>;
    /// Length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Cuts or extends the file.
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// Whether the file is empty.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
}

/// The seams together; cheap to clone.
#[derive(Clone)]
pub struct Env {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub rng: Arc<dyn Rng>,
    /// Files.
    pub disk: Arc<dyn Disk>,
    /// Who runs, in a simulation that replays from a seed; elsewhere the system decides.
    pub turns: Option<Arc<dyn Turns>>,
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Env")
    }
}
