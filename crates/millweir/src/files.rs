//! Files read from front to back: whole small ones, and lines of large ones and of pipes.

use crate::access::Access;
use base::env::OsDisk;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::path::Path;

/// Largest file read whole: configuration, keys and certificates are far smaller.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// What a file holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Holds {
    Secret,
    NoSecret,
}

/// Opens a file, or a pipe as a shell's `<(...)`.
pub(crate) fn open(path: &Path) -> io::Result<impl Read + AsFd + Send + use<>> {
    OsDisk.reader(path)
}

/// Reads a file.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    whole(open(path)?)
}

/// Reads a file, and who else may read or change it; nothing of that for a pipe.
pub(crate) fn read_with_access(path: &Path) -> io::Result<(Vec<u8>, Option<Access>)> {
    let file = open(path)?;
    let access = Access::of(&file)?;
    Ok((whole(file)?, access))
}

/// Reads a file that the configuration names.
///
/// # Errors
/// It holds a secret that others may read or change.
pub(crate) fn read_for(path: &Path, holds: Holds) -> io::Result<Vec<u8>> {
    let (bytes, access) = read_with_access(path)?;
    if let (Some(access), Holds::Secret) = (access, holds) {
        access.of_secret().map_err(|why| io::Error::new(io::ErrorKind::PermissionDenied, why))?;
    }
    Ok(bytes)
}

/// Refuses what cannot be read a second time: a pipe has nothing left to say.
pub(crate) fn check_lasting(path: &Path) -> io::Result<()> {
    // Asked before it is opened, which would wait for somebody to write.
    match path.metadata()?.is_file() {
        true => Ok(()),
        false => Err(io::Error::other("it is no regular file, so it is read at the start only")),
    }
}

fn whole(file: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // Why up to the end instead of the length: pipes, files of `/proc` and some mounted secrets
    // say that they are empty.
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 16 MiB"));
    }
    Ok(bytes)
}
