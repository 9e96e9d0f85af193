//! A disk in memory that can lose power, fail and rot.
//!
//! It keeps what programs see and what a power loss would leave apart, for bytes and for names:
//!
//! ```text
//! write_at, set_len --> seen now + pending --sync_data, sync_all--> durable
//! create, rename, remove --> seen now + pending --sync_dir, sync_all--> durable
//! crash(seed): of what is pending, a random part survives (nothing, all, a prefix, single
//!              operations, single 512-byte sectors); then durable is what is seen
//! ```
//!
//! It is stricter than most file systems: syncing a new file does not save its name, and making a
//! directory needs a sync of its parent. After a failed sync the pages count as clean although they
//! were not all written, as on Linux: reads still show them, a second sync succeeds and saves
//! nothing. Direct writes have no such pages: reads show what is on the disk.

mod content;
mod fault;
mod names;

pub use fault::{Fault, FaultKind, Op};

use crate::SeededRng;
use base::env::{Disk, DiskFile, FileSystem, Open, Space};
use content::Inode;
use fault::{Faults, Verdict};
use names::{Entry, Names};
use parking_lot::{Mutex, MutexGuard};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Size of a page, the unit of space and of direct I/O, in bytes.
pub const PAGE_BYTES: u64 = 4096;
/// The unit that a power loss writes wholly or not at all, in bytes.
pub const SECTOR_BYTES: u64 = 512;
/// Size of a disk that nobody made smaller, in bytes.
const SPACE_BYTES: u64 = 1 << 40;

/// A [`Disk`] in memory; all of its handles share one state.
#[derive(Clone, Debug)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
    /// The life that it is a view for; `None` for the test's own handle.
    life: Option<u64>,
}

#[derive(Debug)]
struct State {
    inodes: BTreeMap<u64, Inode>,
    next_inode: u64,
    names: Names,
    locks: BTreeSet<PathBuf>,
    opened_direct: BTreeSet<PathBuf>,
    faults: Faults,
    rng: SeededRng,
    space_bytes: u64,
    /// Whether `sync_all` saves anything.
    syncs_all: bool,
    /// Counts power-ons: a handle of an earlier life is dead.
    life: u64,
}

impl SimDisk {
    /// An empty disk; `seed` decides what failed writes leave behind.
    pub fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self::of(BTreeMap::new(), Names::default(), seed))
    }

    fn of(inodes: BTreeMap<u64, Inode>, names: Names, seed: u64) -> Self {
        let next_inode = inodes.keys().next_back().map_or(0, |last| last + 1);
        let state = State {
            inodes,
            next_inode,
            names,
            locks: BTreeSet::new(),
            opened_direct: BTreeSet::new(),
            faults: Faults::default(),
            rng: SeededRng::new(seed),
            space_bytes: SPACE_BYTES,
            syncs_all: true,
            life: 0,
        };
        Self { state: Arc::new(Mutex::new(state)), life: None }
    }

    /// The disk as a program sees it: dead after the next [`SimDisk::kill`] or [`SimDisk::crash`],
    /// so that threads of the old program cannot touch the files of the new one.
    pub fn mount(&self) -> Arc<Self> {
        let life = Some(self.state.lock().life);
        Arc::new(Self { state: Arc::clone(&self.state), life })
    }

    /// The state, if the program that asks still lives.
    fn alive(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.state.lock();
        match self.life {
            Some(life) if life != state.life => Err(gone()),
            _ => Ok(state),
        }
    }

    /// Another disk that holds what a power loss that loses everything pending would leave here.
    pub fn durable_copy(&self, seed: u64) -> Arc<Self> {
        let state = self.state.lock();
        let mut names = state.names.clone();
        names.crash(|_| Vec::new());
        let mut inodes = state.inodes.clone();
        let used = names.used();
        inodes.retain(|inode, _| used.contains(inode));
        inodes.values_mut().for_each(Inode::lose_pending);
        let copy = Self::of(inodes, names, seed);
        copy.state.lock().syncs_all = state.syncs_all;
        Arc::new(copy)
    }

    /// Cuts the power and restores it: open handles and locks are dead, and of what was not synced
    /// a part that `seed` decides survives. Space bound stays, injected faults are forgotten.
    pub fn crash(&self, seed: u64) {
        let rng = SeededRng::new(seed);
        let mut state = self.state.lock();
        let state = &mut *state;
        state.life += 1;
        state.locks.clear();
        state.faults = Faults::after(&state.faults);
        state.names.crash(|count| survivors(&rng, count));
        state.inodes.values_mut().for_each(|inode| inode.crash(&rng));
        state.collect();
    }

    /// Ends the program as `kill -9` does: open handles and locks are dead, what it wrote is seen
    /// by the next program but is not durable. Injected faults are forgotten.
    pub fn kill(&self) {
        let mut state = self.state.lock();
        state.life += 1;
        state.locks.clear();
        state.faults = Faults::after(&state.faults);
        state.inodes.values_mut().for_each(|inode| inode.handles = 0);
        state.collect();
    }

    /// Changes so far: creations, writes, lengths, renames, removals and syncs.
    pub fn changes(&self) -> u64 {
        self.state.lock().faults.changes()
    }

    /// Cuts the power in the middle of the change after the next `count` ones. That change and
    /// everything later fails, until [`SimDisk::crash`] restores the power, or [`SimDisk::kill`]
    /// says that only the program had died.
    pub fn power_off_after(&self, count: u64) {
        self.state.lock().faults.power_off_after(count);
    }

    /// Whether a planned power loss has happened.
    pub fn is_off(&self) -> bool {
        self.state.lock().faults.is_off()
    }

    /// Plans a fault.
    pub fn fail(&self, fault: Fault) {
        self.state.lock().faults.plan(fault);
    }

    /// Forgets all planned faults and a planned power loss.
    pub fn heal(&self) {
        self.state.lock().faults.clear();
    }

    /// Sets the size of the disk: writes that need more pages fail with `StorageFull`.
    pub fn set_space(&self, bytes: u64) {
        self.state.lock().space_bytes = bytes;
    }

    /// Makes it a file system where syncing everything saves nothing and says so of itself, as FUSE
    /// does.
    pub fn without_sync_all(&self) {
        self.state.lock().syncs_all = false;
    }

    /// Bytes that files take now.
    pub fn used_bytes(&self) -> u64 {
        self.state.lock().used_bytes()
    }

    /// Every file, in order.
    pub fn files(&self) -> Vec<PathBuf> {
        self.state.lock().names.files().into_iter().map(|(path, _)| path).collect()
    }

    /// Every file, in order, and what it holds now.
    pub fn image(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let files = self.files().into_iter();
        files.map(|path| (path.clone(), self.bytes(&path))).collect()
    }

    /// Every path that was ever opened to bypass the page cache.
    pub fn opened_direct(&self) -> Vec<PathBuf> {
        self.state.lock().opened_direct.iter().cloned().collect()
    }

    /// What a file holds now.
    ///
    /// # Panics
    /// When there is no such file.
    pub fn bytes(&self, path: &Path) -> Vec<u8> {
        let state = self.state.lock();
        state.inode_at(path).expect("the test names an existing file").bytes()
    }

    /// Turns one bit of a file around, behind the back of the program; `bit` counts from the first
    /// byte's lowest bit.
    ///
    /// # Panics
    /// When there is no such bit.
    pub fn flip_bit(&self, path: &Path, bit: u64) {
        let mut state = self.state.lock();
        let inode = state.names.file(path).expect("the test names an existing file");
        state.inodes.get_mut(&inode).expect("named files exist").flip_bit(bit);
    }

    /// Replaces a file's bytes behind the back of the program, making it when absent.
    ///
    /// # Panics
    /// When its directory is absent.
    pub fn plant(&self, path: &Path, bytes: &[u8]) {
        let mut state = self.state.lock();
        let inode = state.next_inode;
        state.next_inode += 1;
        state.inodes.insert(inode, Inode::of(bytes));
        state.names.plant(path, inode);
    }
}

/// Which of `count` pending changes survive a power loss: none, all, a prefix, or any.
fn survivors(rng: &SeededRng, count: usize) -> Vec<usize> {
    match rng.below(4) {
        0 => Vec::new(),
        1 => (0..count).collect(),
        2 => (0..rng.index(count + 1)).collect(),
        _ => (0..count).filter(|_| rng.chance(50)).collect(),
    }
}

impl State {
    fn used_bytes(&self) -> u64 {
        let pages: u64 = self
            .names
            .files()
            .iter()
            .filter_map(|(_, inode)| self.inodes.get(inode))
            .map(Inode::pages)
            .sum();
        pages * PAGE_BYTES
    }

    /// Forgets files that have no name and are not open.
    fn collect(&mut self) {
        let used = self.names.used();
        self.inodes.retain(|inode, file| file.handles > 0 || used.contains(inode));
    }

    fn free_pages(&self) -> u64 {
        // Why: counting every page on every write is only worth it on a disk that can fill up.
        let used_bytes = if self.space_bytes == SPACE_BYTES { 0 } else { self.used_bytes() };
        self.space_bytes.saturating_sub(used_bytes) / PAGE_BYTES
    }

    fn inode_at(&self, path: &Path) -> io::Result<&Inode> {
        let inode = self.names.file(path)?;
        self.inodes.get(&inode).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    /// Lets an operation without a partial effect happen, or fails it.
    fn admit(&mut self, op: Op, path: &Path) -> io::Result<()> {
        match self.faults.judge(op, path) {
            Verdict::Go => Ok(()),
            Verdict::Fail(e) | Verdict::Cut(e) | Verdict::Off(e) => Err(e),
        }
    }

    fn create(&mut self, path: &Path) -> io::Result<u64> {
        // A planned power loss hits the creation after it became visible: it may survive.
        let verdict = self.faults.judge(Op::Create, path);
        if let Verdict::Fail(e) | Verdict::Off(e) = verdict {
            return Err(e);
        }
        let inode = self.next_inode;
        self.names.create(path, Entry::File(inode))?;
        self.next_inode += 1;
        self.inodes.insert(inode, Inode::default());
        match verdict {
            Verdict::Cut(e) => Err(e),
            _ => Ok(inode),
        }
    }

    fn open(&mut self, path: &Path, how: Open) -> io::Result<u64> {
        match (self.names.file(path), how) {
            (Ok(_), Open::CreateNew) => Err(io::ErrorKind::AlreadyExists.into()),
            (Ok(inode), _) => self.admit(Op::Open, path).map(|()| inode),
            (Err(e), Open::Read) => Err(e),
            (Err(e), _) if e.kind() != io::ErrorKind::NotFound => Err(e),
            (Err(_), _) => self.create(path),
        }
    }

    /// Runs a change of names; a planned power loss happens after it and may undo it.
    fn change_names(
        &mut self,
        op: Op,
        path: &Path,
        change: impl FnOnce(&mut Names) -> io::Result<()>,
    ) -> io::Result<()> {
        match self.faults.judge(op, path) {
            Verdict::Go => change(&mut self.names),
            Verdict::Fail(e) | Verdict::Off(e) => Err(e),
            Verdict::Cut(e) => {
                change(&mut self.names)?;
                Err(e)
            }
        }
    }

    fn write(&mut self, file: &SimFile, buf: &[u8], offset: u64) -> io::Result<()> {
        let free_pages = self.free_pages();
        let verdict = self.faults.judge(Op::Write, &file.path);
        let inode = self.inodes.get_mut(&file.inode).ok_or_else(gone)?;
        let mut written = match &verdict {
            Verdict::Go => buf.len(),
            // A failed write may have written some of its sectors.
            Verdict::Off(_) => 0,
            Verdict::Fail(_) | Verdict::Cut(_) => {
                let sectors = buf.len() as u64 / SECTOR_BYTES;
                (self.rng.below(sectors + 1) * SECTOR_BYTES) as usize
            }
        };
        let fits = inode.fitting(offset, written, free_pages);
        let full = fits < written;
        written = fits;
        inode.write(&buf[..written], offset, file.how == Open::WriteDirect);
        match verdict {
            Verdict::Go if full => Err(io::ErrorKind::StorageFull.into()),
            Verdict::Go => Ok(()),
            Verdict::Fail(e) | Verdict::Cut(e) | Verdict::Off(e) => Err(e),
        }
    }

    fn sync(&mut self, inode: u64, path: &Path) -> io::Result<()> {
        let verdict = self.faults.judge(Op::Sync, path);
        let inode = self.inodes.get_mut(&inode).ok_or_else(gone)?;
        match verdict {
            Verdict::Go if inode.owes_an_error() => {
                inode.fail_sync(&self.rng);
                Err(io::Error::other("pages of this file were lost before"))
            }
            Verdict::Go => {
                inode.sync();
                Ok(())
            }
            Verdict::Fail(e) => {
                inode.fail_sync(&self.rng);
                Err(e)
            }
            // What is pending meets its fate in `crash`.
            Verdict::Cut(e) | Verdict::Off(e) => Err(e),
        }
    }
}

fn gone() -> io::Error {
    io::Error::other("the handle is of an earlier life of the disk")
}

impl Disk for SimDisk {
    fn open(&self, path: &Path, how: Open) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.alive()?;
        let inode = state.open(path, how)?;
        if how == Open::WriteDirect {
            state.opened_direct.insert(path.to_owned());
        }
        state.inodes.get_mut(&inode).ok_or_else(gone)?.handles += 1;
        Ok(Arc::new(SimFile {
            state: Arc::clone(&self.state),
            path: path.to_owned(),
            inode,
            life: state.life,
            how,
        }))
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        let mut state = self.alive()?;
        let mut missing: Vec<&Path> =
            path.ancestors().take_while(|dir| !state.names.is_dir(dir)).collect();
        while let Some(dir) = missing.pop() {
            state.change_names(Op::Create, dir, |names| names.create(dir, Entry::Dir))?;
        }
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        let mut state = self.alive()?;
        state.admit(Op::Open, path)?;
        state.names.list(path)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        let mut state = self.alive()?;
        state.admit(Op::Open, path)?;
        Ok(state.names.is_dir(path) || state.names.file(path).is_ok())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.alive()?.change_names(Op::Rename, from, |names| names.rename(from, to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.alive()?.change_names(Op::Remove, path, |names| names.remove(path))
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        let mut state = self.alive()?;
        for entry in state.names.below(path) {
            state.change_names(Op::Remove, &entry, |names| {
                names.remove_any(&entry);
                Ok(())
            })?;
        }
        Ok(())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.alive()?;
        if !state.names.is_dir(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        state.admit(Op::SyncDir, path)?;
        state.names.sync_dir(path);
        state.collect();
        Ok(())
    }

    fn file_system(&self, path: &Path) -> io::Result<Arc<dyn FileSystem>> {
        drop(self.alive()?);
        let disk = Self { state: Arc::clone(&self.state), life: self.life };
        Ok(Arc::new(SimFileSystem { disk, path: path.to_owned() }))
    }

    fn space(&self, _path: &Path) -> io::Result<Space> {
        let state = self.alive()?;
        let total_bytes = state.space_bytes;
        Ok(Space { free_bytes: total_bytes.saturating_sub(state.used_bytes()), total_bytes })
    }

    fn lock(&self, path: &Path, how: Open) -> io::Result<Box<dyn Send + Sync>> {
        let mut state = self.alive()?;
        state.open(path, how)?;
        if !state.locks.insert(path.to_owned()) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let (life, path) = (state.life, path.to_owned());
        Ok(Box::new(Lock { state: Arc::clone(&self.state), path, life }))
    }
}

struct SimFileSystem {
    disk: SimDisk,
    path: PathBuf,
}

impl FileSystem for SimFileSystem {
    fn syncs_all(&self) -> bool {
        self.disk.state.lock().syncs_all
    }

    fn sync_all(&self) -> io::Result<()> {
        let mut state = self.disk.alive()?;
        let state = &mut *state;
        match state.faults.judge(Op::SyncAll, &self.path) {
            Verdict::Go if !state.syncs_all => Ok(()),
            Verdict::Go => {
                state.names.sync_all();
                state.inodes.values_mut().for_each(Inode::sync);
                state.collect();
                Ok(())
            }
            Verdict::Fail(e) => {
                // Some files are saved, others lose their pages and say so at their next sync.
                for inode in state.inodes.values_mut() {
                    if state.rng.chance(50) {
                        inode.sync();
                    } else {
                        inode.lose_pages(&state.rng);
                    }
                }
                Err(e)
            }
            Verdict::Cut(e) | Verdict::Off(e) => Err(e),
        }
    }
}

struct Lock {
    state: Arc<Mutex<State>>,
    path: PathBuf,
    life: u64,
}

impl Drop for Lock {
    fn drop(&mut self) {
        let mut state = self.state.lock();
        if state.life == self.life {
            state.locks.remove(&self.path);
        }
    }
}

struct SimFile {
    state: Arc<Mutex<State>>,
    path: PathBuf,
    inode: u64,
    life: u64,
    how: Open,
}

impl SimFile {
    fn check(&self, state: &State) -> io::Result<()> {
        if state.life == self.life { Ok(()) } else { Err(gone()) }
    }

    fn check_change(&self, state: &State) -> io::Result<()> {
        self.check(state)?;
        if self.how == Open::Read {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        Ok(())
    }

    fn check_direct(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        let page = PAGE_BYTES as usize;
        let aligned = offset.is_multiple_of(PAGE_BYTES)
            && buf.len().is_multiple_of(page)
            && buf.as_ptr().addr().is_multiple_of(page);
        if self.how == Open::WriteDirect && !aligned {
            let message = format!("direct I/O of {} bytes at {offset} not aligned", buf.len());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        Ok(())
    }
}

impl Drop for SimFile {
    fn drop(&mut self) {
        let mut state = self.state.lock();
        if self.life == state.life
            && let Some(inode) = state.inodes.get_mut(&self.inode)
        {
            inode.handles -= 1;
        }
    }
}

impl DiskFile for SimFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.check_direct(buf, offset)?;
        let mut state = self.state.lock();
        self.check(&state)?;
        state.admit(Op::Read, &self.path)?;
        Ok(state.inodes.get(&self.inode).ok_or_else(gone)?.read(buf, offset))
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.check_direct(buf, offset)?;
        let mut state = self.state.lock();
        self.check_change(&state)?;
        state.write(self, buf, offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.state.lock();
        self.check(&state)?;
        state.sync(self.inode, &self.path)
    }

    fn len(&self) -> io::Result<u64> {
        let mut state = self.state.lock();
        self.check(&state)?;
        state.admit(Op::Read, &self.path)?;
        Ok(state.inodes.get(&self.inode).ok_or_else(gone)?.len())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.state.lock();
        self.check_change(&state)?;
        state.admit(Op::SetLen, &self.path)?;
        state.inodes.get_mut(&self.inode).ok_or_else(gone)?.set_len(len);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
