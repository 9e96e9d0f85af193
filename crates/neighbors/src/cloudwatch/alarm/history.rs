//! What is told of an alarm: when it is configured, changes its state, does something.

use crate::cloudwatch::rows::{
    ActionRow, AlarmRow, Config, HistoryRow, MetricConfig, Source, What,
};
use serde_json::{Map, Value, json};

/// How long history is kept (model's documentation: 30 days).
pub(in crate::cloudwatch) const HISTORY_KEPT_MS: i64 = 30 * 24 * 3_600_000;

/// Most bytes of an item's data: as many as the model has characters.
const DATA_BYTES_MAX: usize = 4095;

/// Something that happened.
pub(in crate::cloudwatch) struct Told {
    at_ms: i64,
    is_composite: bool,
    /// As the model's `HistoryItemType`.
    item: &'static str,
    summary: String,
    data: Value,
}

impl Told {
    /// An alarm is new, or has another configuration.
    pub(super) fn configured(name: &str, row: &AlarmRow, before: Option<&AlarmRow>) -> Self {
        let (at_ms, item) = (row.config.configured_ms, "ConfigurationUpdate");
        let is_composite = row.is_composite();
        let now = configuration(row);
        let (summary, data) = match before {
            None => (
                configured(name, "created"),
                json!({"version": "1.0", "type": "Create", "createdAlarm": now}),
            ),
            Some(before) => {
                let before = configuration(before);
                let data = json!({
                    "version": "1.0", "type": "Update", "updatedAlarm": now, "previousAlarm": before,
                });
                (configured(name, "updated"), data)
            }
        };
        Self { at_ms, is_composite, item, summary, data }
    }

    /// An alarm is gone.
    pub(super) fn deleted(name: &str, row: &AlarmRow, at_ms: i64) -> Self {
        let alarm = configuration(row);
        Self {
            at_ms,
            is_composite: row.is_composite(),
            item: "ConfigurationUpdate",
            summary: configured(name, "deleted"),
            data: json!({"version": "1.0", "type": "Delete", "deletedAlarm": alarm}),
        }
    }

    /// An alarm came into another state.
    pub(super) fn changed(before: &AlarmRow, row: &AlarmRow) -> Self {
        Self {
            at_ms: row.updated_ms,
            is_composite: row.is_composite(),
            item: "StateUpdate",
            summary: moved(&before.state, &row.state),
            data: json!({"version": "1.0", "oldState": state(before), "newState": state(row)}),
        }
    }

    /// What was to be done is done.
    pub(super) fn done(row: &ActionRow, at_ms: i64) -> Self {
        let (is_composite, item, summary) = (row.is_composite, "Action", executed(&row.action));
        let published = serde_json::from_str::<Value>(&row.message).unwrap_or_default();
        let data = json!({
            "actionState": "Succeeded",
            "stateUpdateTimestamp": row.changed_ms,
            "notificationResource": row.action,
            "publishedMessage": published,
        });
        Self { at_ms, is_composite, item, summary, data }
    }

    /// What was to be done could not be.
    pub(super) fn failed(row: &ActionRow, at_ms: i64, why: &str) -> Self {
        let (is_composite, item, summary) = (row.is_composite, "Action", undone(&row.action));
        let data = json!({
            "actionState": "Failed",
            "stateUpdateTimestamp": row.changed_ms,
            "notificationResource": row.action,
            "publishedMessage": null,
            "error": why,
        });
        Self { at_ms, is_composite, item, summary, data }
    }

    pub(super) fn row(self, alarm: &str) -> HistoryRow {
        let Self { at_ms, is_composite, item, summary, data } = self;
        let (alarm, item) = (alarm.into(), item.into());
        HistoryRow { alarm, is_composite, at_ms, item, summary, data: bounded(data) }
    }
}

/// Data that is too long loses what is longest: what the points were.
fn bounded(mut data: Value) -> String {
    let text = data.to_string();
    if text.len() <= DATA_BYTES_MAX {
        return text;
    }
    if let Value::Object(data) = &mut data {
        data.remove("publishedMessage");
    }
    for side in ["oldState", "newState", "updatedAlarm", "previousAlarm", "createdAlarm"] {
        if let Some(Value::Object(side)) = data.get_mut(side) {
            side.retain(|key, _| matches!(key.as_str(), "stateValue" | "alarmName"));
        }
    }
    data.to_string()
}

/// Source: observed, the form of it.
fn configured(name: &str, what: &str) -> String {
    // A summary has 255 characters at most (model).
    let name: String = name.chars().take(230).collect();
    format!("Alarm \"{name}\" {what}")
}

/// Source: observed.
fn moved(from: &str, to: &str) -> String {
    format!("Alarm updated from {from} to {to}")
}

/// Source: observed.
fn executed(action: &str) -> String {
    let action: String = action.chars().take(200).collect();
    format!("Successfully executed action {action}")
}

/// Source: observed, the form of it.
fn undone(action: &str) -> String {
    // A summary has 255 characters at most (model).
    let action: String = action.chars().take(200).collect();
    format!("Failed to execute action {action}")
}

fn state(row: &AlarmRow) -> Value {
    let data = row.reason_data.as_deref().map(serde_json::from_str::<Value>);
    let mut state = json!({"stateValue": row.state, "stateReason": row.reason});
    if let Some(Ok(data)) = data {
        state["stateReasonData"] = data;
    }
    state
}

fn configuration(row: &AlarmRow) -> Value {
    let Config { description, actions_enabled, configured_ms, .. } = &row.config;
    let mut alarm = Map::new();
    alarm.insert("alarmDescription".into(), json!(description));
    alarm.insert("actionsEnabled".into(), json!(actions_enabled));
    alarm.insert("okactions".into(), json!(row.config.ok_actions));
    alarm.insert("alarmActions".into(), json!(row.config.alarm_actions));
    alarm.insert("insufficientDataActions".into(), json!(row.config.insufficient_data_actions));
    alarm.insert(
        "alarmConfigurationUpdatedTimestamp".into(),
        json!(base::date::format_iso(*configured_ms)),
    );
    match &row.source {
        Source::Composite(rule) => {
            alarm.insert("alarmRule".into(), json!(rule));
        }
        Source::Metric(metric) => watched(metric, &mut alarm),
    }
    Value::Object(alarm)
}

fn watched(metric: &MetricConfig, alarm: &mut Map<String, Value>) {
    if let (true, Some(What::Stat(stat))) =
        (metric.is_plain, metric.queries.first().map(|q| &q.what))
    {
        let dimension =
            |(name, value): &(Box<str>, Box<str>)| json!({"name": name, "value": value});
        let dimensions: Vec<_> = stat.dimensions.iter().map(dimension).collect();
        alarm.insert("metricName".into(), json!(stat.name));
        alarm.insert("namespace".into(), json!(stat.namespace));
        alarm.insert("statistic".into(), json!(stat.stat));
        alarm.insert("dimensions".into(), json!(dimensions));
        alarm.insert("period".into(), json!(stat.period_s));
    }
    alarm.insert("evaluationPeriods".into(), json!(metric.evaluation_periods));
    alarm.insert("comparisonOperator".into(), json!(metric.comparison));
    alarm.insert("threshold".into(), json!(metric.threshold));
    if let Some(treat) = &metric.treat_missing_data {
        alarm.insert("treatMissingData".into(), json!(treat));
    }
}
