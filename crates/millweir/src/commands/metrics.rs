//! `metrics ls|get|watch`.

mod graph;

use super::connect_to_neighbors;
use crate::cli::{MetricArgs, MetricsCommand, MetricsGetArgs, MetricsLsArgs, MetricsWatchArgs};
use crate::output::{self, Table};
use crate::times;
use anyhow::{Context as _, Result, ensure};
use api::Timestamp;
use api::cloudwatch::{
    Dimension, DimensionFilter, GetMetricDataInput, ListMetricsInput, Metric, MetricDataQuery,
    MetricStat, ScanBy, ops,
};
use client::{Client, system_env};
use serde_json::{Value, json};
use std::io::{self, IsTerminal as _};
use std::time::Duration;

pub(super) async fn run(command: MetricsCommand) -> Result<()> {
    match command {
        MetricsCommand::Ls(args) => list(&args).await,
        MetricsCommand::Get(args) => get(&args).await,
        MetricsCommand::Watch(args) => watch(&args).await,
    }
}

async fn list(args: &MetricsLsArgs) -> Result<()> {
    let client = connect_to_neighbors(&args.client)?;
    let filter = |text: &String| match text.split_once('=') {
        Some((name, value)) => DimensionFilter { name: name.into(), value: Some(value.into()) },
        None => DimensionFilter { name: text.as_str().into(), value: None },
    };
    let mut input = ListMetricsInput {
        namespace: args.namespace.as_deref().map(Into::into),
        metric_name: args.metric.as_deref().map(Into::into),
        dimensions: Some(args.dimensions.iter().map(filter).collect()),
        ..ListMetricsInput::default()
    };
    let mut table = Table::new(&["namespace", "metric", "dimensions"]);
    let mut values = Vec::new();
    loop {
        let page = client.call::<ops::ListMetrics>(&input).await?;
        for metric in page.metrics.unwrap_or_default() {
            let dimensions = metric.dimensions.unwrap_or_default();
            let (namespace, name) =
                (text(metric.namespace.as_ref()), text(metric.metric_name.as_ref()));
            let shown: Vec<_> =
                dimensions.iter().map(|d| format!("{}={}", d.name, d.value)).collect();
            let listed = dimensions.iter().map(|d| json!({"name": &*d.name, "value": &*d.value}));
            values.push(json!({
                "namespace": namespace,
                "metric": name,
                "dimensions": listed.collect::<Vec<_>>(),
            }));
            table.row(vec![namespace, name, shown.join(" ")]);
        }
        let Some(next_token) = page.next_token else { break };
        input.next_token = Some(next_token);
    }
    output::answer(args.output, &Value::Array(values), &table)?;
    Ok(())
}

fn text(text: Option<&api::Text>) -> String {
    text.map(ToString::to_string).unwrap_or_default()
}

async fn get(args: &MetricsGetArgs) -> Result<()> {
    let client = connect_to_neighbors(&args.client)?;
    let now_ms = system_env().clock.now_ms();
    let time =
        |text: &str| times::parse(text, now_ms).with_context(|| format!("`{text}` is no time"));
    let from_ms = time(&args.from)?;
    let to_ms = args.to.as_deref().map_or(Ok(now_ms), time)?;
    let points = read(&client, &args.metric, (from_ms, to_ms)).await?;
    let mut table = Table::new(&["time", "value"]);
    let mut values = Vec::new();
    for (at_ms, value) in points {
        values.push(json!({"time": times::iso(at_ms), "value": value}));
        table.row(vec![times::iso(at_ms), value.to_string()]);
    }
    output::answer(args.output, &Value::Array(values), &table)?;
    Ok(())
}

/// A metric's values, the oldest first, each with the time at which its period begins.
async fn read(
    client: &Client,
    args: &MetricArgs,
    (from_ms, to_ms): (i64, i64),
) -> Result<Vec<(i64, f64)>> {
    let period = i32::try_from(args.period.as_secs()).context("the period is too long")?;
    let stat = MetricStat {
        metric: Metric {
            namespace: Some(args.namespace.as_str().into()),
            metric_name: Some(args.metric.as_str().into()),
            dimensions: Some(dimensions(args)),
        },
        period,
        stat: args.stat.as_str().into(),
        unit: None,
    };
    let query =
        MetricDataQuery { id: "m1".into(), metric_stat: Some(stat), ..MetricDataQuery::default() };
    let mut input = GetMetricDataInput {
        metric_data_queries: vec![query],
        start_time: Timestamp(from_ms),
        end_time: Timestamp(to_ms),
        scan_by: Some(ScanBy::TimestampAscending),
        ..GetMetricDataInput::default()
    };
    let mut points = Vec::new();
    loop {
        let page = client.call::<ops::GetMetricData>(&input).await?;
        for result in page.metric_data_results.unwrap_or_default() {
            let at = result.timestamps.unwrap_or_default().into_iter().map(|at| at.0);
            points.extend(at.zip(result.values.unwrap_or_default()));
        }
        let Some(next_token) = page.next_token else { return Ok(points) };
        input.next_token = Some(next_token);
    }
}

/// The dimensions that the command line names.
pub(super) fn dimensions(args: &MetricArgs) -> Vec<Dimension> {
    let dimension = |(name, value): &(String, String)| Dimension {
        name: name.as_str().into(),
        value: value.as_str().into(),
    };
    args.dimensions.iter().map(dimension).collect()
}

async fn watch(args: &MetricsWatchArgs) -> Result<()> {
    let client = connect_to_neighbors(&args.client)?;
    let clock = system_env().clock;
    ensure!(args.every >= Duration::from_millis(100), "drawings are 100ms apart at least");
    let mut left = args.times.unwrap_or(u64::MAX);
    let is_terminal = io::stdout().is_terminal();
    while left > 0 {
        let now_ms = clock.now_ms();
        let period_ms = args.metric.period.as_millis() as i64;
        // Whole periods: the first one of the picture does not move within a period.
        let to_ms = now_ms - now_ms.rem_euclid(period_ms) + period_ms;
        let from_ms = to_ms - args.span.as_millis() as i64;
        let points = read(&client, &args.metric, (from_ms, to_ms)).await?;
        let title =
            format!("{} {} {}", args.metric.namespace, args.metric.metric, args.metric.stat);
        let drawn = graph::draw(&title, &points, (from_ms, to_ms), period_ms);
        // Home, then clear what is below: the picture stays where it is.
        let home = if is_terminal { "\x1b[H\x1b[J" } else { "" };
        output::line(&format!("{home}{drawn}"))?;
        left -= 1;
        if left > 0 {
            tokio::select! {
                () = clock.sleep(args.every) => {}
                _ = tokio::signal::ctrl_c() => return Ok(()),
            }
        }
    }
    Ok(())
}
