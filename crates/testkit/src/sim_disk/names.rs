//! Directories: which name is which file, as seen, as durable, and what is pending between the two.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Entry {
    Dir,
    File(u64),
}

type Map = BTreeMap<PathBuf, Entry>;

/// Names that change together; durable when one of their directories is synced.
#[derive(Clone, Debug)]
struct Change(Vec<(PathBuf, Option<Entry>)>);

impl Change {
    fn is_in(&self, dir: &Path) -> bool {
        self.0.iter().any(|(path, _)| path.parent() == Some(dir))
    }

    fn apply(&self, map: &mut Map) {
        for (path, entry) in &self.0 {
            match entry {
                Some(entry) => map.insert(path.clone(), *entry),
                None => map.remove(path),
            };
        }
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    now: Map,
    durable: Map,
    pending: Vec<Change>,
}

impl Names {
    pub(super) fn is_dir(&self, path: &Path) -> bool {
        is_dir(&self.now, path)
    }

    pub(super) fn file(&self, path: &Path) -> io::Result<u64> {
        match self.now.get(path) {
            Some(Entry::File(inode)) => Ok(*inode),
            Some(Entry::Dir) => Err(io::ErrorKind::IsADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    pub(super) fn files(&self) -> Vec<(PathBuf, u64)> {
        let file = |(path, entry): (&PathBuf, &Entry)| match entry {
            Entry::File(inode) => Some((path.clone(), *inode)),
            Entry::Dir => None,
        };
        self.now.iter().filter_map(file).collect()
    }

    /// Files that have a name now or may have one after a power loss.
    pub(super) fn used(&self) -> BTreeSet<u64> {
        let pending = self.pending.iter().flat_map(|change| &change.0);
        let pending = pending.filter_map(|(_, entry)| entry.as_ref());
        let all = self.now.values().chain(self.durable.values()).chain(pending);
        let file = |entry: &Entry| match entry {
            Entry::File(inode) => Some(*inode),
            Entry::Dir => None,
        };
        all.filter_map(file).collect()
    }

    pub(super) fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        if !self.is_dir(dir) {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(self.now.keys().filter(|path| path.parent() == Some(dir)).cloned().collect())
    }

    /// The entry and everything below it, the deepest first.
    pub(super) fn below(&self, path: &Path) -> Vec<PathBuf> {
        self.now.keys().rev().filter(|entry| entry.starts_with(path)).cloned().collect()
    }

    pub(super) fn create(&mut self, path: &Path, entry: Entry) -> io::Result<()> {
        self.need_parent(path)?;
        self.change(vec![(path.to_owned(), Some(entry))]);
        Ok(())
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let inode = self.file(from)?;
        self.need_parent(to)?;
        if from != to {
            self.change(vec![(to.to_owned(), Some(Entry::File(inode))), (from.to_owned(), None)]);
        }
        Ok(())
    }

    pub(super) fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.file(path)?;
        self.remove_any(path);
        Ok(())
    }

    /// Removes a file or an empty directory.
    pub(super) fn remove_any(&mut self, path: &Path) {
        self.change(vec![(path.to_owned(), None)]);
    }

    pub(super) fn sync_dir(&mut self, dir: &Path) {
        let (synced, pending) =
            std::mem::take(&mut self.pending).into_iter().partition(|change| change.is_in(dir));
        self.pending = pending;
        self.make_durable(&synced);
    }

    pub(super) fn sync_all(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        self.make_durable(&pending);
    }

    /// Keeps the pending changes that `survive` picks out of their count, then shows what is
    /// durable.
    pub(super) fn crash(&mut self, survive: impl FnOnce(usize) -> Vec<usize>) {
        let pending = std::mem::take(&mut self.pending);
        let keep = survive(pending.len());
        let kept = pending.into_iter().enumerate().filter(|(i, _)| keep.contains(i));
        self.make_durable(&kept.map(|(_, change)| change).collect::<Vec<_>>());
        self.durable = reachable(&self.durable);
        self.now = self.durable.clone();
    }

    pub(super) fn plant(&mut self, path: &Path, inode: u64) {
        self.need_parent(path).expect("the test plants into an existing directory");
        self.now.insert(path.to_owned(), Entry::File(inode));
        self.durable.insert(path.to_owned(), Entry::File(inode));
    }

    fn make_durable(&mut self, changes: &[Change]) {
        for change in changes {
            change.apply(&mut self.durable);
        }
    }

    fn change(&mut self, names: Vec<(PathBuf, Option<Entry>)>) {
        let change = Change(names);
        change.apply(&mut self.now);
        self.pending.push(change);
    }

    fn need_parent(&self, path: &Path) -> io::Result<()> {
        match path.parent() {
            Some(parent) if self.is_dir(parent) => Ok(()),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

fn is_dir(map: &Map, path: &Path) -> bool {
    path.parent().is_none() || path == Path::new("") || map.get(path) == Some(&Entry::Dir)
}

/// Entries all of whose directories exist.
fn reachable(map: &Map) -> Map {
    let has_dirs = |path: &Path| path.ancestors().skip(1).all(|dir| is_dir(map, dir));
    map.iter().filter(|(path, _)| has_dirs(path)).map(|(p, e)| (p.clone(), *e)).collect()
}
