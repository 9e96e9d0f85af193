//! The dates of signatures: `20150830T123600Z`, and the forms a `Date` header may have.

use base::date::{civil, moment};

/// Seconds of a day.
const DAY_SECONDS: i64 = 86_400;

/// Writes milliseconds since the epoch as `20150830T123600Z`.
pub(crate) fn format(now_ms: i64) -> String {
    let seconds = now_ms.div_euclid(1000);
    let (year, month, day) = civil(seconds.div_euclid(DAY_SECONDS));
    let second = seconds.rem_euclid(DAY_SECONDS);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// Reads `20150830T123600Z`, `2015-08-30T12:36:00Z` or `Sun, 30 Aug 2015 12:36:00 GMT` as
/// milliseconds since the epoch.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let text = text.trim();
    if text.ends_with("GMT") {
        return parse_http(text);
    }
    let digits: String = text.chars().filter(|c| !matches!(c, '-' | ':')).collect();
    let (date, time) = digits.strip_suffix('Z')?.split_once('T')?;
    if (date.len(), time.len()) != (8, 6) {
        return None;
    }
    let (date, time) = (number(date)?, number(time)?);
    moment(
        (date / 10_000, date / 100 % 100, date % 100),
        (time / 10_000, time / 100 % 100, time % 100),
    )
}

/// Reads `Sun, 30 Aug 2015 12:36:00 GMT` as milliseconds since the epoch.
pub(crate) fn parse_http(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_, text) = text.split_once(", ")?;
    let mut words = text.split(' ');
    let day = number(words.next()?)?;
    let name = words.next()?;
    let month = MONTHS.iter().position(|m| *m == name)? as i64 + 1;
    let year = number(words.next()?)?;
    let mut clock = words.next()?.split(':').map(number);
    let time = (clock.next()??, clock.next()??, clock.next()??);
    moment((year, month, day), time)
}

fn number(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.len() <= 8 && text.bytes().all(|b| b.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_agree() {
        let want = Some(1_440_938_160_000);
        assert_eq!(parse("20150830T123600Z"), want);
        assert_eq!(parse("2015-08-30T12:36:00Z"), want);
        assert_eq!(parse("Sun, 30 Aug 2015 12:36:00 GMT"), want);
        assert_eq!(format(1_440_938_160_999), "20150830T123600Z");
    }

    #[test]
    fn nonsense_is_no_date() {
        for text in [
            "",
            "a",
            "20150830",
            "20150830T1236Z",
            "20150230T000000Z",
            "20150830T250000Z",
            "2015083éT123600Z",
            "99999999T999999Z",
            "GMT",
            ", GMT",
            "Sun, 30 Aug 2015 GMT",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
