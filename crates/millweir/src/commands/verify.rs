//! `verify`: every checksum of a data directory.

use crate::cli::{Format, VerifyArgs};
use crate::config::{self, options, table::name};
use crate::exit::Damaged;
use crate::output::{self, Table};
use anyhow::{Context as _, Result, ensure};
use base::env::Disk;
use serde_json::json;
use std::path::{Path, PathBuf};
use store::catalog::LocalCatalog;
use store::data_dir::{self, DataDir};
use store::local::{Local, verify};
use store::{Damage, ErrorKind, LogId};

const RECORDS_LOST: &str = "the catalog names streams, but their records are missing";

/// What the walk saw.
#[derive(Default)]
struct Walked {
    files: u64,
    bytes: u64,
    torn_bytes: u64,
    logs: Vec<LogId>,
    damages: Vec<Damage>,
}

pub(super) fn run(args: &VerifyArgs) -> Result<()> {
    let settings = config::load_with(&args.config, Vec::new())?;
    let path = match args.directory.as_ref().or(args.data.as_ref()) {
        Some(directory) => directory.clone(),
        None => settings.text(name::DATA).into(),
    };
    let env = server::system_env();
    ensure!(env.disk.exists(&path)?, "there is no directory `{}`", path.display());
    // Locked while it is looked at: a server would change files under the walk.
    let directory = match data_dir::look(&path, &env) {
        Err(e) if e.kind() == ErrorKind::Corrupt => {
            return report(args, &path, &Walked::unreadable(&path, &e));
        }
        opened => opened?,
    };
    let mut walked = records(&directory)?;
    let catalog = LocalCatalog::verify(&path, &env).context("the catalog")?;
    walked.damages.extend(catalog.damages);
    if !catalog.rows.is_empty() {
        let strangers = store::strangers(&catalog.rows, &walked.logs)?;
        let place = |s: &store::Stranger| Damage {
            file: path.join("catalog"),
            offset: 0,
            what: format!("{s}: the catalog is older than the records"),
        };
        walked.damages.extend(strangers.iter().map(place));
    }
    if !catalog.rows.is_empty() && matches!(Local::is_in(&directory), Ok(false)) {
        walked.damages.push(Damage { file: path.clone(), offset: 0, what: RECORDS_LOST.into() });
    }
    let file = options::keys_file(&settings, &path);
    for what in kit::verify_data_keys(&env, &file, &catalog.rows) {
        walked.damages.push(Damage { file: file.clone(), offset: 0, what });
    }
    report(args, &path, &walked)
}

impl Walked {
    /// What cannot be told apart any more is damage too; the message names file and offset.
    fn unreadable(path: &Path, e: &store::Error) -> Self {
        let damage = Damage { file: path.to_owned(), offset: 0, what: e.to_string() };
        Self { damages: vec![damage], ..Self::default() }
    }
}

fn records(directory: &DataDir) -> Result<Walked> {
    let path = directory.path();
    let bar = output::progress(bytes_below(&*directory.env().disk, path), "bytes");
    let walked = verify(directory, |progress| {
        bar.set_position(progress.bytes);
        bar.set_message(progress.path.display().to_string());
    });
    bar.finish_and_clear();
    let report = match walked {
        Ok(report) => report,
        Err(e) if e.kind() == ErrorKind::Corrupt => return Ok(Walked::unreadable(path, &e)),
        Err(e) => return Err(e).context("the records"),
    };
    Ok(Walked {
        files: report.files,
        bytes: report.bytes,
        torn_bytes: report.torn_bytes,
        logs: report.logs.into_iter().collect(),
        damages: report.damages,
    })
}

/// Bytes of all files below a directory, for the progress bar only: what cannot be read counts not.
fn bytes_below(disk: &dyn Disk, dir: &Path) -> u64 {
    let entries = disk.list(dir).unwrap_or_default();
    let bytes = |path: &PathBuf| match path.symlink_metadata() {
        Ok(found) if found.is_dir() => bytes_below(disk, path),
        Ok(found) => found.len(),
        Err(_) => 0,
    };
    entries.iter().map(bytes).sum()
}

fn report(args: &VerifyArgs, path: &Path, walked: &Walked) -> Result<()> {
    let mut table = Table::new(&["file", "offset", "damage"]);
    let mut values = Vec::new();
    for Damage { file, offset, what } in &walked.damages {
        let file = file.display().to_string();
        values.push(json!({ "file": file, "offset": offset, "what": what }));
        table.row(vec![file, offset.to_string(), what.clone()]);
    }
    let value = json!({
        "directory": path.display().to_string(),
        "files": walked.files,
        "bytes": walked.bytes,
        "tornBytes": walked.torn_bytes,
        "damages": values,
    });
    if walked.damages.is_empty() && args.output == Format::Table {
        let size = config::units::bytes_round(walked.bytes);
        output::line(&format!(
            "no damage in {}: {} files of records, {size}, the catalog and the keys",
            path.display(),
            walked.files
        ))?;
        return Ok(());
    }
    output::answer(args.output, &value, &table)?;
    if walked.damages.is_empty() { Ok(()) } else { Err(Damaged(walked.damages.len()).into()) }
}
