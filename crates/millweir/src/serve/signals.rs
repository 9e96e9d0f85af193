//! The signals that end the server.

use crate::files;
use anyhow::{Context as _, Result};
use std::path::Path;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGTERM, SIGINT, and SIGHUP, which comes when the terminal is closed.
pub(super) struct Signals {
    term: Signal,
    int: Signal,
    /// None when whoever started the server made it deaf to it, as `nohup` does.
    hangup: Option<Signal>,
}

impl Signals {
    /// Notes signals from now on.
    ///
    /// # Errors
    /// The system has no room for them.
    pub(super) fn listen() -> Result<Self> {
        let of = |kind| signal(kind).context("cannot listen for signals");
        let hangup = if ignored(SignalKind::hangup()) { None } else { Some(SignalKind::hangup()) };
        Ok(Self {
            term: of(SignalKind::terminate())?,
            int: of(SignalKind::interrupt())?,
            hangup: hangup.map(of).transpose()?,
        })
    }

    /// Resolves at the first of them.
    pub(super) async fn first(mut self) {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
            _ = hangup => {}
        }
    }
}

/// Whether this process was started with the signal ignored; no on systems without `/proc`.
fn ignored(kind: SignalKind) -> bool {
    let status = files::read(Path::new("/proc/self/status")).unwrap_or_default();
    is_ignored(&String::from_utf8_lossy(&status), kind)
}

/// Reads the mask of ignored signals, in which SIGHUP, number 1, is the lowest bit.
fn is_ignored(status: &str, kind: SignalKind) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (kind.as_raw_value() - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_read() {
        let check = |status: &str, want: [bool; 2]| {
            let kinds = [SignalKind::hangup(), SignalKind::terminate()];
            assert_eq!(kinds.map(|kind| is_ignored(status, kind)), want, "{status}");
        };
        check("Name:\tmillweir\nSigIgn:\t0000000000001001\nSigCgt:\t0\n", [true, false]);
        check("SigIgn:\t0000000000004000\n", [false, true]);
        check("SigIgn:\tnone\n", [false, false]);
        check("", [false, false]);
    }
}
