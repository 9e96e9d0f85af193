//! How segments become durable before a checkpoint vouches for them.
//!
//! ```text
//! syncfs is a sync here --> nothing is noted; one call for all (10,000 files: 0.2 s, not 3 s)
//! it is not             --> spill notes what it touches --> each file, then each directory
//! ```
//!
//! A file is synced through each handle that wrote it: one is not told of pages that were lost
//! before it was opened, and a name may be another file by then. So the handles stay open until
//! then, a bounded number of them.

use base::env::{DiskFile, FileSystem};
use parking_lot::Mutex;
use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// See the module.
pub(crate) struct Unsynced {
    /// Of the segments. Open since the start: see [`FileSystem::sync_all`].
    file_system: Arc<dyn FileSystem>,
    touched: Mutex<Touched>,
    files_max: usize,
}

#[derive(Default)]
struct Touched {
    /// By name, so that a handle that writes again is found.
    files: HashMap<PathBuf, Vec<Arc<dyn DiskFile>>>,
    handles: usize,
    dirs: BTreeSet<PathBuf>,
}

impl Unsynced {
    pub(crate) fn new(file_system: Arc<dyn FileSystem>, files_max: usize) -> Self {
        Self { file_system, touched: Mutex::default(), files_max }
    }

    /// A file is about to change through this handle.
    pub(crate) fn note(&self, path: &Path, writer: &Arc<dyn DiskFile>) {
        if !self.file_system.syncs_all() {
            let mut touched = self.touched.lock();
            let handles = touched.files.entry(path.to_owned()).or_default();
            if !handles.last().is_some_and(|last| Arc::ptr_eq(last, writer)) {
                handles.push(Arc::clone(writer));
                touched.handles += 1;
            }
        }
    }

    /// Names in a directory are about to change.
    pub(crate) fn note_dir(&self, dir: &Path) {
        if !self.file_system.syncs_all() {
            self.touched.lock().dirs.insert(dir.to_owned());
        }
    }

    /// Whether so much is noted that it should be synced soon.
    pub(crate) fn is_much(&self) -> bool {
        self.touched.lock().handles >= self.files_max
    }

    /// Makes everything durable.
    ///
    /// # Errors
    /// What was written since the last success is in doubt. The files are forgotten: another sync
    /// of them would succeed without saving what was lost.
    pub(crate) fn sync(&self, disk: &dyn base::env::Disk) -> io::Result<()> {
        if self.file_system.syncs_all() {
            return self.file_system.sync_all();
        }
        let Touched { files, dirs, .. } = std::mem::take(&mut *self.touched.lock());
        let mut handles = files.values().flatten();
        let synced = handles.try_for_each(|file| file.sync_data()).and_then(|()| {
            dirs.iter().try_for_each(|dir| match disk.sync_dir(dir) {
                // It went with its log.
                Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
                synced => synced,
            })
        });
        if synced.is_err() {
            self.touched.lock().dirs.extend(dirs);
        }
        synced
    }
}
