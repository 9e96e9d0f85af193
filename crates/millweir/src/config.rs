//! The configuration of one server.
//!
//! ```text
//! flags, environment, file --Settings::merge--> one text per option --Options::read--> plain data
//! ```
//!
//! `keys` is the table of all options and `kinds` what texts they accept; `settings` says whose
//! text wins; `options` is what `serve` is started with. Secrets come from files or the environment
//! and are never printed.

pub(crate) mod keys;
pub(crate) mod kinds;
mod nearest;
pub(crate) mod options;
pub(crate) mod settings;
pub(crate) mod units;

use crate::cli::{ConfigArgs, ServeArgs};
use anyhow::{Context as _, Result};
use settings::{Flag, Settings, Sources};
use std::path::{Path, PathBuf};

/// Name of the file in each directory that is looked into.
const FILE_NAME: &str = "millweir.toml";
/// The machine's file.
const SYSTEM_FILE: &str = "/etc/millweir/millweir.toml";

/// Reads all sources of `serve`'s configuration.
///
/// # Errors
/// The file cannot be read, or [`settings::Problems`].
pub(crate) fn load(args: &ServeArgs) -> Result<Settings> {
    load_with(&args.config, args.flags())
}

/// As [`load`], with other flags.
///
/// # Errors
/// As [`load`].
pub(crate) fn load_with(args: &ConfigArgs, flags: Vec<Flag>) -> Result<Settings> {
    let env: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?)))
        .collect();
    let path = match &args.config {
        Some(path) => Some(path.clone()),
        None => places(&env).into_iter().find(|path| path.exists()),
    };
    let file = path.map(|path| read(&path).map(|text| (path, text))).transpose()?;
    Ok(Settings::merge(Sources { flags, env, file })?)
}

fn read(path: &Path) -> Result<String> {
    let bytes = crate::files::read(path)
        .with_context(|| format!("cannot read the configuration `{}`", path.display()))?;
    String::from_utf8(bytes).with_context(|| format!("`{}` is no text", path.display()))
}

/// Where a configuration file may lie, the strongest place first; one file is read.
fn places(env: &[(String, String)]) -> Vec<PathBuf> {
    let var = |name: &str| env.iter().find(|(n, v)| n == name && !v.is_empty()).map(|(_, v)| v);
    let user = var("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| var("HOME").map(|home| Path::new(home).join(".config")));
    let mut places = vec![PathBuf::from(FILE_NAME)];
    places.extend(user.map(|dir| dir.join("millweir").join(FILE_NAME)));
    places.push(SYSTEM_FILE.into());
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_order() {
        let env = [("HOME".to_owned(), "/home/a".to_owned())];
        let want = ["millweir.toml", "/home/a/.config/millweir/millweir.toml", SYSTEM_FILE];
        assert_eq!(places(&env), want.map(PathBuf::from));
        let env = [("XDG_CONFIG_HOME".to_owned(), "/x".to_owned())];
        assert_eq!(places(&env)[1], PathBuf::from("/x/millweir/millweir.toml"));
        assert_eq!(places(&[]).len(), 2);
    }
}
