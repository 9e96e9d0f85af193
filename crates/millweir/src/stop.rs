//! The signals that end the server or a command: ctrl-c, SIGTERM, and SIGHUP of a closed terminal;
//! and SIGHUP as it has a server read its keys again.

use crate::exit::Stopped;
use crate::{files, output};
use anyhow::{Context as _, Result};
use std::future::{Future, pending};
use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::pin::pin;
use std::thread::Builder;
use std::time::Duration;
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
    /// For a command, which a closed terminal ends.
    pub(crate) fn listen() -> Result<Self> {
        let hangup = (!outlives_terminal()).then(|| listen(SignalKind::hangup())).transpose()?;
        Ok(Self { hangup, ..Self::listen_but_hangup()? })
    }

    /// For the server, which has another use for SIGHUP: see [`Hangups`].
    pub(crate) fn listen_but_hangup() -> Result<Self> {
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: None,
            seen: None,
        })
    }

    /// Bounds what a server does after its first signal, a start that hangs too: see
    /// [`end_within`].
    pub(crate) fn bound(time: Duration) -> Result<()> {
        let mut stop = Self::listen_but_hangup()?;
        tokio::spawn(async move {
            stop.next().await;
            end_within(time);
        });
        Ok(())
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

/// Ends the process after this time, if it is still there then: whatever hangs, supervisors kill
/// soon after. What was acknowledged is on the disk.
///
/// Why a thread: the disk may block all those of the runtime. It tells nothing, as whoever reads
/// that may hang, too.
pub(crate) fn end_within(time: Duration) {
    let end = move || {
        std::thread::sleep(time);
        std::process::exit(0);
    };
    drop(Builder::new().name("stop".to_owned()).spawn(end));
}

fn listen(kind: SignalKind) -> Result<Signal> {
    signal(kind).context("cannot listen to signals")
}

/// Whether whoever started the process wants it to go on without the terminal, as by `nohup`.
fn outlives_terminal() -> bool {
    let status = files::read(Path::new("/proc/self/status")).unwrap_or_default();
    is_ignored(&String::from_utf8_lossy(&status), SignalKind::hangup().as_raw_value())
}

/// What SIGHUP means to a server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Hangup {
    /// Somebody wants it to read again what may have changed.
    Reread,
    /// The terminal that it ran in is gone.
    TerminalGone,
}

/// The SIGHUPs of a server, from their making on.
pub(crate) struct Hangups {
    signal: Signal,
    /// Which of the standard streams were terminals, unless the server outlives them.
    terminals: [bool; 3],
}

impl Hangups {
    pub(crate) fn listen() -> Result<Self> {
        // Asked before it is listened to, which ends its being ignored.
        let outlives = outlives_terminal();
        let terminals = if outlives { [false; 3] } else { terminals() };
        Ok(Self { signal: listen(SignalKind::hangup())?, terminals })
    }

    /// Resolves at the next one.
    ///
    /// # Cancel safety
    /// Safe: none is lost.
    pub(crate) async fn next(&mut self) -> Hangup {
        self.signal.recv().await;
        meaning(self.terminals, terminals())
    }
}

/// A terminal that was closed is none any more.
fn meaning(before: [bool; 3], now: [bool; 3]) -> Hangup {
    match before.iter().zip(now).any(|(before, now)| *before && !now) {
        true => Hangup::TerminalGone,
        false => Hangup::Reread,
    }
}

fn terminals() -> [bool; 3] {
    [io::stdin().is_terminal(), io::stdout().is_terminal(), io::stderr().is_terminal()]
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
    fn a_closed_terminal_is_told_from_a_word_to_read_again() {
        for (before, now, want) in [
            ([true; 3], [true; 3], Hangup::Reread),
            ([true; 3], [false; 3], Hangup::TerminalGone),
            ([false, false, true], [false; 3], Hangup::TerminalGone),
            ([false; 3], [false; 3], Hangup::Reread),
        ] {
            assert_eq!(meaning(before, now), want);
        }
    }

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
