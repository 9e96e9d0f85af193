//! The log: to stderr, text for people, JSON lines for machines.
//!
//! ```text
//! event -> filter -> one a second of its kind -> line -> bounded queue -> a thread -> stderr
//! ```

mod lines;
mod pace;

use crate::config::options::{LogFormat, Options};
use anyhow::{Context as _, Result, anyhow};
use base::Env;
use lines::Lines;
use pace::Pace;
use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Whose lines a bare level means: what a library thinks of a client is not the owner's business,
/// and a client could make it think a lot. A filter can name the others.
const OURS: [&str; 11] = [
    "api",
    "base",
    "client",
    "kit",
    "millweir",
    "neighbors",
    "outgoing",
    "server",
    "store",
    "streams",
    "wire",
];

/// The log of this process; what was said is written when it is dropped.
pub(super) struct Log {
    pace: Pace,
    lines: Arc<Lines>,
}

impl Log {
    /// From now on clients can cause lines, so each kind of them comes once a second.
    pub(super) fn clients_come(&self) {
        self.pace.begin();
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.lines.finish();
    }
}

/// Starts the log of this process.
///
/// # Errors
/// The filter cannot be read, or the thread does not start.
pub(super) fn start(options: &Options, env: &Env) -> Result<Log> {
    let filter = filter(&options.log_level)?;
    let terminal = io::stderr().is_terminal();
    let json = match options.log_format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => !terminal,
    };
    let colored = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let (lines, pace) = (Arc::new(Lines::default()), Pace::new(env.clock.clone()));
    let writer = lines.clone();
    let log = tracing_subscriber::fmt::layer()
        .with_writer(move || writer.writer())
        .with_ansi(colored)
        .with_target(false);
    let log: Box<dyn tracing_subscriber::Layer<_> + Send + Sync> =
        if json { Box::new(log.json()) } else { Box::new(log) };
    tracing_subscriber::registry()
        .with(filter)
        .with(pace.clone())
        .with(log)
        .try_init()
        .map_err(|e| anyhow!("cannot start the log: {e}"))?;
    let told = pace.clone();
    lines.start(io::stderr(), move || told.tell()).context("cannot start the log's thread")?;
    Ok(Log { pace, lines })
}

fn filter(level: &str) -> Result<EnvFilter> {
    let directives = match level.parse::<LevelFilter>() {
        Ok(level) => OURS.map(|ours| format!("{ours}={level}")).join(","),
        Err(_) => level.to_owned(),
    };
    EnvFilter::builder().parse(directives).map_err(|e| anyhow!("`log.level`: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_level_is_that_of_our_own_lines() {
        let said = filter("info").unwrap().to_string();
        assert!(said.contains("server=info") && !said.contains("h2"), "{said}");
        assert_eq!(said.split(',').count(), OURS.len(), "{said}");
        assert_eq!(filter("info,h2=warn").unwrap().to_string(), "h2=warn,info");
    }

    #[test]
    fn no_crate_of_ours_is_silent() {
        let workspace = include_str!("../../../../Cargo.toml");
        let ours = workspace.lines().filter(|line| line.contains("{ path = \"crates/"));
        let mut ours: Vec<_> = ours.filter_map(|line| line.split(' ').next()).collect();
        ours.retain(|name| *name != "testkit");
        ours.push("millweir");
        ours.sort_unstable();
        assert_eq!(ours, OURS);
    }
}
