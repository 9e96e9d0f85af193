//! `GetMetricStatistics`.

use super::put_metric_data::metric_name;
use crate::cloudwatch::errors::{Result, fail};
use crate::cloudwatch::reading::{self, Range, Sets};
use crate::cloudwatch::series::Place;
use crate::cloudwatch::service::{CloudWatch, authorize};
use crate::cloudwatch::statistic::{Set, Statistic};
use crate::cloudwatch::texts;
use api::cloudwatch::{
    self as model, Datapoint, GetMetricStatisticsInput, GetMetricStatisticsOutput, StandardUnit,
};
use api::{Text, Timestamp};
use base::Cx;

/// Most points of an answer (model's documentation).
const DATAPOINTS_MAX: i64 = 1440;

/// Reads one metric, a point for each period and unit, in no order.
///
/// # Errors
/// `InvalidParameterValue`, `InvalidParameterCombination` too many points are asked for,
/// `MissingRequiredParameter`, `AccessDenied`; what the store says.
pub(super) async fn get_metric_statistics(
    service: &CloudWatch,
    cx: &Cx,
    input: GetMetricStatisticsInput,
) -> Result<GetMetricStatisticsOutput> {
    authorize(cx, "GetMetricStatistics", "*")?;
    let statistics = input.statistics.unwrap_or_default();
    let extended = input.extended_statistics.unwrap_or_default();
    if statistics.is_empty() && extended.is_empty() {
        return Err(texts::no_statistics());
    }
    if !statistics.is_empty() && !extended.is_empty() {
        return Err(texts::both_statistics());
    }
    let mut percentiles = Vec::with_capacity(extended.len());
    for name in extended {
        let statistic = Statistic::parse(&name).ok_or_else(|| texts::unknown_statistic(&name))?;
        percentiles.push((name, statistic));
    }
    let (from_ms, to_ms) =
        (reading::bounded_ms(input.start_time), reading::bounded_ms(input.end_time));
    if from_ms >= to_ms {
        return Err(texts::start_behind_end());
    }
    let period_s = period(input.period)?;
    let from_s = reading::aligned(from_ms, period_s, service.now_ms());
    let to_s = (to_ms + 999).div_euclid(1000);
    let range = Range { from_s, to_s, period_s };
    if range.periods() > DATAPOINTS_MAX {
        return Err(texts::too_many_datapoints(range.periods(), DATAPOINTS_MAX));
    }
    let dimensions = input.dimensions.unwrap_or_default();
    let name = metric_name(&input.namespace, &input.metric_name, &dimensions)?;
    let found = reading::by_unit(&service.inner, &Place::of(cx), &name, range).await;
    let found = found.map_err(|e| fail(cx, &e))?;
    let wanted = found.into_iter().filter(|(unit, _)| input.unit.is_none_or(|of| of == *unit));
    let shown = Shown { statistics, percentiles };
    let datapoints = wanted.flat_map(|(unit, sets)| shown.datapoints(unit, sets)).collect();
    Ok(GetMetricStatisticsOutput { label: Some(input.metric_name), datapoints: Some(datapoints) })
}

/// A period that a client may ask for.
///
/// # Errors
/// `InvalidParameterValue`.
pub(in crate::cloudwatch) fn period(period: i32) -> Result<u32> {
    match u32::try_from(period) {
        Ok(period_s @ (1 | 5 | 10 | 20 | 30)) => Ok(period_s),
        Ok(period_s) if period_s > 0 && period_s.is_multiple_of(60) => Ok(period_s),
        _ => Err(texts::invalid_period(period)),
    }
}

/// What is asked for of each period.
struct Shown {
    statistics: Vec<model::Statistic>,
    percentiles: Vec<(Text, Statistic)>,
}

impl Shown {
    /// A period of which nothing is known that is asked for is left out.
    fn datapoints(&self, unit: StandardUnit, sets: Sets) -> Vec<Datapoint> {
        let datapoints =
            sets.into_iter().filter_map(|(at_s, set)| self.datapoint(unit, at_s, &set));
        datapoints.collect()
    }

    fn datapoint(&self, unit: StandardUnit, at_s: i64, set: &Set) -> Option<Datapoint> {
        let of = |wanted: model::Statistic, statistic| {
            self.statistics.contains(&wanted).then(|| set.value(statistic)).flatten()
        };
        let percentiles: std::collections::BTreeMap<_, _> = self
            .percentiles
            .iter()
            .filter_map(|(name, statistic)| Some((name.clone(), set.value(*statistic)?)))
            .collect();
        if self.statistics.is_empty() && percentiles.is_empty() {
            return None;
        }
        Some(Datapoint {
            timestamp: Some(Timestamp(at_s * 1000)),
            sample_count: of(model::Statistic::SampleCount, Statistic::SampleCount),
            average: of(model::Statistic::Average, Statistic::Average),
            sum: of(model::Statistic::Sum, Statistic::Sum),
            minimum: of(model::Statistic::Minimum, Statistic::Minimum),
            maximum: of(model::Statistic::Maximum, Statistic::Maximum),
            unit: Some(unit),
            extended_statistics: (!percentiles.is_empty()).then_some(percentiles),
        })
    }
}
