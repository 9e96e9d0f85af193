//! Points in time as people read and write them, in UTC.

use std::time::Duration;

const DAY_MS: i64 = 86_400_000;
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A civil date and time of day.
struct Civil {
    year: i64,
    month: i64,
    day: i64,
    ms_of_day: i64,
}

/// As `2026-01-31T12:00:00.250Z`.
pub(crate) fn iso(epoch_ms: i64) -> String {
    let c = civil(epoch_ms);
    let (h, m, s) = hms(c.ms_of_day);
    let ms = c.ms_of_day % 1000;
    format!("{:04}-{:02}-{:02}T{h:02}:{m:02}:{s:02}.{ms:03}Z", c.year, c.month, c.day)
}

/// As Apache's log has it: `31/Jan/2026:12:00:00 +0000`.
pub(crate) fn apache(epoch_ms: i64) -> String {
    let c = civil(epoch_ms);
    let (h, m, s) = hms(c.ms_of_day);
    let month = MONTHS[(c.month - 1) as usize];
    format!("{:02}/{month}/{:04}:{h:02}:{m:02}:{s:02} +0000", c.day, c.year)
}

/// Reads `2026-01-31`, `2026-01-31T12:00:00Z` with an optional fraction, seconds since the epoch,
/// or
/// `-15m` before `now_ms`. Gives milliseconds since the epoch.
pub(crate) fn parse(text: &str, now_ms: i64) -> Option<i64> {
    if let Some(ago) = text.strip_prefix('-') {
        let ago: Duration = crate::config::units::parse_duration(ago).ok()?;
        return Some(now_ms - ago.as_millis() as i64);
    }
    if let Ok(seconds) = text.parse::<f64>() {
        return (seconds.is_finite() && seconds < 1e13).then_some((seconds * 1000.0) as i64);
    }
    let (date, time) = text.split_once('T').unwrap_or((text, "00:00:00Z"));
    let [year, month, day] = numbers(date, '-')?;
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || !(1970..=9999).contains(&year) {
        return None;
    }
    let midnight = days(year, month, day) * DAY_MS;
    // A day that its month has not, as the 30th of February, is one of the next month.
    (civil(midnight).day == day).then_some(midnight + time_of_day(time)?)
}

fn time_of_day(text: &str) -> Option<i64> {
    let text = text.strip_suffix('Z')?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let [h, m, s] = numbers(whole, ':')?;
    if h > 23 || m > 59 || s > 60 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let ms: i64 = format!("{fraction:0<3}").chars().take(3).collect::<String>().parse().ok()?;
    Some(((h * 60 + m) * 60 + s) * 1000 + ms)
}

fn numbers(text: &str, between: char) -> Option<[i64; 3]> {
    let digits = |part: &str| {
        let legal = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        legal.then(|| part.parse::<i64>().ok()).flatten()
    };
    let parts: Option<Vec<i64>> = text.split(between).map(digits).collect();
    parts?.try_into().ok()
}

fn hms(ms_of_day: i64) -> (i64, i64, i64) {
    let seconds = ms_of_day / 1000;
    (seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Days since the epoch of a date of the Gregorian calendar; years are counted from March, so that
/// the leap day ends one.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn civil(epoch_ms: i64) -> Civil {
    let since = epoch_ms.div_euclid(DAY_MS) + 719_468;
    let (era, of_era) = (since.div_euclid(146_097), since.rem_euclid(146_097));
    let years = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * years + years / 4 - years / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    Civil {
        year: era * 400 + years + i64::from(month <= 2),
        month,
        day: of_year - (153 * shifted + 2) / 5 + 1,
        ms_of_day: epoch_ms.rem_euclid(DAY_MS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_dates() {
        assert_eq!(iso(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(iso(951_782_400_250), "2000-02-29T00:00:00.250Z");
        assert_eq!(iso(1_767_225_599_999), "2025-12-31T23:59:59.999Z");
        assert_eq!(apache(1_769_860_800_000), "31/Jan/2026:12:00:00 +0000");
    }

    #[test]
    fn what_is_written_reads_back() {
        for day in 0..40_000 {
            let ms = day * DAY_MS + 12_345_678;
            assert_eq!(parse(&iso(ms), 0), Some(ms));
        }
    }

    #[test]
    fn forms() {
        assert_eq!(parse("-15m", 1_000_000), Some(100_000));
        assert_eq!(parse("1.5", 0), Some(1500));
        assert_eq!(parse("1970-01-02", 0), Some(DAY_MS));
        for bad in ["", "soon", "1970-13-01", "1970-01-01T25:00:00Z", "1970-01-01T00:00:00", "-1"] {
            assert_eq!(parse(bad, 0), None, "{bad}");
        }
        for bad in ["2026-02-31", "2025-02-29", "2026-04-31T00:00:00Z"] {
            assert_eq!(parse(bad, 0), None, "{bad}");
        }
    }
}
