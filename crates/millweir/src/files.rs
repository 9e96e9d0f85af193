//! Whole small files through the `Disk` seam.

use base::env::{Disk as _, Open, OsDisk};
use std::io;
use std::path::Path;

/// Largest file read whole: configuration, keys and certificates are far smaller.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// Reads a file.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = OsDisk.open(path, Open::Read)?;
    let len = file.len()?;
    if len > FILE_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 16 MiB"));
    }
    if len == 0 {
        return read_unsized(&*file);
    }
    let mut bytes = vec![0; len as usize];
    let read = file.read_at(&mut bytes, 0)?;
    bytes.truncate(read);
    Ok(bytes)
}

/// Why: files of `/proc` and some mounted secrets say that they are empty.
fn read_unsized(file: &dyn base::env::DiskFile) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; 64 << 10];
    let read = file.read_at(&mut bytes, 0)?;
    bytes.truncate(read);
    Ok(bytes)
}
