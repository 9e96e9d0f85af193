//! A data directory: its format version and the lock that keeps a second process out.
//!
//! ```text
//! FORMAT      "millweir data format N\n": written once, before anything else of the directory
//! LOCK        locked for as long as a process has the directory open; its content means nothing
//! journal/    local::journal      segments/   local::segment      catalog/    catalog
//! journal/catalog     how far the catalog goes, see catalog
//! ```
//!
//! Another format is refused before any other byte is read. The file is made under another name,
//! synced and renamed, so that a crash leaves either no format or a whole one.

use crate::{Error, ErrorKind, Result};
use base::Env;
use base::env::Open;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The format that this build reads and writes.
pub const FORMAT_VERSION: u32 = 3;

/// Where the records lie that a catalog knows of.
pub(crate) const RECORDS: &str = "journal";

const FORMAT_FILE: &str = "FORMAT";
const LOCK_FILE: &str = "LOCK";
const FORMAT_PREFIX: &str = "millweir data format ";
const FORMAT_BYTES_MAX: usize = 64;
/// Directories whose presence without a `FORMAT` file means that the file was lost.
const PARTS: [&str; 3] = [RECORDS, "segments", "catalog"];

/// An open data directory; locked until the last clone of the handle is dropped.
pub struct DataDir {
    path: PathBuf,
    env: Env,
    _lock: Box<dyn Send + Sync>,
}

impl DataDir {
    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The seams it was opened with.
    pub fn env(&self) -> &Env {
        &self.env
    }
}

impl fmt::Debug for DataDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataDir").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Opens a data directory, making it when it is absent or empty.
///
/// # Errors
/// `Fenced` another process has it open; `Invalid` its format is not this build's;
/// `Corrupt` the format file is damaged or missing beside data.
pub fn open(dir: &Path, env: &Env) -> Result<Arc<DataDir>> {
    let disk = &env.disk;
    disk.create_dir_all(dir).map_err(|e| failed("make", dir, &e))?;
    let lock = disk.lock(&dir.join(LOCK_FILE), Open::Write);
    let lock = lock.map_err(|e| not_locked(dir, &e))?;
    let format = dir.join(FORMAT_FILE);
    if disk.exists(&format).map_err(|e| failed("read", &format, &e))? {
        check_format(&format, env)?;
        // The process that made it may have been killed before its name was durable: what is made
        // beside it from now on must not outlast it.
        disk.sync_dir(dir).map_err(|e| failed("sync", dir, &e))?;
    } else {
        refuse_headless(dir, env)?;
        sync_parents(dir, env).map_err(|e| failed("sync the parents of", dir, &e))?;
        write_format(dir, env).map_err(|e| failed("write", &format, &e))?;
    }
    Ok(Arc::new(DataDir { path: dir.to_owned(), env: env.clone(), _lock: lock }))
}

/// Opens a data directory that exists, to be read only: nothing is written, so it may lie on a file
/// system or belong to a user that allows no more.
///
/// # Errors
/// As [`open`]; `Invalid` it is no data directory.
pub fn look(dir: &Path, env: &Env) -> Result<Arc<DataDir>> {
    let format = dir.join(FORMAT_FILE);
    if !env.disk.exists(&format).map_err(|e| failed("read", &format, &e))? {
        refuse_headless(dir, env)?;
        let message = format!("`{}` is no data directory", dir.display());
        return Err(Error::new(ErrorKind::Invalid, message));
    }
    let lock: Box<dyn Send + Sync> = match env.disk.lock(&dir.join(LOCK_FILE), Open::Read) {
        // A copy without the file: nobody holds it.
        Err(e) if e.kind() == io::ErrorKind::NotFound => Box::new(()),
        locked => locked.map_err(|e| not_locked(dir, &e))?,
    };
    check_format(&format, env)?;
    Ok(Arc::new(DataDir { path: dir.to_owned(), env: env.clone(), _lock: lock }))
}

fn not_locked(dir: &Path, e: &io::Error) -> Error {
    if e.kind() == io::ErrorKind::WouldBlock {
        let message =
            format!("the data directory `{}` is in use by another process", dir.display());
        return Error::new(ErrorKind::Fenced, message);
    }
    failed("lock", dir, e)
}

/// Makes the name of a directory durable: an acknowledged record must not vanish with it. Whoever
/// made it may have been killed before that, so it is done until there is a format.
fn sync_parents(dir: &Path, env: &Env) -> io::Result<()> {
    for parent in dir.ancestors().skip(1) {
        let here = parent.as_os_str().is_empty();
        let parent = if here { Path::new(".") } else { parent };
        match env.disk.sync_dir(parent) {
            // A parent that this process may not open, or of a file system that knows no sync, was
            // there before it came.
            Err(e) if is_foreign(&e) => break,
            synced => synced?,
        }
    }
    Ok(())
}

fn is_foreign(e: &io::Error) -> bool {
    use io::ErrorKind::{InvalidInput, PermissionDenied, ReadOnlyFilesystem, Unsupported};
    matches!(e.kind(), PermissionDenied | InvalidInput | ReadOnlyFilesystem | Unsupported)
}

fn failed(what: &str, path: &Path, e: &io::Error) -> Error {
    let kind = Error::from(io::Error::from(e.kind())).kind();
    Error::new(kind, format!("cannot {what} `{}`: {e}", path.display()))
}

fn check_format(path: &Path, env: &Env) -> Result<()> {
    let mut bytes = [0; FORMAT_BYTES_MAX];
    let read = env.disk.open(path, Open::Read).and_then(|f| f.read_at(&mut bytes, 0));
    let len = read.map_err(|e| failed("read", path, &e))?;
    let version = std::str::from_utf8(&bytes[..len])
        .ok()
        .and_then(|text| text.strip_prefix(FORMAT_PREFIX)?.strip_suffix('\n')?.parse::<u32>().ok());
    match version {
        Some(FORMAT_VERSION) => Ok(()),
        Some(newer) if newer > FORMAT_VERSION => Err(Error::new(
            ErrorKind::Invalid,
            format!(
                "`{}` says data format {newer}, this build knows up to {FORMAT_VERSION}: \
                 use the newer build",
                path.display()
            ),
        )),
        Some(older) if older > 0 => Err(Error::new(
            ErrorKind::Invalid,
            format!(
                "`{}` says data format {older}, of a build from before the first release: this one \
                 reads {FORMAT_VERSION} only",
                path.display()
            ),
        )),
        _ => Err(Error::new(
            ErrorKind::Corrupt,
            format!("`{}` offset 0: not a data format this build knows", path.display()),
        )),
    }
}

/// A directory with data but without a format file was damaged: making a new one would bless it.
fn refuse_headless(dir: &Path, env: &Env) -> Result<()> {
    for part in PARTS {
        let path = dir.join(part);
        if env.disk.exists(&path).map_err(|e| failed("read", &path, &e))? {
            return Err(Error::new(
                ErrorKind::Corrupt,
                format!("`{}` holds data but its `{FORMAT_FILE}` file is missing", dir.display()),
            ));
        }
    }
    Ok(())
}

fn write_format(dir: &Path, env: &Env) -> io::Result<()> {
    let fresh = dir.join("FORMAT.new");
    let file = env.disk.open(&fresh, Open::Write)?;
    file.set_len(0)?;
    file.write_at(format!("{FORMAT_PREFIX}{FORMAT_VERSION}\n").as_bytes(), 0)?;
    file.sync_data()?;
    env.disk.rename(&fresh, &dir.join(FORMAT_FILE))?;
    env.disk.sync_dir(dir)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::testing::os_env;

    fn set_format(dir: &Path, env: &Env, text: &str) {
        let file = env.disk.open(&dir.join(FORMAT_FILE), Open::Write).unwrap();
        file.set_len(0).unwrap();
        file.write_at(text.as_bytes(), 0).unwrap();
    }

    #[test]
    fn a_second_opener_is_refused_until_the_first_is_gone() {
        let (dir, env) = (tempfile::tempdir().unwrap(), os_env());
        let first = open(dir.path(), &env).unwrap();
        let refused = open(dir.path(), &env).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Fenced);
        drop(first);
        open(dir.path(), &env).unwrap();
    }

    #[test]
    fn a_new_directory_survives_a_power_loss() {
        let dir = Path::new("/var/lib/new");
        for seed in 0..8 {
            let fake = testkit::fake_env(seed);
            drop(open(dir, &fake.env()).unwrap());
            fake.disk.crash(seed);
            assert!(fake.env().disk.exists(&dir.join(FORMAT_FILE)).unwrap(), "seed {seed}");
        }
    }

    /// Killed at any moment of its first start, opened again, and then the power goes.
    #[test]
    fn a_directory_that_was_opened_has_its_format_for_good() {
        let dir = Path::new("/var/lib/new");
        for (changes, seed) in (0..12).flat_map(|n| (0..8).map(move |seed| (n, seed))) {
            let fake = testkit::fake_env(seed);
            fake.disk.power_off_after(changes);
            drop(open(dir, &fake.env()));
            fake.disk.kill();
            drop(open(dir, &fake.env()).unwrap());
            fake.disk.crash(seed);
            let exists = fake.env().disk.exists(&dir.join(FORMAT_FILE)).unwrap();
            assert!(exists, "seed {seed}, killed after {changes} changes");
        }
    }

    #[test]
    fn another_format_is_refused_with_both_numbers() {
        let (dir, env) = (tempfile::tempdir().unwrap(), os_env());
        drop(open(dir.path(), &env).unwrap());
        for (number, told) in [(4, "this build knows up to 3"), (2, "this one reads 3 only")] {
            set_format(dir.path(), &env, &format!("millweir data format {number}\n"));
            let refused = open(dir.path(), &env).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::Invalid);
            assert!(refused.to_string().contains(&format!("format {number}, ")), "{refused}");
            assert!(refused.to_string().contains(told), "{refused}");
        }
    }

    #[test]
    fn a_damaged_or_lost_format_is_never_replaced() {
        let (dir, env) = (tempfile::tempdir().unwrap(), os_env());
        drop(open(dir.path(), &env).unwrap());
        env.disk.create_dir_all(&dir.path().join("journal")).unwrap();
        set_format(dir.path(), &env, "millweir data fxrmat 1\n");
        assert_eq!(open(dir.path(), &env).unwrap_err().kind(), ErrorKind::Corrupt);
        env.disk.remove(&dir.path().join(FORMAT_FILE)).unwrap();
        assert_eq!(open(dir.path(), &env).unwrap_err().kind(), ErrorKind::Corrupt);
    }
}
