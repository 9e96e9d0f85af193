//! Points in time as people read and write them, in UTC.

use base::date::{civil, parse_iso};
use std::time::Duration;

const DAY_MS: i64 = 86_400_000;
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// As `2026-01-31T12:00:00.250Z`.
pub(crate) fn iso(epoch_ms: i64) -> String {
    let (year, month, day) = civil(epoch_ms.div_euclid(DAY_MS));
    let (time, ms) = (time_of_day(epoch_ms), epoch_ms.rem_euclid(1000));
    format!("{year:04}-{month:02}-{day:02}T{time}.{ms:03}Z")
}

/// As Apache's log has it: `31/Jan/2026:12:00:00 +0000`.
pub(crate) fn apache(epoch_ms: i64) -> String {
    let (year, month, day) = civil(epoch_ms.div_euclid(DAY_MS));
    let (month, time) = (MONTHS[(month - 1) as usize], time_of_day(epoch_ms));
    format!("{day:02}/{month}/{year:04}:{time} +0000")
}

/// Reads what ISO 8601 has of dates and times from 1970 on, seconds since the epoch, or `-15m`
/// before `now_ms`. Gives milliseconds since the epoch.
pub(crate) fn parse(text: &str, now_ms: i64) -> Option<i64> {
    if let Some(ago) = text.strip_prefix('-') {
        let ago: Duration = crate::config::units::parse_duration(ago).ok()?;
        return Some(now_ms - ago.as_millis() as i64);
    }
    if let Ok(seconds) = text.parse::<f64>() {
        return (seconds.is_finite() && seconds < 1e13).then_some((seconds * 1000.0) as i64);
    }
    parse_iso(text).filter(|ms| *ms >= 0)
}

fn time_of_day(epoch_ms: i64) -> String {
    let second = epoch_ms.rem_euclid(DAY_MS) / 1000;
    format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
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
