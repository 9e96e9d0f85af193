//! The values of a metric by period.
//!
//! ```text
//! metric -> its series -> spans of tiers -> points -> periods from the start on, sets merged
//! ```

use super::points::spans;
use super::series::{MetricName, Place, Series};
use super::service::Inner;
use super::statistic::Set;
use api::Timestamp;
use api::cloudwatch::StandardUnit;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A time that is cut into periods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "units come last")]
pub(super) struct Range {
    /// The first second, where the first period begins.
    pub(super) from_s: i64,
    /// The second behind the last.
    pub(super) to_s: i64,
    pub(super) period_s: u32,
}

/// By the seconds at which their periods begin.
pub(super) type Sets = BTreeMap<i64, Set>;

impl Range {
    /// How many periods it has.
    pub(super) fn periods(self) -> i64 {
        let period_s = i64::from(self.period_s);
        (self.to_s - self.from_s + period_s - 1).max(0) / period_s
    }

    /// When its periods begin.
    pub(super) fn starts(self) -> impl Iterator<Item = i64> {
        (0..self.periods()).map(move |n| self.from_s + n * i64::from(self.period_s))
    }
}

/// The last millisecond that dates are written for: that of the year 9999.
const LAST_MS: i64 = 253_402_300_799_999;

/// A time that a client sent, as far as there can be any: sums with it are none too large.
pub(super) fn bounded_ms(at: Timestamp) -> i64 {
    at.0.clamp(0, LAST_MS)
}

/// The second at which a range begins that was asked for from `from_ms` on: the older, the coarser
/// (model's documentation).
pub(super) fn aligned(from_ms: i64, period_s: u32, now_ms: i64) -> i64 {
    let from_s = from_ms.div_euclid(1000);
    let days_ago = (now_ms / 1000 - from_s) / 86_400;
    let grain_s = match days_ago {
        ..15 if period_s < 60 => i64::from(period_s),
        ..15 => 60,
        15..63 => 300,
        _ => 3600,
    };
    from_s - from_s.rem_euclid(grain_s)
}

/// What a metric has in a range, each unit by itself.
///
/// # Errors
/// `Corrupt` points cannot be read; as `store::Log::read`.
pub(super) async fn by_unit(
    inner: &Inner,
    place: &Place,
    name: &MetricName,
    range: Range,
) -> store::Result<Vec<(StandardUnit, Sets)>> {
    let mut found = Vec::new();
    for series in inner.metrics.find(place, name) {
        found.push((series.unit, of_series(inner, &series, range).await?));
    }
    Ok(found)
}

/// What a metric has in a range: in one unit, or in all together.
///
/// # Errors
/// As [`by_unit`].
pub(super) async fn sets(
    inner: &Inner,
    place: &Place,
    (name, unit): (&MetricName, Option<StandardUnit>),
    range: Range,
) -> store::Result<Sets> {
    let mut all = Sets::new();
    for series in inner.metrics.find(place, name) {
        if unit.is_some_and(|unit| unit != series.unit) {
            continue;
        }
        for (at_s, set) in of_series(inner, &series, range).await? {
            merge(&mut all, at_s, &set);
        }
    }
    Ok(all)
}

async fn of_series(inner: &Inner, series: &Arc<Series>, range: Range) -> store::Result<Sets> {
    let Range { from_s, to_s, period_s } = range;
    let mut sets = Sets::new();
    for span in spans(from_s, to_s, period_s, (series.is_fine(), inner.now_ms() / 1000)) {
        for point in inner.points.read(series.id, span).await? {
            let at_s = i64::from(point.at_s);
            let into = (at_s - from_s).div_euclid(i64::from(period_s));
            merge(&mut sets, from_s + into * i64::from(period_s), &point.set);
        }
    }
    Ok(sets)
}

fn merge(sets: &mut Sets, at_s: i64, set: &Set) {
    match sets.get_mut(&at_s) {
        Some(known) => known.merge(set),
        None => {
            sets.insert(at_s, set.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older_begins_coarser() {
        const DAY_MS: i64 = 86_400_000;
        const NOW_MS: i64 = 20_000 * DAY_MS;
        for (ago_ms, period_s, want_s) in [
            (61_500, 60, 120),
            (61_500, 300, 120),
            (61_500, 10, 70),
            (61_500, 1, 62),
            (16 * DAY_MS - 7 * 60_000, 300, 16 * 86_400 - 5 * 60),
            (99 * DAY_MS - 7 * 60_000, 300, 99 * 86_400),
        ] {
            let from_s = aligned(NOW_MS - ago_ms, period_s, NOW_MS);
            assert_eq!(NOW_MS / 1000 - from_s, want_s, "{ago_ms} {period_s}");
        }
    }

    #[test]
    fn a_last_period_may_be_short() {
        let range = Range { from_s: 0, to_s: 130, period_s: 60 };
        assert_eq!((range.periods(), range.starts().last()), (3, Some(120)));
        assert_eq!(Range { to_s: -5, ..range }.periods(), 0);
    }
}
