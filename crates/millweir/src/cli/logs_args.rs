//! Arguments of `logs`.

use super::{ClientArgs, Format, duration, help};
use clap::{Args, Subcommand};
use std::time::Duration;

#[derive(Debug, Subcommand)]
pub(crate) enum LogsCommand {
    /// List log groups, how long each keeps its events, and their bytes
    #[command(before_help = help::LOGS_LS, help_template = help::TEMPLATE)]
    Ls(LogsLsArgs),
    /// Print the events of a log group, and those that come, until ctrl-c
    #[command(before_help = help::LOGS_TAIL, help_template = help::TEMPLATE)]
    Tail(LogsTailArgs),
}

#[derive(Debug, Args)]
pub(crate) struct LogsLsArgs {
    /// Only groups whose names begin so
    pub(crate) prefix: Option<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Format,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}

#[derive(Debug, Args)]
pub(crate) struct LogsTailArgs {
    /// Name of the log group
    pub(crate) group: String,
    /// Only streams whose names begin so
    #[arg(long, value_name = "PREFIX")]
    pub(crate) stream_prefix: Option<String>,
    /// Only events that match this filter pattern
    #[arg(long, value_name = "PATTERN", allow_hyphen_values = true)]
    pub(crate) filter: Option<String>,
    /// How far back to begin
    #[arg(long, default_value = "10m", value_name = "DURATION", value_parser = duration)]
    pub(crate) since: Duration,
    /// Go on with what comes (the default)
    #[arg(long, overrides_with = "no_follow")]
    pub(crate) follow: bool,
    /// Stop at the last event that there is
    #[arg(long, overrides_with = "follow")]
    pub(crate) no_follow: bool,
    /// `text`: time, stream and message; `json`: one object per line
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) output: Format,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}
