//! The command line: what exists, its help, nothing else.

mod client_args;
mod help;
mod logs_args;
mod metrics_args;
mod serve_args;

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

pub(crate) use client_args::ClientArgs;
pub(crate) use logs_args::{LogsCommand, LogsLsArgs, LogsTailArgs};
pub(crate) use metrics_args::{
    AlarmCommand, AlarmLsArgs, AlarmPutArgs, AlarmState, AlarmTestArgs, MetricArgs, MetricsCommand,
    MetricsGetArgs, MetricsLsArgs, MetricsWatchArgs,
};
pub(crate) use serve_args::{ConfigArgs, ServeArgs};

/// Kinesis Data Streams on your own machine: durable, one binary, AWS's wire protocol
#[derive(Debug, Parser)]
#[command(name = "millweir", version, before_help = help::TOP, help_template = help::TEMPLATE)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) serve: ServeArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the API (what `millweir` alone does)
    #[command(before_help = help::SERVE, help_template = help::TEMPLATE)]
    Serve(ServeArgs),
    /// Create, list, describe, delete and reshard streams
    #[command(subcommand, before_help = help::STREAM, help_template = help::TEMPLATE)]
    Stream(StreamCommand),
    /// Write records: an argument, or each line of a file or of stdin
    #[command(before_help = help::PUT, help_template = help::TEMPLATE)]
    Put(PutArgs),
    /// Print the records of all shards, following splits and merges
    #[command(before_help = help::TAIL, help_template = help::TEMPLATE)]
    Tail(TailArgs),
    /// Write made-up records at a given rate
    #[command(before_help = help::GENERATE, help_template = help::TEMPLATE)]
    Generate(GenerateArgs),
    /// Measure rates and latencies against a server
    #[command(before_help = help::BENCH, help_template = help::TEMPLATE)]
    Bench(BenchArgs),
    /// List and read metrics, or watch one as a line
    #[command(subcommand, before_help = help::METRICS, help_template = help::TEMPLATE)]
    Metrics(MetricsCommand),
    /// List, make and test alarms
    #[command(subcommand, before_help = help::ALARM, help_template = help::TEMPLATE)]
    Alarm(AlarmCommand),
    /// List log groups, and follow their events
    #[command(subcommand, before_help = help::LOGS, help_template = help::TEMPLATE)]
    Logs(LogsCommand),
    /// Print the exports that point AWS clients to a server
    #[command(before_help = help::ENV, help_template = help::TEMPLATE)]
    Env(EnvArgs),
    /// Walk every checksum of a data directory; no server may hold it
    #[command(before_help = help::VERIFY, help_template = help::TEMPLATE)]
    Verify(VerifyArgs),
    /// Check the configuration and print it
    #[command(before_help = help::CHECK_CONFIG, help_template = help::TEMPLATE)]
    CheckConfig(CheckConfigArgs),
    /// Print a completion script for a shell
    #[command(before_help = help::COMPLETION, help_template = help::TEMPLATE)]
    Completion(CompletionArgs),
}

/// How an answer is printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub(crate) enum Format {
    /// Aligned columns for people
    #[default]
    Table,
    /// JSON
    Json,
    /// Tab-separated cells without titles
    Text,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StreamCommand {
    /// Create a stream and wait until it is ACTIVE
    #[command(before_help = help::CREATE, help_template = help::TEMPLATE)]
    Create(CreateArgs),
    /// List the streams of the account and region
    #[command(before_help = help::LIST, help_template = help::TEMPLATE)]
    List(ListArgs),
    /// Show a stream and its shards
    #[command(before_help = help::DESCRIBE, help_template = help::TEMPLATE)]
    Describe(DescribeArgs),
    /// Delete a stream and wait until it is gone
    #[command(before_help = help::DELETE, help_template = help::TEMPLATE)]
    Delete(DeleteArgs),
    /// Change the number of shards, split one, or merge two, and wait until it is done
    #[command(before_help = help::RESHARD, help_template = help::TEMPLATE)]
    Reshard(ReshardArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// Name of the stream
    pub(crate) stream: String,
    /// Number of shards
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(i32).range(1..))]
    pub(crate) shards: i32,
    /// Let the server choose the number of shards
    #[arg(long, conflicts_with = "shards")]
    pub(crate) on_demand: bool,
    /// Hours for which records are kept
    #[arg(long, value_name = "HOURS", value_parser = clap::value_parser!(i32).range(24..=8760))]
    pub(crate) retention: Option<i32>,
    /// Do nothing when the stream exists already
    #[arg(long)]
    pub(crate) if_absent: bool,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Format,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DescribeArgs {
    /// Name of the stream
    pub(crate) stream: String,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Format,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DeleteArgs {
    /// Name of the stream
    pub(crate) stream: String,
    /// Delete its registered consumers too
    #[arg(long)]
    pub(crate) with_consumers: bool,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("how").required(true))]
pub(crate) struct ReshardArgs {
    /// Name of the stream
    pub(crate) stream: String,
    /// New number of shards
    #[arg(long, group = "how", value_parser = clap::value_parser!(i32).range(1..))]
    pub(crate) shards: Option<i32>,
    /// Shard to split
    #[arg(long, group = "how", value_name = "SHARD")]
    pub(crate) split: Option<String>,
    /// Where the second half of the split begins; the middle when absent
    #[arg(long, requires = "split", value_name = "HASH_KEY")]
    pub(crate) at: Option<String>,
    /// Two adjacent shards to merge
    #[arg(long, group = "how", num_args = 2, value_names = ["SHARD", "ADJACENT"])]
    pub(crate) merge: Option<Vec<String>>,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}

#[derive(Debug, Args)]
pub(crate) struct PutArgs {
    /// Name of the stream
    pub(crate) stream: String,
    /// The record; without it each line of FILE, or of stdin, is one
    #[arg(conflicts_with = "file")]
    pub(crate) data: Option<String>,
    /// Read lines from this file or pipe; `-` is stdin
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Partition key of every record; random per record when absent
    #[arg(long)]
    pub(crate) key: Option<String>,
    /// Partition key is this field of each line, counted from 1, between blanks
    #[arg(long, value_name = "N", conflicts_with = "key")]
    pub(crate) key_field: Option<std::num::NonZeroUsize>,
    /// Hash key of every record, instead of its partition key's
    #[arg(long, value_name = "HASH_KEY")]
    pub(crate) explicit_hash_key: Option<String>,
    /// Calls on their way at once
    #[arg(long, default_value_t = 4, value_name = "N")]
    pub(crate) lanes: usize,
    /// Print shard and sequence number of each record: `text` or `json` lines
    #[arg(long, value_enum)]
    pub(crate) output: Option<Format>,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}

#[derive(Debug, Args)]
pub(crate) struct TailArgs {
    /// Name of the stream
    pub(crate) stream: String,
    /// Where to start: `latest`, `trim_horizon`, or a time as 2026-01-31T12:00:00Z or -15m
    #[arg(long, default_value = "latest", value_name = "POSITION", allow_hyphen_values = true)]
    pub(crate) from: String,
    /// Push by enhanced fan-out instead of polling
    #[arg(long)]
    pub(crate) fan_out: bool,
    /// Name of the fan-out consumer; a temporary one when absent
    #[arg(long, requires = "fan_out", value_name = "NAME")]
    pub(crate) consumer: Option<String>,
    /// Stop after this many records
    #[arg(long, value_name = "N")]
    pub(crate) max_records: Option<u64>,
    /// Stop once nothing new came for this long, as in `5s`
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) idle_timeout: Option<Duration>,
    /// `text`: the data; `json`: one object per line; `table`: with shard, number, time and key
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) output: Format,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}

/// What is made up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Preset {
    /// Lines of Apache's combined log; the key is the client's address
    ApacheLog,
    /// Prices as JSON; the key is the ticker symbol
    StockTicker,
    /// Readings as JSON; the key is the sensor's id
    Sensor,
}

#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    /// Name of the stream
    #[arg(required_unless_present = "stdout")]
    pub(crate) stream: Option<String>,
    /// What to make up
    #[arg(long, value_enum, default_value = "stock-ticker")]
    pub(crate) preset: Preset,
    /// Records per second
    #[arg(long, default_value_t = 10.0)]
    pub(crate) rate: f64,
    /// Stop after this long, as in `30s`; without it and --records, at ctrl-c
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) duration: Option<Duration>,
    /// Stop after this many records
    #[arg(long, value_name = "N")]
    pub(crate) records: Option<u64>,
    /// The same seed makes the same records, times in them included
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Print the records as fast as they are made instead of writing them
    #[arg(long, conflicts_with = "stream")]
    pub(crate) stdout: bool,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum BenchMode {
    /// One record per call
    PutRecord,
    /// `--batch` records per call
    PutRecords,
    /// Read back what `put-records` wrote before
    GetRecords,
}

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// Stream to use; without it one is created and deleted again
    #[arg(long)]
    pub(crate) stream: Option<String>,
    /// What to measure
    #[arg(long, value_enum, default_value = "put-records")]
    pub(crate) mode: BenchMode,
    /// Calls on their way at once
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(crate) connections: u32,
    /// Most time
    #[arg(long, default_value = "10s", value_parser = duration)]
    pub(crate) duration: Duration,
    /// Most records
    #[arg(long, default_value_t = 1_000_000, value_name = "N")]
    pub(crate) records: u64,
    /// Bytes of each record
    #[arg(long, default_value = "1KiB", value_parser = size)]
    pub(crate) size: u64,
    /// Records per PutRecords call; without it 500, or as many as make 5 MiB
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=500))]
    pub(crate) batch: Option<u32>,
    /// Shards of the created stream
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(i32).range(1..))]
    pub(crate) shards: i32,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Format,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}

/// A shell's syntax.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Shell {
    /// sh, bash, zsh
    Bash,
    /// fish
    Fish,
    /// PowerShell
    Powershell,
}

#[derive(Debug, Args)]
pub(crate) struct EnvArgs {
    /// Syntax; found from $SHELL when absent
    #[arg(long, value_enum)]
    pub(crate) shell: Option<Shell>,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The data directory; the configured one when absent
    #[arg(value_name = "DIR")]
    pub(crate) directory: Option<PathBuf>,
    /// The same by the name that `serve` has for it
    #[arg(long, value_name = "DIR", conflicts_with = "directory")]
    pub(crate) data: Option<PathBuf>,
    /// How to print what is damaged
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Format,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CheckConfigArgs {
    /// Show where each value comes from
    #[arg(long)]
    pub(crate) show_origin: bool,
    /// List every option with its default and what it means, and check nothing
    #[arg(long, conflicts_with = "show_origin")]
    pub(crate) options: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Format,
    #[command(flatten)]
    pub(crate) serve: ServeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionArgs {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

fn duration(text: &str) -> Result<Duration, String> {
    crate::config::units::parse_duration(text)
}

fn size(text: &str) -> Result<u64, String> {
    crate::config::units::parse_bytes(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn alone_means_serve() {
        let cli = Cli::try_parse_from(["millweir", "--listen", "127.0.0.1:0"]).unwrap();
        assert!(cli.command.is_none());
        assert_eq!(cli.serve.flags(), [("listen", "listen", "127.0.0.1:0".to_owned())]);
    }

    #[test]
    fn examples_come_first() {
        fn check(command: &mut clap::Command) {
            let help = command.render_long_help().to_string();
            assert!(help.starts_with("Examples:\n"), "{help}");
            command.get_subcommands_mut().filter(|c| c.get_name() != "help").for_each(check);
        }
        check(&mut Cli::command());
    }
}
