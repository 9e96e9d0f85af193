//! Queries as `GetMetricData` and alarms have them: statistics of metrics, and expressions over
//! other queries.
//!
//! ```text
//! model -> Query (also as alarms store it) -> Plan: checked, in an order in which all can be
//!       -> statistics from the points, expressions from their values -> results
//! ```

use super::errors::{Result, fail};
use super::math::{self, Expression, Flaw, Value};
use super::ops::{metric_name, period};
use super::reading::{self, Range};
use super::rows::{Query, StatConfig, What};
use super::series::{self, MetricName, Place};
use super::service::Inner;
use super::statistic::Statistic;
use super::texts;
use api::cloudwatch::{Dimension, Metric, MetricDataQuery, MetricStat, StandardUnit};
use base::Cx;
use std::collections::{BTreeMap, BTreeSet};

/// Most periods of all queries together, each with its result in memory.
pub(super) const PERIODS_MAX: i64 = 1_000_000;
/// Points that one expression may read and make.
const EXPRESSION_POINTS_MAX: usize = 1_000_000;

/// A query as it is stored.
///
/// # Errors
/// `Validation` it is of no metric and no expression, or of both, or of another account.
pub(super) fn from_model(cx: &Cx, query: &MetricDataQuery) -> Result<Query> {
    let MetricDataQuery { id, metric_stat, expression, label, return_data, period, account_id } =
        query;
    if account_id.as_ref().is_some_and(|account| *account != cx.account.as_str()) {
        return Err(texts::unsupported("A metric of another account"));
    }
    let own_period = period.map(self::period).transpose()?;
    let what = match (metric_stat, expression) {
        (Some(stat), None) => What::Stat(stat_from_model(stat)?),
        (None, Some(text)) => What::Expression(text.to_string(), own_period),
        _ => return Err(texts::stat_or_expression(id)),
    };
    let label = label.as_ref().map(ToString::to_string);
    Ok(Query { id: id.as_str().into(), what, label, returns: *return_data })
}

fn stat_from_model(stat: &MetricStat) -> Result<StatConfig> {
    let MetricStat { metric, period, stat, unit } = stat;
    let Metric { namespace: Some(namespace), metric_name: Some(name), dimensions } = metric else {
        return Err(texts::metric_without_name());
    };
    Ok(StatConfig {
        namespace: namespace.as_str().into(),
        name: name.as_str().into(),
        dimensions: plain_dimensions(dimensions.as_deref().unwrap_or_default()),
        period_s: self::period(*period)?,
        stat: stat.as_str().into(),
        unit: unit.map(|unit| unit.as_str().into()),
    })
}

/// Dimensions as they are stored, in the order in which they were sent.
pub(super) fn plain_dimensions(dimensions: &[Dimension]) -> Vec<(Box<str>, Box<str>)> {
    let pair = |d: &Dimension| (d.name.as_str().into(), d.value.as_str().into());
    dimensions.iter().map(pair).collect()
}

/// Dimensions as the model has them.
pub(super) fn dimensions(plain: &[(Box<str>, Box<str>)]) -> Vec<Dimension> {
    let dimension = |(name, value): &(Box<str>, Box<str>)| Dimension {
        name: (**name).into(),
        value: (**value).into(),
    };
    plain.iter().map(dimension).collect()
}

/// A stored query as the model has it.
pub(super) fn to_model(query: &Query) -> MetricDataQuery {
    let (mut metric_stat, mut expression, mut period) = (None, None, None);
    match &query.what {
        What::Stat(stat) => metric_stat = Some(stat_to_model(stat)),
        What::Expression(text, period_s) => {
            expression = Some(text.as_str().into());
            period = period_s.and_then(|period_s| i32::try_from(period_s).ok());
        }
    }
    MetricDataQuery {
        id: (*query.id).into(),
        metric_stat,
        expression,
        label: query.label.as_deref().map(Into::into),
        return_data: query.returns,
        period,
        account_id: None,
    }
}

fn stat_to_model(stat: &StatConfig) -> MetricStat {
    MetricStat {
        metric: Metric {
            namespace: Some((*stat.namespace).into()),
            metric_name: Some((*stat.name).into()),
            dimensions: Some(dimensions(&stat.dimensions)),
        },
        period: i32::try_from(stat.period_s).unwrap_or(i32::MAX),
        stat: (*stat.stat).into(),
        unit: stat.unit.as_deref().and_then(series::unit),
    }
}

/// Queries that can be answered.
pub(super) struct Plan {
    queries: Vec<Planned>,
    /// In an order in which each has what it needs.
    order: Vec<usize>,
}

struct Planned {
    id: String,
    label: Option<String>,
    returns: bool,
    step: Step,
}

/// How a query is answered.
enum Step {
    Read { name: MetricName, unit: Option<StandardUnit>, statistic: Statistic, period_s: u32 },
    Compute { expression: Expression, period_s: Option<u32>, needs: Vec<usize> },
}

/// A result.
pub(super) struct Answered {
    pub(super) id: String,
    /// What the client called it, or the expression did.
    pub(super) label: Option<String>,
    /// Whether the client wants it.
    pub(super) returns: bool,
    /// By the seconds at which periods begin, ascending.
    pub(super) points: Vec<(i64, f64)>,
}

/// The time that queries are of.
#[derive(Clone, Copy)]
#[expect(clippy::struct_field_names, reason = "units come last")]
pub(super) struct Times {
    pub(super) from_ms: i64,
    pub(super) to_ms: i64,
    pub(super) now_ms: i64,
}

impl Times {
    /// Its periods.
    pub(super) fn range(self, period_s: u32) -> Range {
        let from_s = reading::aligned(self.from_ms, period_s, self.now_ms);
        Range { from_s, to_s: (self.to_ms + 999).div_euclid(1000), period_s }
    }
}

impl Plan {
    /// Checks queries.
    ///
    /// # Errors
    /// `Validation` an id is bad or twice, an expression is, or they are in a circle.
    pub(super) fn new(queries: &[Query]) -> Result<Self> {
        let mut places = BTreeMap::new();
        for (at, query) in queries.iter().enumerate() {
            if !is_id(&query.id) {
                return Err(texts::invalid_id(&query.id));
            }
            if places.insert(&*query.id, at).is_some() {
                return Err(texts::id_twice(&query.id));
            }
        }
        let is_stat = |query: &Query| matches!(query.what, What::Stat(_));
        let stats = || (0..queries.len()).filter(|at| is_stat(&queries[*at]));
        let mut planned = Vec::with_capacity(queries.len());
        for query in queries {
            let step = match &query.what {
                What::Stat(stat) => read_step(stat)?,
                What::Expression(text, period_s) => {
                    let flaw = |flaw: Flaw| texts::bad_expression(&query.id, &flaw.0);
                    let expression = Expression::parse(text).map_err(flaw)?;
                    let mut needs = BTreeSet::new();
                    for name in expression.names() {
                        let at = places.get(name);
                        needs.insert(*at.ok_or_else(|| texts::unknown_id(&query.id, name))?);
                    }
                    if expression.uses_metrics() {
                        needs.extend(stats());
                    }
                    let needs = needs.into_iter().collect();
                    Step::Compute { expression, period_s: *period_s, needs }
                }
            };
            let (id, label) = (query.id.to_string(), query.label.clone());
            planned.push(Planned { id, label, returns: query.returns != Some(false), step });
        }
        let order = order(&planned)?;
        Ok(Self { queries: planned, order })
    }

    /// The queries that give results, by id.
    pub(super) fn returned(&self) -> impl Iterator<Item = &str> {
        self.queries.iter().filter(|query| query.returns).map(|query| query.id.as_str())
    }

    /// How many periods all of them have.
    pub(super) fn periods(&self, times: Times) -> i64 {
        let periods = |query: &Planned| match &query.step {
            Step::Read { period_s, .. } => times.range(*period_s).periods(),
            Step::Compute { period_s, .. } => times.range(period_s.unwrap_or(60)).periods(),
        };
        self.queries.iter().map(periods).fold(0, i64::saturating_add)
    }

    /// Answers all of them, in their order; an expression may have several results.
    ///
    /// # Errors
    /// `Validation` an expression cannot be computed; what the store says.
    pub(super) async fn run(
        &self,
        inner: &Inner,
        cx: &Cx,
        place: &Place,
        times: Times,
    ) -> Result<Vec<Answered>> {
        let mut values: BTreeMap<String, Value> = BTreeMap::new();
        let mut periods: Vec<u32> = vec![0; self.queries.len()];
        for at in &self.order {
            let query = &self.queries[*at];
            let value = match &query.step {
                Step::Read { period_s, .. } => {
                    periods[*at] = *period_s;
                    Value::Series(self.read(inner, cx, place, (query, times)).await?)
                }
                Step::Compute { expression, period_s, needs } => {
                    let shortest = needs.iter().map(|need| periods[*need]).min();
                    let period_s = period_s.or(shortest).unwrap_or(60);
                    periods[*at] = period_s;
                    self.compute(query, expression, &values, times.range(period_s))?
                }
            };
            values.insert(query.id.clone(), value);
        }
        let mut answered = Vec::new();
        for query in &self.queries {
            let value = values.remove(&query.id).unwrap_or(Value::Many(Vec::new()));
            query.answer(value, &mut answered)?;
        }
        Ok(answered)
    }

    async fn read(
        &self,
        inner: &Inner,
        cx: &Cx,
        place: &Place,
        (query, times): (&Planned, Times),
    ) -> Result<math::Series> {
        let Step::Read { name, unit, statistic, period_s } = &query.step else {
            return Err(texts::broken());
        };
        let range = times.range(*period_s);
        let sets = reading::sets(inner, place, (name, *unit), range).await;
        let sets = sets.map_err(|e| fail(cx, &e))?;
        let point = |(at_s, set): (&i64, &super::statistic::Set)| {
            set.value(*statistic).map(|value| (*at_s, value))
        };
        let points = sets.iter().filter_map(point).collect();
        let label = query.label.clone().unwrap_or_else(|| name.name.to_string());
        Ok(math::Series { points, period_s: *period_s, label })
    }

    fn compute(
        &self,
        query: &Planned,
        expression: &Expression,
        inputs: &BTreeMap<String, Value>,
        range: Range,
    ) -> Result<Value> {
        let is_read = |query: &&Planned| matches!(query.step, Step::Read { .. });
        let metrics: Vec<_> =
            self.queries.iter().filter(is_read).map(|query| query.id.clone()).collect();
        let Range { from_s: start_s, to_s: end_s, period_s } = range;
        let points_max = EXPRESSION_POINTS_MAX;
        let metrics = &*metrics;
        let scope = math::Scope { inputs, metrics, start_s, end_s, period_s, points_max };
        let value = expression.evaluate(&scope);
        value.map_err(|flaw| texts::bad_expression(&query.id, &flaw.0))
    }
}

impl Planned {
    fn answer(&self, value: Value, answered: &mut Vec<Answered>) -> Result<()> {
        let mut add = |label: Option<String>, points| {
            let (id, returns) = (self.id.clone(), self.returns);
            answered.push(Answered { id, label, returns, points });
        };
        match value {
            Value::Scalar(_) if self.returns => return Err(texts::result_is_a_number(&self.id)),
            Value::Scalar(_) => {}
            Value::Series(series) => add(self.label.clone(), series.points),
            Value::Many(many) => {
                for series in many {
                    let label = self.label.as_ref().map(|own| format!("{own} {}", series.label));
                    add(Some(label.unwrap_or(series.label)), series.points);
                }
            }
        }
        Ok(())
    }

    fn needs(&self) -> &[usize] {
        match &self.step {
            Step::Read { .. } => &[],
            Step::Compute { needs, .. } => needs,
        }
    }
}

fn read_step(stat: &StatConfig) -> Result<Step> {
    let StatConfig { namespace, name, dimensions, period_s, stat, unit } = stat;
    let statistic = Statistic::parse(stat).ok_or_else(|| texts::unknown_statistic(stat))?;
    let name = metric_name(namespace, name, &self::dimensions(dimensions))?;
    let unit = unit.as_deref().and_then(series::unit);
    Ok(Step::Read { name, unit, statistic, period_s: *period_s })
}

/// Each query behind those that it needs.
fn order(queries: &[Planned]) -> Result<Vec<usize>> {
    let mut order = Vec::with_capacity(queries.len());
    let mut is_done = vec![false; queries.len()];
    while order.len() < queries.len() {
        let before = order.len();
        for (at, query) in queries.iter().enumerate() {
            if !is_done[at] && query.needs().iter().all(|need| is_done[*need]) {
                is_done[at] = true;
                order.push(at);
            }
        }
        if order.len() == before {
            let stuck = is_done.iter().position(|done| !done).unwrap_or_default();
            return Err(texts::circle(&queries[stuck].id));
        }
    }
    Ok(order)
}

/// Whether a text may be an id: it begins with a small letter (model's documentation).
fn is_id(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
