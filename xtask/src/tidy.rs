//! `cargo xtask tidy`: what a compiler does not check.
//!
//! Imports between crates against ARCHITECTURE.md's table, sizes of files and functions, long
//! lines, and that every path ARCHITECTURE.md names exists.

mod architecture;
mod sizes;

use anyhow::{Context, Result, ensure};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Checks the whole tree; every finding on a line of its own.
pub(crate) fn run() -> Result<()> {
    let files = tracked_files()?;
    let page = std::fs::read_to_string("ARCHITECTURE.md").context("reading ARCHITECTURE.md")?;
    let mut findings = architecture::check_imports(&page, &manifests(&files)?)?;
    findings.extend(architecture::check_paths(&page));
    for file in files.iter().filter(|f| f.extension().is_some_and(|e| e == "rs")) {
        if !is_generated(file) {
            let text = std::fs::read_to_string(file)?;
            findings.extend(sizes::check(file, &text)?);
        }
    }
    for finding in &findings {
        eprintln!("{finding}");
    }
    ensure!(findings.is_empty(), "{} findings", findings.len());
    eprintln!("tidy: {} files, no findings", files.len());
    Ok(())
}

/// Files that git knows or would know; deleted ones are left out.
fn tracked_files() -> Result<Vec<PathBuf>> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .output()
        .context("running git")?;
    ensure!(listed.status.success(), "git ls-files failed");
    let names = String::from_utf8(listed.stdout)?;
    let unique: BTreeSet<PathBuf> = names.lines().map(PathBuf::from).collect();
    Ok(unique.into_iter().filter(|f| f.is_file()).collect())
}

/// `crates/api` is written by `cargo xtask api gen`, but for its caption and its tests.
fn is_generated(file: &Path) -> bool {
    file.starts_with("crates/api/src") && file.components().count() > 4
}

/// A crate's name and those of our crates that it imports, tests aside.
pub(crate) struct Manifest {
    name: String,
    imports: BTreeSet<String>,
    foreign: BTreeSet<String>,
}

fn manifests(files: &[PathBuf]) -> Result<Vec<Manifest>> {
    let ours: Vec<_> = files
        .iter()
        .filter(|f| f.starts_with("crates") && f.ends_with("Cargo.toml"))
        .filter(|f| f.components().count() == 3)
        .collect();
    let tables = ours
        .iter()
        .map(|f| Ok(std::fs::read_to_string(f)?.parse::<toml::Table>()?))
        .collect::<Result<Vec<_>>>()?;
    let name_of = |t: &toml::Table| t.get("package")?.get("name")?.as_str().map(str::to_owned);
    let names: BTreeSet<String> = tables.iter().filter_map(name_of).collect();
    let one = |table: &toml::Table| {
        let name = name_of(table).context("a crate without a name")?;
        let empty = toml::Table::new();
        let dependencies =
            table.get("dependencies").and_then(toml::Value::as_table).unwrap_or(&empty);
        let (imports, foreign) =
            dependencies.keys().cloned().partition(|dependency| names.contains(dependency));
        Ok(Manifest { name, imports, foreign })
    };
    tables.iter().map(one).collect()
}
