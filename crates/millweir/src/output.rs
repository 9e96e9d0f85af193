//! The one place that prints.
//!
//! Answers go to stdout, everything for people beside them to stderr. A reader that goes away
//! (`millweir tail | head`) ends the program quietly: see [`is_broken_pipe`].

use crate::cli::Format;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, IsTerminal as _, Write};
use std::os::fd::AsFd as _;
use tokio::io::Interest;
use tokio::net::unix::pipe;

/// Writes a line to stdout at once.
pub(crate) fn line(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Buffered stdout for many lines; flush it when the reader should see them.
pub(crate) fn stdout() -> io::BufWriter<io::Stdout> {
    io::BufWriter::with_capacity(1 << 16, io::stdout())
}

/// Tells people something in one line, on stderr, whoever's words it holds. A closed stderr is
/// nobody to tell.
pub(crate) fn note(text: &str) {
    lines_of_ours(&inert(text));
}

/// As [`note`], in several lines; whatever of it is not ours has been made inert.
pub(crate) fn lines_of_ours(text: &str) {
    drop(writeln!(io::stderr().lock(), "{text}"));
}

/// Said after a run that the server slowed down.
pub(crate) const THROTTLED: &str =
    "the server throttled: `millweir serve --limits hardware` lifts AWS's rates";

/// Resolves when the reader of stdout went away; never when stdout is no pipe.
///
/// Why not at the next write alone: nothing may be written for a long time.
pub(crate) async fn stdout_closed() {
    if watch_stdout().await.is_err() {
        // A file cannot be watched, and nobody leaves it.
        std::future::pending::<()>().await;
    }
}

async fn watch_stdout() -> io::Result<()> {
    // Only watched, by a handle of its own: stdout itself stays blocking.
    let watched =
        pipe::Sender::from_owned_fd_unchecked(io::stdout().as_fd().try_clone_to_owned()?)?;
    while !watched.ready(Interest::ERROR).await?.is_error() {}
    Ok(())
}

/// Whether this failure means that the reader of stdout went away.
pub(crate) fn is_broken_pipe(e: &anyhow::Error) -> bool {
    e.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
    })
}

/// Whether stdout is a terminal: text from records is then made inert.
pub(crate) fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Rows with a title per column.
#[derive(Debug, Default)]
pub(crate) struct Table {
    titles: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table of these columns.
    pub(crate) fn new(titles: &[&'static str]) -> Self {
        Self { titles: titles.to_vec(), rows: Vec::new() }
    }

    /// Adds a row; one cell per title. Cells are made inert, and keep to their column.
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        let cells = cells.into_iter().map(|cell| inert(&cell).replace('\t', "\\t"));
        self.rows.push(cells.collect());
    }

    /// For people: aligned columns under upper-case titles.
    pub(crate) fn aligned(&self) -> String {
        let titles: Vec<String> = self.titles.iter().map(|t| t.to_uppercase()).collect();
        let widest = |column: usize| {
            let cells = self.rows.iter().chain([&titles]).map(|row| row[column].chars().count());
            cells.max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..titles.len()).map(widest).collect();
        let mut lines = Vec::new();
        for row in [&titles].into_iter().chain(&self.rows) {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
            lines.push(cells.collect::<Vec<_>>().join("  ").trim_end().to_owned());
        }
        lines.join("\n")
    }

    /// For other programs: cells between tabs, no titles.
    pub(crate) fn tabbed(&self) -> String {
        self.rows.iter().map(|row| row.join("\t")).collect::<Vec<_>>().join("\n")
    }
}

/// Prints an answer as asked: `json` as it is, or the table.
pub(crate) fn answer(format: Format, json: &serde_json::Value, table: &Table) -> io::Result<()> {
    match format {
        Format::Json => line(&inert_json(&format!("{json:#}"))),
        Format::Table => line(&table.aligned()),
        Format::Text if table.rows.is_empty() => Ok(()),
        Format::Text => line(&table.tabbed()),
    }
}

/// Whether a terminal obeys a character instead of showing it: it moves, colours, breaks lines, or
/// turns the direction of others around, so that they read as something else.
fn drives(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(c, '\u{2066}'..='\u{2069}');
    c.is_control() || turns || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Text of a record or a server with every character shown that would drive the terminal.
pub(crate) fn inert(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => out.push(c),
            c if drives(c) => out.extend(c.escape_default()),
            c => out.push(c),
        }
    }
    out
}

/// Written JSON made inert as [`inert`] does it, and still the same JSON: `serde_json` escapes only
/// what JSON demands. A raw line feed can only stand between values.
pub(crate) fn inert_json(text: &str) -> String {
    let shown = |c: char| match drives(c) && c != '\n' {
        true => format!("\\u{:04x}", u32::from(c)),
        false => c.to_string(),
    };
    if text.contains(drives) { text.chars().map(shown).collect() } else { text.to_owned() }
}

/// A bar on stderr, or a hidden one when stderr is no terminal. `total`: 0 when it is not known.
pub(crate) fn progress(total: u64, of: &'static str) -> ProgressBar {
    let target = if io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let (bar, template) = if total == 0 {
        (ProgressBar::no_length(), "{spinner} {human_pos} {msg}  {per_sec}  {elapsed}")
    } else {
        (ProgressBar::new(total), "{bar:30} {human_pos}/{human_len} {msg}  {per_sec}  {eta}")
    };
    bar.set_draw_target(target);
    bar.set_style(ProgressStyle::with_template(template).expect("the template is a constant"));
    bar.with_message(of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_align() {
        let mut table = Table::new(&["name", "shards"]);
        table.row(vec!["clicks".into(), "4".into()]);
        table.row(vec!["a".into(), "12".into()]);
        assert_eq!(table.aligned(), "NAME    SHARDS\nclicks  4\na       12");
        assert_eq!(table.tabbed(), "clicks\t4\na\t12");
    }

    #[test]
    fn control_characters_are_shown() {
        assert_eq!(inert("a\u{1b}[2Jb\tgrün\r"), "a\\u{1b}[2Jb\tgrün\\r");
        assert_eq!(inert("\u{202e}evil\u{2066}\n"), "\\u{202e}evil\\u{2066}\\n");
        assert_eq!(inert("שלום é 👩‍💻"), "שלום é 👩‍💻");
    }

    #[test]
    fn cells_stay_in_their_column() {
        let mut table = Table::new(&["name"]);
        table.row(vec!["a\tb\nc\u{1b}[2J\u{202e}".into()]);
        assert_eq!(table.tabbed(), "a\\tb\\nc\\u{1b}[2J\\u{202e}");
        assert_eq!(table.aligned(), "NAME\na\\tb\\nc\\u{1b}[2J\\u{202e}");
    }

    #[test]
    fn json_without_control_characters_is_the_same_json() {
        let value = serde_json::json!({"data": "a\u{1b}\t\u{9b}2J\u{7f}grün\u{85}\u{202e}\n"});
        let shown = inert_json(&value.to_string());
        assert_eq!(shown, r#"{"data":"a\u001b\t\u009b2J\u007fgrün\u0085\u202e\n"}"#);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
        let pretty = inert_json(&format!("{value:#}"));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&pretty).unwrap(), value);
        assert!(pretty.starts_with("{\n  ") && !pretty.contains('\u{202e}'), "{pretty}");
    }
}
