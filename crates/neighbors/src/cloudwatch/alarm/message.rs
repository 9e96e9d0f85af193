//! What an alarm tells when it comes into another state, as AWS's alarms tell topics.

use super::{Alarm, reason};
use crate::cloudwatch::rows::{AlarmRow, MetricConfig, Source, StatConfig};
use serde_json::{Map, Value, json};

/// Regions that people know by another name.
const REGIONS: [(&str, &str); 16] = [
    ("us-east-1", "US East (N. Virginia)"),
    ("us-east-2", "US East (Ohio)"),
    ("us-west-1", "US West (N. California)"),
    ("us-west-2", "US West (Oregon)"),
    ("ca-central-1", "Canada (Central)"),
    ("sa-east-1", "South America (Sao Paulo)"),
    ("eu-west-1", "EU (Ireland)"),
    ("eu-west-2", "EU (London)"),
    ("eu-west-3", "EU (Paris)"),
    ("eu-central-1", "EU (Frankfurt)"),
    ("eu-north-1", "EU (Stockholm)"),
    ("ap-south-1", "Asia Pacific (Mumbai)"),
    ("ap-northeast-1", "Asia Pacific (Tokyo)"),
    ("ap-northeast-2", "Asia Pacific (Seoul)"),
    ("ap-southeast-1", "Asia Pacific (Singapore)"),
    ("ap-southeast-2", "Asia Pacific (Sydney)"),
];

/// The region's long name, or its own when nobody gave it one.
fn region_name(region: &str) -> &str {
    REGIONS.iter().find(|(known, _)| *known == region).map_or(region, |(_, name)| name)
}

/// The subject of a message.
///
/// Source: observed.
pub(super) fn subject(alarm: &Alarm, row: &AlarmRow) -> String {
    format!("{}: \"{}\" in {}", row.state, alarm.name, region_name(alarm.region.as_str()))
}

/// The message, JSON.
pub(super) fn message(alarm: &Alarm, before: &AlarmRow, row: &AlarmRow) -> String {
    let config = &row.config;
    let mut message = Map::new();
    let mut put = |name: &str, value: Value| {
        message.insert(name.to_owned(), value);
    };
    put("AlarmName", json!(&*alarm.name));
    put("AlarmDescription", json!(config.description));
    put("AWSAccountId", json!(alarm.account.as_str()));
    let configured = reason::date(config.configured_ms);
    put("AlarmConfigurationUpdatedTimestamp", json!(configured));
    if let Source::Composite(rule) = &row.source {
        put("AlarmRule", json!(rule));
    }
    put("NewStateValue", json!(row.state));
    put("NewStateReason", json!(row.reason));
    put("StateChangeTime", json!(reason::date(row.updated_ms)));
    put("Region", json!(region_name(alarm.region.as_str())));
    put("AlarmArn", json!(alarm.arn()));
    put("OldStateValue", json!(before.state));
    put("OKActions", json!(config.ok_actions));
    put("AlarmActions", json!(config.alarm_actions));
    put("InsufficientDataActions", json!(config.insufficient_data_actions));
    put("ActionExecutedAfterMuteWindow", json!(false));
    if let Source::Metric(metric) = &row.source {
        put("Trigger", trigger(metric));
    }
    Value::Object(message).to_string()
}

/// What the alarm watches.
fn trigger(metric: &MetricConfig) -> Value {
    let mut trigger = Map::new();
    let mut put = |name: &str, value: Value| {
        trigger.insert(name.to_owned(), value);
    };
    match metric.plain() {
        Some(stat) => plain(stat, &mut put),
        None => {
            let id = |query: &crate::cloudwatch::rows::Query| json!({"Id": query.id});
            put("Metrics", metric.queries.iter().map(id).collect());
        }
    }
    put("EvaluationPeriods", json!(metric.evaluation_periods));
    if let Some(datapoints) = metric.datapoints_to_alarm {
        put("DatapointsToAlarm", json!(datapoints));
    }
    put("ComparisonOperator", json!(metric.comparison));
    put("Threshold", json!(metric.threshold));
    put("TreatMissingData", json!(metric.treat_missing_data.as_deref().unwrap_or_default()));
    put("EvaluateLowSampleCountPercentile", json!(""));
    Value::Object(trigger)
}

fn plain(stat: &StatConfig, put: &mut impl FnMut(&str, Value)) {
    let dimension = |(name, value): &(Box<str>, Box<str>)| json!({"value": value, "name": name});
    let dimensions: Vec<Value> = stat.dimensions.iter().map(dimension).collect();
    put("MetricName", json!(stat.name));
    put("Namespace", json!(stat.namespace));
    if stat.stat.starts_with('p') {
        put("StatisticType", json!("ExtendedStatistic"));
        put("ExtendedStatistic", json!(stat.stat));
    } else {
        put("StatisticType", json!("Statistic"));
        put("Statistic", json!(statistic_name(&stat.stat)));
    }
    put("Unit", json!(stat.unit));
    put("Dimensions", json!(dimensions));
    put("Period", json!(stat.period_s));
}

/// A statistic as messages spell it: `SAMPLE_COUNT`.
fn statistic_name(stat: &str) -> String {
    match stat {
        "SampleCount" => "SAMPLE_COUNT".to_owned(),
        other => other.to_uppercase(),
    }
}
