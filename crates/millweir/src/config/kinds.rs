//! What texts an option accepts, and what is said of the others.

use super::nearest::nearest;
use super::units;
use crate::times;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// What texts an option accepts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Any text.
    Text,
    /// Any text; never shown again.
    Secret,
    /// A file or directory; relative ones start at the working directory.
    Path,
    /// `true` or `false`.
    Switch,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// `64MiB`; the range is in bytes.
    Size(Range),
    /// `250ms`; the range is in microseconds.
    Duration(Range),
    /// A whole number.
    Count(Range),
    /// `ADDRESS:PORT`.
    Address,
    /// A list of names; in texts separated by commas.
    Names,
    /// A level of the log, or a filter.
    Level,
    /// A point in time.
    Time,
}

/// The least and the most that a number may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Range {
    least: u64,
    most: u64,
}

impl Range {
    /// The number as `write` has it, when it is within; `what` names its kind.
    fn check(
        self,
        number: u64,
        (text, what): (&str, &str),
        write: fn(u64) -> String,
    ) -> Result<String, String> {
        if (self.least..=self.most).contains(&number) {
            return Ok(write(number));
        }
        Err(format!("`{text}` is no {what} from {}", self.shown(write)))
    }

    fn shown(self, write: fn(u64) -> String) -> String {
        format!("{} to {}", write(self.least), write(self.most))
    }
}

/// Levels of the log, the quietest first.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

impl Kind {
    /// Whole numbers of this range.
    pub(crate) const fn count(least: u64, most: u64) -> Self {
        Self::Count(Range { least, most })
    }

    /// Sizes of so many bytes.
    pub(crate) const fn size(least: u64, most: u64) -> Self {
        Self::Size(Range { least, most })
    }

    /// Durations of this range.
    pub(crate) const fn duration(least: Duration, most: Duration) -> Self {
        Self::Duration(Range { least: least.as_micros() as u64, most: most.as_micros() as u64 })
    }

    /// Checks a text and gives it back as it will be used.
    ///
    /// # Errors
    /// A sentence that says what would be right.
    pub(crate) fn check(self, text: &str) -> Result<String, String> {
        let text = text.trim();
        match self {
            Self::Text | Self::Secret | Self::Names => Ok(text.to_owned()),
            // The working directory is `.`; an empty text is a variable that was not set.
            Self::Path if text.is_empty() => Err("the path is empty".into()),
            Self::Path => Ok(Path::new(text).display().to_string()),
            Self::Switch => switch(text),
            Self::Choice(words) => choice(text, words),
            Self::Size(range) => {
                range.check(units::parse_bytes(text)?, (text, "size"), units::bytes_text)
            }
            Self::Duration(range) => {
                let micros = units::parse_duration(text)?.as_micros() as u64;
                range.check(micros, (text, "duration"), micros_text)
            }
            Self::Count(range) => {
                let count = text.parse().map_err(|_| {
                    let range = range.shown(|n| n.to_string());
                    format!("`{text}` is no whole number from {range}")
                })?;
                range.check(count, (text, "number"), |n| n.to_string())
            }
            Self::Address => address(text),
            Self::Level => level(text),
            Self::Time => time(text),
        }
    }

    /// What it accepts, for people.
    pub(crate) fn accepts(self) -> String {
        match self {
            Self::Text => "text".into(),
            Self::Secret => "secret".into(),
            Self::Path => "path".into(),
            Self::Switch => "true|false".into(),
            Self::Choice(words) => words.join("|"),
            Self::Size(range) => format!("size, {}", range.shown(units::bytes_text)),
            Self::Duration(range) => format!("duration, {}", range.shown(micros_text)),
            Self::Count(range) => format!("number, {}", range.shown(|n| n.to_string())),
            Self::Address => "address:port".into(),
            Self::Names => "list of names".into(),
            Self::Level => format!("{}, or a filter", LEVELS.join("|")),
            Self::Time => "time, as 2026-01-31T12:00:00Z".into(),
        }
    }
}

fn micros_text(micros: u64) -> String {
    units::duration_text(Duration::from_micros(micros))
}

fn switch(text: &str) -> Result<String, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok("true".into()),
        "false" | "0" | "no" | "off" => Ok("false".into()),
        _ => Err(format!("`{text}` is neither `true` nor `false`")),
    }
}

fn choice(text: &str, words: &[&str]) -> Result<String, String> {
    if words.contains(&text) {
        return Ok(text.to_owned());
    }
    let listed = words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    Err(format!("`{text}` is not one of {listed}"))
}

fn address(text: &str) -> Result<String, String> {
    let numeric = match text.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None => text.to_owned(),
    };
    numeric
        .parse::<SocketAddr>()
        .map(|address| address.to_string())
        .map_err(|_| format!("`{text}` is no address and port, as in `127.0.0.1:4566`"))
}

/// Why a bare word must be a level: a filter takes it for the name of a target and logs nothing
/// else, so that a slip in a level would turn the log off.
fn level(text: &str) -> Result<String, String> {
    for part in text.split(',').map(str::trim).filter(|part| !part.contains(['=', '['])) {
        let word = part.to_ascii_lowercase();
        if LEVELS.contains(&word.as_str()) {
            continue;
        }
        return Err(match nearest(&word, LEVELS) {
            Some(near) => format!("`{part}` is no level; did you mean `{near}`?"),
            None => format!(
                "`{part}` is no level, as are {}; a filter gives each target one, as in \
                 `server=debug`",
                LEVELS.map(|level| format!("`{level}`")).join(", ")
            ),
        });
    }
    let filter = EnvFilter::builder().parse(text);
    filter.map(|_| text.to_owned()).map_err(|e| format!("`{text}` is no filter of the log: {e}"))
}

/// Written with all its digits. Times before now (`-15m`) would move with each start, so they are
/// none; neither are those that cannot be written.
fn time(text: &str) -> Result<String, String> {
    let known = (!text.starts_with('-')).then(|| times::parse(text, 0)).flatten();
    known
        .map(times::iso)
        .filter(|written| times::parse(written, 0).is_some())
        .ok_or_else(|| format!("`{text}` is no time, as in `2026-01-31T12:00:00Z`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: Kind, text: &str, want: Result<&str, &str>) {
        let got = kind.check(text);
        let got = got.as_ref().map(String::as_str).map_err(String::as_str);
        assert_eq!(got, want, "{kind:?} {text}");
    }

    #[test]
    fn words_and_addresses() {
        check(Kind::Address, "localhost:0", Ok("127.0.0.1:0"));
        check(Kind::Switch, "yes", Ok("true"));
        check(Kind::Switch, "maybe", Err("`maybe` is neither `true` nor `false`"));
        let kind = Kind::Choice(&["aws", "hardware"]);
        check(kind, "none", Err("`none` is not one of `aws`, `hardware`"));
        let no_port = "`4566` is no address and port, as in `127.0.0.1:4566`";
        check(Kind::Address, "4566", Err(no_port));
        check(Kind::Path, "  ", Err("the path is empty"));
    }

    #[test]
    fn numbers_have_a_range() {
        let count = Kind::count(3, 1024);
        for good in ["3", "1024"] {
            check(count, good, Ok(good));
        }
        check(count, "2", Err("`2` is no number from 3 to 1024"));
        check(count, "1025", Err("`1025` is no number from 3 to 1024"));
        check(count, "many", Err("`many` is no whole number from 3 to 1024"));
        let size = Kind::size(4096, 1 << 31);
        check(size, "2048MiB", Ok("2GiB"));
        check(size, "0B", Err("`0B` is no size from 4KiB to 2GiB"));
        let duration = Kind::duration(Duration::ZERO, Duration::from_secs(8));
        check(duration, "0", Ok("0s"));
        check(duration, "9s", Err("`9s` is no duration from 0s to 8s"));
        assert_eq!(count.accepts(), "number, 3 to 1024");
        assert_eq!(size.accepts(), "size, 4KiB to 2GiB");
        assert_eq!(duration.accepts(), "duration, 0s to 8s");
    }

    #[test]
    fn levels_and_filters() {
        for good in ["off", "INFO", "info,server=debug", "server[call{a=1}]=trace"] {
            check(Kind::Level, good, Ok(good));
        }
        check(Kind::Level, "inof", Err("`inof` is no level; did you mean `info`?"));
        check(Kind::Level, "server=warn,trac", Err("`trac` is no level; did you mean `trace`?"));
        for bad in ["hyper_util", "", "info,", "server=loud", "server[call=debug"] {
            assert!(Kind::Level.check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn times_are_absolute() {
        check(Kind::Time, "2026-01-31", Ok("2026-01-31T00:00:00.000Z"));
        check(Kind::Time, "2026-01-31T12:00:00.25Z", Ok("2026-01-31T12:00:00.250Z"));
        for bad in ["-15m", "soon", "", "9000000000000"] {
            assert!(Kind::Time.check(bad).is_err(), "{bad}");
        }
    }
}
