//! What texts an option accepts, what is said of the others, and how a text becomes its value.

use super::nearest::nearest;
use super::options::Options;
use super::units;
use crate::times;
use base::{AccountId, Region};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// The place of a value.
type At<T> = fn(&mut Options) -> &mut T;
/// The place of a number of whatever type.
type AtNumber = fn(&mut Options) -> &mut dyn Number;

/// Words and what each does.
type Choices = &'static [(&'static str, fn(&mut Options))];

/// What texts an option accepts, and the place of its value. Kinds without a place are read by
/// code beside the table.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Any text.
    Text,
    /// Any text; never shown again.
    Secret,
    /// A file that the configuration's reader opens; relative ones start at the working directory.
    File,
    /// A list of names of policies.
    Policies,
    /// A point in time.
    Time,
    /// A file or directory; relative ones start at the working directory.
    Path(At<PathBuf>),
    /// The name of a region.
    Region(At<Region>),
    /// Twelve digits; an empty text is a variable that was not set.
    Account(At<AccountId>),
    /// `true` or `false`.
    Switch(At<bool>),
    /// One of these words; the first is the default.
    Choice(Choices),
    /// `64MiB`; the range is in bytes.
    Size(Range, AtNumber),
    /// `250ms`; the range is in microseconds.
    Duration(Range, At<Duration>),
    /// A whole number.
    Count(Range, AtNumber),
    /// `ADDRESS:PORT`.
    Address(At<SocketAddr>),
    /// A list of names; in texts separated by commas.
    Names(At<Vec<String>>),
    /// A level of the log, or a filter.
    Level(At<String>),
}

/// `u32`, `u64` or `usize`.
pub(crate) trait Number {
    fn get(&self) -> u64;
    fn set(&mut self, number: u64);
}

impl<T: Copy + TryInto<u64> + TryFrom<u64>> Number for T {
    fn get(&self) -> u64 {
        (*self).try_into().ok().expect("no type of an option is wider")
    }

    fn set(&mut self, number: u64) {
        *self = number.try_into().ok().expect("the range of a kind lies within its type");
    }
}

/// The least and the most that a number may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    least: u64,
    most: u64,
}

impl Range {
    /// Numbers, or sizes in bytes.
    pub(crate) const fn of(least: u64, most: u64) -> Self {
        Self { least, most }
    }

    /// Durations.
    pub(crate) const fn span(least: Duration, most: Duration) -> Self {
        Self { least: least.as_micros() as u64, most: most.as_micros() as u64 }
    }

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
    /// Checks a text and gives it back as it will be used.
    ///
    /// # Errors
    /// A sentence that says what would be right.
    pub(crate) fn check(self, text: &str) -> Result<String, String> {
        let text = text.trim();
        match self {
            // The working directory is `.`; an empty text is a variable that was not set.
            Self::File | Self::Path(_) if text.is_empty() => Err("the path is empty".into()),
            Self::File | Self::Path(_) => Ok(Path::new(text).display().to_string()),
            Self::Switch(_) => switch(text),
            Self::Choice(choices) => choice(text, &words_of(choices)),
            Self::Size(range, _) => {
                range.check(units::parse_bytes(text)?, (text, "size"), units::bytes_text)
            }
            Self::Duration(range, _) => {
                let micros = units::parse_duration(text)?.as_micros() as u64;
                range.check(micros, (text, "duration"), micros_text)
            }
            Self::Count(range, _) => {
                let count = text.parse().map_err(|_| {
                    let range = range.shown(|n| n.to_string());
                    format!("`{text}` is no whole number from {range}")
                })?;
                range.check(count, (text, "number"), |n| n.to_string())
            }
            Self::Address(_) => address(text),
            Self::Level(_) => level(text),
            Self::Time => time(text),
            _ => Ok(text.to_owned()),
        }
    }

    /// What it accepts, for people.
    pub(crate) fn accepts(self) -> String {
        match self {
            Self::Text | Self::Region(_) | Self::Account(_) => "text".into(),
            Self::Secret => "secret".into(),
            Self::File | Self::Path(_) => "path".into(),
            Self::Switch(_) => "true|false".into(),
            Self::Choice(choices) => words_of(choices).join("|"),
            Self::Size(range, _) => format!("size, {}", range.shown(units::bytes_text)),
            Self::Duration(range, _) => format!("duration, {}", range.shown(micros_text)),
            Self::Count(range, _) => format!("number, {}", range.shown(|n| n.to_string())),
            Self::Address(_) => "address:port".into(),
            Self::Names(_) | Self::Policies => "list of names".into(),
            Self::Level(_) => format!("{}, or a filter", LEVELS.join("|")),
            Self::Time => "time, as 2026-01-31T12:00:00Z".into(),
        }
    }

    /// The text of its value when nobody sets it; empty for none.
    pub(crate) fn default_text(self) -> String {
        let o = &mut Options::default();
        match self {
            Self::Text | Self::Secret | Self::File | Self::Policies | Self::Time => String::new(),
            Self::Path(at) => at(o).display().to_string(),
            Self::Region(at) => at(o).to_string(),
            Self::Account(at) => at(o).to_string(),
            Self::Switch(at) => at(o).to_string(),
            Self::Choice(choices) => words_of(choices)[0].to_owned(),
            Self::Size(_, at) => units::bytes_text(at(o).get()),
            Self::Duration(_, at) => units::duration_text(*at(o)),
            Self::Count(_, at) => at(o).get().to_string(),
            Self::Address(at) => at(o).to_string(),
            Self::Names(at) => at(o).join(","),
            Self::Level(at) => at(o).clone(),
        }
    }

    /// Puts the value of a text that was checked in its place.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it all the same.
    pub(crate) fn set(self, o: &mut Options, text: &str) -> Result<(), String> {
        match self {
            Self::Text | Self::Secret | Self::File | Self::Policies | Self::Time => {}
            Self::Account(_) if text.is_empty() => {}
            Self::Account(at) => *at(o) = AccountId::parse(text).map_err(said)?,
            Self::Region(at) => *at(o) = Region::parse(text).map_err(said)?,
            Self::Path(at) => *at(o) = text.into(),
            Self::Switch(at) => *at(o) = text == "true",
            Self::Choice(choices) => {
                choices.iter().filter(|(word, _)| *word == text).for_each(|(_, set)| set(o));
            }
            Self::Size(_, at) => at(o).set(units::parse_bytes(text)?),
            Self::Duration(_, at) => *at(o) = units::parse_duration(text)?,
            Self::Count(_, at) => at(o).set(text.parse().map_err(said)?),
            Self::Address(at) => *at(o) = text.parse().map_err(said)?,
            Self::Names(at) => *at(o) = names(text),
            Self::Level(at) => *at(o) = text.into(),
        }
        Ok(())
    }
}

/// The names of a list.
pub(crate) fn names(text: &str) -> Vec<String> {
    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
    names.map(str::to_owned).collect()
}

fn said(e: impl std::fmt::Display) -> String {
    e.to_string()
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

fn words_of(choices: Choices) -> Vec<&'static str> {
    choices.iter().map(|(word, _)| *word).collect()
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
        let (address, switch) =
            (Kind::Address(|o| &mut o.server.listen), Kind::Switch(|o| &mut o.memory));
        check(address, "localhost:0", Ok("127.0.0.1:0"));
        check(switch, "yes", Ok("true"));
        check(switch, "maybe", Err("`maybe` is neither `true` nor `false`"));
        let kind = Kind::Choice(&[("aws", |_| ()), ("hardware", |_| ())]);
        check(kind, "none", Err("`none` is not one of `aws`, `hardware`"));
        let no_port = "`4566` is no address and port, as in `127.0.0.1:4566`";
        check(address, "4566", Err(no_port));
        check(Kind::File, "  ", Err("the path is empty"));
    }

    #[test]
    fn numbers_have_a_range() {
        let count = Kind::Count(Range::of(3, 1024), |o| &mut o.storage.readers);
        for good in ["3", "1024"] {
            check(count, good, Ok(good));
        }
        check(count, "2", Err("`2` is no number from 3 to 1024"));
        check(count, "1025", Err("`1025` is no number from 3 to 1024"));
        check(count, "many", Err("`many` is no whole number from 3 to 1024"));
        let size = Kind::Size(Range::of(4096, 1 << 31), |o| &mut o.storage.spill_bytes);
        check(size, "2048MiB", Ok("2GiB"));
        check(size, "0B", Err("`0B` is no size from 4KiB to 2GiB"));
        let span = Range::span(Duration::ZERO, Duration::from_secs(8));
        let duration = Kind::Duration(span, |o| &mut o.server.limits.idle_timeout);
        check(duration, "0", Ok("0s"));
        check(duration, "9s", Err("`9s` is no duration from 0s to 8s"));
        assert_eq!(count.accepts(), "number, 3 to 1024");
        assert_eq!(size.accepts(), "size, 4KiB to 2GiB");
        assert_eq!(duration.accepts(), "duration, 0s to 8s");
    }

    #[test]
    fn levels_and_filters() {
        let level = Kind::Level(|o| &mut o.log_level);
        for good in ["off", "INFO", "info,server=debug", "server[call{a=1}]=trace"] {
            check(level, good, Ok(good));
        }
        check(level, "inof", Err("`inof` is no level; did you mean `info`?"));
        check(level, "server=warn,trac", Err("`trac` is no level; did you mean `trace`?"));
        for bad in ["hyper_util", "", "info,", "server=loud", "server[call=debug"] {
            assert!(level.check(bad).is_err(), "{bad}");
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
