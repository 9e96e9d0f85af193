//! `PutMetricAlarm`.

use super::put_metric_data::metric_name;
use super::shapes::{self, Actions};
use super::{get_metric_statistics, shapes::texts_of};
use crate::cloudwatch::alarm::reason;
use crate::cloudwatch::errors::Result;
use crate::cloudwatch::queries::{self, Plan};
use crate::cloudwatch::rows::{AlarmRow, MetricConfig, Query, Source, StatConfig, What, tags_key};
use crate::cloudwatch::service::{CloudWatch, alarm_arn, authorize};
use crate::cloudwatch::statistic::Statistic;
use crate::cloudwatch::texts;
use api::cloudwatch::{ComparisonOperator, PutMetricAlarmInput};
use base::Cx;
use kit::rows;
use store::Transaction;

/// Longest time that an alarm looks at (model's documentation): a day, with periods of an hour or
/// more a week.
const SPAN_S_MAX: u64 = 86_400;
const LONG_SPAN_S_MAX: u64 = 7 * 86_400;
const LONG_PERIOD_S: u32 = 3600;
/// Most queries of an alarm (model's documentation: ten metrics; ours for all together).
const QUERIES_MAX: usize = 20;

/// Makes an alarm, or gives one another configuration; its state stays then.
///
/// # Errors
/// `Validation`; `LimitExceeded` there are too many; `AccessDenied`; what the store says.
pub(super) async fn put_metric_alarm(
    service: CloudWatch,
    cx: Cx,
    input: PutMetricAlarmInput,
) -> Result<()> {
    let name = input.alarm_name.as_str();
    let arn = alarm_arn(cx.account, &cx.region, name);
    authorize(&cx, "PutMetricAlarm", &arn)?;
    check_refused(&input)?;
    let metric = watched(&cx, &input)?;
    let actions = Actions {
        enabled: input.actions_enabled,
        ok: texts_of(input.ok_actions.as_deref()),
        alarm: texts_of(input.alarm_actions.as_deref()),
        insufficient_data: texts_of(input.insufficient_data_actions.as_deref()),
    };
    let description = input.alarm_description.as_ref().map(ToString::to_string);
    let config = shapes::config(description, actions, service.now_ms())?;
    let before = service.inner.alarms.get(&cx, name).map(|alarm| alarm.row());
    if before.as_ref().is_some_and(|before| before.is_composite()) {
        return Err(texts::of_other_kind(name));
    }
    let mut transaction = Transaction::default();
    let row = match before {
        Some(before) => AlarmRow {
            config,
            source: Source::Metric(Box::new(metric)),
            ..AlarmRow::clone(&before)
        },
        None => {
            shapes::check_room(&service, &cx)?;
            if let Some(tags) = shapes::new_tags(input.tags.as_deref())? {
                rows::put(&mut transaction, tags_key(&arn), &tags);
            }
            shapes::new_row(config, Source::Metric(Box::new(metric)), reason::INITIAL)
        }
    };
    service.inner.put_alarm(&cx, name, row, transaction).await.map(|_| ())
}

/// What alarms cannot do here.
fn check_refused(refused: &PutMetricAlarmInput) -> Result<()> {
    let named = [
        ("ThresholdMetricId", refused.threshold_metric_id.is_some()),
        ("EvaluationWindow", refused.evaluation_window.is_some()),
        ("WarmUpConfiguration", refused.warm_up_configuration.is_some()),
        ("EvaluationCriteria", refused.evaluation_criteria.is_some()),
        ("EvaluationInterval", refused.evaluation_interval.is_some()),
        ("ActionConfiguration", refused.action_configuration.is_some()),
        (
            "EvaluateLowSampleCountPercentile",
            refused.evaluate_low_sample_count_percentile.is_some(),
        ),
    ];
    match named.into_iter().find(|(_, is_there)| *is_there) {
        Some((name, _)) => Err(texts::unsupported(name)),
        None => Ok(()),
    }
}

/// What it watches, and when it goes off.
fn watched(cx: &Cx, input: &PutMetricAlarmInput) -> Result<MetricConfig> {
    let (queries, is_plain) = match &input.metrics {
        None => (vec![plain(input)?], true),
        Some(_) if input.metric_name.is_some() => return Err(texts::metric_and_metrics()),
        Some(metrics) => {
            if metrics.len() > QUERIES_MAX {
                return Err(texts::too_many_alarm_queries(QUERIES_MAX));
            }
            let queries: Vec<Query> = metrics
                .iter()
                .map(|query| queries::from_model(cx, query))
                .collect::<Result<_>>()?;
            if Plan::new(&queries)?.returned().count() != 1 {
                return Err(texts::one_returned());
            }
            (queries, false)
        }
    };
    let comparison =
        input.comparison_operator.ok_or_else(|| texts::missing("ComparisonOperator"))?;
    let is_band = matches!(
        comparison,
        ComparisonOperator::LessThanLowerOrGreaterThanUpperThreshold
            | ComparisonOperator::LessThanLowerThreshold
            | ComparisonOperator::GreaterThanUpperThreshold
    );
    if is_band {
        return Err(texts::unsupported(&format!("ComparisonOperator {}", comparison.as_str())));
    }
    let periods = input.evaluation_periods.ok_or_else(|| texts::missing("EvaluationPeriods"))?;
    let metric = MetricConfig {
        queries,
        is_plain,
        evaluation_periods: u32::try_from(periods).unwrap_or(u32::MAX),
        datapoints_to_alarm: input.datapoints_to_alarm.and_then(|m| u32::try_from(m).ok()),
        threshold: input.threshold.ok_or_else(|| texts::missing("Threshold"))?,
        comparison: comparison.as_str().into(),
        treat_missing_data: treat_missing_data(input)?,
    };
    check(&metric)?;
    Ok(metric)
}

fn check(metric: &MetricConfig) -> Result<()> {
    if !metric.threshold.is_finite() {
        return Err(texts::missing("Threshold"));
    }
    if metric.datapoints_to_alarm.is_some_and(|m| m > metric.evaluation_periods) {
        return Err(texts::more_datapoints_than_periods());
    }
    let is_long = metric.period_s() >= LONG_PERIOD_S;
    if metric.span_s() > if is_long { LONG_SPAN_S_MAX } else { SPAN_S_MAX } {
        return Err(texts::too_long_span());
    }
    Ok(())
}

fn treat_missing_data(input: &PutMetricAlarmInput) -> Result<Option<Box<str>>> {
    let Some(treat) = input.treat_missing_data.as_ref() else { return Ok(None) };
    match treat.as_str() {
        "missing" | "ignore" | "breaching" | "notBreaching" => Ok(Some(treat.as_str().into())),
        other => Err(texts::unknown_treatment(other)),
    }
}

/// The one metric of an alarm that has no queries.
fn plain(input: &PutMetricAlarmInput) -> Result<Query> {
    let namespace = input.namespace.as_ref().ok_or_else(|| texts::missing("Namespace"))?;
    let name = input.metric_name.as_ref().ok_or_else(|| texts::missing("MetricName"))?;
    let stat = match (&input.statistic, &input.extended_statistic) {
        (Some(statistic), None) => statistic.as_str(),
        (None, Some(extended)) => extended.as_str(),
        _ => return Err(texts::one_statistic()),
    };
    Statistic::parse(stat).ok_or_else(|| texts::unknown_alarm_statistic(stat))?;
    let period = input.period.ok_or_else(|| texts::missing("Period"))?;
    let period_s = get_metric_statistics::period(period).ok().filter(|s| *s >= 10);
    let period_s = period_s.ok_or_else(texts::invalid_alarm_period)?;
    let dimensions = input.dimensions.as_deref().unwrap_or_default();
    metric_name(namespace, name, dimensions)?;
    let stat = StatConfig {
        namespace: namespace.as_str().into(),
        name: name.as_str().into(),
        dimensions: queries::plain_dimensions(dimensions),
        period_s,
        stat: stat.into(),
        unit: input.unit.map(|unit| unit.as_str().into()),
    };
    Ok(Query { id: "m1".into(), what: What::Stat(stat), label: None, returns: None })
}
