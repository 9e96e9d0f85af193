//! Planned faults: which operation fails, when, and how.

use std::io;
use std::path::Path;

/// What a program does to a disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Op {
    /// Opening an existing file, listing, asking for existence.
    Open,
    /// Making a file or a directory.
    Create,
    /// Reading bytes or a length.
    Read,
    /// Writing bytes.
    Write,
    /// Setting a length.
    SetLen,
    /// Syncing a file.
    Sync,
    /// Syncing a directory.
    SyncDir,
    /// Syncing everything.
    SyncAll,
    /// Renaming a file.
    Rename,
    /// Removing a name.
    Remove,
}

impl Op {
    fn changes(self) -> bool {
        !matches!(self, Self::Open | Self::Read)
    }
}

/// How an operation fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FaultKind {
    /// EIO.
    Io,
    /// ENOSPC.
    NoSpace,
}

/// A planned fault.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The operation.
    pub op: Op,
    /// A part of the path of the files that it hits; empty for all.
    pub path_part: String,
    /// Matching operations that still succeed.
    pub after: u64,
    /// Matching operations that fail then.
    pub times: u64,
    /// How.
    pub kind: FaultKind,
}

impl Fault {
    /// EIO on the next operation of this kind on any file.
    pub fn io(op: Op) -> Self {
        Self { op, path_part: String::new(), after: 0, times: 1, kind: FaultKind::Io }
    }

    /// ENOSPC on the next operation of this kind on any file.
    pub fn no_space(op: Op) -> Self {
        Self { kind: FaultKind::NoSpace, ..Self::io(op) }
    }

    /// Only on files whose path contains `part`.
    #[must_use]
    pub fn on(self, part: &str) -> Self {
        Self { path_part: part.to_owned(), ..self }
    }

    /// Only after `after` more such operations have succeeded.
    #[must_use]
    pub fn after(self, after: u64) -> Self {
        Self { after, ..self }
    }

    /// On this many operations in a row.
    #[must_use]
    pub fn times(self, times: u64) -> Self {
        Self { times, ..self }
    }
}

/// What happens to an operation.
pub(super) enum Verdict {
    Go,
    /// It fails; its partial effect is the disk's choice.
    Fail(io::Error),
    /// It never reaches the disk.
    Off(io::Error),
    /// The power goes while it runs; `crash` decides what is left of it.
    Cut(io::Error),
}

#[derive(Debug, Default)]
pub(super) struct Faults {
    planned: Vec<Fault>,
    changes: u64,
    off_at: Option<u64>,
    off: bool,
}

impl Faults {
    /// The next life's faults: none; the count goes on.
    pub(super) fn after(last: &Self) -> Self {
        Self { changes: last.changes, ..Self::default() }
    }

    pub(super) fn changes(&self) -> u64 {
        self.changes
    }

    pub(super) fn is_off(&self) -> bool {
        self.off
    }

    pub(super) fn power_off_after(&mut self, count: u64) {
        self.off_at = Some(self.changes + count);
    }

    pub(super) fn plan(&mut self, fault: Fault) {
        self.planned.push(fault);
    }

    pub(super) fn clear(&mut self) {
        self.planned.clear();
        self.off_at = None;
    }

    pub(super) fn judge(&mut self, op: Op, path: &Path) -> Verdict {
        if self.off {
            return Verdict::Off(no_power());
        }
        if op.changes() {
            if self.off_at == Some(self.changes) {
                self.off = true;
                return Verdict::Cut(no_power());
            }
            self.changes += 1;
        }
        match self.planned.iter_mut().find_map(|fault| hit(fault, op, path)) {
            Some(FaultKind::Io) => {
                let message = format!("injected I/O error: {op:?} of {}", path.display());
                Verdict::Fail(io::Error::other(message))
            }
            Some(FaultKind::NoSpace) => Verdict::Fail(io::ErrorKind::StorageFull.into()),
            None => Verdict::Go,
        }
    }
}

/// Whether a planned fault hits this operation; counts it either way.
fn hit(fault: &mut Fault, op: Op, path: &Path) -> Option<FaultKind> {
    if fault.op != op || !path.to_string_lossy().contains(&fault.path_part) {
        return None;
    }
    if fault.after > 0 {
        fault.after -= 1;
        return None;
    }
    if fault.times == 0 {
        return None;
    }
    fault.times -= 1;
    Some(fault.kind)
}

fn no_power() -> io::Error {
    io::Error::other("the simulated machine is off")
}
