//! The log: to stderr, text for people, JSON lines for machines.

use crate::config::options::{LogFormat, Options};
use anyhow::{Result, anyhow};
use std::io::{self, IsTerminal as _};
use tracing_subscriber::EnvFilter;

/// Starts the log of this process.
///
/// # Errors
/// The filter cannot be read.
pub(super) fn start(options: &Options) -> Result<()> {
    let filter =
        EnvFilter::builder().parse(&options.log_level).map_err(|e| anyhow!("`log.level`: {e}"))?;
    let terminal = io::stderr().is_terminal();
    let json = match options.log_format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => !terminal,
    };
    let colored = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(colored)
        .with_target(false);
    let started = if json { log.json().try_init() } else { log.try_init() };
    started.map_err(|e| anyhow!("cannot start the log: {e}"))
}
