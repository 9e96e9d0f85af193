//! `cargo xtask config`: docs/reference/configuration.md, from what the program says of itself.

use crate::api::{root, write};
use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;

/// What `cargo xtask config` is asked to do.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Writes nothing; fails when the page would change.
    #[arg(long)]
    check: bool,
}

/// One option, as `millweir check-config --options` tells it.
#[derive(Deserialize)]
struct Entry {
    accepts: String,
    default: String,
    meaning: String,
    environment: String,
    also: Vec<String>,
    flag: Option<String>,
}

const PAGE: &str = "docs/reference/configuration.md";
const HEAD: &str = "\
# Configuration

Made by `cargo xtask config` from the program's own table; do not edit.

An option is set by a flag, an environment variable, or a line of the configuration's file, the
strongest first. The file is TOML: the option `tls.mode` is `mode` in the table `[tls]`. It is the
one that `--config` names, `./millweir.toml`, `$XDG_CONFIG_HOME/millweir/millweir.toml`, or
`/etc/millweir/millweir.toml`. NAME stands for a word that you choose. `millweir check-config`
checks all of it and shows where each value comes from.
";
const TABLE: &str = "\
| option | accepts | default | meaning |
| --- | --- | --- | --- |
";
const PROGRAM: &str = "target/release/millweir";

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let root = root();
    let program = root.join(PROGRAM);
    let output = Command::new(&program)
        .args(["check-config", "--options", "--output", "json"])
        .output()
        .with_context(|| format!("{}: `cargo build --release` makes it", program.display()))?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = page(&serde_json::from_slice(&output.stdout)?)?;
    let path = root.join(PAGE);
    if std::fs::read_to_string(&path).ok().as_deref() == Some(&text) {
        return Ok(());
    }
    if arguments.check {
        bail!("{PAGE} is not what `cargo xtask config` writes");
    }
    write(&path, &text)
}

fn page(entries: &BTreeMap<String, Entry>) -> anyhow::Result<String> {
    let mut out = HEAD.to_owned();
    let area = |name: &str| name.split_once('.').map_or("", |(area, _)| area).to_owned();
    let mut areas: BTreeMap<String, Vec<(&String, &Entry)>> = BTreeMap::new();
    for (name, entry) in entries {
        areas.entry(area(name)).or_default().push((name, entry));
    }
    for (area, entries) in areas {
        let title = if area.is_empty() { "General".to_owned() } else { format!("`[{area}]`") };
        write!(out, "\n## {title}\n\n{TABLE}")?;
        for (name, entry) in entries {
            let default = if entry.default.is_empty() {
                String::new()
            } else {
                format!("`{}`", entry.default)
            };
            let flag = entry.flag.as_ref().map(|flag| format!("`{flag}`, ")).unwrap_or_default();
            let also: Vec<String> = entry.also.iter().map(|name| format!(", `{name}`")).collect();
            let also = also.concat();
            writeln!(
                out,
                "| `{}` | {} | {default} | {}<br>{flag}`{}`{also} |",
                name.replace('*', "NAME"),
                cell(&entry.accepts),
                cell(&entry.meaning),
                entry.environment,
            )?;
        }
    }
    Ok(out)
}

/// A text inside a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
