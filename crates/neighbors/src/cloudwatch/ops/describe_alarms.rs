//! `DescribeAlarms`.

use super::shapes;
use crate::cloudwatch::alarm::Alarm;
use crate::cloudwatch::alarm::rule::Rule;
use crate::cloudwatch::errors::Result;
use crate::cloudwatch::rows::{AlarmRow, Source};
use crate::cloudwatch::service::{CloudWatch, alarm_arn, authorize};
use crate::cloudwatch::texts;
use api::cloudwatch::{AlarmType, DescribeAlarmsInput, DescribeAlarmsOutput};
use base::Cx;
use std::sync::Arc;

/// Most alarms of a page (model's documentation).
const PAGE_ALARMS: i32 = 100;

/// Lists alarms by name; of both kinds only when both are asked for, else metric alarms alone.
///
/// # Errors
/// `InvalidNextToken`; `Validation` filters that exclude each other; `AccessDenied`.
pub(super) fn describe_alarms(
    service: &CloudWatch,
    cx: &Cx,
    input: &DescribeAlarmsInput,
) -> Result<DescribeAlarmsOutput> {
    authorize(cx, "DescribeAlarms", &alarm_arn(cx.account, &cx.region, "*"))?;
    let names = input.alarm_names.as_deref().filter(|names| !names.is_empty());
    if names.is_some() && input.alarm_name_prefix.is_some() {
        return Err(texts::names_and_prefix());
    }
    let most = shapes::page_size(input.max_records, PAGE_ALARMS)?;
    let now_ms = service.now_ms();
    let after = match &input.next_token {
        None => None,
        Some(token) => {
            let opened = service.inner.tokens.open::<String>(token, now_ms);
            Some(opened.map_err(|_| texts::invalid_token())?)
        }
    };
    let filter = Filter::new(service, cx, input);
    let mut found = service.inner.alarms.directory.list(cx.account, &cx.region);
    found.retain(|alarm| {
        after.as_ref().is_none_or(|after| **after < *alarm.name)
            && names.is_none_or(|names| names.iter().any(|name| *name == *alarm.name))
            && filter.has(alarm, &alarm.row())
    });
    let next_token = (found.len() > most).then(|| {
        found.truncate(most);
        found.last().map(|last| service.inner.tokens.seal(&&*last.name, now_ms).into())
    });
    let (mut metric_alarms, mut composite_alarms) = (Vec::new(), Vec::new());
    for alarm in found {
        let row = alarm.row();
        match &row.source {
            Source::Metric(metric) => {
                metric_alarms.push(shapes::metric_alarm(&alarm, &row, metric));
            }
            Source::Composite(rule) => {
                composite_alarms.push(shapes::composite_alarm(&alarm, &row, rule));
            }
        }
    }
    Ok(DescribeAlarmsOutput {
        metric_alarms: Some(metric_alarms),
        composite_alarms: Some(composite_alarms),
        log_alarms: Some(Vec::new()),
        next_token: next_token.flatten(),
    })
}

/// Which alarms are wanted.
struct Filter<'a> {
    input: &'a DescribeAlarmsInput,
    /// The rule whose children are asked for, if there is one.
    parent: Option<Arc<Rule>>,
    wants_metric: bool,
    wants_composite: bool,
}

impl<'a> Filter<'a> {
    fn new(service: &CloudWatch, cx: &Cx, input: &'a DescribeAlarmsInput) -> Self {
        let parent = input.children_of_alarm_name.as_ref();
        let parent = parent.and_then(|parent| service.inner.alarms.get(cx, parent)?.rule());
        let is_related =
            input.children_of_alarm_name.is_some() || input.parents_of_alarm_name.is_some();
        let types = input.alarm_types.as_deref().unwrap_or_default();
        let wants = |kind, default| if types.is_empty() { default } else { types.contains(&kind) };
        Self {
            input,
            parent,
            wants_metric: wants(AlarmType::MetricAlarm, true),
            wants_composite: wants(AlarmType::CompositeAlarm, is_related),
        }
    }

    fn has(&self, alarm: &Arc<Alarm>, row: &AlarmRow) -> bool {
        let input = self.input;
        let is_kind = if row.is_composite() { self.wants_composite } else { self.wants_metric };
        let starts = |prefix: &api::Text| alarm.name.starts_with(prefix.as_str());
        let is_state = |state: api::cloudwatch::StateValue| *row.state == *state.as_str();
        let config = &row.config;
        let acts = |prefix: &api::Text| {
            let lists =
                [&config.ok_actions, &config.alarm_actions, &config.insufficient_data_actions];
            lists.into_iter().flatten().any(|action| action.starts_with(prefix.as_str()))
        };
        let arn = alarm.arn();
        let is_child = |_: &api::Text| {
            self.parent.as_ref().is_some_and(|rule| rule.is_about(&alarm.name, &arn))
        };
        let is_parent = |name: &api::Text| {
            let arn = alarm_arn(alarm.account, &alarm.region, name);
            alarm.rule().is_some_and(|rule| rule.is_about(name, &arn))
        };
        is_kind
            && input.alarm_name_prefix.as_ref().is_none_or(starts)
            && input.state_value.is_none_or(is_state)
            && input.action_prefix.as_ref().is_none_or(acts)
            && input.children_of_alarm_name.as_ref().is_none_or(is_child)
            && input.parents_of_alarm_name.as_ref().is_none_or(is_parent)
    }
}
