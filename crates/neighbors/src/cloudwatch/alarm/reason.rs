//! The words of a change of an alarm's state, as AWS writes them: `StateReason` for people and
//! `StateReasonData` for programs.
//!
//! Numbers are written as Java's `Double.toString` does, times in UTC. Lists in the words and
//! `evaluatedDatapoints` have the newest point first, `recentDatapoints` the oldest. The JSON is
//! put together by hand: its fields have an order, and a number in it looks as in the words. Texts
//! stay within the lengths that AWS's model has for them.
//!
//! verdict → [`text`] and [`data`]; a composite alarm's trigger → `composite_*`

use super::evaluation::{Comparison, Point, Settings, State, Verdict};
use base::date::civil;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Longest `StateReasonData`, from AWS's model.
const REASON_DATA_CHARACTERS_MAX: usize = 4000;

/// From this number on, points are listed in a sentence of their own.
const POINTS_LONG: usize = 5;

/// Points of such a sentence.
const POINTS_LISTED_MAX: usize = 5;

/// The reason of an alarm that was not evaluated yet.
///
/// Source: observed
pub(in crate::cloudwatch) const INITIAL: &str = "Unchecked: Initial alarm creation";

/// What `StateReasonData` holds beside the verdict.
#[derive(Clone, Copy, Debug)]
pub(in crate::cloudwatch) struct Query<'a> {
    /// When the points were read, in milliseconds since the epoch.
    pub(in crate::cloudwatch) now_ms: i64,
    /// As the alarm has it: `Average`, `p99`; nothing for an expression.
    pub(in crate::cloudwatch) statistic: Option<&'a str>,
    pub(in crate::cloudwatch) unit: Option<&'a str>,
    /// Samples of a period by its start in seconds; points without are written without.
    pub(in crate::cloudwatch) sample_counts: &'a BTreeMap<i64, f64>,
}

/// An alarm that a composite alarm's change is due to.
#[derive(Clone, Copy, Debug)]
pub(in crate::cloudwatch) struct Trigger<'a> {
    pub(in crate::cloudwatch) arn: &'a str,
    pub(in crate::cloudwatch) state: State,
    /// Since when it is in that state, in milliseconds since the epoch.
    pub(in crate::cloudwatch) changed_ms: i64,
}

/// `StateReason` of a verdict; nothing where the alarm keeps its state, and so its reason.
///
/// `names_minimum`: the alarm was made with `DatapointsToAlarm`, which AWS then speaks of.
pub(in crate::cloudwatch) fn text(
    settings: &Settings,
    verdict: &Verdict,
    names_minimum: bool,
) -> Option<String> {
    if verdict.is_kept {
        return None;
    }
    if verdict.state == State::InsufficientData {
        return Some(unknown(verdict.missing_count));
    }
    let agreeing: Vec<Point> = agreeing(verdict).collect();
    if agreeing.is_empty() {
        return Some(filled(settings, verdict));
    }
    let minimum = if names_minimum { minimum(settings, verdict.state) } else { String::new() };
    let count = agreeing.len();
    let counted = match names_minimum {
        true => format!("{count} out of the last {} datapoints", settings.periods()),
        false => datapoints(count, ""),
    };
    let (verb, listed) = (verb(count), listed(&agreeing));
    let side = side(settings, verdict.state);
    let treated = treated(verdict).map(|treated| format!(" and {treated}")).unwrap_or_default();
    let (is_long, is_alarm) = (count >= POINTS_LONG, verdict.state == State::Alarm);
    Some(match (is_long, is_alarm) {
        (false, _) => short(&format!("{counted} [{listed}] {verb} {side}{treated}{minimum}")),
        (true, true) => crossed(&format!("{counted} {verb} {side}{treated}"), &listed, &minimum),
        (true, false) => within(&format!("{counted} {verb} {side}{treated}"), &listed, &minimum),
    })
}

/// A reason that lists its points in passing.
///
/// Source: observed (also with `out of the last`, `and .. missing datapoints`, `minimum`)
fn short(what: &str) -> String {
    format!("Threshold Crossed: {what}.")
}

/// A reason of many breaching points, of which the newest are listed behind.
///
/// Source: observed (without missing points)
fn crossed(what: &str, listed: &str, minimum: &str) -> String {
    format!(
        "Threshold Crossed: {what}. The most recent datapoints which crossed the threshold: \
         [{listed}]{minimum}."
    )
}

/// A reason of many points within the threshold.
///
/// Source: ours
fn within(what: &str, listed: &str, minimum: &str) -> String {
    format!(
        "Threshold Crossed: {what}. The most recent datapoints which did not cross the threshold: \
         [{listed}]{minimum}."
    )
}

/// A reason without a point that agrees with the state: what was missing decided alone.
///
/// Source: observed
fn filled(settings: &Settings, verdict: &Verdict) -> String {
    let received = match verdict.points.len() {
        0 => "no datapoints were".to_owned(),
        count => format!("{} {}", datapoints(count, ""), verb(count)),
    };
    let periods = settings.periods();
    let plural = if periods == 1 { "" } else { "s" };
    let treated = treated(verdict).unwrap_or_default();
    format!("Threshold Crossed: {received} received for {periods} period{plural} and {treated}.")
}

/// The reason of INSUFFICIENT_DATA.
///
/// Source: observed
fn unknown(missing_count: usize) -> String {
    let (datapoints, verb) = (datapoints(missing_count, ""), verb(missing_count));
    format!("Insufficient Data: {datapoints} {verb} unknown.")
}

/// How many points must agree for this state. AWS names the two states of a threshold also where
/// the alarm comes out of INSUFFICIENT_DATA.
///
/// Source: observed
fn minimum(settings: &Settings, state: State) -> String {
    let datapoints = datapoints(settings.agreeing_min(state), "");
    let change = if state == State::Alarm { "OK -> ALARM" } else { "ALARM -> OK" };
    format!(" (minimum {datapoints} for {change} transition)")
}

/// On which side of the threshold the points are.
///
/// Source: observed
fn side(settings: &Settings, state: State) -> String {
    let not = if state == State::Alarm { "" } else { "not " };
    let than = match settings.comparison {
        Comparison::GreaterThanOrEqual => "greater than or equal to",
        Comparison::GreaterThan => "greater than",
        Comparison::LessThan => "less than",
        Comparison::LessThanOrEqual => "less than or equal to",
    };
    format!("{not}{than} the threshold ({})", double(settings.threshold))
}

/// What became of the missing points; nothing where they were left out.
///
/// Source: observed
fn treated(verdict: &Verdict) -> Option<String> {
    let word = if verdict.missing_is_breaching? { "Breaching" } else { "NonBreaching" };
    let datapoints = datapoints(verdict.missing_count, "missing ");
    Some(format!("{datapoints} {} treated as [{word}]", verb(verdict.missing_count)))
}

fn datapoints(count: usize, kind: &str) -> String {
    format!("{count} {kind}datapoint{}", if count == 1 { "" } else { "s" })
}

fn verb(count: usize) -> &'static str {
    if count == 1 { "was" } else { "were" }
}

/// The real points that agree with the state, newest first.
fn agreeing(verdict: &Verdict) -> impl Iterator<Item = Point> {
    let is_alarm = verdict.state == State::Alarm;
    verdict.points.iter().copied().filter(move |point| point.is_breaching == is_alarm)
}

/// `21.5 (30/11/26 20:53:00), ..`
fn listed(points: &[Point]) -> String {
    let one = |point: &Point| {
        let ((year, month, day), (hour, minute, second)) = clock(point.start_s);
        let (value, year) = (double(point.value), year.rem_euclid(100));
        format!("{value} ({day:02}/{month:02}/{year:02} {hour:02}:{minute:02}:{second:02})")
    };
    points.iter().take(POINTS_LISTED_MAX).map(one).collect::<Vec<_>>().join(", ")
}

/// `StateReasonData` of a verdict; nothing where the alarm keeps its state, and so its reason.
pub(in crate::cloudwatch) fn data(
    settings: &Settings,
    verdict: &Verdict,
    query: &Query<'_>,
) -> Option<String> {
    if verdict.is_kept {
        return None;
    }
    let evaluated = evaluated(settings, verdict, query);
    let points_max = verdict.points.len().max(evaluated.len());
    Some(fitting(points_max, |points_max| {
        let evaluated: Vec<_> = evaluated.iter().take(points_max).cloned().collect();
        head(settings, verdict, query, points_max)
            + &format!(",\"evaluatedDatapoints\":[{}]}}", evaluated.join(","))
    }))
}

/// All but the last field, with at most this many of the newest points.
///
/// Source: observed
fn head(settings: &Settings, verdict: &Verdict, query: &Query<'_>, points_max: usize) -> String {
    let mut json = format!("{{\"version\":\"1.0\",\"queryDate\":\"{}\"", date(query.now_ms));
    if let Some(oldest) = verdict.points.last() {
        field(&mut json, "startDate", &quoted(&date(oldest.start_s.saturating_mul(1000))));
    }
    for (name, value) in [("unit", query.unit), ("statistic", query.statistic)] {
        if let Some(value) = value {
            field(&mut json, name, &quoted(value));
        }
    }
    field(&mut json, "period", &settings.period_s.to_string());
    let newest = verdict.points.iter().take(points_max);
    let recent: Vec<_> = newest.rev().map(|point| double(point.value)).collect();
    field(&mut json, "recentDatapoints", &format!("[{}]", recent.join(",")));
    field(&mut json, "threshold", &double(settings.threshold));
    json
}

/// The entries of `evaluatedDatapoints`, newest first: of the points that agree with the state as
/// many as it takes, a missing one by its time alone.
///
/// Source: observed
fn evaluated(settings: &Settings, verdict: &Verdict, query: &Query<'_>) -> Vec<String> {
    let is_alarm = verdict.state == State::Alarm;
    let is_undecided = verdict.state == State::InsufficientData;
    let mut entries: BTreeMap<i64, Option<f64>> = BTreeMap::new();
    for point in verdict.points.iter().filter(|p| is_undecided || p.is_breaching == is_alarm) {
        entries.insert(point.start_s, Some(point.value));
    }
    if is_undecided || verdict.missing_is_breaching == Some(is_alarm) {
        entries.extend(verdict.missing_starts_s.iter().map(|start| (*start, None)));
    }
    let newest = entries.iter().rev().take(settings.agreeing_min(verdict.state));
    let entry = |(start_s, value): (&i64, &Option<f64>)| {
        let mut json = format!("{{\"timestamp\":\"{}\"", date(start_s.saturating_mul(1000)));
        if let Some(value) = value {
            if let Some(count) = query.sample_counts.get(start_s) {
                field(&mut json, "sampleCount", &double(*count));
            }
            field(&mut json, "value", &double(*value));
        }
        json + "}"
    };
    newest.map(entry).collect()
}

/// The reason of a composite alarm whose child changed.
///
/// Source: observed
pub(in crate::cloudwatch) fn composite_changed(trigger: &Trigger<'_>) -> String {
    let seconds = trigger.changed_ms.div_euclid(1000);
    let ((year, month, day), (hour, minute, second)) = clock(seconds);
    let weekday = WEEKDAYS[(seconds.div_euclid(86_400) + 4).rem_euclid(7) as usize];
    let month = MONTHS[(month - 1).rem_euclid(12) as usize];
    let (arn, state) = (trigger.arn, trigger.state.as_str());
    format!(
        "{arn} transitioned to {state} at {weekday} {day:02} {month}, {year} \
         {hour:02}:{minute:02}:{second:02} UTC"
    )
}

/// The reason of a composite alarm that is new; `arn`: its own.
///
/// Source: observed
pub(in crate::cloudwatch) fn composite_created(arn: &str, state: State) -> String {
    format!("{arn} was created and its alarm rule evaluates to {}", state.as_str())
}

/// The reason of a composite alarm that has a new rule; `arn`: its own.
///
/// Source: ours
pub(in crate::cloudwatch) fn composite_updated(arn: &str, state: State) -> String {
    format!("{arn} was updated and its alarm rule evaluates to {}", state.as_str())
}

/// `StateReasonData` of a composite alarm: the child that changed, or all of a new rule.
///
/// Source: observed
pub(in crate::cloudwatch) fn composite_data(triggers: &[Trigger<'_>]) -> String {
    let one = |trigger: &Trigger<'_>| {
        let (arn, since) = (quoted(trigger.arn), date(trigger.changed_ms));
        let state = trigger.state.as_str();
        format!("{{\"arn\":{arn},\"state\":{{\"value\":\"{state}\",\"timestamp\":\"{since}\"}}}}")
    };
    fitting(triggers.len(), |triggers_max| {
        let all: Vec<_> = triggers.iter().take(triggers_max).map(one).collect();
        format!("{{\"triggeringAlarms\":[{}]}}", all.join(","))
    })
}

/// The text with as many of its entries as AWS's limit leaves room for.
///
/// Why halving: what AWS cuts is not known, and a client must be able to read the rest as JSON.
fn fitting(entries: usize, render: impl Fn(usize) -> String) -> String {
    let mut entries = entries;
    loop {
        let text = render(entries);
        if entries == 0 || text.chars().count() <= REASON_DATA_CHARACTERS_MAX {
            return text;
        }
        entries /= 2;
    }
}

fn field(json: &mut String, name: &str, value: &str) {
    write!(json, ",\"{name}\":{value}").expect("a string takes all that is written");
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

const WEEKDAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A date as (year, month, day), a time as (hour, minute, second).
type Triple = (i64, i64, i64);

/// Date and time of day of seconds since the epoch.
fn clock(seconds: i64) -> (Triple, Triple) {
    let of_day = seconds.rem_euclid(86_400);
    (civil(seconds.div_euclid(86_400)), (of_day / 3600, of_day / 60 % 60, of_day % 60))
}

/// `2026-11-30T20:53:46.000+0000`
pub(in crate::cloudwatch) fn date(ms: i64) -> String {
    let ((year, month, day), (hour, minute, second)) = clock(ms.div_euclid(1000));
    let fraction = ms.rem_euclid(1000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:03}+0000")
}

/// A finite number as Java's `Double.toString` writes it: `21.0`, `1.0E10`, `2.5E-4`.
pub(in crate::cloudwatch) fn double(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || (1e-3..1e7).contains(&size) {
        return format!("{value:?}");
    }
    let scientific = format!("{value:e}");
    match scientific.split_once('e') {
        Some((digits, exponent)) if digits.contains('.') => format!("{digits}E{exponent}"),
        Some((digits, exponent)) => format!("{digits}.0E{exponent}"),
        None => scientific,
    }
}

#[cfg(test)]
mod tests {
    use super::super::evaluation::{Missing, evaluate};
    use super::*;

    /// 30 November 2026, 20:50 UTC.
    const START_S: i64 = 1_796_071_800;

    fn settings(m_of_n: (u32, u32), comparison: Comparison, missing: Missing) -> Settings {
        let (datapoints_to_alarm, evaluation_periods) = m_of_n;
        Settings {
            comparison,
            threshold: 21.0,
            evaluation_periods,
            datapoints_to_alarm,
            missing,
            period_s: 60,
        }
    }

    /// Values of minutes from `START_S` on, `-` for none.
    fn points(values: &str) -> Vec<(i64, Option<f64>)> {
        let starts = (0..).map(|at| START_S + at * 60);
        starts.zip(values.split(' ').map(|value| value.parse().ok())).collect()
    }

    /// Decides about the values for an alarm in OK and compares the words.
    #[track_caller]
    fn check(settings: &Settings, values: &str, names_minimum: bool, want: &str) {
        let verdict = evaluate(settings, &points(values), State::Ok);
        assert_eq!(text(settings, &verdict, names_minimum).as_deref(), Some(want));
    }

    #[test]
    fn plain() {
        let one = settings((1, 1), Comparison::GreaterThan, Missing::Missing);
        check(
            &one,
            "21.5",
            false,
            "Threshold Crossed: 1 datapoint [21.5 (30/11/26 20:50:00)] was greater than the \
             threshold (21.0).",
        );
        check(
            &one,
            "20",
            false,
            "Threshold Crossed: 1 datapoint [20.0 (30/11/26 20:50:00)] was not greater than the \
             threshold (21.0).",
        );
        check(
            &settings((2, 2), Comparison::GreaterThanOrEqual, Missing::Missing),
            "21 22.25",
            false,
            "Threshold Crossed: 2 datapoints [22.25 (30/11/26 20:51:00), 21.0 (30/11/26 \
             20:50:00)] were greater than or equal to the threshold (21.0).",
        );
    }

    #[test]
    fn with_a_minimum() {
        check(
            &settings((2, 3), Comparison::LessThan, Missing::Missing),
            "1 30 2",
            true,
            "Threshold Crossed: 2 out of the last 3 datapoints [2.0 (30/11/26 20:52:00), 1.0 \
             (30/11/26 20:50:00)] were less than the threshold (21.0) (minimum 2 datapoints for OK \
             -> ALARM transition).",
        );
        check(
            &settings((3, 5), Comparison::GreaterThan, Missing::Missing),
            "30 30 0 0 0",
            true,
            "Threshold Crossed: 3 out of the last 5 datapoints [0.0 (30/11/26 20:54:00), 0.0 \
             (30/11/26 20:53:00), 0.0 (30/11/26 20:52:00)] were not greater than the threshold \
             (21.0) (minimum 3 datapoints for ALARM -> OK transition).",
        );
        check(
            &settings((2, 2), Comparison::LessThanOrEqual, Missing::Missing),
            "0 22",
            true,
            "Threshold Crossed: 1 out of the last 2 datapoints [22.0 (30/11/26 20:51:00)] was not \
             less than or equal to the threshold (21.0) (minimum 1 datapoint for ALARM -> OK \
             transition).",
        );
    }

    #[test]
    fn many_points() {
        let five = settings((5, 5), Comparison::GreaterThan, Missing::Missing);
        check(
            &five,
            "31 32 33 34 35",
            false,
            "Threshold Crossed: 5 datapoints were greater than the threshold (21.0). The most \
             recent datapoints which crossed the threshold: [35.0 (30/11/26 20:54:00), 34.0 \
             (30/11/26 20:53:00), 33.0 (30/11/26 20:52:00), 32.0 (30/11/26 20:51:00), 31.0 \
             (30/11/26 20:50:00)].",
        );
        check(
            &settings((6, 6), Comparison::GreaterThan, Missing::Missing),
            "30 31 32 33 34 35",
            true,
            "Threshold Crossed: 6 out of the last 6 datapoints were greater than the threshold \
             (21.0). The most recent datapoints which crossed the threshold: [35.0 (30/11/26 \
             20:55:00), 34.0 (30/11/26 20:54:00), 33.0 (30/11/26 20:53:00), 32.0 (30/11/26 \
             20:52:00), 31.0 (30/11/26 20:51:00)] (minimum 6 datapoints for OK -> ALARM \
             transition).",
        );
    }

    #[test]
    fn many_points_within() {
        check(
            &settings((2, 6), Comparison::GreaterThan, Missing::NotBreaching),
            "1 2 3 4 5",
            true,
            "Threshold Crossed: 5 out of the last 6 datapoints were not greater than the threshold \
             (21.0) and 1 missing datapoint was treated as [NonBreaching]. The most recent \
             datapoints which did not cross the threshold: [5.0 (30/11/26 20:54:00), 4.0 \
             (30/11/26 20:53:00), 3.0 (30/11/26 20:52:00), 2.0 (30/11/26 20:51:00), 1.0 \
             (30/11/26 20:50:00)] (minimum 5 datapoints for ALARM -> OK transition).",
        );
    }

    #[test]
    fn missing_data() {
        let two = |missing| settings((2, 2), Comparison::GreaterThan, missing);
        for (settings, values, want) in [
            (two(Missing::Missing), "- - -", "Insufficient Data: 2 datapoints were unknown."),
            (
                settings((1, 1), Comparison::GreaterThan, Missing::Missing),
                "- - -",
                "Insufficient Data: 1 datapoint was unknown.",
            ),
            (
                two(Missing::Breaching),
                "- - -",
                "Threshold Crossed: no datapoints were received for 2 periods and 2 missing \
                 datapoints were treated as [Breaching].",
            ),
            (
                settings((1, 1), Comparison::GreaterThan, Missing::NotBreaching),
                "-",
                "Threshold Crossed: no datapoints were received for 1 period and 1 missing \
                 datapoint was treated as [NonBreaching].",
            ),
            (
                settings((2, 3), Comparison::GreaterThan, Missing::Breaching),
                "- 1 - - -",
                "Threshold Crossed: 1 datapoint was received for 3 periods and 2 missing \
                 datapoints were treated as [Breaching].",
            ),
            (
                two(Missing::Breaching),
                "1 - -",
                "Threshold Crossed: 1 datapoint [1.0 (30/11/26 20:50:00)] was not greater than \
                 the threshold (21.0) and 1 missing datapoint was treated as [Breaching].",
            ),
            (
                settings((3, 3), Comparison::GreaterThan, Missing::Missing),
                "- - 30 - -",
                "Threshold Crossed: 1 datapoint [30.0 (30/11/26 20:52:00)] was greater than the \
                 threshold (21.0).",
            ),
        ] {
            check(&settings, values, false, want);
        }
        check(
            &settings((1, 20), Comparison::GreaterThanOrEqual, Missing::NotBreaching),
            "613",
            true,
            "Threshold Crossed: 1 out of the last 20 datapoints [613.0 (30/11/26 20:50:00)] was \
             greater than or equal to the threshold (21.0) and 19 missing datapoints were treated \
             as [NonBreaching] (minimum 1 datapoint for OK -> ALARM transition).",
        );
    }

    fn query<'a>(sample_counts: &'a BTreeMap<i64, f64>, unit: Option<&'a str>) -> Query<'a> {
        Query { now_ms: START_S * 1000 + 226_044, statistic: Some("Average"), unit, sample_counts }
    }

    #[test]
    fn kept() {
        let settings = settings((2, 2), Comparison::GreaterThan, Missing::Ignore);
        let verdict = evaluate(&settings, &points("- -"), State::Alarm);
        assert_eq!(text(&settings, &verdict, true), None);
        assert_eq!(data(&settings, &verdict, &query(&BTreeMap::new(), None)), None);
    }

    /// Compares `StateReasonData` to the letter, and reads it as JSON.
    #[track_caller]
    fn check_data(settings: &Settings, values: &str, unit: Option<&str>, want: &str) {
        let verdict = evaluate(settings, &points(values), State::Ok);
        let counts = (0..3).map(|at| (START_S + at * 60, 5.0)).collect();
        let got = data(settings, &verdict, &query(&counts, unit)).unwrap();
        assert_eq!(got, want);
        serde_json::from_str::<serde_json::Value>(&got).unwrap();
    }

    #[test]
    fn reason_data() {
        check_data(
            &settings((1, 1), Comparison::GreaterThan, Missing::Missing),
            "21.5",
            None,
            concat!(
                r#"{"version":"1.0","queryDate":"2026-11-30T20:53:46.044+0000","#,
                r#""startDate":"2026-11-30T20:50:00.000+0000","statistic":"Average","#,
                r#""period":60,"recentDatapoints":[21.5],"threshold":21.0,"#,
                r#""evaluatedDatapoints":[{"timestamp":"2026-11-30T20:50:00.000+0000","#,
                r#""sampleCount":5.0,"value":21.5}]}"#,
            ),
        );
        check_data(
            &settings((2, 2), Comparison::GreaterThan, Missing::Missing),
            "1 0",
            Some("Seconds"),
            concat!(
                r#"{"version":"1.0","queryDate":"2026-11-30T20:53:46.044+0000","#,
                r#""startDate":"2026-11-30T20:50:00.000+0000","unit":"Seconds","#,
                r#""statistic":"Average","period":60,"recentDatapoints":[1.0,0.0],"#,
                r#""threshold":21.0,"#,
                r#""evaluatedDatapoints":[{"timestamp":"2026-11-30T20:51:00.000+0000","#,
                r#""sampleCount":5.0,"value":0.0}]}"#,
            ),
        );
        check_data(
            &settings((2, 2), Comparison::GreaterThan, Missing::Missing),
            "- - - -",
            None,
            concat!(
                r#"{"version":"1.0","queryDate":"2026-11-30T20:53:46.044+0000","#,
                r#""statistic":"Average","period":60,"recentDatapoints":[],"#,
                r#""threshold":21.0,"#,
                r#""evaluatedDatapoints":[{"timestamp":"2026-11-30T20:53:00.000+0000"},"#,
                r#"{"timestamp":"2026-11-30T20:52:00.000+0000"}]}"#,
            ),
        );
        check_data(
            &settings((2, 3), Comparison::GreaterThan, Missing::Breaching),
            "- - - 3e10 -",
            None,
            concat!(
                r#"{"version":"1.0","queryDate":"2026-11-30T20:53:46.044+0000","#,
                r#""startDate":"2026-11-30T20:53:00.000+0000","statistic":"Average","#,
                r#""period":60,"recentDatapoints":[3.0E10],"threshold":21.0,"#,
                r#""evaluatedDatapoints":[{"timestamp":"2026-11-30T20:54:00.000+0000"},"#,
                r#"{"timestamp":"2026-11-30T20:53:00.000+0000","value":3.0E10}]}"#,
            ),
        );
    }

    #[test]
    fn within_the_limits() {
        let settings = settings((1440, 1440), Comparison::GreaterThan, Missing::Missing);
        let values = vec!["-1234567.0123456789"; 1440].join(" ");
        for (values, state) in [(&values, "OK"), (&values.replace('-', ""), "ALARM")] {
            let verdict = evaluate(&settings, &points(values), State::InsufficientData);
            assert_eq!(verdict.state.as_str(), state);
            assert!(text(&settings, &verdict, true).unwrap().len() <= 1023);
            let data = data(&settings, &verdict, &query(&BTreeMap::new(), None)).unwrap();
            assert!((1000..=4000).contains(&data.len()), "{}", data.len());
            serde_json::from_str::<serde_json::Value>(&data).unwrap();
        }
    }

    #[test]
    fn composite() {
        let trigger =
            Trigger { arn: "arn:\"a", state: State::Alarm, changed_ms: 1_658_505_465_394 };
        assert_eq!(
            composite_changed(&trigger),
            "arn:\"a transitioned to ALARM at Friday 22 July, 2022 15:57:45 UTC"
        );
        assert_eq!(
            composite_created("arn:c", State::Ok),
            "arn:c was created and its alarm rule evaluates to OK"
        );
        assert_eq!(
            composite_updated("arn:c", State::Alarm),
            "arn:c was updated and its alarm rule evaluates to ALARM"
        );
        assert_eq!(
            composite_data(&[trigger]),
            concat!(
                r#"{"triggeringAlarms":[{"arn":"arn:\"a","state":{"value":"ALARM","#,
                r#""timestamp":"2022-07-22T15:57:45.394+0000"}}]}"#,
            )
        );
        let many = composite_data(&[trigger; 100]);
        assert!((2000..=4000).contains(&many.len()), "{}", many.len());
        serde_json::from_str::<serde_json::Value>(&many).unwrap();
    }

    #[test]
    fn numbers() {
        for (value, want) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (21.0, "21.0"),
            (-5.75, "-5.75"),
            (99.833_333_333_333_33, "99.83333333333333"),
            (0.001, "0.001"),
            (0.000_25, "2.5E-4"),
            (0.000_1, "1.0E-4"),
            (9_999_999.0, "9999999.0"),
            (10_000_000.0, "1.0E7"),
            (1e10, "1.0E10"),
            (12_345_678.9, "1.23456789E7"),
            (-1e100, "-1.0E100"),
            (f64::MAX, "1.7976931348623157E308"),
        ] {
            assert_eq!(double(value), want);
        }
    }

    #[test]
    fn dates() {
        for (ms, want) in [
            (0, "1970-01-01T00:00:00.000+0000"),
            (-1, "1969-12-31T23:59:59.999+0000"),
            (951_782_400_000, "2000-02-29T00:00:00.000+0000"),
            (1_796_072_026_044, "2026-11-30T20:53:46.044+0000"),
        ] {
            assert_eq!(date(ms), want);
        }
        date(i64::MAX);
        date(i64::MIN);
    }
}
