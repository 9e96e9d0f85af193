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
        let dir = File::open(path)?;
        let kind = rustix::fs::fstatfs(&dir)?.f_type as u32;
        let kernel = rustix::system::uname();
        let syncs_all = syncfs_is_a_sync(kind, &kernel.release().to_string_lossy());
        Ok(Arc::new(OsFileSystem { dir, syncs_all }))
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

struct OsFileSystem {
    dir: File,
    syncs_all: bool,
}

impl FileSystem for OsFileSystem {
    fn syncs_all(&self) -> bool {
        self.syncs_all
    }

    fn sync_all(&self) -> io::Result<()> {
        Ok(rustix::fs::syncfs(&self.dir)?)
    }
}

/// File systems whose `sync_fs` waits for data and metadata: ext2, ext3 and ext4 (one number), XFS,
/// Btrfs, F2FS.
///
/// Why only these: syncfs answers 0 wherever a file system has no say in it. FUSE (virtiofs, too)
/// and 9p are asked nothing, or nothing that reaches the other side's fsync; overlayfs syncs the
/// layer below but tells no error of it; NFS and others are no one's promise.
const SYNCED_BY_SYNCFS: [u32; 4] = [0xef53, 0x5846_5342, 0x9123_683e, 0xf2f5_2010];

/// The first kernel whose syncfs tells of pages that could not be written: 5.8.
const SYNCFS_TELLS_SINCE: (u32, u32) = (5, 8);

/// Whether syncfs does what fsync of every file does, on a file system of this kind (`f_type`) and
/// a kernel of this release.
fn syncfs_is_a_sync(kind: u32, release: &str) -> bool {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else { return false };
    SYNCED_BY_SYNCFS.contains(&kind) && (major, minor) >= SYNCFS_TELLS_SINCE
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syncfs_is_believed_where_it_is_a_sync() {
        let (ext4, btrfs, fuse, v9fs) = (0xef53, 0x9123_683e, 0x6573_5546, 0x0102_1997);
        let (nfs, overlay, tmpfs) = (0x6969, 0x794c_7630, 0x0102_1994);
        for (kind, release, want) in [
            (ext4, "6.18.5", true),
            (btrfs, "5.8.0-rc1", true),
            (ext4, "5.15.0-113-generic", true),
            (ext4, "10.0", true),
            (ext4, "5.7.19", false),
            (ext4, "4.19.0-27-amd64", false),
            (ext4, "unknown", false),
            (ext4, "6", false),
            (fuse, "6.18.5", false),
            (v9fs, "6.18.5", false),
            (nfs, "6.18.5", false),
            (overlay, "6.18.5", false),
            (tmpfs, "6.18.5", false),
        ] {
            assert_eq!(syncfs_is_a_sync(kind, release), want, "{kind:x} {release}");
        }
    }

    #[test]
    fn an_open_file_system_is_judged() {
        let file_system = OsDisk.file_system(Path::new("/proc")).unwrap();
        assert!(!file_system.syncs_all());
    }

    fn bytes(file: &dyn DiskFile) -> Vec<u8> {
        let mut bytes = vec![0; file.len().unwrap() as usize];
        assert_eq!(file.read_at(&mut bytes, 0).unwrap(), bytes.len());
        bytes
    }

    #[test]
    fn how_files_are_opened() {
        let dir = tempfile::tempdir().unwrap();
        let (there, absent) = (dir.path().join("there"), dir.path().join("absent"));
        OsDisk.open(&there, Open::CreateNew).unwrap().write_at(b"abc", 0).unwrap();
        for (how, of_absent, of_there) in [
            (Open::Read, Some(io::ErrorKind::NotFound), None),
            (Open::Write, None, None),
            (Open::WriteDirect, None, None),
            (Open::CreateNew, None, Some(io::ErrorKind::AlreadyExists)),
        ] {
            let opened = OsDisk.open(&absent, how);
            assert_eq!(opened.err().map(|e| e.kind()), of_absent, "{how:?}");
            assert_eq!(OsDisk.exists(&absent).unwrap(), of_absent.is_none(), "{how:?}");
            let opened = OsDisk.open(&there, how);
            assert_eq!(opened.err().map(|e| e.kind()), of_there, "{how:?}");
            let kept = OsDisk.open(&there, Open::Read).unwrap();
            assert_eq!(bytes(&*kept), b"abc", "{how:?} keeps what is there");
            if of_absent.is_none() {
                OsDisk.remove(&absent).unwrap();
            }
        }
        let read_only = OsDisk.open(&there, Open::Read).unwrap();
        assert!(read_only.write_at(b"x", 0).is_err());
    }

    #[test]
    fn bytes_of_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = OsDisk.open(&dir.path().join("a"), Open::Write).unwrap();
        assert!(file.is_empty().unwrap());
        file.write_at(b"defg", 3).unwrap();
        file.write_at(b"abc", 0).unwrap();
        file.sync_data().unwrap();
        assert_eq!(bytes(&*file), b"abcdefg");
        for (offset, room, want) in
            [(0, 3, &b"abc"[..]), (5, 9, b"fg"), (7, 9, b""), (99, 1, b""), (2, 0, b"")]
        {
            let mut buf = vec![0; room];
            let read = file.read_at(&mut buf, offset).unwrap();
            assert_eq!(&buf[..read], want, "{offset} {room}");
        }
        file.set_len(2).unwrap();
        assert_eq!(bytes(&*file), b"ab");
        file.set_len(4).unwrap();
        assert_eq!((bytes(&*file), file.is_empty().unwrap()), (b"ab\0\0".to_vec(), false));
        let mut text = String::new();
        let mut reader = OsDisk.reader(&dir.path().join("a")).unwrap();
        io::Read::read_to_string(&mut reader, &mut text).unwrap();
        assert_eq!(text, "ab\0\0");
    }

    #[test]
    fn names_in_a_directory() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let names = |dir: &Path| {
            let listed = OsDisk.list(dir).unwrap().into_iter();
            let name = |path: PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
            listed.map(name).collect::<Vec<_>>()
        };
        for name in ["c", "a", "b"] {
            OsDisk.open(&at(name), Open::Write).unwrap().write_at(name.as_bytes(), 0).unwrap();
        }
        OsDisk.create_dir_all(&at("d/e/f")).unwrap();
        OsDisk.create_dir_all(&at("d/e/f")).unwrap();
        assert_eq!(names(dir.path()), ["a", "b", "c", "d"]);
        OsDisk.rename(&at("c"), &at("a")).unwrap();
        OsDisk.remove(&at("b")).unwrap();
        OsDisk.sync_dir(dir.path()).unwrap();
        assert_eq!(names(dir.path()), ["a", "d"]);
        assert_eq!(bytes(&*OsDisk.open(&at("a"), Open::Read).unwrap()), b"c", "it was replaced");
        for _ in 0..2 {
            OsDisk.remove_dir_all(&at("d")).unwrap();
            assert!(!OsDisk.exists(&at("d")).unwrap());
        }
        for gone in [OsDisk.remove(&at("b")), OsDisk.rename(&at("b"), &at("x"))] {
            assert_eq!(gone.unwrap_err().kind(), io::ErrorKind::NotFound);
        }
        assert_eq!(OsDisk.list(&at("d")).unwrap_err().kind(), io::ErrorKind::NotFound);
        let space = OsDisk.space(dir.path()).unwrap();
        assert!(0 < space.total_bytes && space.free_bytes <= space.total_bytes, "{space:?}");
    }

    #[test]
    fn what_is_made_is_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        for (nth, how) in [Open::Write, Open::WriteDirect, Open::CreateNew].into_iter().enumerate()
        {
            let path = dir.path().join(nth.to_string());
            OsDisk.open(&path, how).unwrap();
            assert_eq!(mode(&path), 0o600, "{how:?}");
        }
        let (outer, inner) = (dir.path().join("d"), dir.path().join("d/e"));
        OsDisk.create_dir_all(&inner).unwrap();
        assert_eq!((mode(&outer), mode(&inner)), (0o700, 0o700));
    }

    #[test]
    fn one_holder_of_a_lock() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("LOCK");
        let absent = OsDisk.lock(&path, Open::Read).err().map(|e| e.kind());
        assert_eq!(absent, Some(io::ErrorKind::NotFound));
        let held = OsDisk.lock(&path, Open::Write).unwrap();
        for how in [Open::Read, Open::Write] {
            let second = OsDisk.lock(&path, how).err().map(|e| e.kind());
            assert_eq!(second, Some(io::ErrorKind::WouldBlock), "{how:?}");
        }
        drop(held);
        assert!(OsDisk.lock(&path, Open::Read).is_ok());
    }
}
