//! Exit codes, as every help text lists them.

use crate::config::settings::Problems;
use client::ErrorKind;
use std::fmt;
use std::process::ExitCode;

/// Something failed.
const FAILED: u8 = 1;
/// The command line or the configuration is wrong; clap's own code for the former.
const USAGE: u8 = 2;
/// A server answered with an error.
const REFUSED: u8 = 3;
/// `verify` found damage.
const DAMAGED: u8 = 4;

/// A signal of this number ended a command, as a shell would say it of any program.
const STOPPED: u8 = 128;

/// A signal ended a command: nothing failed, and nothing more is to be said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Stopped(pub(crate) i32);

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stopped by signal {}", self.0)
    }
}

impl std::error::Error for Stopped {}

/// `verify` found this many damaged places.
#[derive(Debug)]
pub(crate) struct Damaged(pub(crate) usize);

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} damaged places", self.0)
    }
}

impl std::error::Error for Damaged {}

/// What an argument says cannot be, found only by the command itself.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// The exit code of a failure.
pub(crate) fn code(e: &anyhow::Error) -> ExitCode {
    number(e).into()
}

fn number(e: &anyhow::Error) -> u8 {
    for cause in e.chain() {
        if cause.is::<Damaged>() {
            return DAMAGED;
        }
        if let Some(Stopped(signal)) = cause.downcast_ref() {
            return STOPPED.saturating_add(u8::try_from(*signal).unwrap_or(u8::MAX));
        }
        if cause.is::<Problems>() || cause.is::<Usage>() {
            return USAGE;
        }
        if let Some(e) = cause.downcast_ref::<client::Error>() {
            return match e.kind() {
                ErrorKind::Refused => REFUSED,
                ErrorKind::Config => USAGE,
                _ => FAILED,
            };
        }
    }
    FAILED
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;

    #[test]
    fn codes_are_found_below_context() {
        let e = anyhow::Error::from(Damaged(2)).context("verify");
        assert_eq!(number(&e), DAMAGED);
        let e = Err::<(), _>(Problems::default()).context("config").unwrap_err();
        assert_eq!(number(&e), USAGE);
        let e = anyhow::Error::from(Usage("x".into())).context("tail");
        assert_eq!(number(&e), USAGE);
        assert_eq!(number(&Stopped(15).into()), 143);
        assert_eq!(number(&anyhow::anyhow!("x")), FAILED);
    }
}
