//! Who else may read or change the files that a server trusts.
//!
//! What the server made itself it makes its own again, and says so: its data directory, its
//! authority's key, its encryption keys. What others made is refused where it is too open, since
//! nobody knows who has read it: secrets that others can read, a configuration that others can
//! write. What belongs to a third user is refused always, as its owner can exchange it. The
//! superuser may do all that anyway, so what is root's is nobody else's.

use crate::config::options::Options;
use crate::serve::TLS_DIR;
use anyhow::{Context as _, Result, anyhow};
use rustix::fs::{FileType, Mode, OFlags, fchmod, fstat, open};
use rustix::io::Errno;
use server::tls::CA_KEY_FILE;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// Permissions of others than the owner.
const OTHERS: u32 = 0o077;
/// Permission of everybody to write.
const EVERYBODY_WRITES: u32 = 0o002;
/// What root's secrets may give nobody: a group may read them, as certificates' keys are kept.
const OTHERS_OF_ROOT: u32 = 0o037;
const ROOT: u32 = 0;

/// Owner and permissions of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Access {
    owner: u32,
    mode: u32,
    /// This process's user.
    user: u32,
}

impl Access {
    /// Of an open file or directory; nothing of a pipe and its like, which nobody else can open.
    ///
    /// # Errors
    /// The operating system's.
    pub(crate) fn of(file: impl AsFd) -> io::Result<Option<Self>> {
        let stat = fstat(file)?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        let access = Self {
            owner: stat.st_uid,
            mode: Mode::from_raw_mode(stat.st_mode).bits() & 0o777,
            user: rustix::process::geteuid().as_raw(),
        };
        Ok(matches!(kind, FileType::RegularFile | FileType::Directory).then_some(access))
    }

    /// What is wrong with it as a file that holds a secret.
    pub(crate) fn of_secret(&self) -> Result<(), String> {
        self.of_trusted()?;
        let too_much = if self.owner == ROOT { OTHERS_OF_ROOT } else { OTHERS };
        match self.mode & too_much {
            0 => Ok(()),
            _ => Err(format!(
                "it holds a secret and others may read or change it (mode {:04o}): `chmod 600` it, \
                 and give it another secret if somebody may have read it",
                self.mode
            )),
        }
    }

    /// What is wrong with it as a file that says what the server does.
    pub(crate) fn of_trusted(&self) -> Result<(), String> {
        let Self { owner, mode, user } = *self;
        if owner != user && owner != ROOT {
            return Err(format!("it belongs to user {owner}, who may change it: `chown` it"));
        }
        match mode & EVERYBODY_WRITES {
            0 => Ok(()),
            _ => Err(format!("everybody may change it (mode {mode:04o}): `chmod o-w` it")),
        }
    }
}

/// Checks that nobody else has a say in the data directory of a server.
///
/// # Errors
/// It belongs to somebody else, or everybody may write there.
pub(crate) fn trust_data(options: &Options) -> Result<()> {
    if options.memory {
        return Ok(());
    }
    let Some(dir) = look_at(&options.data, OFlags::DIRECTORY)? else { return Ok(()) };
    match Access::of(&dir)? {
        // Closed by `own_data`, once the directory has turned out to be one of data.
        Some(access) if access.owner == access.user => Ok(()),
        Some(access) => access.of_trusted().map_err(|why| wrong(&options.data, &why)),
        None => Ok(()),
    }
}

/// Keeps others out of the data directory that this server has open, and of the secrets in it.
///
/// # Errors
/// A secret belongs to somebody else.
pub(crate) fn own_data(options: &Options) -> Result<()> {
    if options.memory {
        return Ok(());
    }
    let key = options.data.join(TLS_DIR).join(CA_KEY_FILE);
    own(&options.data, OFlags::DIRECTORY)?;
    own(&key, OFlags::empty())?;
    own(&options.encryption.keys_file, OFlags::empty())
}

fn look_at(path: &Path, kind: OFlags) -> Result<Option<OwnedFd>> {
    match open(path, kind | OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) {
        Ok(file) => Ok(Some(file)),
        Err(Errno::NOENT) => Ok(None),
        Err(e) => Err(e).with_context(|| format!("cannot open `{}`", path.display())),
    }
}

fn wrong(path: &Path, why: &str) -> anyhow::Error {
    anyhow!("`{}`: {why}", path.display())
}

/// Takes a file's permissions from others than its owner, when this process is that.
fn own(path: &Path, kind: OFlags) -> Result<()> {
    let Some(file) = look_at(path, kind)? else { return Ok(()) };
    let Some(access) = Access::of(&file)? else { return Ok(()) };
    if access.owner != access.user {
        let is_secret = !kind.contains(OFlags::DIRECTORY);
        let fine = if is_secret { access.of_secret() } else { access.of_trusted() };
        return fine.map_err(|why| wrong(path, &why));
    }
    if access.mode & OTHERS == 0 {
        return Ok(());
    }
    let mode = access.mode & !OTHERS;
    fchmod(&file, Mode::from_raw_mode(mode))
        .with_context(|| format!("cannot change the mode of `{}`", path.display()))?;
    let (before, now) = (format!("{:04o}", access.mode), format!("{mode:04o}"));
    tracing::warn!(path = %path.display(), before, now, "others had access here, now they have none");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::env::{Disk as _, Open, OsDisk};
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn who_may_what() {
        let check = |(owner, mode, user), trusted: bool, secret: bool| {
            let access = Access { owner, mode, user };
            let found = (access.of_trusted().is_ok(), access.of_secret().is_ok());
            assert_eq!(found, (trusted, secret), "{access:?}");
        };
        check((7, 0o600, 7), true, true);
        check((7, 0o400, 7), true, true);
        check((7, 0o640, 7), true, false);
        check((7, 0o644, 7), true, false);
        check((7, 0o664, 7), true, false);
        check((7, 0o666, 7), false, false);
        check((8, 0o600, 7), false, false);
        check((0, 0o640, 7), true, true);
        check((0, 0o640, 0), true, true);
        check((0, 0o644, 7), true, false);
        check((0, 0o660, 7), true, false);
        check((7, 0o600, 0), false, false);
    }

    #[test]
    fn what_is_ours_is_closed() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("f");
        OsDisk.open(&file, Open::Write).unwrap();
        for (path, kind, before, now) in [
            (&*file, OFlags::empty(), 0o664, 0o600),
            (&*file, OFlags::empty(), 0o400, 0o400),
            (dir.path(), OFlags::DIRECTORY, 0o777, 0o700),
            (dir.path(), OFlags::DIRECTORY, 0o750, 0o700),
        ] {
            let found = look_at(path, kind).unwrap().unwrap();
            fchmod(found, Mode::from_raw_mode(before)).unwrap();
            own(path, kind).unwrap();
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, now);
        }
        own(&dir.path().join("none"), OFlags::empty()).unwrap();
    }
}
