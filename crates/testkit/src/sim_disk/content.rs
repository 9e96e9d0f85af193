//! The bytes of one file: as seen, as durable, and what is pending between the two.

use super::{PAGE_BYTES, SECTOR_BYTES};
use crate::SeededRng;
use std::collections::BTreeMap;
use std::sync::Arc;

type Page = [u8; PAGE_BYTES as usize];

/// Pages are shared between copies until one of them writes. `None` is an allocated page of zeros,
/// so that a prefilled file costs next to nothing.
#[derive(Clone, Debug, Default)]
struct Content {
    pages: BTreeMap<u64, Option<Arc<Page>>>,
    len: u64,
}

/// The part of `offset..offset + len` in each unit that it touches: (unit, start in it, length).
fn pieces(offset: u64, len: usize, unit: u64) -> impl Iterator<Item = (u64, usize, usize)> {
    let end = offset + len as u64;
    (offset / unit..end.div_ceil(unit)).map(move |i| {
        let start = offset.max(i * unit);
        let stop = end.min((i + 1) * unit);
        (i, (start - i * unit) as usize, (stop - start) as usize)
    })
}

impl Content {
    fn read(&self, buf: &mut [u8], offset: u64) -> usize {
        let len = self.len.saturating_sub(offset).min(buf.len() as u64) as usize;
        let mut rest = &mut buf[..len];
        for (page, start, len) in pieces(offset, len, PAGE_BYTES) {
            let (into, after) = rest.split_at_mut(len);
            match self.pages.get(&page) {
                Some(Some(bytes)) => into.copy_from_slice(&bytes[start..start + len]),
                _ => into.fill(0),
            }
            rest = after;
        }
        len
    }

    fn write(&mut self, buf: &[u8], offset: u64) {
        let mut rest = buf;
        for (page, start, len) in pieces(offset, buf.len(), PAGE_BYTES) {
            let (from, after) = rest.split_at(len);
            let slot = self.pages.entry(page).or_default();
            if slot.is_some() || from.iter().any(|byte| *byte != 0) {
                let bytes = slot.get_or_insert_with(|| Arc::new([0; PAGE_BYTES as usize]));
                Arc::make_mut(bytes)[start..start + len].copy_from_slice(from);
            }
            rest = after;
        }
        if !buf.is_empty() {
            self.len = self.len.max(offset + buf.len() as u64);
        }
    }

    fn set_len(&mut self, len: u64) {
        if len < self.len {
            self.pages.split_off(&len.div_ceil(PAGE_BYTES));
            let (page, start) = (len / PAGE_BYTES, (len % PAGE_BYTES) as usize);
            if let Some(Some(bytes)) = self.pages.get_mut(&page) {
                Arc::make_mut(bytes)[start..].fill(0);
            }
        }
        self.len = len;
    }
}

#[derive(Clone, Debug)]
enum Change {
    Write { offset: u64, bytes: Arc<[u8]>, direct: bool },
    Len(u64),
}

impl Change {
    fn apply(&self, content: &mut Content) {
        match self {
            Self::Write { offset, bytes, .. } => content.write(bytes, *offset),
            Self::Len(len) => content.set_len(*len),
        }
    }

    /// Applies the sectors that luck keeps.
    fn tear(&self, content: &mut Content, rng: &SeededRng) {
        let Self::Write { offset, bytes, .. } = self else {
            return self.apply(content);
        };
        let mut done = 0;
        for (_, _, len) in pieces(*offset, bytes.len(), SECTOR_BYTES) {
            if rng.chance(50) {
                content.write(&bytes[done..done + len], offset + done as u64);
            }
            done += len;
        }
    }
}

/// One file.
#[derive(Clone, Debug, Default)]
pub(super) struct Inode {
    now: Content,
    durable: Content,
    pending: Vec<Change>,
    /// Pages were lost, and no sync has said so yet.
    owes_an_error: bool,
    /// Open handles of this life.
    pub(super) handles: u64,
}

impl Inode {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut now = Content::default();
        now.write(bytes, 0);
        Self { durable: now.clone(), now, ..Self::default() }
    }

    pub(super) fn pages(&self) -> u64 {
        self.now.pages.len() as u64
    }

    pub(super) fn len(&self) -> u64 {
        self.now.len
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.now.len as usize];
        self.now.read(&mut bytes, 0);
        bytes
    }

    pub(super) fn read(&self, buf: &mut [u8], offset: u64) -> usize {
        self.now.read(buf, offset)
    }

    /// How many of `len` bytes at `offset` fit when only `free_pages` can be added.
    pub(super) fn fitting(&self, offset: u64, len: usize, free_pages: u64) -> usize {
        let mut free_pages = free_pages;
        let mut fits = 0;
        for (page, _, len) in pieces(offset, len, PAGE_BYTES) {
            if !self.now.pages.contains_key(&page) {
                if free_pages == 0 {
                    break;
                }
                free_pages -= 1;
            }
            fits += len;
        }
        fits
    }

    pub(super) fn write(&mut self, buf: &[u8], offset: u64, direct: bool) {
        self.change(Change::Write { offset, bytes: buf.into(), direct });
    }

    pub(super) fn set_len(&mut self, len: u64) {
        self.change(Change::Len(len));
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.now);
        self.pending.push(change);
    }

    pub(super) fn sync(&mut self) {
        for change in std::mem::take(&mut self.pending) {
            change.apply(&mut self.durable);
        }
    }

    /// The pages become clean in the cache although only some reached the disk; what was written
    /// around the cache is then seen as the disk has it. The error is told now, and only now.
    pub(super) fn fail_sync(&mut self, rng: &SeededRng) {
        self.lose_pages(rng);
        self.owes_an_error = false;
    }

    pub(super) fn owes_an_error(&self) -> bool {
        self.owes_an_error
    }

    /// As `fail_sync`, in somebody else's sync: the next sync of this file tells the error.
    pub(super) fn lose_pages(&mut self, rng: &SeededRng) {
        self.owes_an_error |= !self.pending.is_empty();
        for change in std::mem::take(&mut self.pending) {
            change.tear(&mut self.durable, rng);
            if let Change::Write { offset, bytes, direct: true } = change {
                // No cache hides what the disk has.
                let mut there = vec![0; bytes.len()];
                let len = self.durable.read(&mut there, offset);
                self.now.write(&there[..len], offset);
            }
        }
    }

    pub(super) fn lose_pending(&mut self) {
        self.pending.clear();
        self.now = self.durable.clone();
        self.handles = 0;
    }

    pub(super) fn crash(&mut self, rng: &SeededRng) {
        let pending = std::mem::take(&mut self.pending);
        let torn = rng.chance(50);
        let keep = super::survivors(rng, pending.len());
        for (i, change) in pending.iter().enumerate() {
            match keep.binary_search(&i).is_ok() {
                true if torn && rng.chance(50) => change.tear(&mut self.durable, rng),
                true => change.apply(&mut self.durable),
                false => {}
            }
        }
        self.now = self.durable.clone();
        self.owes_an_error = false;
        self.handles = 0;
    }

    pub(super) fn flip_bit(&mut self, bit: u64) {
        assert!(bit / 8 < self.now.len, "the file has no bit {bit}");
        for content in [&mut self.now, &mut self.durable] {
            let mut byte = [0];
            if content.read(&mut byte, bit / 8) == 1 {
                content.write(&[byte[0] ^ (1 << (bit % 8))], bit / 8);
            }
        }
    }
}
