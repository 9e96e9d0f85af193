//! An alarm: what it watches, and its state.

use base::{AccountId, Region};
use serde::{Deserialize, Serialize};

/// As stored under account, region and name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::cloudwatch) struct AlarmRow {
    pub(in crate::cloudwatch) config: Config,
    pub(in crate::cloudwatch) source: Source,
    /// As the model's `StateValue`.
    pub(in crate::cloudwatch) state: Box<str>,
    pub(in crate::cloudwatch) reason: String,
    /// JSON, when there is any.
    pub(in crate::cloudwatch) reason_data: Option<String>,
    /// When the state or its reason changed last.
    pub(in crate::cloudwatch) updated_ms: i64,
    /// When the state became another one last.
    pub(in crate::cloudwatch) transitioned_ms: i64,
}

/// What both kinds have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::cloudwatch) struct Config {
    pub(in crate::cloudwatch) description: Option<String>,
    pub(in crate::cloudwatch) actions_enabled: bool,
    pub(in crate::cloudwatch) ok_actions: Vec<String>,
    pub(in crate::cloudwatch) alarm_actions: Vec<String>,
    pub(in crate::cloudwatch) insufficient_data_actions: Vec<String>,
    pub(in crate::cloudwatch) configured_ms: i64,
}

/// What an alarm watches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::cloudwatch) enum Source {
    Metric(Box<MetricConfig>),
    /// The rule, as it was sent.
    Composite(String),
}

/// What a metric alarm watches, and when it goes off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::cloudwatch) struct MetricConfig {
    /// One metric, or queries of which one is watched.
    pub(in crate::cloudwatch) queries: Vec<Query>,
    /// Whether it was sent as one metric.
    pub(in crate::cloudwatch) is_plain: bool,
    pub(in crate::cloudwatch) evaluation_periods: u32,
    pub(in crate::cloudwatch) datapoints_to_alarm: Option<u32>,
    pub(in crate::cloudwatch) threshold: f64,
    /// As the model's `ComparisonOperator`.
    pub(in crate::cloudwatch) comparison: Box<str>,
    pub(in crate::cloudwatch) treat_missing_data: Option<Box<str>>,
}

/// A query of `GetMetricData`, as alarms have them, too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::cloudwatch) struct Query {
    pub(in crate::cloudwatch) id: Box<str>,
    pub(in crate::cloudwatch) what: What,
    pub(in crate::cloudwatch) label: Option<String>,
    pub(in crate::cloudwatch) returns: Option<bool>,
}

/// What a query is of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::cloudwatch) enum What {
    Stat(StatConfig),
    /// An expression, and its period in seconds if it has one.
    Expression(String, Option<u32>),
}

/// A statistic of a metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::cloudwatch) struct StatConfig {
    pub(in crate::cloudwatch) namespace: Box<str>,
    pub(in crate::cloudwatch) name: Box<str>,
    /// As they were sent.
    pub(in crate::cloudwatch) dimensions: Vec<(Box<str>, Box<str>)>,
    pub(in crate::cloudwatch) period_s: u32,
    pub(in crate::cloudwatch) stat: Box<str>,
    pub(in crate::cloudwatch) unit: Option<Box<str>>,
}

impl AlarmRow {
    pub(in crate::cloudwatch) const PREFIX: &str = "alarm/";

    pub(in crate::cloudwatch) fn key(account: AccountId, region: &Region, name: &str) -> Vec<u8> {
        format!("{}{account}/{region}/{name}", Self::PREFIX).into_bytes()
    }

    /// Account, region and name in a key.
    pub(in crate::cloudwatch) fn parse_key(key: &[u8]) -> Option<(AccountId, Region, Box<str>)> {
        let rest = std::str::from_utf8(key).ok()?.strip_prefix(Self::PREFIX)?;
        let mut parts = rest.splitn(3, '/');
        let account = AccountId::parse(parts.next()?).ok()?;
        let region = Region::parse(parts.next()?).ok()?;
        Some((account, region, parts.next()?.into()))
    }
}

/// The key of the tags of an alarm or a dashboard.
pub(in crate::cloudwatch) fn tags_key(arn: &str) -> Vec<u8> {
    format!("tags/{arn}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        let stat = StatConfig {
            namespace: "N".into(),
            name: "m".into(),
            dimensions: vec![("a".into(), "b".into())],
            period_s: 60,
            stat: "p99".into(),
            unit: Some("Bytes".into()),
        };
        let query = |what| Query { id: "m1".into(), what, label: None, returns: Some(true) };
        let metric = MetricConfig {
            queries: vec![
                query(What::Stat(stat)),
                query(What::Expression("m1 * 2".into(), Some(60))),
            ],
            is_plain: false,
            evaluation_periods: 3,
            datapoints_to_alarm: Some(2),
            threshold: 0.1,
            comparison: "GreaterThanThreshold".into(),
            treat_missing_data: Some("breaching".into()),
        };
        for source in [Source::Metric(Box::new(metric)), Source::Composite("ALARM(x)".into())] {
            kit::rows::check_round_trip(&AlarmRow {
                config: Config {
                    description: None,
                    actions_enabled: true,
                    ok_actions: vec![],
                    alarm_actions: vec!["arn:x".into()],
                    insufficient_data_actions: vec![],
                    configured_ms: 1,
                },
                source,
                state: "OK".into(),
                reason: "é".into(),
                reason_data: Some("{}".into()),
                updated_ms: 2,
                transitioned_ms: 3,
            });
        }
        let (account, region) = (AccountId::DEFAULT, Region::parse("eu-west-1").unwrap());
        let key = AlarmRow::key(account, &region, "a/b c");
        assert_eq!(AlarmRow::parse_key(&key), Some((account, region, "a/b c".into())));
    }
}
