//! What many values of one moment come to: how many, their sum, the least and the greatest, and as
//! far as it is known how they are spread.

/// Values of a spread that are kept apart; more are rounded until they are so few.
const SPREAD_VALUES_MAX: usize = 128;
/// Bits of a double's fraction.
const FRACTION_BITS: u32 = 52;
/// Bits of it that are left by the first rounding (a part in two thousand) and by the last one.
const ROUNDED_BITS_FIRST: u32 = 10;
const ROUNDED_BITS_LAST: u32 = 1;

/// A statistic set, never empty.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Set {
    /// How many values: above 0, but not always whole, since clients may send any number.
    pub(super) count: f64,
    pub(super) sum: f64,
    pub(super) min: f64,
    pub(super) max: f64,
    /// The values and how often each came, ascending; nothing when only the set was sent, or all
    /// values are the same.
    pub(super) spread: Option<Box<[(f64, f64)]>>,
}

impl Set {
    /// One value that came `count` times.
    pub(super) fn of(value: f64, count: f64) -> Self {
        Self { count, sum: value * count, min: value, max: value, spread: None }
    }

    /// Values and how often each came; nothing when there are none.
    pub(super) fn of_values(values: impl Iterator<Item = (f64, f64)>) -> Option<Self> {
        let mut values: Vec<(f64, f64)> = values.filter(|(_, count)| *count > 0.0).collect();
        values.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (min, max) = (values.first()?.0, values.last()?.0);
        let count = values.iter().map(|(_, count)| count).sum();
        let sum = values.iter().map(|(value, count)| value * count).sum();
        let spread = (min < max).then(|| rounded(united(values)));
        Some(Self { count, sum, min, max, spread })
    }

    /// Takes in the values of another one.
    pub(super) fn merge(&mut self, other: &Self) {
        let spread = match (self.values(), other.values()) {
            (Some(mut values), Some(others)) => {
                values.extend(others);
                values.sort_by(|a, b| a.0.total_cmp(&b.0));
                Some(rounded(united(values)))
            }
            _ => None,
        };
        self.count += other.count;
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.spread = spread.filter(|_| self.min < self.max);
    }

    /// The values and how often each came, if that is known.
    fn values(&self) -> Option<Vec<(f64, f64)>> {
        match &self.spread {
            Some(spread) => Some(spread.to_vec()),
            None => (self.min >= self.max).then(|| vec![(self.min, self.count)]),
        }
    }

    /// What a statistic says of it; nothing where the values are not known.
    pub(super) fn value(&self, statistic: Statistic) -> Option<f64> {
        match statistic {
            Statistic::SampleCount => Some(self.count),
            Statistic::Sum => Some(self.sum),
            Statistic::Average => Some(self.sum / self.count),
            Statistic::Minimum => Some(self.min),
            Statistic::Maximum => Some(self.max),
            Statistic::Percentile(percent) => self.percentile(percent),
        }
    }

    /// The least value that so many percent of all are not above.
    fn percentile(&self, percent: f64) -> Option<f64> {
        let values = self.values()?;
        let wanted = self.count * percent / 100.0;
        let mut seen = 0.0;
        let reached = |(_, count): &&(f64, f64)| {
            seen += count;
            seen >= wanted
        };
        let value = values.iter().find(reached).map_or(self.max, |(value, _)| *value);
        Some(value.clamp(self.min, self.max))
    }

    /// Bytes that it takes beside itself.
    pub(super) fn spread_bytes(&self) -> usize {
        self.spread.as_ref().map_or(0, |spread| size_of_val(&**spread))
    }
}

/// Equal values of a sorted list become one.
fn united(values: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    let mut united: Vec<(f64, f64)> = Vec::with_capacity(values.len());
    for (value, count) in values {
        match united.last_mut() {
            Some(last) if last.0 >= value => last.1 += count,
            _ => united.push((value, count)),
        }
    }
    united
}

/// At most as many values as are kept, rounded as little as that takes.
fn rounded(mut values: Vec<(f64, f64)>) -> Box<[(f64, f64)]> {
    let mut bits = ROUNDED_BITS_FIRST;
    while values.len() > SPREAD_VALUES_MAX {
        if bits >= ROUNDED_BITS_LAST {
            let round = |(value, count)| (cut(value, bits), count);
            values = united(values.into_iter().map(round).collect());
            bits -= 1;
        } else {
            // From the least to the greatest double: neighbours go together.
            let pairs = values.chunks(2);
            let join = |pair: &[(f64, f64)]| (pair[0].0, pair.iter().map(|(_, n)| n).sum());
            values = pairs.map(join).collect();
        }
    }
    values.into()
}

/// A value with so many bits of its fraction, in the middle of those that it stands for.
fn cut(value: f64, bits: u32) -> f64 {
    let dropped = FRACTION_BITS - bits;
    if value == 0.0 {
        return value;
    }
    let kept = value.to_bits() >> dropped << dropped;
    f64::from_bits(kept | 1 << (dropped - 1))
}

/// A number that is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Statistic {
    SampleCount,
    Average,
    Sum,
    Minimum,
    Maximum,
    /// In percent: 0 to 100.
    Percentile(f64),
}

impl Statistic {
    /// From AWS's name, `p99.9` among them; nothing for another text, also of a trimmed mean.
    pub(super) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "SampleCount" => Self::SampleCount,
            "Average" => Self::Average,
            "Sum" => Self::Sum,
            "Minimum" => Self::Minimum,
            "Maximum" => Self::Maximum,
            _ => {
                let digits = text.strip_prefix('p')?;
                let is_plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
                let percent: f64 = digits.parse().ok().filter(|_| is_plain)?;
                (percent <= 100.0).then_some(Self::Percentile(percent))?
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn percentiles_are_of_values_that_came() {
        let of = |values: &[(f64, f64)]| Set::of_values(values.iter().copied()).unwrap();
        let hundred: Vec<_> = (1..=100).map(|n| (f64::from(n), 1.0)).collect();
        for (set, name, want) in [
            (of(&hundred), "p99", Some(99.0)),
            (of(&hundred), "p50", Some(50.0)),
            (of(&hundred), "p0", Some(1.0)),
            (of(&hundred), "p100", Some(100.0)),
            (of(&[(1.0, 98.0), (7.0, 2.0)]), "p99", Some(7.0)),
            (of(&[(1.0, 99.0), (7.0, 1.0)]), "p99", Some(1.0)),
            (Set::of(3.0, 5.0), "p10", Some(3.0)),
            (Set { count: 2.0, sum: 3.0, min: 1.0, max: 2.0, spread: None }, "p50", None),
        ] {
            assert_eq!(set.value(Statistic::parse(name).unwrap()), want, "{name} of {set:?}");
        }
    }

    #[test]
    fn names_of_statistics() {
        let known = ["SampleCount", "Average", "Sum", "Minimum", "Maximum", "p0", "p99.99", "p100"];
        assert!(known.iter().all(|name| Statistic::parse(name).is_some()));
        for name in ["", "average", "p", "p101", "p-1", "p1e1", "pinf", "tm90", "IQM", "TM(1%:9%)"]
        {
            assert_eq!(Statistic::parse(name), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn merged_is_as_if_it_came_at_once(
            a in prop::collection::vec((-1e6..1e6, 1u8..4), 1..90),
            b in prop::collection::vec((-1e6..1e6, 1u8..4), 1..90),
        ) {
            let pair = |(value, count): &(f64, u8)| (*value, f64::from(*count));
            let (a, b): (Vec<_>, Vec<_>) =
                (a.iter().map(pair).collect(), b.iter().map(pair).collect());
            let mut merged = Set::of_values(a.iter().copied()).unwrap();
            merged.merge(&Set::of_values(b.iter().copied()).unwrap());
            let whole = Set::of_values(a.iter().chain(&b).copied()).unwrap();
            let plain = |set: &Set| (set.count, set.min, set.max);
            prop_assert_eq!(plain(&merged), plain(&whole));
            prop_assert!((merged.sum - whole.sum).abs() <= 1e-3);
            for set in [&merged, &whole] {
                let spread = set.spread.as_deref().unwrap_or_default();
                prop_assert!(spread.len() <= SPREAD_VALUES_MAX);
                prop_assert!(spread.is_sorted_by(|a, b| a.0 < b.0));
                let mut exact: Vec<f64> = a.iter().chain(&b)
                    .flat_map(|(v, n)| std::iter::repeat_n(*v, *n as usize)).collect();
                exact.sort_by(f64::total_cmp);
                for percent in [1.0, 50.0, 90.0, 99.0] {
                    let at = (exact.len() as f64 * percent / 100.0).ceil().max(1.0) as usize - 1;
                    let got = set.value(Statistic::Percentile(percent)).unwrap();
                    prop_assert!((got - exact[at]).abs() <= exact[at].abs() / 50.0 + 1e-9,
                        "p{} is {} and not {}", percent, got, exact[at]);
                }
            }
        }
    }
}
