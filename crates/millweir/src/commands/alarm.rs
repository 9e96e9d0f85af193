//! `alarm ls|put|test`.

use super::{connect_to_neighbors, metrics};
use crate::cli::{AlarmCommand, AlarmLsArgs, AlarmPutArgs, AlarmState, AlarmTestArgs};
use crate::output::{self, Table};
use crate::times;
use anyhow::{Context as _, Result};
use api::cloudwatch::{
    AlarmType, ComparisonOperator, DescribeAlarmHistoryInput, DescribeAlarmsInput,
    PutMetricAlarmInput, SetAlarmStateInput, StateValue, Statistic, ops,
};
use api::{Text, Timestamp};
use client::system_env;
use serde_json::{Value, json};

pub(super) async fn run(command: AlarmCommand) -> Result<()> {
    match command {
        AlarmCommand::Ls(args) => list(&args).await,
        AlarmCommand::Put(args) => put(&args).await,
        AlarmCommand::Test(args) => test(&args).await,
    }
}

fn state_value(state: AlarmState) -> StateValue {
    match state {
        AlarmState::Ok => StateValue::Ok,
        AlarmState::Alarm => StateValue::Alarm,
        AlarmState::InsufficientData => StateValue::InsufficientData,
    }
}

fn shown(text: Option<Text>) -> String {
    text.map(|text| text.to_string()).unwrap_or_default()
}

/// An alarm of either kind, as far as it is listed.
struct Listed {
    name: String,
    state: String,
    since: Option<Timestamp>,
    reason: String,
}

async fn list(args: &AlarmLsArgs) -> Result<()> {
    let client = connect_to_neighbors(&args.client)?;
    let mut input = DescribeAlarmsInput {
        alarm_name_prefix: args.prefix.as_deref().map(Into::into),
        state_value: args.state.map(state_value),
        alarm_types: Some(vec![AlarmType::MetricAlarm, AlarmType::CompositeAlarm]),
        ..DescribeAlarmsInput::default()
    };
    let mut table = Table::new(&["alarm", "state", "since", "reason"]);
    let mut values = Vec::new();
    loop {
        let page = client.call::<ops::DescribeAlarms>(&input).await?;
        let of_metrics = page.metric_alarms.unwrap_or_default().into_iter().map(|alarm| Listed {
            name: shown(alarm.alarm_name),
            state: alarm.state_value.map_or("", StateValue::as_str).to_owned(),
            since: alarm.state_transitioned_timestamp,
            reason: shown(alarm.state_reason),
        });
        let composite = page.composite_alarms.unwrap_or_default().into_iter().map(|alarm| Listed {
            name: shown(alarm.alarm_name),
            state: alarm.state_value.map_or("", StateValue::as_str).to_owned(),
            since: alarm.state_transitioned_timestamp,
            reason: shown(alarm.state_reason),
        });
        for Listed { name, state, since, reason } in of_metrics.chain(composite) {
            let since = times::iso(since.unwrap_or_default().0);
            values.push(json!({"alarm": name, "state": state, "since": since, "reason": reason}));
            table.row(vec![name, state, since, reason]);
        }
        let Some(next_token) = page.next_token else { break };
        input.next_token = Some(next_token);
    }
    output::answer(args.output, &Value::Array(values), &table)?;
    Ok(())
}

async fn put(args: &AlarmPutArgs) -> Result<()> {
    let client = connect_to_neighbors(&args.client)?;
    let metric = &args.metric;
    let (comparison, threshold) = match (args.above, args.below) {
        (Some(above), _) => (ComparisonOperator::GreaterThanThreshold, above),
        (None, below) => (ComparisonOperator::LessThanThreshold, below.unwrap_or_default()),
    };
    let statistic = Statistic::ALL.iter().copied().find(|known| known.as_str() == metric.stat);
    let period = i32::try_from(metric.period.as_secs()).context("the period is too long")?;
    let input = PutMetricAlarmInput {
        alarm_name: args.name.as_str().into(),
        alarm_description: args.description.as_deref().map(Into::into),
        namespace: Some(metric.namespace.as_str().into()),
        metric_name: Some(metric.metric.as_str().into()),
        dimensions: Some(metrics::dimensions(metric)),
        statistic,
        extended_statistic: statistic.is_none().then(|| metric.stat.as_str().into()),
        period: Some(period),
        evaluation_periods: Some(args.periods),
        datapoints_to_alarm: args.datapoints,
        threshold: Some(threshold),
        comparison_operator: Some(comparison),
        treat_missing_data: args.missing.as_deref().map(Into::into),
        alarm_actions: Some(args.actions.iter().map(|arn| arn.as_str().into()).collect()),
        ..PutMetricAlarmInput::default()
    };
    client.call::<ops::PutMetricAlarm>(&input).await?;
    output::line(&format!("alarm {} watches {}", args.name, metric.metric))?;
    Ok(())
}

async fn test(args: &AlarmTestArgs) -> Result<()> {
    let client = connect_to_neighbors(&args.client)?;
    let began_ms = system_env().clock.now_ms();
    let input = SetAlarmStateInput {
        alarm_name: args.name.as_str().into(),
        state_value: state_value(args.state),
        state_reason: "A test by millweir alarm test".into(),
        state_reason_data: None,
    };
    client.call::<ops::SetAlarmState>(&input).await?;
    let input = DescribeAlarmHistoryInput {
        alarm_name: Some(args.name.as_str().into()),
        alarm_types: Some(vec![AlarmType::MetricAlarm, AlarmType::CompositeAlarm]),
        start_date: Some(Timestamp(began_ms)),
        ..DescribeAlarmHistoryInput::default()
    };
    let history = client.call::<ops::DescribeAlarmHistory>(&input).await?;
    let mut table = Table::new(&["time", "what", "summary"]);
    let mut values = Vec::new();
    for item in history.alarm_history_items.unwrap_or_default().into_iter().rev() {
        let time = times::iso(item.timestamp.unwrap_or_default().0);
        let what = item.history_item_type.map_or("", |item| item.as_str());
        let summary = shown(item.history_summary);
        values.push(json!({"time": time, "what": what, "summary": summary}));
        table.row(vec![time, what.into(), summary]);
    }
    output::answer(args.output, &Value::Array(values), &table)?;
    Ok(())
}
