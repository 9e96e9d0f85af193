//! Functions of the points of one series, and statistics.

use super::{Series, Value};

/// A function that makes a series of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Each {
    Absolute,
    Ceiling,
    Floor,
    Logarithm,
    Logarithm10,
    Difference,
    DifferenceTime,
    Rate,
    RunningSum,
}

impl Each {
    const ALL: [Self; 9] = [
        Self::Absolute,
        Self::Ceiling,
        Self::Floor,
        Self::Logarithm,
        Self::Logarithm10,
        Self::Difference,
        Self::DifferenceTime,
        Self::Rate,
        Self::RunningSum,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Absolute => "ABS",
            Self::Ceiling => "CEIL",
            Self::Floor => "FLOOR",
            Self::Logarithm => "LOG",
            Self::Logarithm10 => "LOG10",
            Self::Difference => "DIFF",
            Self::DifferenceTime => "DIFF_TIME",
            Self::Rate => "RATE",
            Self::RunningSum => "RUNNING_SUM",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|each| each.name() == name)
    }

    /// Of one series.
    pub(super) fn of(self, series: &Series) -> Series {
        match self {
            Self::Absolute => map(series, f64::abs),
            Self::Ceiling => map(series, f64::ceil),
            Self::Floor => map(series, f64::floor),
            Self::Logarithm => map(series, f64::ln),
            Self::Logarithm10 => map(series, f64::log10),
            Self::Difference => steps(series, |value, _| value),
            Self::DifferenceTime => steps(series, |_, seconds| seconds),
            Self::Rate => steps(series, |value, seconds| value / seconds),
            Self::RunningSum => {
                let mut sum = 0.0;
                map(series, |value| {
                    sum += value;
                    sum
                })
            }
        }
    }
}

fn map(series: &Series, mut of: impl FnMut(f64) -> f64) -> Series {
    series.with(series.points.iter().map(|&(time_s, value)| (time_s, of(value))))
}

/// Of each point and the one before it: `of` their difference in value and in seconds.
fn steps(series: &Series, of: impl Fn(f64, f64) -> f64) -> Series {
    let pairs = series.points.iter().zip(series.points.iter().skip(1));
    series.with(pairs.map(|(before, point)| {
        let seconds = point.0.saturating_sub(before.0) as f64;
        (point.0, of(point.1 - before.1, seconds))
    }))
}

/// A function that makes a number of a series, and a series of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Statistic {
    Sum,
    Mean,
    Minimum,
    Maximum,
    /// Of a whole population: AWS does not say which; ours.
    Deviation,
    Count,
}

impl Statistic {
    const ALL: [Self; 6] =
        [Self::Sum, Self::Mean, Self::Minimum, Self::Maximum, Self::Deviation, Self::Count];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sum => "SUM",
            Self::Mean => "AVG",
            Self::Minimum => "MIN",
            Self::Maximum => "MAX",
            Self::Deviation => "STDDEV",
            Self::Count => "DATAPOINT_COUNT",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|statistic| statistic.name() == name)
    }

    /// Of all points of a series; NaN when there is no such number.
    pub(super) fn of(self, series: &Series) -> f64 {
        self.of_points(&series.points)
    }

    fn of_points(self, points: &[(i64, f64)]) -> f64 {
        let values = points.iter().map(|point| point.1);
        // Not `sum`, whose start is a negative zero.
        let (sum, count) = (values.clone().fold(0.0, |sum, v| sum + v), points.len() as f64);
        match self {
            Self::Sum => sum,
            Self::Mean => sum / count,
            Self::Minimum => values.fold(f64::NAN, f64::min),
            Self::Maximum => values.fold(f64::NAN, f64::max),
            Self::Deviation => {
                let mean = sum / count;
                (values.map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt()
            }
            Self::Count => count,
        }
    }

    /// Of several series, at each time that one of them has.
    ///
    /// A mean counts a series without a point there as zero, as AWS documents; the others are of
    /// the points that there are.
    pub(super) fn of_many(self, many: &[Series], empty: Series) -> Series {
        let Some(first) = many.first() else {
            return empty;
        };
        let mut points: Vec<_> = many.iter().flat_map(|one| one.points.iter().copied()).collect();
        points.sort_by_key(|point| point.0);
        let at_once = points.chunk_by(|left, right| left.0 == right.0);
        let summed = at_once.filter_map(|at_once| {
            let value = match self {
                Self::Mean => Self::Sum.of_points(at_once) / many.len() as f64,
                _ => self.of_points(at_once),
            };
            Some((at_once.first()?.0, value))
        });
        let period_s = many.iter().map(|one| one.period_s).max().unwrap_or(empty.period_s);
        Series { period_s, ..first.with(summed) }
    }

    /// Of a value; `None` of a number.
    pub(super) fn of_value(self, value: &Value, empty: Series) -> Option<Value> {
        match value {
            Value::Scalar(_) => None,
            Value::Series(series) => Some(Value::Scalar(self.of(series))),
            Value::Many(many) => Some(Value::Series(self.of_many(many, empty))),
        }
    }
}
