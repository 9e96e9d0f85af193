//! The operating system's files.

#![expect(clippy::disallowed_methods, reason = "this is the one place behind the `Disk` seam")]

use super::{Disk, DiskFile, FileSystem, Open, Space};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Files of the operating system, created readable by their owner only.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsDisk;

impl OsDisk {
    /// Opens a file for one reading from front to back. A pipe can be read only so: it has no
    /// offsets.
    ///
    /// # Errors
    /// The operating system's.
    pub fn reader(&self, path: &Path) -> io::Result<impl io::Read + AsFd + Send + use<>> {
        open_file(path, Open::Read)
    }
}

const OWNER_ONLY: u32 = 0o600;

fn open_file(path: &Path, how: Open) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).mode(OWNER_ONLY);
    match how {
        Open::Read => options.open(path),
        Open::Write => options.write(true).create(true).truncate(false).open(path),
        Open::CreateNew => options.write(true).create_new(true).open(path),
        Open::WriteDirect => {
            options.write(true).create(true).truncate(false);
            let direct = rustix::fs::OFlags::DIRECT.bits().cast_signed();
            match options.clone().custom_flags(direct).open(path) {
                Err(e) if e.kind() == io::ErrorKind::InvalidInput => options.open(path),
                other => other,
            }
        }
    }
}

impl Disk for OsDisk {
    fn open(&self, path: &Path, how: Open) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(OsFile(open_file(path, how)?)))
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        use std::os::unix::fs::DirBuilderExt;
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        let mut names = std::fs::read_dir(path)?
            .map(|entry| entry.map(|e| e.path()))
            .collect::<io::Result<Vec<_>>>()?;
        names.sort();
        Ok(names)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        path.try_exists()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        match std::fs::remove_dir_all(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn file_system(&self, path: &Path) -> io::Result<Arc<dyn FileSystem>> {
        Ok(Arc::new(OsFileSystem(File::open(path)?)))
    }

    fn space(&self, path: &Path) -> io::Result<Space> {
        let s = rustix::fs::statvfs(path)?;
        Ok(Space { free_bytes: s.f_bavail * s.f_frsize, total_bytes: s.f_blocks * s.f_frsize })
    }

    fn lock(&self, path: &Path, how: Open) -> io::Result<Box<dyn Send + Sync>> {
        let file = open_file(path, how)?;
        rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive)?;
        Ok(Box::new(file))
    }
}

struct OsFileSystem(File);

impl FileSystem for OsFileSystem {
    fn sync_all(&self) -> io::Result<()> {
        Ok(rustix::fs::syncfs(&self.0)?)
    }
}

struct OsFile(File);

impl DiskFile for OsFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut done = 0;
        while done < buf.len() {
            match self.0.read_at(&mut buf[done..], offset + done as u64) {
                Ok(0) => break,
                Ok(n) => done += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(done)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at(buf, offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }
}
