//! Dates of the proleptic Gregorian calendar, in UTC.

/// Seconds of a day.
const DAY_SECONDS: i64 = 86_400;

/// Milliseconds since the epoch of a date and a time of day; nothing when the calendar or the clock
/// has no such.
pub fn moment(
    (year, month, day): (i64, i64, i64),
    (hour, minute, second): (i64, i64, i64),
) -> Option<i64> {
    let days = days(year, month, day);
    let is_day = civil(days) == (year, month, day);
    let is_time = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..61).contains(&second);
    (is_day && is_time).then(|| (days * DAY_SECONDS + hour * 3600 + minute * 60 + second) * 1000)
}

/// Days since the epoch of a date. The year is counted from March, so that the leap day is its
/// last, in cycles of 400 years.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let cycle = year.div_euclid(400);
    let year = year.rem_euclid(400);
    let from_march = (month + 9) % 12;
    let of_year = (153 * from_march + 2) / 5 + day - 1;
    cycle * 146_097 + year * 365 + year / 4 - year / 100 + of_year - 719_468
}

/// Year, month and day of a number of days since the epoch.
pub fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let cycle = days.div_euclid(146_097);
    let of_cycle = days.rem_euclid(146_097);
    let year = (of_cycle - of_cycle / 1460 + of_cycle / 36_524 - of_cycle / 146_096) / 365;
    let of_year = of_cycle - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (cycle * 400 + year + i64::from(month <= 2), month, day)
}

/// Writes milliseconds since the epoch as `2015-08-30T12:36:00Z`, with a fraction where there is
/// one: `2015-08-30T12:36:00.500Z`.
pub fn format_iso(ms: i64) -> String {
    let seconds = ms.div_euclid(1000);
    let (year, month, day) = civil(seconds.div_euclid(DAY_SECONDS));
    let second = seconds.rem_euclid(DAY_SECONDS);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let fraction = match ms.rem_euclid(1000) {
        0 => String::new(),
        ms => format!(".{ms:03}"),
    };
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

/// Reads the forms that W3C's profile of ISO 8601 has: `2015`, `2015-08`, `2015-08-30`,
/// `2015-08-30T12:36Z`, `2015-08-30T12:36:00Z`, `2015-08-30T12:36:00.5+02:00`. Gives milliseconds
/// since the epoch.
pub fn parse_iso(text: &str) -> Option<i64> {
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let date: Vec<i64> = date.split('-').zip([4, 2, 2]).map(digits).collect::<Option<_>>()?;
    let date_is_whole = text.split('T').next()?.split('-').count() == date.len();
    let (year, month, day) = match (date.as_slice(), time) {
        ([year], None) => (*year, 1, 1),
        ([year, month], None) => (*year, *month, 1),
        ([year, month, day], _) => (*year, *month, *day),
        _ => return None,
    };
    if !date_is_whole {
        return None;
    }
    let Some(time) = time else { return moment((year, month, day), (0, 0, 0)) };
    let (time, ahead_ms) = zone(time)?;
    let (time, fraction_ms) = match time.split_once('.') {
        Some((time, fraction)) => (time, fraction_ms(fraction)?),
        None => (time, 0),
    };
    let mut parts = time.split(':');
    let mut next = |default| parts.next().map_or(default, |part| digits((part, 2)));
    let (hour, minute, second) = (next(None)?, next(None)?, next(Some(0))?);
    if parts.next().is_some() {
        return None;
    }
    Some(moment((year, month, day), (hour, minute, second))? + fraction_ms - ahead_ms)
}

/// A time of day without its zone, and how far the zone is ahead.
fn zone(text: &str) -> Option<(&str, i64)> {
    if let Some(time) = text.strip_suffix('Z') {
        return Some((time, 0));
    }
    let (time, ahead) = text.split_at_checked(text.len().checked_sub(6)?)?;
    let (sign, rest) = ahead.split_at_checked(1)?;
    let (hours, minutes) = rest.split_once(':')?;
    let (hours, minutes) = (digits((hours, 2))?, digits((minutes, 2))?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let ahead_ms = (hours * 60 + minutes) * 60_000;
    match sign {
        "+" => Some((time, ahead_ms)),
        "-" => Some((time, -ahead_ms)),
        _ => None,
    }
}

fn fraction_ms(text: &str) -> Option<i64> {
    digits((text, text.len().clamp(1, 9)))?;
    digits((&format!("{text:0<3}").chars().take(3).collect::<String>(), 3))
}

/// A number of exactly so many digits.
fn digits((text, count): (&str, usize)) -> Option<i64> {
    let fits = text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_day_of_four_centuries_comes_back() {
        for day in -10_000..146_097 {
            let (y, m, d) = civil(day);
            assert_eq!(days(y, m, d), day);
        }
        assert_eq!(civil(19_782), (2024, 2, 29));
    }

    #[test]
    fn iso_forms() {
        let noon = 1_440_938_160_000;
        for (text, want) in [
            ("2015-08-30T12:36:00Z", noon),
            ("2015-08-30T12:36Z", noon),
            ("2015-08-30T12:36:00.25Z", noon + 250),
            ("2015-08-30T14:36:00+02:00", noon),
            ("2015-08-30T12:06:00.000-00:30", noon),
            ("1970-01-02", 86_400_000),
            ("1970-02", 31 * 86_400_000),
            ("1971", 365 * 86_400_000),
        ] {
            assert_eq!(parse_iso(text), Some(want), "{text}");
        }
        for text in [
            "",
            "x",
            "2015-8-30",
            "2015-02-30",
            "2015-08-30-01",
            "2015-08T00:00Z",
            "2015-08-30T12:36",
            "2015-08-30T12Z",
            "2015-08-30T25:00Z",
            "2015-08-30T12:36:00:00Z",
            "2015-08-30T12:36:00.Z",
            "2015-08-30T12:36:00é02:00",
        ] {
            assert_eq!(parse_iso(text), None, "{text}");
        }
    }

    #[test]
    fn leap_years_and_the_ends_of_months() {
        for (year, leap) in
            [(1600, true), (1700, false), (1900, false), (2000, true), (2023, false), (2024, true)]
        {
            let last = if leap { 29 } else { 28 };
            for (month, last) in [(1, 31), (2, last), (4, 30), (6, 30), (9, 30), (11, 30), (12, 31)]
            {
                let at = |day| moment((year, month, day), (0, 0, 0));
                assert!(at(last).is_some(), "{year}-{month}");
                for none in [0, last + 1, 32, -1] {
                    assert_eq!(at(none), None, "{year}-{month}-{none}");
                }
            }
            let day = moment((year, 12, 31), (0, 0, 0)).unwrap()
                - moment((year, 1, 1), (0, 0, 0)).unwrap();
            assert_eq!(day / 86_400_000, if leap { 365 } else { 364 }, "{year}");
        }
        for month in [0, 13, -1] {
            assert_eq!(moment((2020, month, 1), (0, 0, 0)), None, "{month}");
        }
        for time in [(24, 0, 0), (0, 60, 0), (0, 0, 61)] {
            assert_eq!(moment((2020, 1, 1), time), None, "{time:?}");
        }
    }

    #[test]
    fn known_moments() {
        for (text, ms) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59.999Z", -1),
            ("1969-12-31T23:59:59Z", -1000),
            ("2000-02-29T00:00:00Z", 951_782_400_000),
            ("2038-01-19T03:14:08Z", 2_147_483_648_000),
            ("0001-01-01T00:00:00Z", -62_135_596_800_000),
            ("0000-02-29T00:00:00Z", -62_162_121_600_000),
            ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ] {
            assert_eq!(format_iso(ms), text);
            assert_eq!(parse_iso(text), Some(ms), "{text}");
        }
        let leap_second = parse_iso("2016-12-31T23:59:60Z");
        assert_eq!(leap_second, parse_iso("2017-01-01T00:00:00Z"), "as POSIX counts");
        let digits = "2015-08-30T12:36:00.123456789Z";
        assert_eq!(parse_iso(digits), Some(1_440_938_160_123), "what is finer is cut off");
        for none in ["2015-08-30T12:36:00.1234567890Z", "2015-08-30t12:36:00Z", " 2015", "+015"] {
            assert_eq!(parse_iso(none), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn days_come_back(day in -400_000_000_i64..400_000_000) {
            let (year, month, of_month) = civil(day);
            prop_assert!((1..=12).contains(&month) && (1..=31).contains(&of_month));
            prop_assert_eq!(moment((year, month, of_month), (0, 0, 0)), Some(day * 86_400_000));
            let (next_year, next_month, next_of_month) = civil(day + 1);
            prop_assert!((year, month, of_month) < (next_year, next_month, next_of_month));
        }

        /// Years of four digits, to the millisecond; in any zone it is the same moment.
        #[test]
        fn moments_come_back(
            ms in -62_167_219_200_000_i64..=253_402_300_799_999,
            (hours, minutes) in (0_i64..24, 0_i64..60),
        ) {
            let text = format_iso(ms);
            prop_assert_eq!(parse_iso(&text), Some(ms));
            let bare = text.strip_suffix('Z').unwrap();
            let ahead_ms = (hours * 60 + minutes) * 60_000;
            for (sign, moved) in [('+', ms - ahead_ms), ('-', ms + ahead_ms)] {
                let zoned = format!("{bare}{sign}{hours:02}:{minutes:02}");
                prop_assert_eq!(parse_iso(&zoned), Some(moved), "{}", zoned);
            }
        }

        #[test]
        fn whatever_is_read_is_written_alike(text in "[0-9]{4}(-[0-9]{2}){0,2}(T[0-9:.Z+-]{0,14})?") {
            if let Some(ms) = parse_iso(&text) {
                prop_assert_eq!(parse_iso(&format_iso(ms)), Some(ms), "{}", text);
            }
        }
    }
}
