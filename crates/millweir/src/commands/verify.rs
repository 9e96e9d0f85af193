//! `verify`: every checksum of a data directory.

use crate::cli::VerifyArgs;
use crate::config;
use crate::config::settings::Flag;
use crate::exit::Damaged;
use crate::output::{self, Table};
use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use std::path::{Path, PathBuf};
use store::catalog::{Damage, LocalCatalog};
use store::directory;

pub(super) fn run(args: &VerifyArgs) -> Result<()> {
    let path = path(args)?;
    let env = server::system_env();
    ensure!(env.disk.exists(&path)?, "there is no directory `{}`", path.display());
    // Locked as long as it is looked at: a server would change files under the walk.
    let directory = directory::open(&path, &env)?;
    let progress = output::progress(0, "files");
    let damages = LocalCatalog::verify(directory.path(), &env).context("the catalog")?;
    progress.finish_and_clear();
    report(args, &path, &damages)
}

fn path(args: &VerifyArgs) -> Result<PathBuf> {
    if let Some(directory) = &args.directory {
        return Ok(directory.clone());
    }
    let settings = config::load_with(&args.config, Vec::<Flag>::new())?;
    Ok(settings.text("data").into())
}

fn report(args: &VerifyArgs, path: &Path, damages: &[Damage]) -> Result<()> {
    let mut table = Table::new(&["file", "offset", "damage"]);
    let mut values = Vec::new();
    for damage in damages {
        let (file, offset) = (damage.file.display().to_string(), damage.offset);
        values.push(json!({ "file": file, "offset": offset, "what": damage.what }));
        table.row(vec![file, offset.to_string(), damage.what.clone()]);
    }
    let value = json!({ "directory": path.display().to_string(), "damages": values });
    if damages.is_empty() && args.output == crate::cli::Format::Table {
        output::line(&format!("no damage in {}", path.display()))?;
        return Ok(());
    }
    output::answer(args.output, &value, &table)?;
    if damages.is_empty() { Ok(()) } else { Err(Damaged(damages.len()).into()) }
}
