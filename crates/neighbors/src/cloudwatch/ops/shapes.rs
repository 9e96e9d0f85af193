//! What several operations on alarms share: configurations, pages, the model's shapes of alarms.

use crate::cloudwatch::alarm::Alarm;
use crate::cloudwatch::alarm::evaluation::State;
use crate::cloudwatch::errors::{Result, fail};
use crate::cloudwatch::queries;
use crate::cloudwatch::rows::{AlarmRow, Config, MetricConfig, Source};
use crate::cloudwatch::series;
use crate::cloudwatch::service::{CloudWatch, alarm_arn, authorize};
use crate::cloudwatch::texts;
use api::cloudwatch::{
    ComparisonOperator, CompositeAlarm, MetricAlarm, StateValue, Statistic, Tag,
};
use api::{Text, Timestamp};
use base::Cx;
use kit::{TagTrouble, Tags};
use store::Transaction;

/// What an alarm does when it comes into each state.
pub(super) struct Actions {
    pub(super) enabled: Option<bool>,
    pub(super) ok: Vec<String>,
    pub(super) alarm: Vec<String>,
    pub(super) insufficient_data: Vec<String>,
}

/// A list of texts, empty when there is none.
pub(super) fn texts_of(list: Option<&[Text]>) -> Vec<String> {
    list.unwrap_or_default().iter().map(ToString::to_string).collect()
}

/// A configuration of now.
///
/// # Errors
/// `Validation` an action is no ARN of a topic, and no URL.
pub(super) fn config(description: Option<String>, actions: Actions, now_ms: i64) -> Result<Config> {
    let Actions { enabled, ok, alarm, insufficient_data } = actions;
    if let Some(none) = ok.iter().chain(&alarm).chain(&insufficient_data).find(|a| !is_action(a)) {
        return Err(texts::invalid_action(none));
    }
    Ok(Config {
        description,
        actions_enabled: enabled.unwrap_or(true),
        ok_actions: ok,
        alarm_actions: alarm,
        insufficient_data_actions: insufficient_data,
        configured_ms: now_ms,
    })
}

/// Topics are told as on AWS; web hooks are ours. What else AWS's alarms do is not here.
fn is_action(text: &str) -> bool {
    let is_url = text.starts_with("http://") || text.starts_with("https://");
    let mut parts = text.splitn(6, ':').skip(2);
    is_url || text.starts_with("arn:") && parts.next() == Some("sns") && parts.count() == 3
}

/// An alarm that nobody has looked at.
pub(super) fn new_row(config: Config, source: Source, reason: &str) -> AlarmRow {
    let now_ms = config.configured_ms;
    AlarmRow {
        config,
        source,
        state: State::InsufficientData.as_str().into(),
        reason: reason.into(),
        reason_data: None,
        updated_ms: now_ms,
        transitioned_ms: now_ms,
    }
}

/// Refuses one alarm more than an account may have in a region.
///
/// # Errors
/// `LimitExceeded`.
pub(super) fn check_room(service: &CloudWatch, cx: &Cx) -> Result<()> {
    let most = service.inner.options.alarms_max;
    let alarms = service.inner.alarms.directory.list_quota(cx.account, &cx.region);
    if alarms.len() >= most { Err(texts::too_many_alarms(most)) } else { Ok(()) }
}

/// The tags of something new, when it has any.
///
/// # Errors
/// `InvalidParameterValue`.
pub(super) fn new_tags(tags: Option<&[Tag]>) -> Result<Option<Tags>> {
    let sent = tags.unwrap_or_default();
    let mut tags = Tags::default();
    tags.add(read_tags(sent)?).map_err(bad_tag)?;
    Ok((!tags.is_empty()).then_some(tags))
}

/// Tags as a request brings them.
///
/// # Errors
/// `InvalidParameterValue` a key is AWS's own.
pub(super) fn read_tags(tags: &[Tag]) -> Result<Tags> {
    Tags::new(tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str()))).map_err(bad_tag)
}

/// What is wrong with tags.
pub(super) fn bad_tag(trouble: TagTrouble) -> api::cloudwatch::Error {
    match trouble {
        TagTrouble::Reserved(key) => texts::reserved_tag(&key),
        TagTrouble::TooMany => texts::too_many_tags(),
    }
}

/// How many things a page has.
///
/// # Errors
/// `Validation`.
pub(super) fn page_size(asked: Option<i32>, most: i32) -> Result<usize> {
    match asked {
        None => Ok(most as usize),
        Some(asked) if (1..=most).contains(&asked) => Ok(asked as usize),
        Some(asked) => Err(texts::invalid_max_records(asked, most)),
    }
}

/// Switches what alarms do on or off.
///
/// # Errors
/// `AccessDenied`; what the store says.
pub(super) async fn switch_actions(
    service: &CloudWatch,
    cx: &Cx,
    (action, enabled): (&str, bool),
    names: &[Text],
) -> Result<()> {
    for name in names {
        authorize(cx, action, &alarm_arn(cx.account, &cx.region, name))?;
    }
    let inner = &service.inner;
    for name in names {
        let Some(alarm) = inner.alarms.get(cx, name) else { continue };
        let row = alarm.row();
        if row.config.actions_enabled == enabled {
            continue;
        }
        let configured_ms = service.now_ms();
        let config = Config { actions_enabled: enabled, configured_ms, ..row.config.clone() };
        let row = AlarmRow { config, ..AlarmRow::clone(&row) };
        inner.put_alarm(cx, name, row, Transaction::default()).await?;
    }
    Ok(())
}

fn list(actions: &[String]) -> Vec<Text> {
    actions.iter().map(|action| action.as_str().into()).collect()
}

fn state_value(row: &AlarmRow) -> StateValue {
    match row.state() {
        State::Ok => StateValue::Ok,
        State::Alarm => StateValue::Alarm,
        State::InsufficientData => StateValue::InsufficientData,
    }
}

/// An alarm of a metric as the model has it.
pub(super) fn metric_alarm(alarm: &Alarm, row: &AlarmRow, metric: &MetricConfig) -> MetricAlarm {
    let comparison = ComparisonOperator::ALL.iter().copied();
    let count = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
    let plain = metric.plain();
    let statistic = plain.and_then(|stat| {
        Statistic::ALL.iter().copied().find(|known| *stat.stat == *known.as_str())
    });
    let extended = plain.filter(|_| statistic.is_none());
    MetricAlarm {
        alarm_name: Some((*alarm.name).into()),
        alarm_arn: Some(alarm.arn().into()),
        alarm_description: row.config.description.as_deref().map(Into::into),
        alarm_configuration_updated_timestamp: Some(Timestamp(row.config.configured_ms)),
        actions_enabled: Some(row.config.actions_enabled),
        ok_actions: Some(list(&row.config.ok_actions)),
        alarm_actions: Some(list(&row.config.alarm_actions)),
        insufficient_data_actions: Some(list(&row.config.insufficient_data_actions)),
        state_value: Some(state_value(row)),
        state_reason: Some(row.reason.as_str().into()),
        state_reason_data: row.reason_data.as_deref().map(Into::into),
        state_updated_timestamp: Some(Timestamp(row.updated_ms)),
        state_transitioned_timestamp: Some(Timestamp(row.transitioned_ms)),
        metric_name: plain.map(|stat| (*stat.name).into()),
        namespace: plain.map(|stat| (*stat.namespace).into()),
        statistic,
        extended_statistic: extended.map(|stat| (*stat.stat).into()),
        dimensions: Some(plain.map_or_else(Vec::new, |s| queries::dimensions(&s.dimensions))),
        period: plain.map(|stat| count(stat.period_s)),
        unit: plain.and_then(|stat| stat.unit.as_deref()).and_then(series::unit),
        evaluation_periods: Some(count(metric.evaluation_periods)),
        datapoints_to_alarm: metric.datapoints_to_alarm.map(count),
        threshold: Some(metric.threshold),
        comparison_operator: comparison.into_iter().find(|c| *metric.comparison == *c.as_str()),
        treat_missing_data: metric.treat_missing_data.as_deref().map(Into::into),
        metrics: (!metric.is_plain).then(|| metric.queries.iter().map(queries::to_model).collect()),
        ..MetricAlarm::default()
    }
}

/// An alarm over others as the model has it.
pub(super) fn composite_alarm(alarm: &Alarm, row: &AlarmRow, rule: &str) -> CompositeAlarm {
    CompositeAlarm {
        alarm_name: Some((*alarm.name).into()),
        alarm_arn: Some(alarm.arn().into()),
        alarm_description: row.config.description.as_deref().map(Into::into),
        alarm_configuration_updated_timestamp: Some(Timestamp(row.config.configured_ms)),
        actions_enabled: Some(row.config.actions_enabled),
        ok_actions: Some(list(&row.config.ok_actions)),
        alarm_actions: Some(list(&row.config.alarm_actions)),
        insufficient_data_actions: Some(list(&row.config.insufficient_data_actions)),
        alarm_rule: Some(rule.into()),
        state_value: Some(state_value(row)),
        state_reason: Some(row.reason.as_str().into()),
        state_reason_data: row.reason_data.as_deref().map(Into::into),
        state_updated_timestamp: Some(Timestamp(row.updated_ms)),
        state_transitioned_timestamp: Some(Timestamp(row.transitioned_ms)),
        ..CompositeAlarm::default()
    }
}

/// Something that has tags: an alarm of this region, or a dashboard of the account, if it is there.
///
/// # Errors
/// `AccessDenied`; `InvalidParameterValue` no such ARN; `ResourceNotFound`.
pub(super) fn tagged(service: &CloudWatch, cx: &Cx, action: &str, arn: &str) -> Result<()> {
    authorize(cx, action, arn)?;
    let start = alarm_arn(cx.account, &cx.region, "");
    if let Some(name) = arn.strip_prefix(&start) {
        return match service.inner.alarms.get(cx, name) {
            Some(_) => Ok(()),
            None => Err(texts::no_such_resource(arn)),
        };
    }
    let start = crate::cloudwatch::service::dashboard_arn(cx, "");
    let Some(name) = arn.strip_prefix(&start) else { return Err(texts::invalid_arn(arn)) };
    let key = crate::cloudwatch::rows::DashboardRow::key(cx.account, name);
    match service.inner.store.get(&key) {
        Some(_) => Ok(()),
        None => Err(texts::no_such_resource(arn)),
    }
}

/// Reads the tags of something.
///
/// # Errors
/// What the store says.
pub(super) fn tags_of(service: &CloudWatch, cx: &Cx, arn: &str) -> Result<Tags> {
    let key = crate::cloudwatch::rows::tags_key(arn);
    let tags: Option<Tags> =
        kit::rows::get(&service.inner.store, &key).map_err(|e| fail(cx, &e))?;
    Ok(tags.unwrap_or_default())
}

/// Stores the tags of something.
///
/// # Errors
/// What the store says.
pub(super) async fn put_tags(service: &CloudWatch, cx: &Cx, arn: &str, tags: &Tags) -> Result<()> {
    let key = crate::cloudwatch::rows::tags_key(arn);
    let mut transaction = Transaction::default();
    if tags.is_empty() {
        transaction.frees_room().remove(key);
    } else {
        kit::rows::put(&mut transaction, key, tags);
    }
    service.inner.store.commit(transaction).await.map_err(|e| fail(cx, &e))
}
