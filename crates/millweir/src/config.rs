//! The configuration of one server.
//!
//! ```text
//! flags, environment, file --Settings::merge--> one text per option --Options::read--> plain data
//! ```
//!
//! `table` is the table of all options and `kinds` what texts they accept; `settings` says whose
//! text wins; `options` is what `serve` is started with. Secrets come from files or the environment
//! and are never printed.

pub(crate) mod kinds;
mod nearest;
pub(crate) mod options;
mod policies;
pub(crate) mod settings;
pub(crate) mod table;
pub(crate) mod units;

use crate::access::Access;
use crate::cli::{ConfigArgs, ServeArgs};
use settings::{ENV_PREFIX, Flag, Problems, Settings, Sources};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

/// Name of the file in each directory that is looked into.
const FILE_NAME: &str = "millweir.toml";
/// The machine's file.
const SYSTEM_FILE: &str = "/etc/millweir/millweir.toml";

/// Reads all sources of `serve`'s configuration.
///
/// # Errors
/// The file cannot be read, or what [`Settings::merge`] says.
pub(crate) fn load(args: &ServeArgs) -> Result<Settings, Problems> {
    load_with(&args.config, args.flags())
}

/// As [`load`], with other flags.
///
/// # Errors
/// As [`load`].
pub(crate) fn load_with(args: &ConfigArgs, flags: Vec<Flag>) -> Result<Settings, Problems> {
    let (env, no_text) = texts(std::env::vars_os());
    let path = match &args.config {
        Some(path) => Some(path.clone()),
        None => places(&env).into_iter().find(|path| path.exists()),
    };
    let (file, access) = path.map(read).transpose()?.unzip();
    let settings = Settings::merge(Sources { flags, env, no_text, file })?;
    check_secrets(&settings, access.flatten())?;
    Ok(settings)
}

/// As [`load`], of the sources that a running server was started with.
///
/// Gives what is right beside what is wrong.
///
/// # Errors
/// The file cannot be read, so that nothing is known of what it says.
pub(crate) fn load_again(
    file: Option<&Path>,
    flags: Vec<Flag>,
) -> Result<(Settings, Problems), Problems> {
    let (env, no_text) = texts(std::env::vars_os());
    let lasting = |path: &Path| {
        crate::files::check_lasting(path).map_err(|e| cannot_read(path, &e))?;
        read(path.to_owned())
    };
    let (file, access) = file.map(lasting).transpose()?.unzip();
    let (settings, mut problems) = Settings::gather(Sources { flags, env, no_text, file });
    if settings.is_file_broken() {
        return Err(problems);
    }
    if let Err(open_to_others) = check_secrets(&settings, access.flatten()) {
        problems.append(open_to_others);
    }
    Ok((settings, problems))
}

/// Checks that nobody else can read the secrets of the file.
fn check_secrets(settings: &Settings, access: Option<Access>) -> Result<(), Problems> {
    let (Some(path), Some(access), true) = (settings.file(), access, settings.has_secret_in_file())
    else {
        return Ok(());
    };
    access.of_secret().map_err(|why| cannot_read(path, &why))
}

/// The variables that are text, and the names of our own that are none.
fn texts(vars: impl Iterator<Item = (OsString, OsString)>) -> (Vec<(String, String)>, Vec<String>) {
    let (mut env, mut no_text) = (Vec::new(), Vec::new());
    for (name, text) in vars {
        match (name.to_str(), text.to_str()) {
            (Some(name), Some(text)) => env.push((name.to_owned(), text.to_owned())),
            _ => no_text.push(name.to_string_lossy().into_owned()),
        }
    }
    no_text.retain(|name| name.starts_with(ENV_PREFIX));
    (env, no_text)
}

fn cannot_read(path: &Path, why: &dyn std::fmt::Display) -> Problems {
    Problems::one(format!("cannot read the configuration `{}`: {why}", path.display()))
}

/// A file that nobody else decides over.
fn read(path: PathBuf) -> Result<((PathBuf, String), Option<Access>), Problems> {
    let attempt = || -> io::Result<_> {
        let (bytes, access) = crate::files::read_with_access(&path)?;
        access.map_or(Ok(()), |access| access.of_trusted()).map_err(io::Error::other)?;
        Ok((String::from_utf8(bytes).map_err(io::Error::other)?, access))
    };
    match attempt() {
        Ok((text, access)) => Ok(((path, text), access)),
        Err(e) => Err(cannot_read(&path, &e)),
    }
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
    use std::os::unix::ffi::OsStringExt as _;

    #[test]
    fn our_variables_must_be_text() {
        let raw = |bytes: &[u8]| OsString::from_vec(bytes.to_owned());
        let vars = [
            (raw(b"MILLWEIR__DATA"), raw(b"/\xff")),
            (raw(b"MILLWEIR__\xff"), raw(b"x")),
            (raw(b"OTHER"), raw(b"\xff")),
            (raw(b"HOME"), raw(b"/home/a")),
        ];
        let (env, no_text) = texts(vars.into_iter());
        assert_eq!(env, [("HOME".to_owned(), "/home/a".to_owned())]);
        assert_eq!(no_text, ["MILLWEIR__DATA", "MILLWEIR__\u{fffd}"]);
        let sources = Sources { no_text, ..Sources::default() };
        let said = Settings::merge(sources).unwrap_err().to_string();
        assert!(said.starts_with("environment MILLWEIR__DATA: it is no text (UTF-8)"), "{said}");
    }

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
