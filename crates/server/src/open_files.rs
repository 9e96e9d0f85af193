//! The process's limit of open files.
//!
//! A login shell often allows 1,024 and the process may raise that by itself. Without room a crowd
//! of connections would take the files that the log engine needs to write.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit to `wanted` files if it is lower; gives the limit that there is when it cannot
/// be raised so far.
#[must_use]
pub fn raise_open_files(wanted: usize) -> Option<usize> {
    let enough = |limit: Option<u64>| limit.is_none_or(|max| max >= wanted as u64);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if enough(current) {
        return None;
    }
    let raised = if enough(maximum) { Some(wanted as u64) } else { maximum };
    let left = match setrlimit(Resource::Nofile, Rlimit { current: raised, maximum }) {
        Ok(()) => raised,
        Err(_) => current,
    };
    left.filter(|_| !enough(left)).map(|max| max as usize)
}
