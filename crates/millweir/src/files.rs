//! Files read from front to back: whole small ones, and lines of large ones and of pipes.

use base::env::OsDisk;
use std::io::{self, Read};
use std::path::Path;

/// Largest file read whole: configuration, keys and certificates are far smaller.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// Opens a file, or a pipe as a shell's `<(...)`.
pub(crate) fn open(path: &Path) -> io::Result<impl Read + Send + use<>> {
    OsDisk.reader(path)
}

/// Reads a file.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // Why up to the end instead of the length: pipes, files of `/proc` and some mounted secrets
    // say that they are empty.
    open(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 16 MiB"));
    }
    Ok(bytes)
}
