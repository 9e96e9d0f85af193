//! `PutMetricData`.

use crate::cloudwatch::errors::{Result, fail};
use crate::cloudwatch::points::Point;
use crate::cloudwatch::series::{MetricName, Place};
use crate::cloudwatch::service::{CloudWatch, authorize};
use crate::cloudwatch::statistic::Set;
use crate::cloudwatch::texts;
use api::cloudwatch::{Dimension, MetricDatum, PutMetricDataInput, StandardUnit, StatisticSet};
use base::Cx;

/// Most values of a request and of one of them (model's documentation).
const DATA_MAX: usize = 1000;
const VALUES_MAX: usize = 150;
/// Greatest value either way (model's documentation): 2^360.
const VALUE_MAX: f64 = f64::from_bits((1023 + 360) << 52);
/// How far off its time may be (model's documentation).
const PAST_MS: i64 = 14 * 24 * 3_600_000;
const FUTURE_MS: i64 = 2 * 3_600_000;

/// Keeps values; those of one minute, or of one second where the resolution is so, are one point.
///
/// # Errors
/// `InvalidParameterValue`, `InvalidParameterCombination`, `MissingRequiredParameter`;
/// `LimitExceeded` there are too many metrics; `AccessDenied`.
pub(super) async fn put_metric_data(
    service: &CloudWatch,
    cx: &Cx,
    input: PutMetricDataInput,
) -> Result<()> {
    authorize(cx, "PutMetricData", "*")?;
    let namespace = input.namespace.as_str();
    if namespace.starts_with("AWS/") {
        return Err(texts::reserved_namespace(namespace));
    }
    let mut data = input.metric_data.unwrap_or_default();
    // What an entity is of is told to nobody: its values are metrics like all others.
    for entity in input.entity_metric_data.unwrap_or_default() {
        data.extend(entity.metric_data.unwrap_or_default());
    }
    if data.is_empty() {
        return Err(texts::no_data());
    }
    if data.len() > DATA_MAX {
        return Err(texts::too_many_data(DATA_MAX));
    }
    let (mut wanted, mut points) = (Vec::new(), Vec::new());
    for (index, datum) in data.iter().enumerate() {
        let set = set_of(index, datum)?;
        let (at_s, is_fine) = time_of(index, datum, service.now_ms())?;
        let dimensions = datum.dimensions.as_deref().unwrap_or_default();
        let name = metric_name(namespace, &datum.metric_name, dimensions)?;
        let Some(set) = set else { continue };
        wanted.push((name, datum.unit.unwrap_or(StandardUnit::None), is_fine));
        points.push(Point { at_s, set });
    }
    if points.is_empty() {
        return Ok(());
    }
    let inner = &service.inner;
    let series = inner.metrics.take(cx, &Place::of(cx), &wanted).await?;
    for (series, point) in series.iter().zip(&points) {
        series.seen(point.at_s);
    }
    let points = series.iter().map(|series| series.id).zip(points).collect();
    inner.points.put(points).await.map_err(|e| fail(cx, &e))
}

/// The name of a metric, its dimensions in order.
///
/// # Errors
/// `InvalidParameterValue` a dimension comes twice; control characters.
pub(in crate::cloudwatch) fn metric_name(
    namespace: &str,
    name: &str,
    dimensions: &[Dimension],
) -> Result<MetricName> {
    let mut sorted: Vec<(Box<str>, Box<str>)> = Vec::with_capacity(dimensions.len());
    for Dimension { name, value } in dimensions {
        check(name, "Dimensions")?;
        check(value, "Dimensions")?;
        sorted.push((name.as_str().into(), value.as_str().into()));
    }
    check(namespace, "Namespace")?;
    check(name, "MetricName")?;
    sorted.sort();
    if let Some(twice) = sorted.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(texts::duplicate_dimension(&twice[0].0));
    }
    Ok(MetricName { namespace: namespace.into(), name: name.into(), dimensions: sorted })
}

fn check(text: &str, what: &str) -> Result<()> {
    if text.bytes().any(|byte| byte.is_ascii_control()) {
        return Err(texts::strange_character(what));
    }
    Ok(())
}

/// What was measured; nothing when each value came no times.
fn set_of(index: usize, datum: &MetricDatum) -> Result<Option<Set>> {
    let MetricDatum { value, values, statistic_values, counts, .. } = datum;
    let values = values.as_deref().filter(|values| !values.is_empty());
    match (value, values, statistic_values) {
        (Some(_), Some(_), _) => Err(texts::exclusive(index, "Value", "Values")),
        (Some(_), _, Some(_)) => Err(texts::exclusive(index, "Value", "StatisticValues")),
        (_, Some(_), Some(_)) => Err(texts::exclusive(index, "Values", "StatisticValues")),
        (Some(value), None, None) => {
            check_value(index, "Value", *value)?;
            Ok(Some(Set::of(*value, 1.0)))
        }
        (None, Some(values), None) => histogram(index, values, counts.as_deref()),
        (None, None, Some(set)) => Ok(Some(statistic_set(index, set)?)),
        (None, None, None) => Err(texts::no_value(index)),
    }
}

fn histogram(index: usize, values: &[f64], counts: Option<&[f64]>) -> Result<Option<Set>> {
    let counts = counts.filter(|counts| !counts.is_empty());
    if counts.is_some_and(|counts| counts.len() != values.len()) {
        return Err(texts::counts_of_other_length(index));
    }
    if values.len() > VALUES_MAX {
        return Err(texts::too_many_values(index, VALUES_MAX));
    }
    for value in values {
        check_value(index, "Values", *value)?;
    }
    for count in counts.unwrap_or_default() {
        check_value(index, "Counts", *count)?;
        if *count < 0.0 {
            return Err(texts::invalid_value(index, "Counts", *count));
        }
    }
    let count = |at: usize| counts.map_or(1.0, |counts| counts[at]);
    Ok(Set::of_values(values.iter().enumerate().map(|(at, value)| (*value, count(at)))))
}

fn statistic_set(index: usize, sent: &StatisticSet) -> Result<Set> {
    let StatisticSet { sample_count, sum, minimum, maximum } = *sent;
    let numbers =
        [("SampleCount", sample_count), ("Sum", sum), ("Minimum", minimum), ("Maximum", maximum)];
    for (what, number) in numbers {
        check_value(index, &format!("StatisticValues.{what}"), number)?;
    }
    if sample_count <= 0.0 || minimum > maximum {
        return Err(texts::impossible_set(index));
    }
    Ok(Set { count: sample_count, sum, min: minimum, max: maximum, spread: None })
}

fn check_value(index: usize, what: &str, value: f64) -> Result<()> {
    // What is no number is not within.
    if value.abs() <= VALUE_MAX { Ok(()) } else { Err(texts::invalid_value(index, what, value)) }
}

/// The second of a point, and whether it is one within a minute.
fn time_of(index: usize, datum: &MetricDatum, now_ms: i64) -> Result<(u32, bool)> {
    let at_ms = datum.timestamp.map_or(now_ms, |timestamp| timestamp.0);
    if at_ms < now_ms.saturating_sub(PAST_MS) {
        return Err(texts::too_old(index));
    }
    if at_ms > now_ms.saturating_add(FUTURE_MS) {
        return Err(texts::too_new(index));
    }
    let is_fine = match datum.storage_resolution {
        None | Some(60) => false,
        Some(1) => true,
        Some(other) => {
            let what = "StorageResolution";
            return Err(texts::invalid_value(index, what, f64::from(other)));
        }
    };
    let at_s = u32::try_from(at_ms / 1000).map_err(|_| texts::too_old(index))?;
    let at_s = if is_fine { at_s } else { at_s - at_s % 60 };
    Ok((at_s, is_fine && !at_s.is_multiple_of(60)))
}
