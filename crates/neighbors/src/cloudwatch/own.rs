//! The server's own numbers as metrics of AWS's: once a minute, what came since the last time.
//!
//! ```text
//! registry -> samples -> what grew since -> sets, by account, metric and unit -> points
//! ```
//!
//! Numbers that differ in labels only that are no dimensions are one metric's. What did not happen
//! has no point, as on AWS.

use super::points::Point;
use super::series::{self, MetricName, Place};
use super::service::Inner;
use super::statistic::Set;
use api::cloudwatch::StandardUnit;
use base::metrics::{AwsMetric, Numbers, Registry, Sample};
use base::{AccountId, Cx, Region};
use std::collections::HashMap;

/// What is known of the last time.
pub(super) struct Own {
    registry: Registry,
    /// Totals.
    before: HashMap<Cell, Numbers>,
}

/// A family and the labels of one of its numbers.
type Cell = (&'static str, Vec<(String, String)>);

/// By place, metric and unit.
type Sets = HashMap<(Place, MetricName, StandardUnit), Set>;

impl Own {
    pub(super) fn new(registry: Registry) -> Self {
        Self { registry, before: HashMap::new() }
    }

    /// Passes over what came until now: before a start it was another life's.
    pub(super) fn skip(&mut self) {
        let _passed = self.take();
    }

    /// Puts what came since the last time, as of a minute.
    pub(super) async fn publish(&mut self, inner: &Inner, minute_ms: i64) {
        let mut by_place: HashMap<Place, Vec<_>> = HashMap::new();
        for ((place, name, unit), set) in self.take() {
            by_place.entry(place).or_default().push((name, unit, set));
        }
        let at_s = u32::try_from(minute_ms / 1000).unwrap_or_default();
        for (place, all) in by_place {
            let cx = Cx::of_service(place.account, place.region.clone());
            let (wanted, sets): (Vec<_>, Vec<_>) =
                all.into_iter().map(|(name, unit, set)| ((name, unit, false), set)).unzip();
            let series = match inner.metrics.take(&cx, &place, &wanted).await {
                Ok(series) => series.into_iter().map(Some).collect(),
                // Of an account that has too many those that are known go on.
                Err(e) => {
                    tracing::warn!(account = %place.account, "new own metrics are not kept: {e}");
                    inner.metrics.find_all(&place, &wanted)
                }
            };
            let known = series.iter().zip(sets).filter_map(|(one, set)| Some((one.as_ref()?, set)));
            let points = known.map(|(series, set)| {
                series.seen(at_s);
                (series.id, Point { at_s, set })
            });
            if let Err(e) = inner.points.put(points.collect()).await {
                tracing::warn!(kind = ?e.kind(), "the server's own metrics are lost: {e}");
            }
        }
    }

    /// What came since the last time.
    fn take(&mut self) -> Sets {
        let mut sets = Sets::new();
        let mut totals = HashMap::with_capacity(self.before.len());
        for (definition, sample) in self.registry.samples() {
            let key = (definition.name, sample.labels.clone());
            let before = self.before.get(&key);
            let set = grown(&sample.numbers, before);
            totals.insert(key, sample.numbers.clone());
            let (Some(set), Some(place)) = (set, place(&sample)) else { continue };
            for metric in definition.aws.iter().filter(|m| self.registry.wants(m, &sample)) {
                add(&mut sets, metric, &sample, (place.clone(), &set));
            }
        }
        self.before = totals;
        sets
    }
}

/// What of a number is new; nothing when nothing is.
fn grown(now: &Numbers, before: Option<&Numbers>) -> Option<Set> {
    match now {
        Numbers::Gauge(value) => Some(Set::of(*value, 1.0)),
        Numbers::Counter(total) => {
            let before = match before {
                Some(Numbers::Counter(before)) => *before,
                _ => 0,
            };
            let grown = total.saturating_sub(before);
            (grown > 0).then(|| Set::of(grown as f64, 1.0))
        }
        Numbers::Summary { count, sum, least, greatest } => {
            let (count_before, sum_before) = match before {
                Some(Numbers::Summary { count, sum, .. }) => (*count, *sum),
                _ => (0, 0),
            };
            let count = count.saturating_sub(count_before) as f64;
            let sum = sum.saturating_sub(sum_before) as f64;
            // Numbers that move while they are read may be off by a call.
            let (min, max) = match least <= greatest {
                true => (*least as f64, *greatest as f64),
                false => (sum / count.max(1.0), sum / count.max(1.0)),
            };
            (count > 0.0).then_some(Set { count, sum, min, max, spread: None })
        }
    }
}

/// Whose a sample is.
fn place(sample: &Sample) -> Option<Place> {
    let label = |wanted: &str| {
        let mut labels = sample.labels.iter();
        labels.find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
    };
    let account = AccountId::parse(label("account")?).ok()?;
    Some(Place { account, region: Region::parse(label("region")?).ok()? })
}

fn add(sets: &mut Sets, metric: &AwsMetric, sample: &Sample, (place, set): (Place, &Set)) {
    let Some(dimensions) = metric.dimensions_of(sample) else { return };
    let mut dimensions: Vec<(Box<str>, Box<str>)> =
        dimensions.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
    dimensions.sort();
    let (namespace, name) = (metric.namespace.into(), metric.name.into());
    let name = MetricName { namespace, name, dimensions };
    let unit = series::unit(metric.unit).unwrap_or(StandardUnit::None);
    let scaled = |value: f64| value * metric.scale;
    let set = Set {
        count: set.count,
        sum: scaled(set.sum),
        min: scaled(set.min),
        max: scaled(set.max),
        spread: None,
    };
    let is_total = matches!(sample.numbers, Numbers::Counter(_));
    match sets.get_mut(&(place.clone(), name.clone(), unit)) {
        // What several counters counted is one sum.
        Some(known) if is_total => *known = Set::of(known.sum + set.sum, 1.0),
        Some(known) => known.merge(&set),
        None => {
            sets.insert((place, name, unit), set);
        }
    }
}
