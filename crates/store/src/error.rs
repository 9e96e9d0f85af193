//! Why the store did not do it, sorted by what the caller can do about it.

use std::fmt;
use std::path::PathBuf;

/// Shorthand of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// What a caller can do about a failure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorKind {
    /// Try again later: the engine is stopping, read-only after a disk error, or over a bound.
    Unavailable,
    /// The log takes no more records: look up which ones follow it.
    Sealed,
    /// The log was removed: look up whether what it belonged to is still there.
    Removed,
    /// Another process owns the data: nothing can be said about it here any more.
    Fenced,
    /// Bytes on disk are not what was written; the message names file and offset.
    Corrupt,
    /// No room on the disk.
    Full,
    /// The caller's mistake.
    Invalid,
    /// The position asked for is older than what is kept; the message says what is.
    Trimmed,
    /// A check of a catalog transaction did not hold: read again and decide anew.
    Conflict,
    /// A bug.
    Internal,
}

impl ErrorKind {
    /// Whether a log has come to its end, so that what was to be appended belongs elsewhere.
    pub fn is_end(self) -> bool {
        matches!(self, Self::Sealed | Self::Removed)
    }
}

/// A failure of the store.
#[derive(Clone, Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
}

impl Error {
    /// Makes an error.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// What the caller can do.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<std::io::Error> for Error {
    fn from(e: std::io::Error) -> Self {
        let kind = match e.kind() {
            std::io::ErrorKind::StorageFull => ErrorKind::Full,
            _ => ErrorKind::Unavailable,
        };
        Self::new(kind, e.to_string())
    }
}

/// Bytes of a file that are not what was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Damage {
    /// The file.
    pub file: PathBuf,
    /// Where the damaged part starts, in bytes.
    pub offset: u64,
    /// What it is, for people.
    pub what: String,
}
