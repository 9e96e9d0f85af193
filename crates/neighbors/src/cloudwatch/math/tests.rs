//! Tables: an expression, its inputs, what it becomes.
//!
//! A series is its values at one period after the other, `-` where it has none: `30 20 - 0`. Arrays
//! have `|` between series; a number is `=3`. Every test has the same metrics but for those it
//! gives: none of its ids is another query's.

use super::{Expression, Flaw, Scope, Series, Value};
use proptest::prelude::*;
use std::collections::BTreeMap;

const PERIOD_S: u32 = 60;
const POINTS_MAX: usize = 100_000;
/// A Monday, 2023-11-13 at 23:58 UTC.
const START_S: i64 = 1_699_919_880;

fn series(text: &str, label: &str) -> Series {
    let value = |(at, word): (usize, &str)| {
        let time_s = START_S + at as i64 * i64::from(PERIOD_S);
        (word != "-").then(|| (time_s, word.parse().unwrap()))
    };
    let points = text.split_whitespace().enumerate().filter_map(value).collect();
    Series { points, period_s: PERIOD_S, label: label.to_owned() }
}

fn shown(series: &Series, periods: usize) -> String {
    let at = |i: usize| {
        let value = series.at(START_S + i as i64 * i64::from(PERIOD_S));
        value.map_or("-".to_owned(), |value| format!("{value}"))
    };
    let words: Vec<String> = (0..periods).map(at).collect();
    let kept = words.iter().filter(|word| *word != "-").count();
    assert_eq!(kept, series.points.len(), "points off the periods: {series:?}");
    words.join(" ")
}

/// Evaluates over these inputs (id and series, in the order of the request's metrics) and `many`,
/// an array of two that is no metric.
fn evaluate(expression: &str, inputs: &[(&str, &str)]) -> Result<Value, Flaw> {
    let mut values: BTreeMap<String, Value> = inputs
        .iter()
        .map(|(id, text)| ((*id).to_owned(), Value::Series(series(text, &format!("of {id}")))))
        .collect();
    let metrics: Vec<String> = inputs.iter().map(|(id, _)| (*id).to_owned()).collect();
    values.insert("many".into(), Value::Many(vec![series("1 2", "a"), series("3 - 5", "b")]));
    let periods = periods(inputs) as i64;
    let scope = Scope {
        inputs: &values,
        metrics: &metrics,
        start_s: START_S,
        end_s: START_S + periods * i64::from(PERIOD_S),
        period_s: PERIOD_S,
        points_max: POINTS_MAX,
    };
    Expression::parse(expression)?.evaluate(&scope)
}

fn periods(inputs: &[(&str, &str)]) -> usize {
    inputs.iter().map(|(_, text)| text.split_whitespace().count()).max().unwrap_or(3)
}

fn text_of(value: &Value, periods: usize) -> String {
    match value {
        Value::Scalar(number) => format!("={number}"),
        Value::Series(series) => shown(series, periods),
        Value::Many(many) => {
            many.iter().map(|one| shown(one, periods)).collect::<Vec<_>>().join(" | ")
        }
    }
}

/// Each line: an expression and what it becomes.
fn check(inputs: &[(&str, &str)], cases: &[(&str, &str)]) {
    for (expression, want) in cases {
        match evaluate(expression, inputs) {
            Ok(value) => assert_eq!(text_of(&value, periods(inputs)), *want, "{expression}"),
            Err(Flaw(flaw)) => panic!("{expression}: {flaw}"),
        }
    }
}

/// Each line: an expression and the words that refuse it.
fn check_refused(cases: &[(&str, &str)]) {
    for (expression, want) in cases {
        let flaw = evaluate(expression, &[("m1", "1 2 3"), ("m2", "4 5 6")]).unwrap_err();
        assert_eq!(flaw.0, *want, "{expression}");
    }
}

#[test]
fn numbers_and_ranks() {
    check(
        &[],
        &[
            ("42", "=42"),
            (" 1.5\t", "=1.5"),
            ("1e3", "=1000"),
            ("1E-2 + .5", "=0.51"),
            ("1 + 2 * 3", "=7"),
            ("(1 + 2) * 3", "=9"),
            ("10 - 3 - 2", "=5"),
            ("16 / 4 / 2", "=2"),
            ("2 ^ 3 ^ 2", "=512"),
            ("-2 ^ 2", "=-4"),
            ("2 ^ -1", "=0.5"),
            ("2 * -3", "=-6"),
            ("--3", "=3"),
            ("1 < 2", "=1"),
            ("1 + 1 == 2", "=1"),
            ("1 != 1", "=0"),
            ("2 >= 2 AND 1 <= 0", "=0"),
            ("1 || 0 && 0", "=1"),
            ("(1 OR 0) AND 0", "=0"),
            ("0.5 && -1", "=1"),
            ("1 / 0", "=NaN"),
            ("1 / 0 == 1", "=NaN"),
        ],
    );
}

/// The two series are those of the examples of AWS's documentation.
#[test]
fn operators_between_series() {
    check(
        &[("m1", "30 20 0 0"), ("m2", "20 - 20 -")],
        &[
            ("m1 < m2", "0 0 1 0"),
            ("m1 >= 30", "1 0 0 0"),
            ("m1 > 15 AND m2 > 15", "1 0 0 0"),
            ("m1 > 15 || m2 > 15", "1 1 1 0"),
            ("m1 + m2", "50 20 20 0"),
            ("m2 - m1", "-10 -20 20 0"),
            ("m1 / m2", "1.5 - 0 -"),
            ("m2 / m1", "0.6666666666666666 0 - -"),
            ("-m1", "-30 -20 0 0"),
            ("2 * m2 + 1", "41 - 41 -"),
            ("100 / m1", "3.3333333333333335 5 - -"),
            ("m1 ^ 2", "900 400 0 0"),
            ("m1 - AVG(m1)", "17.5 7.5 -12.5 -12.5"),
        ],
    );
}

#[test]
fn arrays() {
    check(
        &[("m1", "1 2 3"), ("m2", "10 - 30"), ("e4xx", "- - -")],
        &[
            ("[m1, m2]", "1 2 3 | 10 - 30"),
            ("[m1, [m2, e4xx]]", "1 2 3 | 10 - 30 | - - -"),
            ("METRICS()", "1 2 3 | 10 - 30 | - - -"),
            ("METRICS(\"m\")", "1 2 3 | 10 - 30"),
            ("METRICS('4xx')", "- - -"),
            ("METRICS(\"none\")", ""),
            ("[METRICS(\"m2\"), METRICS(\"m1\")]", "10 - 30 | 1 2 3"),
            ("METRICS(\"m\") * 100", "100 200 300 | 1000 - 3000"),
            ("-[m1, m2]", "-1 -2 -3 | -10 - -30"),
            ("6 / [m1]", "6 3 2"),
            ("[m1, m2] / m1", "1 1 1 | 10 0 10"),
            ("m1 - [m1, m2]", "0 0 0 | -9 2 -27"),
            ("METRIC_COUNT(METRICS())", "=3"),
            ("REMOVE_EMPTY(METRICS())", "1 2 3 | 10 - 30"),
            ("FIRST([m2, m1])", "10 - 30"),
            ("LAST([m2, m1])", "1 2 3"),
            ("FIRST(METRICS(\"none\"))", "- - -"),
            ("many", "1 2 - | 3 - 5"),
            ("SLICE(METRICS(), 1)", "10 - 30 | - - -"),
            ("SLICE(METRICS(), 0, 1)", "1 2 3"),
            ("SLICE(METRICS(), 2, 1)", ""),
            ("SLICE(METRICS(), 0, 1e30)", "1 2 3 | 10 - 30 | - - -"),
            ("SORT(METRICS(), AVG, DESC)", "10 - 30 | 1 2 3 | - - -"),
            ("SORT(METRICS(), MAX, ASC)", "1 2 3 | 10 - 30 | - - -"),
            ("SORT(METRICS(), SUM, DESC, 1)", "10 - 30"),
            ("SORT(METRICS(), MIN, ASC, 1 + 1)", "1 2 3 | 10 - 30"),
            ("SLICE(SORT([m1, m2], SUM, DESC), 1, 10)", "1 2 3"),
        ],
    );
}

#[test]
fn statistics() {
    check(
        &[("m1", "2 4 4 4 5 5 7 9"), ("m2", "- 1 - - - - - -")],
        &[
            ("SUM(m1)", "=40"),
            ("AVG(m1)", "=5"),
            ("MIN(m1)", "=2"),
            ("MAX(m1)", "=9"),
            ("STDDEV(m1)", "=2"),
            ("DATAPOINT_COUNT(m2)", "=1"),
            ("SUM([m1, m2])", "2 5 4 4 5 5 7 9"),
            ("AVG([m1, m2])", "1 2.5 2 2 2.5 2.5 3.5 4.5"),
            ("MIN([m1, m2])", "2 1 4 4 5 5 7 9"),
            ("MAX([m1, m2])", "2 4 4 4 5 5 7 9"),
            ("STDDEV([m1, m2])", "0 1.5 0 0 0 0 0 0"),
            ("DATAPOINT_COUNT(METRICS())", "1 2 1 1 1 1 1 1"),
            ("SUM(100/[m1, m1])", "100 50 50 50 40 40 28.571428571428573 22.22222222222222"),
            ("SUM(METRICS()) / SUM(m2)", "2 5 4 4 5 5 7 9"),
        ],
    );
    check(
        &[("m1", "- -")],
        &[
            ("SUM(m1)", "=0"),
            ("AVG(m1)", "=NaN"),
            ("MAX(m1)", "=NaN"),
            ("SUM(METRICS(\"none\"))", "- -"),
            ("FILL(m1, MIN(m1))", "- -"),
            ("TIME_SERIES(AVG(m1))", "- -"),
            ("IF(AVG(m1) > 1, 1, 0)", "- -"),
        ],
    );
}

#[test]
fn functions_of_points() {
    check(
        &[("m1", "60 - -30.5 150 150")],
        &[
            ("ABS(m1)", "60 - 30.5 150 150"),
            ("CEIL(m1 / 100)", "1 - 0 2 2"),
            ("FLOOR(m1)", "60 - -31 150 150"),
            ("LOG10(m1 - 50)", "1 - - 2 2"),
            ("LOG(m1 * 0 + 1)", "0 - 0 0 0"),
            ("DIFF(m1)", "- - -90.5 180.5 0"),
            ("DIFF_TIME(m1)", "- - 120 60 60"),
            ("RATE(m1 * 2 - 1)", "- - -1.5083333333333333 6.016666666666667 0"),
            ("RUNNING_SUM(m1)", "60 - 29.5 179.5 329.5"),
            (
                "RATE([m1, m1])",
                ["- - -0.7541666666666667 3.0083333333333333 0"; 2].join(" | ").as_str(),
            ),
            ("PERIOD(m1)", "=60"),
            ("m1 / PERIOD(m1)", "1 - -0.5083333333333333 2.5 2.5"),
            ("TIME_SERIES(2 * MAX(m1))", "300 300 300 300 300"),
        ],
    );
}

#[test]
fn filling() {
    check(
        &[("m1", "- 10 - - 40 -"), ("m2", "1 - 3 - - -"), ("none", "- - - - - -")],
        &[
            ("FILL(m1, 0)", "0 10 0 0 40 0"),
            ("FILL(m1, REPEAT)", "- 10 10 10 40 40"),
            ("FILL(m1, LINEAR)", "- 10 20 30 40 -"),
            ("FILL(m1, m2)", "1 10 3 - 40 -"),
            ("FILL(m1, MAX(m2) + 1)", "4 10 4 4 40 4"),
            ("FILL([m1, m2], 0)", "0 10 0 0 40 0 | 1 0 3 0 0 0"),
            ("FILL(METRICS(\"m\"), m1)", "- 10 - - 40 - | 1 10 3 - 40 -"),
            ("FILL(none, 7)", "7 7 7 7 7 7"),
            ("FILL(none, REPEAT)", "- - - - - -"),
            ("FILL(m1, 0) + FILL(m2, 0)", "1 10 3 0 40 0"),
        ],
    );
}

/// The three series are those of the tables of AWS's documentation.
#[test]
fn conditions() {
    check(
        &[("m1", "1 1 0 0 -"), ("m2", "30 - 0 0 30"), ("m3", "0 0 20 - 20")],
        &[
            ("IF(m1, m2, m3)", "30 0 20 - -"),
            ("IF(m1, 5, m3)", "5 5 20 - -"),
            ("IF(m1, m2, 5)", "30 0 5 5 -"),
            ("IF(m1, 10, 2)", "10 10 2 2 -"),
            ("IF(m1, m2)", "30 0 - - -"),
            ("IF(-m1, 3)", "3 3 - - -"),
            ("IF(1, m2, m3)", "30 - 0 0 30"),
            ("IF(0, m2, m3)", "0 0 20 - 20"),
            ("IF(0, m2)", "- - - - -"),
            ("IF(SUM(m1) > 1, 1, 0)", "=1"),
            ("IF(m3 < 15, m3)", "0 0 - - -"),
            ("IF(m3 > 15 AND m2 >= 0, m3, -1)", "-1 -1 20 -1 20"),
            ("IF(FIRST(SORT(METRICS(), AVG, DESC)) > 20, 1, 0)", "1 - 0 0 1"),
        ],
    );
}

#[test]
fn parts_of_times() {
    check(
        &[("m1", "- - 1 -")],
        &[
            ("MINUTE(m1)", "58 59 0 1"),
            ("HOUR(m1)", "23 23 0 0"),
            ("DAY(m1)", "1 1 2 2"),
            ("DATE(m1)", "13 13 14 14"),
            ("MONTH(m1)", "11 11 11 11"),
            ("YEAR(m1)", "2023 2023 2023 2023"),
            ("EPOCH(m1) - 1699919880", "0 60 120 180"),
            ("IF(DAY(m1) < 2, 1, 0)", "1 1 0 0"),
        ],
    );
}

#[test]
fn dates() {
    use super::calendar::Part;
    for (time_s, year, month, date, day) in [
        (0, 1970, 1, 1, 4),
        (-1, 1969, 12, 31, 3),
        (951_782_400, 2000, 2, 29, 2),
        (951_868_800, 2000, 3, 1, 3),
        (4_107_542_400, 2100, 3, 1, 1),
        (1_709_251_199, 2024, 2, 29, 4),
        (1_735_603_200, 2024, 12, 31, 2),
    ] {
        let parts = [Part::Year, Part::Month, Part::Date, Part::Day].map(|p| p.of(time_s) as i64);
        assert_eq!(parts, [year, month, date, day], "{time_s}");
    }
}

#[test]
fn labels_and_periods() {
    let two = [("m1", "1 2"), ("m2", "3 4")];
    let of = |expression: &str| match evaluate(expression, &two).unwrap() {
        Value::Scalar(number) => number.to_string(),
        Value::Series(series) => series.label,
        Value::Many(many) => many.into_iter().map(|one| one.label).collect::<Vec<_>>().join(", "),
    };
    for (expression, want) in [
        ("METRICS() / 2", "of m1, of m2"),
        ("m1 - METRICS()", "of m1, of m2"),
        ("SORT(METRICS(), SUM, DESC)", "of m2, of m1"),
        ("m2 + m1", "of m2"),
        ("TIME_SERIES(1)", ""),
    ] {
        assert_eq!(of(expression), want, "{expression}");
    }
}

#[test]
fn refused_texts() {
    check_refused(&[
        ("", "Invalid syntax: unexpected the end"),
        ("m1 +", "Invalid syntax: unexpected the end"),
        ("m1 m2", "Invalid syntax: unexpected 'm2'"),
        ("(m1", "Invalid syntax: unexpected the end"),
        ("m1)", "Invalid syntax: unexpected ')'"),
        ("[]", "Invalid syntax: unexpected ']'"),
        ("[m1,]", "Invalid syntax: unexpected ']'"),
        ("m1 = m2", "Invalid syntax: unexpected '='"),
        ("m1 & m2", "Invalid syntax: unexpected '&'"),
        ("!m1", "Invalid syntax: unexpected '!'"),
        ("_m", "Invalid syntax: unexpected '_'"),
        ("m1 + ü", "Invalid syntax: unexpected 'ü'"),
        ("1e999", "Invalid syntax: '1e999' is no number"),
        (".", "Invalid syntax: '.' is no number"),
        ("1e", "Invalid syntax: unexpected 'e'"),
        ("\"m1\"", "Invalid syntax: unexpected \"m1\""),
        ("METRICS(\"m", "Invalid syntax: a text without its closing quote"),
        ("AVG", "Invalid syntax: unexpected 'AVG'"),
        ("REPEAT + 1", "Invalid syntax: unexpected 'REPEAT'"),
        ("MEDIAN(m1)", "Function 'MEDIAN' not found"),
        ("sum(m1)", "Function 'sum' not found"),
        ("SEARCH('{AWS/Kinesis,StreamName} Bytes', 'Sum', 60)", &unsupported("SEARCH")),
        ("SUM(SEARCH('{', 'Sum'))", &unsupported("SEARCH")),
        ("ANOMALY_DETECTION_BAND(m1, 2)", &unsupported("ANOMALY_DETECTION_BAND")),
        ("m1 / SERVICE_QUOTA(m1)", &unsupported("SERVICE_QUOTA")),
        ("INSIGHT_RULE_METRIC(\"r\", UniqueContributors)", &unsupported("INSIGHT_RULE_METRIC")),
        ("DB_PERF_INSIGHTS('RDS', 'db-1', 'x.avg')", &unsupported("DB_PERF_INSIGHTS")),
        ("LAMBDA(\"f\", \"g\")", &unsupported("LAMBDA")),
        (
            "SELECT AVG(a) FROM \"AWS/EC2\" WHERE b = 'c'",
            "Metrics Insights queries (SELECT) are not supported by this server",
        ),
        ("m9", "No query of the request has the id 'm9'"),
    ]);
}

fn unsupported(name: &str) -> String {
    format!("Function '{name}' is not supported by this server")
}

#[test]
fn refused_arguments() {
    check_refused(&[
        ("SUM()", "Function 'SUM' takes 1 argument, not 0"),
        ("SUM(m1, m2)", "Function 'SUM' takes 1 argument, not 2"),
        ("IF(m1)", "Function 'IF' takes 2 or 3 arguments, not 1"),
        ("FILL(m1)", "Function 'FILL' takes 2 arguments, not 1"),
        ("SORT(METRICS(), AVG)", "Function 'SORT' takes 3 or 4 arguments, not 2"),
        ("METRICS(\"a\", \"b\")", "Function 'METRICS' takes at most 1 argument, not 2"),
        ("METRICS(m1)", "Function 'METRICS' takes a text in quotes, not an expression"),
        ("SUM(\"m1\")", "Function 'SUM' takes an expression there, not \"m1\""),
        ("FILL(m1, NEAREST)", "Function 'FILL' takes an expression there, not 'NEAREST'"),
        (
            "SORT(METRICS(), STDDEV, ASC)",
            "Function 'SORT' takes AVG, MIN, MAX or SUM there, not 'STDDEV'",
        ),
        ("SORT(METRICS(), AVG, UP)", "Function 'SORT' takes ASC or DESC there, not 'UP'"),
        ("PERIOD(m1 + 1)", "Function 'PERIOD' takes the id of a metric, not an expression"),
        ("PERIOD(many)", "Function 'PERIOD' takes the id of a metric, not 'many'"),
        ("SUM(5)", "Function 'SUM' takes a time series or an array of them, not a number"),
        ("ABS(5)", "Function 'ABS' takes a time series or an array of them, not a number"),
        ("FILL(5, 5)", "Function 'FILL' takes a time series or an array of them, not a number"),
        (
            "FILL(m1, [m2])",
            "Function 'FILL' takes a number, a time series, REPEAT or LINEAR there, not an array \
             of time series",
        ),
        ("FIRST(m1)", "Function 'FIRST' takes an array of time series, not a time series"),
        ("METRIC_COUNT(1)", "Function 'METRIC_COUNT' takes an array of time series, not a number"),
        ("SORT(m1, AVG, ASC)", "Function 'SORT' takes an array of time series, not a time series"),
        ("SLICE(many, 0.5)", "Function 'SLICE' takes a whole number there, not 0.5"),
        ("SLICE(many, -1)", "Function 'SLICE' takes a whole number there, not -1"),
        ("SLICE(many, m1)", "Function 'SLICE' takes a whole number there, not a time series"),
        ("TIME_SERIES(m1)", "Function 'TIME_SERIES' takes a number, not a time series"),
        ("HOUR(METRICS())", "Function 'HOUR' takes a time series, not an array of time series"),
        (
            "IF(METRICS() > 1, 1, 0)",
            "Function 'IF' takes numbers and time series, not an array of time series",
        ),
        (
            "IF(m1, many)",
            "Function 'IF' takes numbers and time series, not an array of time series",
        ),
        ("[m1, 5]", "An array holds time series, not numbers"),
        (
            "METRICS() + [m1, m2]",
            "Operator '+' does not take an array of time series and an array of time series",
        ),
    ]);
}

#[test]
fn names() {
    let parsed = |text| Expression::parse(text).unwrap();
    let of = |text| parsed(text).names().into_iter().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(of("IF(b > 1, [a, c], FILL(a_1Z, REPEAT)) + -b ^ d"), ["a", "a_1Z", "b", "c", "d"]);
    assert_eq!(of("PERIOD(m1) * METRICS(\"m2\") + 1e3"), ["m1"]);
    assert!(parsed("m1 + SUM(METRICS(\"m2\"))").uses_metrics());
    assert!(!parsed("m1 + SUM([m2])").uses_metrics());
}

#[test]
fn depth_has_a_bound() {
    let nested = |open: &str, close: &str, depth: usize| {
        Expression::parse(&format!("{}m1{}", open.repeat(depth), close.repeat(depth)))
    };
    for (open, close) in [("(", ")"), ("[", "]"), ("-", ""), ("2^", ""), ("ABS(", ")")] {
        assert!(nested(open, close, 32).is_ok(), "{open}");
        let flaw = nested(open, close, 33).unwrap_err();
        assert_eq!(flaw.0, "The expression is nested more than 32 deep", "{open}");
        assert!(nested(open, close, 100_000).is_err(), "{open}");
    }
    check(&[("m1", "1")], &[(&format!("m1{}", "+m1".repeat(680)), "681")]);
}

#[test]
fn points_have_a_bound() {
    let hundred = vec!["1"; 100].join(" ");
    let flaw = |expression: &str| evaluate(expression, &[("m1", &hundred)]).unwrap_err().0;
    let want = "The expression needs more than 100000 data points";
    assert_eq!(flaw(&format!("[{}m1]", "m1,".repeat(680))), want);
    assert_eq!(flaw(&format!("SUM(m1){}", "+SUM(m1)".repeat(1000))), want);
    let empty = BTreeMap::from([("m1".to_owned(), Value::Series(series("", "")))]);
    let scope = Scope {
        inputs: &empty,
        metrics: &["m1".to_owned()],
        start_s: i64::MIN,
        end_s: i64::MAX,
        period_s: 0,
        points_max: POINTS_MAX,
    };
    for expression in ["FILL(m1, 0)", "TIME_SERIES(1)", "EPOCH(m1)"] {
        let flaw = Expression::parse(expression).unwrap().evaluate(&scope).unwrap_err();
        assert_eq!(flaw.0, want, "{expression}");
    }
}

/// A number, a series and an array, as expressions.
type Three = [String; 3];

const OPERATORS: [&str; 10] = ["+", "-", "*", "/", "^", "<", "==", "!=", " AND ", "||"];
const EACH: [&str; 9] =
    ["ABS", "CEIL", "FLOOR", "LOG", "LOG10", "DIFF", "DIFF_TIME", "RATE", "RUNNING_SUM"];
const STATISTICS: [&str; 6] = ["SUM", "AVG", "MIN", "MAX", "STDDEV", "DATAPOINT_COUNT"];
const PARTS: [&str; 7] = ["MINUTE", "HOUR", "DAY", "DATE", "MONTH", "YEAR", "EPOCH"];

/// One of each type, out of two of each type.
fn deeper(left: &Three, right: &Three, which: [usize; 4]) -> Three {
    fn one<const N: usize>(list: [&'static str; N], which: usize) -> &'static str {
        list[which % N]
    }
    let [number, series, array] = left;
    let [number_b, series_b, array_b] = right;
    let [w, x, y, z] = which;
    let (operator, each, statistic) = (one(OPERATORS, w), one(EACH, w), one(STATISTICS, w));
    let filler = [number_b, series_b, "REPEAT", "LINEAR"][y % 4];
    let choice = [number_b.as_str(), series_b, number, series];
    let [condition, when, otherwise] = [w, x, y].map(|which| choice[which % 4]);
    let numbers = [
        format!("({number}{operator}{number_b})"),
        format!("-{statistic}({series})"),
        format!("METRIC_COUNT({array})"),
        "PERIOD(m2)".to_owned(),
    ];
    let all = [
        format!("({series}{operator}{series_b})"),
        format!("({number}{operator}{series_b})"),
        format!("({series}{operator}{number_b})"),
        format!("{each}({series})"),
        format!("{statistic}({array})"),
        format!("FILL({series},{filler})"),
        // The zero makes a series of a number.
        format!("(IF({condition},{when},{otherwise})+{series_b}*0)"),
        format!("(IF({condition},{when})+{series_b}*0)"),
        format!("{}({series})", one(PARTS, w)),
        format!("TIME_SERIES({number})"),
        format!("{}({array})", one(["FIRST", "LAST"], w)),
    ];
    let arrays = [
        format!("[{series},{array_b}]"),
        format!("({array}{operator}{series_b})"),
        format!("({number}{operator}{array_b})"),
        format!("-{each}({array})"),
        format!("FILL({array},{filler})"),
        format!("SORT({array},{},{})", one(["AVG", "SUM", "MIN"], w), one(["ASC", "DESC"], y)),
        format!("SORT({array},MAX,DESC,METRIC_COUNT({array_b}))"),
        format!("SLICE({array},{},{})", w % 3, y % 5),
        format!("REMOVE_EMPTY({array})"),
    ];
    [numbers[x % 4].clone(), all[y % 11].clone(), arrays[z % 9].clone()]
}

/// Expressions of right types.
fn expressions() -> impl Strategy<Value = String> {
    let numbers = prop::sample::select(vec!["2", "0", "1e200", "0.5"]);
    let all = prop::sample::select(vec!["m1", "m2", "m3"]);
    let arrays = prop::sample::select(vec!["many", "METRICS()", "METRICS(\"2\")", "[m1]"]);
    let leaf = (numbers, all, arrays).prop_map(|(a, b, c)| [a, b, c].map(str::to_owned));
    let three = leaf.prop_recursive(4, 16, 2, |inner| {
        (inner.clone(), inner, any::<[usize; 4]>()).prop_map(|(a, b, which)| deeper(&a, &b, which))
    });
    (three, 0..3usize).prop_map(|(three, which)| three[which].clone())
}

fn points() -> impl Strategy<Value = Series> {
    let value = prop_oneof![any::<f64>().prop_filter("finite", |v| v.is_finite()), -3.0..3.0f64];
    let time = prop_oneof![8 => -600..600i64, 1 => any::<i64>()];
    let map = prop::collection::btree_map(time, value, 0..12);
    (map, 0..200u32).prop_map(|(map, period_s)| Series {
        points: map.into_iter().collect(),
        period_s,
        label: "x".into(),
    })
}

fn check_sound(series: &Series) {
    assert!(series.points.is_sorted_by(|left, right| left.0 < right.0), "{series:?}");
    assert!(series.points.iter().all(|point| point.1.is_finite()), "{series:?}");
    assert!(series.points.len() <= POINTS_MAX);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_text_panics(text in any::<String>(), ascii in "[ -~]{0,80}") {
        let parsed = [text, ascii].map(|text| Expression::parse(&text));
        prop_assert!(parsed.iter().flatten().count() <= 2);
    }

    #[test]
    fn no_tokens_panic(tokens in prop::collection::vec(prop::sample::select(vec![
        "(", ")", "[", "]", ",", "-", "+", "^", "<=", "&&", "\"", "'", "m1", "SUM", "FILL", "SORT",
        "REPEAT", "ASC", "METRICS", "IF", "1", "1e5", ".", "AND", "SEARCH", "é", " ",
    ]), 0..40)) {
        if let Ok(parsed) = Expression::parse(&tokens.concat()) {
            prop_assert!(parsed.names().iter().all(|name| name.starts_with('m')));
        }
    }

    #[test]
    fn no_evaluation_panics_and_results_are_sound(
        text in expressions(),
        inputs in [points(), points(), points()],
        (start_s, length_s, period_s) in (-700..700i64, -10..1500i64, 0..100u32),
    ) {
        let ids = ["m1", "m2", "m3"].map(str::to_owned);
        let many = Value::Many(inputs.to_vec());
        let mut values: BTreeMap<String, Value> =
            ids.iter().cloned().zip(inputs.map(Value::Series)).collect();
        values.insert("many".into(), many);
        let scope = Scope {
            inputs: &values,
            metrics: &ids,
            start_s,
            end_s: start_s + length_s,
            period_s,
            points_max: POINTS_MAX,
        };
        match Expression::parse(&text).and_then(|parsed| parsed.evaluate(&scope)) {
            Ok(Value::Series(series)) => check_sound(&series),
            Ok(Value::Many(many)) => many.iter().for_each(check_sound),
            Ok(Value::Scalar(_)) | Err(_) => {}
        }
    }
}
