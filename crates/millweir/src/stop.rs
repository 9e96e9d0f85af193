//! The signals that end the server or a command: ctrl-c, SIGTERM, and SIGHUP of a closed terminal.

use crate::exit::Stopped;
use crate::{files, output};
use anyhow::{Context as _, Result};
use std::future::{Future, pending};
use std::path::Path;
use std::pin::pin;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Listens from its making on: the signals no longer end the process by themselves.
pub(crate) struct Stop {
    interrupt: Signal,
    terminate: Signal,
    /// Absent when it is ignored.
    hangup: Option<Signal>,
    seen: Option<Stopped>,
}

impl Stop {
    pub(crate) fn listen() -> Result<Self> {
        let listen = |kind| signal(kind).context("cannot listen to signals");
        let hangup = SignalKind::hangup();
        // Why asked first: who starts it with `nohup` wants it to outlive the terminal.
        let status = files::read(Path::new("/proc/self/status")).unwrap_or_default();
        let ignored = is_ignored(&String::from_utf8_lossy(&status), hangup.as_raw_value());
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: (!ignored).then(|| listen(hangup)).transpose()?,
            seen: None,
        })
    }

    /// The first signal, once there was one.
    pub(crate) fn seen(&self) -> Option<Stopped> {
        self.seen
    }

    /// Resolves at the next signal.
    ///
    /// # Cancel safety
    /// Safe: no signal is lost.
    pub(crate) async fn next(&mut self) -> Stopped {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => pending().await,
            }
        };
        let kind = tokio::select! {
            _ = self.interrupt.recv() => SignalKind::interrupt(),
            _ = self.terminate.recv() => SignalKind::terminate(),
            _ = hangup => SignalKind::hangup(),
        };
        let stopped = Stopped(kind.as_raw_value());
        self.seen.get_or_insert(stopped);
        stopped
    }

    /// Does what should not be broken off; after a first signal it says what is waited for, at the
    /// next one it gives up.
    pub(crate) async fn patiently<T>(
        &mut self,
        what: &str,
        work: impl Future<Output = T>,
    ) -> Result<T, Stopped> {
        let mut work = pin!(work);
        loop {
            let again = self.seen.is_some();
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                stopped = self.next() => {
                    if again {
                        return Err(stopped);
                    }
                    waiting_for(what);
                }
            }
        }
    }
}

/// Says after a first signal why the command has not ended yet.
pub(crate) fn waiting_for(what: &str) {
    output::note(&format!("waiting for {what}; ctrl-c again gives up"));
}

/// Whether a process whose `/proc/PID/status` this is ignores a signal.
fn is_ignored(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals() {
        let check = |status: &str, want: [bool; 2]| {
            assert_eq!([1, 15].map(|signal| is_ignored(status, signal)), want, "{status}");
        };
        check("Name:\tmillweir\nSigIgn:\t0000000000001001\nSigCgt:\t0\n", [true, false]);
        check("SigIgn:\t0000000000004000\n", [false, true]);
        check("SigIgn:\tnone\n", [false, false]);
        check("", [false, false]);
    }
}
