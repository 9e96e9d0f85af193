//! What a metric alarm makes of its latest data points.
//!
//! The alarm looks at N points and goes to ALARM when M of them breach. Real points come first,
//! also ones older than N periods as long as the range holds them; only what is then short of N is
//! filled in, as the alarm treats missing data. It is a function of the points alone: no clock, no
//! store, no texts (those are in `reason`).
//!
//! points of the range → newest N real ones → as few filled in as possible → [`Verdict`]

/// Periods that are read beyond N, in case some of the newest N are empty.
const SPARE_PERIODS: u32 = 2;

/// Longest range of an alarm whose period is below [`LONG_PERIOD_S`].
const SHORT_RANGE_MAX_S: u32 = 86_400;

/// Longest range of the other alarms.
const LONG_RANGE_MAX_S: u32 = 7 * 86_400;

/// From this period on an alarm may look back seven days.
const LONG_PERIOD_S: u32 = 3600;

/// The state of an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cloudwatch) enum State {
    Ok,
    Alarm,
    InsufficientData,
}

impl State {
    /// AWS's word for it.
    pub(in crate::cloudwatch) const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Alarm => "ALARM",
            Self::InsufficientData => "INSUFFICIENT_DATA",
        }
    }

    /// The state of AWS's word.
    pub(in crate::cloudwatch) fn parse(text: &str) -> Option<Self> {
        [Self::Ok, Self::Alarm, Self::InsufficientData].into_iter().find(|s| s.as_str() == text)
    }
}

/// How a value is held against the threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cloudwatch) enum Comparison {
    GreaterThanOrEqual,
    GreaterThan,
    LessThan,
    LessThanOrEqual,
}

impl Comparison {
    /// AWS's word for it, as in `ComparisonOperator`.
    pub(in crate::cloudwatch) const fn as_str(self) -> &'static str {
        match self {
            Self::GreaterThanOrEqual => "GreaterThanOrEqualToThreshold",
            Self::GreaterThan => "GreaterThanThreshold",
            Self::LessThan => "LessThanThreshold",
            Self::LessThanOrEqual => "LessThanOrEqualToThreshold",
        }
    }

    /// The comparison of AWS's word; nothing for those with an anomaly band.
    pub(in crate::cloudwatch) fn parse(text: &str) -> Option<Self> {
        [Self::GreaterThanOrEqual, Self::GreaterThan, Self::LessThan, Self::LessThanOrEqual]
            .into_iter()
            .find(|comparison| comparison.as_str() == text)
    }

    /// Whether a value is on the bad side.
    fn is_breaching(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::GreaterThanOrEqual => value >= threshold,
            Self::GreaterThan => value > threshold,
            Self::LessThan => value < threshold,
            Self::LessThanOrEqual => value <= threshold,
        }
    }
}

/// What an alarm makes of a period without data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::enum_variant_names, reason = "AWS's words")]
pub(in crate::cloudwatch) enum Missing {
    /// It counts for neither side.
    Missing,
    /// As `Missing`, but the alarm keeps its state where real points do not decide.
    Ignore,
    Breaching,
    NotBreaching,
}

impl Missing {
    /// AWS's word for it, as in `TreatMissingData`.
    pub(in crate::cloudwatch) const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Ignore => "ignore",
            Self::Breaching => "breaching",
            Self::NotBreaching => "notBreaching",
        }
    }

    /// The treatment of AWS's word.
    pub(in crate::cloudwatch) fn parse(text: &str) -> Option<Self> {
        [Self::Missing, Self::Ignore, Self::Breaching, Self::NotBreaching]
            .into_iter()
            .find(|missing| missing.as_str() == text)
    }
}

/// What of an alarm decides about its state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::cloudwatch) struct Settings {
    pub(in crate::cloudwatch) comparison: Comparison,
    /// Finite.
    pub(in crate::cloudwatch) threshold: f64,
    /// N, at least 1.
    pub(in crate::cloudwatch) evaluation_periods: u32,
    /// M, 1 ..= N; N where the alarm names none.
    pub(in crate::cloudwatch) datapoints_to_alarm: u32,
    pub(in crate::cloudwatch) missing: Missing,
    /// Length of a period, at least 1.
    pub(in crate::cloudwatch) period_s: u32,
}

impl Settings {
    /// N as a length of lists.
    pub(super) fn periods(&self) -> usize {
        self.evaluation_periods.max(1) as usize
    }

    /// How many of the N points must agree on a state: M on ALARM, so N - M + 1 on OK.
    pub(super) fn agreeing_min(&self, state: State) -> usize {
        let to_alarm = (self.datapoints_to_alarm.max(1) as usize).min(self.periods());
        match state {
            State::Ok => self.periods() - to_alarm + 1,
            State::Alarm => to_alarm,
            State::InsufficientData => self.periods(),
        }
    }
}

/// A real data point that took part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::cloudwatch) struct Point {
    /// Start of its period, in seconds since the epoch.
    pub(in crate::cloudwatch) start_s: i64,
    pub(in crate::cloudwatch) value: f64,
    pub(in crate::cloudwatch) is_breaching: bool,
}

/// The outcome of an evaluation.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::cloudwatch) struct Verdict {
    /// The state to be in: the one before where `is_kept`.
    pub(in crate::cloudwatch) state: State,
    /// Nothing was decided: the alarm keeps its state with its reason.
    pub(in crate::cloudwatch) is_kept: bool,
    /// The real points that took part, newest first, at most N.
    pub(in crate::cloudwatch) points: Vec<Point>,
    /// How many points were missing of N.
    pub(in crate::cloudwatch) missing_count: usize,
    /// The empty periods these stand for, the newest there are, newest first: their starts in
    /// seconds. As many as are missing, fewer where the caller gave less than N periods.
    pub(in crate::cloudwatch) missing_starts_s: Vec<i64>,
    /// What the missing points were counted as: breaching or not; nothing where they were left out.
    pub(in crate::cloudwatch) missing_is_breaching: Option<bool>,
}

/// How many periods an alarm reads, the one that ended last included: 5 for N = 3.
///
/// AWS says that it reads more than N and gives one example, 3 and 5. What alarms were seen to do
/// fits N + 2 throughout: an alarm on 8 periods went off once 10 were empty, one on a single day
/// after three. The range stays within what AWS allows N periods to span, unless N spans more.
pub(in crate::cloudwatch) fn evaluation_range_periods(settings: &Settings) -> u32 {
    let periods = settings.evaluation_periods.max(1);
    let is_long = settings.period_s >= LONG_PERIOD_S;
    let range_max_s = if is_long { LONG_RANGE_MAX_S } else { SHORT_RANGE_MAX_S };
    let range_periods_max = range_max_s / settings.period_s.max(1);
    periods.saturating_add(SPARE_PERIODS).min(range_periods_max).max(periods)
}

/// Decides the state of an alarm that is in `now`.
///
/// `points`: the periods of the evaluation range without a gap, oldest first: each one's start in
/// seconds and its value. A value that is no number counts as no data.
pub(in crate::cloudwatch) fn evaluate(
    settings: &Settings,
    points: &[(i64, Option<f64>)],
    now: State,
) -> Verdict {
    let periods = settings.periods();
    let real: Vec<Point> =
        points.iter().rev().filter_map(|point| real(settings, *point)).take(periods).collect();
    let missing_count = periods - real.len();
    let empty = points.iter().rev().filter(|(_, value)| !is_real(*value)).map(|(start, _)| *start);
    let verdict = |state: Option<State>, missing_is_breaching| Verdict {
        state: state.unwrap_or(now),
        is_kept: state.is_none(),
        missing_starts_s: empty.take(missing_count).collect(),
        points: real.clone(),
        missing_count,
        missing_is_breaching,
    };
    let counted = |missing_breaching: usize| {
        let breaching = real.iter().filter(|point| point.is_breaching).count();
        let is_alarm = breaching + missing_breaching >= settings.agreeing_min(State::Alarm);
        Some(if is_alarm { State::Alarm } else { State::Ok })
    };
    match settings.missing {
        _ if missing_count == 0 => verdict(counted(0), None),
        Missing::Breaching => verdict(counted(missing_count), Some(true)),
        Missing::NotBreaching => verdict(counted(0), Some(false)),
        // A point within the threshold, or enough outside: what is missing cannot matter.
        _ if real.iter().any(|point| !point.is_breaching) || counted(0) == Some(State::Alarm) => {
            verdict(counted(0), None)
        }
        Missing::Ignore => verdict(None, None),
        Missing::Missing if is_overdue(settings, points) => verdict(Some(State::Alarm), None),
        Missing::Missing => verdict(Some(State::InsufficientData), None),
    }
}

/// Whether the oldest real point lies M periods back or more: AWS's premature alarm.
///
/// It is asked for when all real points breach and are fewer than M. With the oldest one that far
/// back there was time for M points, so that AWS waits no longer for one within the threshold.
fn is_overdue(settings: &Settings, points: &[(i64, Option<f64>)]) -> bool {
    let oldest = points.iter().position(|(_, value)| is_real(*value));
    oldest.is_some_and(|at| points.len() - at >= settings.agreeing_min(State::Alarm))
}

fn is_real(value: Option<f64>) -> bool {
    value.is_some_and(f64::is_finite)
}

fn real(settings: &Settings, (start_s, value): (i64, Option<f64>)) -> Option<Point> {
    let value = value.filter(|value| value.is_finite())?;
    let is_breaching = settings.comparison.is_breaching(value, settings.threshold);
    Some(Point { start_s, value, is_breaching })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TREATMENTS: [Missing; 4] =
        [Missing::Missing, Missing::Ignore, Missing::Breaching, Missing::NotBreaching];

    fn settings((to_alarm, periods): (u32, u32), missing: Missing) -> Settings {
        Settings {
            comparison: Comparison::GreaterThan,
            threshold: 1.0,
            evaluation_periods: periods,
            datapoints_to_alarm: to_alarm,
            missing,
            period_s: 60,
        }
    }

    /// `0` within the threshold, `X` outside, `-` no data; newest right, a minute each.
    fn points(drawn: &str) -> Vec<(i64, Option<f64>)> {
        let value = |c| match c {
            '0' => Some(0.0),
            'X' => Some(2.0),
            _ => None,
        };
        (0..).zip(drawn.chars()).map(|(at, c)| (at * 60, value(c))).collect()
    }

    /// One row of AWS's tables: M, N, the points, and the states by treatment: missing, ignore,
    /// breaching, notBreaching; `=` where the state before stays.
    #[track_caller]
    fn check(m_of_n: (u32, u32), drawn: &str, want: [&str; 4]) {
        for (missing, want) in TREATMENTS.into_iter().zip(want) {
            for now in [State::Ok, State::Alarm, State::InsufficientData] {
                let got = evaluate(&settings(m_of_n, missing), &points(drawn), now);
                let want = if want == "=" { now.as_str() } else { want };
                let word = missing.as_str();
                assert_eq!(got.state.as_str(), want, "`{drawn}` {m_of_n:?} {word}: {got:?}");
            }
        }
    }

    #[test]
    fn three_of_three() {
        check((3, 3), "0-X-X", ["OK", "OK", "OK", "OK"]);
        check((3, 3), "0----", ["OK", "OK", "OK", "OK"]);
        check((3, 3), "-----", ["INSUFFICIENT_DATA", "=", "ALARM", "OK"]);
        check((3, 3), "0XX-X", ["ALARM", "ALARM", "ALARM", "ALARM"]);
        check((3, 3), "--X--", ["ALARM", "=", "ALARM", "OK"]);
    }

    #[test]
    fn two_of_three() {
        check((2, 3), "0-X-X", ["ALARM", "ALARM", "ALARM", "ALARM"]);
        check((2, 3), "00X0X", ["ALARM", "ALARM", "ALARM", "ALARM"]);
        check((2, 3), "0-X--", ["OK", "OK", "ALARM", "OK"]);
        check((2, 3), "----0", ["OK", "OK", "ALARM", "OK"]);
        check((2, 3), "---X-", ["ALARM", "=", "ALARM", "OK"]);
    }

    /// Rows that AWS's guide describes around its tables, or had in older ones.
    #[test]
    fn too_early_for_an_alarm() {
        check((3, 3), "----X", ["INSUFFICIENT_DATA", "=", "ALARM", "OK"]);
        check((3, 3), "---X-", ["INSUFFICIENT_DATA", "=", "ALARM", "OK"]);
        check((3, 3), "X----", ["ALARM", "=", "ALARM", "OK"]);
        check((3, 3), "---X0", ["OK", "OK", "OK", "OK"]);
        check((3, 3), "--X-0", ["OK", "OK", "OK", "OK"]);
        check((2, 3), "----X", ["INSUFFICIENT_DATA", "=", "ALARM", "OK"]);
    }

    #[test]
    fn other_counts() {
        check((1, 1), "--X", ["ALARM", "ALARM", "ALARM", "ALARM"]);
        check((1, 1), "X--", ["ALARM", "ALARM", "ALARM", "ALARM"]);
        check((1, 1), "---", ["INSUFFICIENT_DATA", "=", "ALARM", "OK"]);
        check((1, 3), "----X", ["ALARM", "ALARM", "ALARM", "ALARM"]);
        check((2, 3), "X-X--", ["ALARM", "ALARM", "ALARM", "ALARM"]);
        check((3, 5), "XX00000", ["OK", "OK", "OK", "OK"]);
        check((3, 5), "X0XX000", ["OK", "OK", "OK", "OK"]);
        check((3, 5), "00X0XX0", ["ALARM", "ALARM", "ALARM", "ALARM"]);
    }

    #[test]
    fn what_was_looked_at() {
        let starts = |v: &Verdict| v.points.iter().map(|p| p.start_s).collect::<Vec<_>>();
        let full = evaluate(&settings((2, 3), Missing::Breaching), &points("0X0-X"), State::Ok);
        assert_eq!(starts(&full), [240, 120, 60]);
        assert_eq!((full.missing_count, full.missing_is_breaching), (0, None));
        let short = evaluate(&settings((2, 3), Missing::Breaching), &points("0----"), State::Ok);
        assert_eq!(starts(&short), [0]);
        assert_eq!((short.missing_count, short.missing_is_breaching), (2, Some(true)));
        assert_eq!(short.missing_starts_s, [240, 180]);
        let kept = evaluate(&settings((2, 3), Missing::Ignore), &points("-----"), State::Alarm);
        assert_eq!((kept.state, kept.is_kept, kept.missing_count), (State::Alarm, true, 3));
    }

    #[test]
    fn no_number_is_no_data() {
        let points = [(0, Some(f64::NAN)), (60, Some(f64::INFINITY)), (120, None)];
        let got = evaluate(&settings((1, 1), Missing::Missing), &points, State::Ok);
        assert_eq!((got.state, got.points.len()), (State::InsufficientData, 0));
    }

    #[test]
    fn sides_of_the_threshold() {
        for (comparison, want) in [
            (Comparison::GreaterThanOrEqual, [false, true, true]),
            (Comparison::GreaterThan, [false, false, true]),
            (Comparison::LessThan, [true, false, false]),
            (Comparison::LessThanOrEqual, [true, true, false]),
        ] {
            assert_eq!([0.0, 1.0, 2.0].map(|value| comparison.is_breaching(value, 1.0)), want);
            assert_eq!(Comparison::parse(comparison.as_str()), Some(comparison));
        }
        assert_eq!(Comparison::parse("GreaterThanUpperThreshold"), None);
    }

    #[test]
    fn words() {
        for state in [State::Ok, State::Alarm, State::InsufficientData] {
            assert_eq!(State::parse(state.as_str()), Some(state));
        }
        for missing in TREATMENTS {
            assert_eq!(Missing::parse(missing.as_str()), Some(missing));
        }
        assert_eq!(State::parse("ok"), None);
        assert_eq!(Missing::parse("NotBreaching"), None);
    }

    #[test]
    fn range() {
        for (periods, period_s, want) in [
            (1, 60, 3),
            (3, 300, 5),
            (8, 900, 10),
            (3, 10, 5),
            (1, 86_400, 3),
            (6, 86_400, 7),
            (7, 86_400, 7),
            (23, 3600, 25),
            (287, 300, 288),
            (288, 300, 288),
            (1440, 60, 1440),
            (2000, 60, 2000),
            (0, 0, 3),
            (u32::MAX, 1, u32::MAX),
        ] {
            let settings = Settings { period_s, ..settings((1, periods), Missing::Missing) };
            assert_eq!(evaluation_range_periods(&settings), want, "{periods} of {period_s} s");
        }
    }

    proptest! {
        /// Never more than N points take part, none is lost, and the treatment matters only where
        /// real points are short of N.
        #[test]
        fn real_points_first(
            drawn in "[0X-]{0,9}",
            to_alarm in 0_u32..6,
            periods in 0_u32..6,
        ) {
            let points = points(&drawn);
            let verdicts = TREATMENTS.map(|missing| {
                evaluate(&settings((to_alarm, periods), missing), &points, State::Ok)
            });
            let real = drawn.chars().filter(|c| *c != '-').count();
            for verdict in &verdicts {
                prop_assert_eq!(verdict.points.len(), real.min(periods.max(1) as usize));
                let total = verdict.points.len() + verdict.missing_count;
                prop_assert_eq!(total, periods.max(1) as usize);
                if verdict.missing_count == 0 {
                    prop_assert_eq!(verdict, &verdicts[0]);
                }
            }
        }
    }
}
