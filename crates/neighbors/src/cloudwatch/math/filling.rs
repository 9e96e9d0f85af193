//! The times of a request's periods, and series that have a point at each of them.

use super::{Scope, Series, Value};

/// What `FILL` can fill gaps with that is not a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    /// The newest point before; nothing before the first.
    Repeat,
    /// Between the points around; nothing before the first and after the last.
    Linear,
}

/// What gaps are filled with.
#[derive(Clone, Copy, Debug)]
pub(super) enum Filler<'v> {
    Gap(Gap),
    Scalar(f64),
    Series(&'v Series),
}

impl<'v> Filler<'v> {
    /// Fills with a value; `None` of an array.
    pub(super) fn of(value: &'v Value) -> Option<Self> {
        match value {
            Value::Scalar(number) => Some(Self::Scalar(*number)),
            Value::Series(series) => Some(Self::Series(series)),
            Value::Many(_) => None,
        }
    }
}

/// The periods of a request's time: their starts are not kept, since there may be very many.
#[derive(Clone, Copy, Debug)]
pub(super) struct Periods {
    first_s: i64,
    period_s: i64,
    pub(super) count: usize,
}

impl Periods {
    /// The periods at whose starts a series has or could have points.
    ///
    /// They go through its first point; those of an empty one through the epoch.
    pub(super) fn of(scope: &Scope<'_>, series: &Series) -> Self {
        let anchor_s = series.points.first().map_or(0, |point| point.0);
        Self::through(scope, anchor_s, series.period_s)
    }

    /// The periods of this length, one of which starts at the anchor.
    pub(super) fn through(scope: &Scope<'_>, anchor_s: i64, period_s: u32) -> Self {
        // In 128 bits, where no difference of times overflows.
        let (start, end) = (i128::from(scope.start_s), i128::from(scope.end_s));
        let period = i128::from(period_s.max(1));
        let first = start + (i128::from(anchor_s) - start).rem_euclid(period);
        let count = if first < end { (end - first - 1) / period + 1 } else { 0 };
        Self {
            first_s: i64::try_from(first).unwrap_or(i64::MAX),
            period_s: i64::from(period_s.max(1)),
            count: usize::try_from(count).unwrap_or(usize::MAX),
        }
    }

    /// Their starts, ascending.
    pub(super) fn starts(self) -> impl Iterator<Item = i64> {
        let next = move |before: &i64| before.checked_add(self.period_s);
        std::iter::successors(Some(self.first_s), next).take(self.count)
    }
}

/// A series with its own points and those that it lacks of these periods.
pub(super) fn fill(series: &Series, periods: Periods, filler: Filler<'_>) -> Series {
    let own = series.points.iter().map(|point| point.0);
    let mut times: Vec<i64> = periods.starts().chain(own).collect();
    times.sort_unstable();
    times.dedup();
    let mut before: Option<(i64, f64)> = None;
    let mut rest = series.points.as_slice();
    series.with(times.into_iter().filter_map(|time_s| {
        let next = rest.first().copied();
        if let Some(point) = next.filter(|point| point.0 == time_s) {
            rest = rest.get(1..).unwrap_or_default();
            before = Some(point);
            return Some(point);
        }
        let value = match filler {
            Filler::Scalar(number) => Some(number),
            Filler::Series(series) => series.at(time_s),
            Filler::Gap(Gap::Repeat) => before.map(|point| point.1),
            Filler::Gap(Gap::Linear) => before.zip(next).map(|ends| between(ends, time_s)),
        };
        value.map(|value| (time_s, value))
    }))
}

/// The value at a time on the line between two points.
fn between((before, next): ((i64, f64), (i64, f64)), time_s: i64) -> f64 {
    let seconds = |from: i64, to: i64| to.saturating_sub(from) as f64;
    let share = seconds(before.0, time_s) / seconds(before.0, next.0);
    before.1 * (1.0 - share) + next.1 * share
}
