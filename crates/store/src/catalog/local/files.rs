//! The catalog's files: their names, how they are made, and which of them are still needed.
//!
//! A log or a snapshot is made under a `.tmp` name, synced, renamed, and its directory synced:
//! under its own name it is always whole. Two generations are kept: the two newest snapshots and
//! every log from the older one on (before there are two: every log).

use super::format::{self, FILE_HEADER_BYTES, FRAMES_AT, FileHeader, FileKind};
use crate::catalog::rows::Rows;
use crate::{Error, Result};
use base::env::{Disk, DiskFile, Open};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const TEMPORARY: &str = ".tmp";
const SET_ASIDE: &str = ".damaged";
const FILL_BYTES: usize = 256 << 10;
/// Bytes of a snapshot that are written at once.
const PIECE_BYTES: usize = 1 << 20;

/// The files of a catalog, ascending.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// With the sequence of their first frame.
    pub(super) logs: Vec<(u64, PathBuf)>,
    /// With the sequence of the last frame in them.
    pub(super) snapshots: Vec<(u64, PathBuf)>,
    /// Files that a crash left unfinished.
    pub(super) unfinished: Vec<PathBuf>,
}

pub(super) fn log_path(dir: &Path, start: u64) -> PathBuf {
    dir.join(format!("log-{start:016x}"))
}

pub(super) fn snapshot_path(dir: &Path, sequence: u64) -> PathBuf {
    dir.join(format!("snapshot-{sequence:016x}"))
}

/// The number of a file called `<prefix><16 hex digits>`.
fn number(name: &str, prefix: &str) -> Option<u64> {
    let digits = name.strip_prefix(prefix).filter(|digits| digits.len() == 16)?;
    u64::from_str_radix(digits, 16).ok()
}

/// Lists the files; nothing at all when the directory is absent.
pub(super) fn list(disk: &dyn Disk, dir: &Path) -> Result<Listing> {
    let mut listing = Listing::default();
    if !disk.exists(dir).map_err(|e| failed("look for", dir, &e))? {
        return Ok(listing);
    }
    for path in disk.list(dir).map_err(|e| failed("list", dir, &e))? {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if let Some(start) = number(name, "log-") {
            listing.logs.push((start, path));
        } else if let Some(sequence) = number(name, "snapshot-") {
            listing.snapshots.push((sequence, path));
        } else if name.ends_with(TEMPORARY) {
            listing.unfinished.push(path);
        }
    }
    Ok(listing)
}

/// An error with the kind of its cause and the file in its message.
pub(super) fn failed(what: &str, path: &Path, e: &io::Error) -> Error {
    let kind = Error::from(io::Error::from(e.kind())).kind();
    Error::new(kind, format!("cannot {what} `{}`: {e}", path.display()))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Why making a file failed, and whether anything can have appeared under its name.
#[derive(Debug)]
pub(super) struct MakeError {
    pub(super) error: Error,
    pub(super) visible: bool,
}

/// Makes a file whole: fills it under a temporary name, syncs, renames.
fn make(
    disk: &dyn Disk,
    path: &Path,
    fill: impl FnOnce(&dyn DiskFile) -> io::Result<()>,
) -> std::result::Result<Arc<dyn DiskFile>, MakeError> {
    let temporary = with_suffix(path, TEMPORARY);
    let hidden = |e| MakeError { error: failed("make", path, &e), visible: false };
    if disk.exists(&temporary).map_err(hidden)? {
        // Why not reused: an earlier failure may have left pages that lie about being written.
        disk.remove(&temporary).map_err(hidden)?;
    }
    let file = disk.open(&temporary, Open::CreateNew).map_err(hidden)?;
    fill(file.as_ref()).and_then(|()| file.sync_data()).map_err(|e| {
        // Give the space back: on a full disk it is what others need.
        drop(disk.remove(&temporary));
        hidden(e)
    })?;
    let visible = |e| MakeError { error: failed("make", path, &e), visible: true };
    disk.rename(&temporary, path).map_err(visible)?;
    disk.sync_dir(path.parent().unwrap_or(path)).map_err(visible)?;
    Ok(file)
}

/// Makes a log of `bytes` bytes whose first frame will be `start`: headers, then written zeros, so
/// that commits neither run out of space nor change the file's length.
pub(super) fn make_log(
    disk: &dyn Disk,
    path: &Path,
    header: FileHeader,
    bytes: usize,
) -> std::result::Result<Arc<dyn DiskFile>, MakeError> {
    make(disk, path, |file| {
        let zeros = vec![0; FILL_BYTES];
        for at in (0..bytes).step_by(FILL_BYTES) {
            file.write_at(&zeros[..FILL_BYTES.min(bytes - at)], at as u64)?;
        }
        let mut headers = [0; FRAMES_AT];
        for copy in headers.chunks_mut(FRAMES_AT / 2) {
            copy[..FILE_HEADER_BYTES].copy_from_slice(&header.encode(FileKind::Log));
        }
        file.write_at(&headers, 0)
    })
}

/// Makes a snapshot of the rows as they are after frame `sequence`; answers its size in bytes.
pub(super) fn make_snapshot(
    disk: &dyn Disk,
    dir: &Path,
    rows: &Rows,
    sequence: u64,
) -> std::result::Result<u64, MakeError> {
    let bytes = rows.iter().map(|(k, v)| format::row_bytes(k, Some(v))).sum::<usize>();
    let mut image = Vec::with_capacity(FILE_HEADER_BYTES + bytes);
    image.resize(FILE_HEADER_BYTES, 0);
    for (key, value) in rows.iter() {
        format::encode_row(&mut image, key, Some(value));
    }
    let body = &image[FILE_HEADER_BYTES..];
    let header = FileHeader {
        incarnation: 0,
        sequence,
        body_bytes: body.len() as u64,
        body_crc: crc32c::crc32c(body),
        witnessed: true,
    };
    image[..FILE_HEADER_BYTES].copy_from_slice(&header.encode(FileKind::Snapshot));
    make(disk, &snapshot_path(dir, sequence), |file| write_in_pieces(file, &image))?;
    Ok(image.len() as u64)
}

/// Writes a file piece by piece, each synced before the next, so that the journal's syncs do not
/// wait for all of it; the last piece is synced with the file.
fn write_in_pieces(file: &dyn DiskFile, image: &[u8]) -> io::Result<()> {
    for (nth, piece) in image.chunks(PIECE_BYTES).enumerate() {
        if nth > 0 {
            file.sync_data()?;
        }
        file.write_at(piece, (nth * PIECE_BYTES) as u64)?;
    }
    Ok(())
}

/// Moves a file that cannot be read out of the way of a new one, without losing it.
pub(super) fn set_aside(disk: &dyn Disk, path: &Path) -> Result<()> {
    let mut aside = with_suffix(path, SET_ASIDE);
    while disk.exists(&aside).map_err(|e| failed("look for", &aside, &e))? {
        aside = with_suffix(&aside, SET_ASIDE);
    }
    disk.rename(path, &aside).map_err(|e| failed("set aside", path, &e))
}

/// Removes what two whole generations do not need; sets aside what was unreadable.
pub(super) fn clean(disk: &dyn Disk, dir: &Path, unreadable: &BTreeSet<PathBuf>) -> Result<()> {
    let listing = list(disk, dir)?;
    let whole: Vec<u64> = listing
        .snapshots
        .iter()
        .filter(|(_, path)| !unreadable.contains(path))
        .map(|(sequence, _)| *sequence)
        .collect();
    let obsolete_snapshots = match whole.as_slice() {
        [.., older, _] => listing.snapshots.iter().filter(|(s, _)| s < older).collect(),
        _ => Vec::new(),
    };
    let obsolete_logs = match whole.as_slice() {
        [.., older, _] => listing.logs.iter().filter(|(start, _)| start <= older).collect(),
        _ => Vec::new(),
    };
    for (_, path) in obsolete_snapshots.into_iter().chain(obsolete_logs) {
        if unreadable.contains(path) {
            set_aside(disk, path)?;
        } else {
            disk.remove(path).map_err(|e| failed("remove", path, &e))?;
        }
    }
    Ok(())
}
