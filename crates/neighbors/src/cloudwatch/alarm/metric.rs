//! The evaluation of an alarm that watches a metric.

use super::evaluation::{Comparison, Missing, Settings, evaluate, evaluation_range_periods};
use super::{Alarm, Change, reason};
use crate::cloudwatch::errors::{Result, fail};
use crate::cloudwatch::queries::{Plan, Times};
use crate::cloudwatch::reading::{self, Range, Sets};
use crate::cloudwatch::rows::{AlarmRow, MetricConfig, StatConfig, What};
use crate::cloudwatch::series::{self, MetricName, Place};
use crate::cloudwatch::service::Inner;
use crate::cloudwatch::statistic::Statistic;
use base::Cx;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Metrics of this name space keep their alarms' states where data is missing (AWS's
/// documentation).
const IGNORES: &str = "AWS/DynamoDB";

/// Values by period, and how many samples are in each where that is known.
struct Values {
    points: Vec<(i64, Option<f64>)>,
    sample_counts: BTreeMap<i64, f64>,
}

impl MetricConfig {
    /// The seconds of a period.
    pub(in crate::cloudwatch) fn period_s(&self) -> u32 {
        let period = |what: &What| match what {
            What::Stat(stat) => Some(stat.period_s),
            What::Expression(_, period_s) => *period_s,
        };
        self.queries.iter().filter_map(|query| period(&query.what)).max().unwrap_or(60)
    }

    /// The seconds of all periods that count.
    pub(in crate::cloudwatch) fn span_s(&self) -> u64 {
        u64::from(self.period_s()) * u64::from(self.evaluation_periods)
    }

    /// The metric that it watches, when it was sent as one.
    pub(in crate::cloudwatch) fn plain(&self) -> Option<&StatConfig> {
        match self.queries.first().map(|query| &query.what) {
            Some(What::Stat(stat)) if self.is_plain => Some(stat),
            _ => None,
        }
    }

    fn settings(&self) -> Settings {
        let default = match self.plain() {
            Some(stat) if *stat.namespace == *IGNORES => Missing::Ignore,
            _ => Missing::Missing,
        };
        let missing = self.treat_missing_data.as_deref().and_then(Missing::parse);
        Settings {
            comparison: Comparison::parse(&self.comparison).unwrap_or(Comparison::GreaterThan),
            threshold: self.threshold,
            evaluation_periods: self.evaluation_periods,
            datapoints_to_alarm: self.datapoints_to_alarm.unwrap_or(self.evaluation_periods),
            missing: missing.unwrap_or(default),
            period_s: self.period_s(),
        }
    }
}

impl Inner {
    /// Looks at the points of an alarm, and changes its state if they say so.
    ///
    /// # Errors
    /// What the store says.
    pub(in crate::cloudwatch) async fn evaluate(&self, alarm: &Arc<Alarm>) -> Result<()> {
        let row = alarm.row();
        let Some(metric) = row.metric() else { return Ok(()) };
        let cx = Cx::of_service(alarm.account, alarm.region.clone());
        let settings = metric.settings();
        let values = self.values(&cx, metric, &settings).await?;
        let verdict = evaluate(&settings, &values.points, row.state());
        let names_minimum = metric.datapoints_to_alarm.is_some();
        let Some(text) = reason::text(&settings, &verdict, names_minimum) else { return Ok(()) };
        if verdict.state == row.state() && !is_unchecked(&row) {
            return Ok(());
        }
        let stat = metric.plain();
        let query = reason::Query {
            now_ms: self.now_ms(),
            statistic: stat.map(|stat| &*stat.stat),
            unit: stat.and_then(|stat| stat.unit.as_deref()),
            sample_counts: &values.sample_counts,
        };
        let reason_data = reason::data(&settings, &verdict, &query);
        let change = Change { state: verdict.state, reason: text, reason_data };
        let _changes = self.lock_changes().await;
        // Whoever changed it meanwhile has the last word, until the next evaluation.
        let known = self.alarms.directory.get(alarm.account, &alarm.region, &alarm.name);
        let is_known = known.is_some_and(|known| Arc::ptr_eq(&known, alarm));
        if !is_known || !Arc::ptr_eq(&row, &alarm.row()) {
            return Ok(());
        }
        self.change_state(alarm, change).await.map_err(|e| fail(&cx, &e))
    }

    async fn values(&self, cx: &Cx, metric: &MetricConfig, settings: &Settings) -> Result<Values> {
        let place = Place::of(cx);
        let (now_ms, period_s) = (self.now_ms(), settings.period_s);
        // Periods end at the minute of the evaluation, wherever they would begin by the clock.
        let grain_s = i64::from(period_s.min(60));
        let now_s = now_ms.div_euclid(1000);
        let to_s = now_s - now_s.rem_euclid(grain_s);
        let periods = i64::from(evaluation_range_periods(settings));
        let range = Range { from_s: to_s - periods * i64::from(period_s), to_s, period_s };
        let (values, sample_counts) = match metric.plain() {
            Some(stat) => {
                let name = MetricName {
                    namespace: stat.namespace.clone(),
                    name: stat.name.clone(),
                    dimensions: sorted(&stat.dimensions),
                };
                let unit = stat.unit.as_deref().and_then(series::unit);
                let sets = reading::sets(self, &place, (&name, unit), range).await;
                numbers(&sets.map_err(|e| fail(cx, &e))?, &stat.stat)
            }
            None => {
                let plan = Plan::new(&metric.queries)?;
                let (from_ms, to_ms) = (range.from_s * 1000, range.to_s * 1000);
                let times = Times { from_ms, to_ms, now_ms };
                let answered = plan.run(self, cx, &place, times).await?;
                let watched = answered.into_iter().find(|result| result.returns);
                let points = watched.map(|result| result.points).unwrap_or_default();
                (points.into_iter().collect(), BTreeMap::new())
            }
        };
        let points = range.starts().map(|at_s| (at_s, values.get(&at_s).copied())).collect();
        Ok(Values { points, sample_counts })
    }
}

/// Whether nobody has looked at its points yet.
fn is_unchecked(row: &AlarmRow) -> bool {
    row.reason == reason::INITIAL
}

fn sorted(dimensions: &[(Box<str>, Box<str>)]) -> Vec<(Box<str>, Box<str>)> {
    let mut sorted = dimensions.to_vec();
    sorted.sort();
    sorted
}

fn numbers(sets: &Sets, stat: &str) -> (BTreeMap<i64, f64>, BTreeMap<i64, f64>) {
    let statistic = Statistic::parse(stat);
    let value = |set: &super::super::statistic::Set| set.value(statistic?);
    let values = sets.iter().filter_map(|(at_s, set)| Some((*at_s, value(set)?))).collect();
    (values, sets.iter().map(|(at_s, set)| (*at_s, set.count)).collect())
}
