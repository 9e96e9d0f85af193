//! Arguments of `metrics` and `alarm`.

use super::{ClientArgs, Format, duration, help};
use clap::{Args, Subcommand, ValueEnum};
use std::time::Duration;

#[derive(Debug, Subcommand)]
pub(crate) enum MetricsCommand {
    /// List metrics that had values in the last two weeks
    #[command(before_help = help::METRICS_LS, help_template = help::TEMPLATE)]
    Ls(MetricsLsArgs),
    /// Print a metric's values by period
    #[command(before_help = help::METRICS_GET, help_template = help::TEMPLATE)]
    Get(MetricsGetArgs),
    /// Draw a metric as a line, again and again until ctrl-c
    #[command(before_help = help::METRICS_WATCH, help_template = help::TEMPLATE)]
    Watch(MetricsWatchArgs),
}

#[derive(Debug, Args)]
pub(crate) struct MetricsLsArgs {
    /// Only this namespace
    pub(crate) namespace: Option<String>,
    /// Only metrics of this name
    pub(crate) metric: Option<String>,
    /// Only those with this dimension, as StreamName or StreamName=clicks
    #[arg(long = "dimension", short = 'd', value_name = "NAME[=VALUE]")]
    pub(crate) dimensions: Vec<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Format,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}

/// A metric and what of it is wanted.
#[derive(Debug, Args)]
pub(crate) struct MetricArgs {
    /// Its namespace, as AWS/Kinesis
    pub(crate) namespace: String,
    /// Its name, as IncomingBytes
    pub(crate) metric: String,
    /// A dimension, as StreamName=clicks; all of the metric's must be there
    #[arg(long = "dimension", short = 'd', value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) dimensions: Vec<(String, String)>,
    /// Sum, Average, Minimum, Maximum, SampleCount or a percentile, as p99
    #[arg(long, default_value = "Sum", value_name = "STATISTIC")]
    pub(crate) stat: String,
    /// Length of a period
    #[arg(long, default_value = "1m", value_name = "DURATION", value_parser = period)]
    pub(crate) period: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct MetricsGetArgs {
    #[command(flatten)]
    pub(crate) metric: MetricArgs,
    /// Where to start: a time as 2026-01-31T12:00:00Z or -15m
    #[arg(long, default_value = "-1h", value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) from: String,
    /// Where to end; now when absent
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) to: Option<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Format,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}

#[derive(Debug, Args)]
pub(crate) struct MetricsWatchArgs {
    #[command(flatten)]
    pub(crate) metric: MetricArgs,
    /// How much of the past is drawn
    #[arg(long, default_value = "1h", value_name = "DURATION", value_parser = duration)]
    pub(crate) span: Duration,
    /// Time between two drawings
    #[arg(long, default_value = "5s", value_name = "DURATION", value_parser = duration)]
    pub(crate) every: Duration,
    /// Stop after this many drawings
    #[arg(long, value_name = "N")]
    pub(crate) times: Option<u64>,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}

#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one in a run")]
pub(crate) enum AlarmCommand {
    /// List alarms and their states
    #[command(before_help = help::ALARM_LS, help_template = help::TEMPLATE)]
    Ls(AlarmLsArgs),
    /// Make an alarm, or give one another configuration
    #[command(before_help = help::ALARM_PUT, help_template = help::TEMPLATE)]
    Put(AlarmPutArgs),
    /// Bring an alarm into a state until its next evaluation, and show what it did
    #[command(before_help = help::ALARM_TEST, help_template = help::TEMPLATE)]
    Test(AlarmTestArgs),
}

/// A state of an alarm.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum AlarmState {
    /// The threshold is not crossed
    Ok,
    /// It is
    Alarm,
    /// Nobody knows
    InsufficientData,
}

#[derive(Debug, Args)]
pub(crate) struct AlarmLsArgs {
    /// Only alarms whose names begin so
    pub(crate) prefix: Option<String>,
    /// Only those in this state
    #[arg(long, value_enum)]
    pub(crate) state: Option<AlarmState>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Format,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("threshold").required(true))]
pub(crate) struct AlarmPutArgs {
    /// Name of the alarm
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) metric: MetricArgs,
    /// Goes off above this value
    #[arg(long, group = "threshold", value_name = "VALUE", allow_hyphen_values = true)]
    pub(crate) above: Option<f64>,
    /// Goes off below this value
    #[arg(long, group = "threshold", value_name = "VALUE", allow_hyphen_values = true)]
    pub(crate) below: Option<f64>,
    /// Periods that it looks at
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(crate) periods: i32,
    /// How many of them must be above or below; all when absent
    #[arg(long, value_name = "M")]
    pub(crate) datapoints: Option<i32>,
    /// What a period without values is
    #[arg(long, value_name = "missing|ignore|breaching|notBreaching")]
    pub(crate) missing: Option<String>,
    /// What it does when it goes off: the ARN of a topic
    #[arg(long = "action", value_name = "ARN")]
    pub(crate) actions: Vec<String>,
    /// What people are told about it
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}

#[derive(Debug, Args)]
pub(crate) struct AlarmTestArgs {
    /// Name of the alarm
    pub(crate) name: String,
    /// The state that it comes into
    #[arg(long, value_enum, default_value = "alarm")]
    pub(crate) state: AlarmState,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Format,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}

/// A length that periods may have: whole seconds.
fn period(text: &str) -> Result<Duration, String> {
    let period = duration(text)?;
    let is_one = period.as_secs() > 0 && period.subsec_nanos() == 0;
    is_one.then_some(period).ok_or_else(|| "a period is a number of whole seconds".to_owned())
}

/// `NAME=VALUE`.
fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("a dimension is NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_whole_seconds() {
        assert_eq!(period("90s"), Ok(Duration::from_secs(90)));
        for wrong in ["0s", "500ms", "1500ms", "x"] {
            assert!(period(wrong).is_err(), "{wrong}");
        }
    }
}
