//! Sizes and durations as people write them: `64MiB`, `250ms`.
//!
//! A bare number is refused: nobody can tell 64 bytes from 64 MiB, or seconds from milliseconds.

use std::time::Duration;

/// Units of sizes, largest first; the decimal ones are read but never written.
const SIZE_UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

/// Units of durations in microseconds, largest first.
const SPAN_UNITS: [(&str, u64); 6] = [
    ("d", 86_400_000_000),
    ("h", 3_600_000_000),
    ("m", 60_000_000),
    ("s", 1_000_000),
    ("ms", 1_000),
    ("us", 1),
];

/// Reads a size such as `64MiB` as bytes.
///
/// # Errors
/// A sentence that says what is wrong with the text.
pub(crate) fn parse_bytes(text: &str) -> Result<u64, String> {
    let (number, unit) = split(text);
    let factor = SIZE_UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit));
    match factor {
        Some((_, factor)) => scale(number, *factor),
        None if number == "0" && unit.is_empty() => Ok(0),
        None => Err(format!("`{text}` is no size: write a number and a unit, as in `64MiB`")),
    }
}

/// Reads a duration such as `250ms`.
///
/// # Errors
/// A sentence that says what is wrong with the text.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text);
    let factor = SPAN_UNITS.iter().find(|(name, _)| *name == unit);
    match factor {
        Some((_, factor)) => scale(number, *factor).map(Duration::from_micros),
        None if number == "0" && unit.is_empty() => Ok(Duration::ZERO),
        None => Err(format!("`{text}` is no duration: write a number and a unit, as in `250ms`")),
    }
}

/// Writes bytes in the largest unit that divides them.
pub(crate) fn bytes_text(bytes: u64) -> String {
    exact(bytes, &SIZE_UNITS, "B")
}

/// Writes a duration in the largest unit that divides it.
pub(crate) fn duration_text(span: Duration) -> String {
    exact(span.as_micros() as u64, &SPAN_UNITS, "s")
}

/// Writes bytes for reading: three digits and a unit, rounded.
pub(crate) fn bytes_round(bytes: u64) -> String {
    for (unit, factor) in SIZE_UNITS.iter().take(4) {
        if bytes >= *factor {
            return format!("{:.1} {unit}", bytes as f64 / *factor as f64);
        }
    }
    format!("{bytes} B")
}

fn exact(amount: u64, units: &[(&str, u64)], of_zero: &str) -> String {
    let binary = |unit: &str| !matches!(unit, "TB" | "GB" | "MB" | "kB");
    let fits = |factor: u64| amount > 0 && amount.is_multiple_of(factor);
    match units.iter().find(|(unit, factor)| binary(unit) && fits(*factor)) {
        Some((unit, factor)) => format!("{}{unit}", amount / factor),
        None => format!("0{of_zero}"),
    }
}

fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    (number, unit.trim_start())
}

/// `number` may have a fraction (`1.5GiB`); the product is rounded down.
fn scale(number: &str, factor: u64) -> Result<u64, String> {
    let refused = || format!("`{number}` is no number from 0 to 2^63");
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(factor).filter(|n| i64::try_from(*n).is_ok()).ok_or_else(refused);
    }
    let real = number.parse::<f64>().map_err(|_| refused())? * factor as f64;
    if real.is_finite() && real < 9.0e18 { Ok(real as u64) } else { Err(refused()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(parse_bytes("64MiB"), Ok(64 << 20));
        assert_eq!(parse_bytes("1.5 GiB"), Ok(3 << 29));
        assert_eq!(parse_bytes("10mb"), Ok(10_000_000));
        assert_eq!(parse_bytes("0"), Ok(0));
        for bad in ["64", "", "MiB", "-1MiB", "1e9B", "64 parsecs", "9999999999TiB"] {
            assert!(parse_bytes(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn durations() {
        assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse_duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(parse_duration("2h"), Ok(Duration::from_hours(2)));
        for bad in ["250", "", "ms", "1 week", "-1s"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        for bytes in [0, 1, 1023, 1024, 1536, 64 << 20, 1_000_000, 5 << 40] {
            assert_eq!(parse_bytes(&bytes_text(bytes)), Ok(bytes), "{}", bytes_text(bytes));
        }
        for micros in [0, 1, 999, 250_000, 1_500_000, 60_000_000, 86_400_000_000] {
            let span = Duration::from_micros(micros);
            assert_eq!(parse_duration(&duration_text(span)), Ok(span));
        }
        assert_eq!(bytes_text(64 << 20), "64MiB");
        assert_eq!(duration_text(Duration::from_millis(90)), "90ms");
        assert_eq!(bytes_round(1536), "1.5 KiB");
    }
}
