//! The file that keeps made keys: one line per key, owner-only; a damaged line refuses the start,
//! since a wrong key would make records unreadable one by one.
//!
//! | field | what |
//! | --- | --- |
//! | 1 | name in the key ring, without blanks |
//! | 2 | 64 hexadecimal digits: the key |
//! | 3 | 16 hexadecimal digits: start of the SHA-256 of the two fields and the blank between |

use base::Env;
use base::env::Open;
use ring::digest;
use std::io;
use std::path::{Path, PathBuf};
use store::local::KEY_BYTES;

const CHECK_BYTES: usize = 8;

pub(super) fn damaged(file: Option<&Path>, line: usize) -> io::Error {
    let file = file.map_or_else(String::new, |path| path.display().to_string());
    let text = format!("line {line} of `{file}` is damaged: restore the file from a backup");
    io::Error::new(io::ErrorKind::InvalidData, text)
}

pub(super) fn read(env: &Env, path: &Path) -> io::Result<String> {
    if !env.disk.exists(path)? {
        return Ok(String::new());
    }
    let file = env.disk.open(path, Open::Read)?;
    let mut bytes = vec![0; file.len()? as usize];
    let read = file.read_at(&mut bytes, 0)?;
    bytes.truncate(read);
    String::from_utf8(bytes).map_err(|_| damaged(Some(path), 1))
}

/// The directory of a file, and a name in it for the next version.
fn beside(path: &Path) -> (&Path, PathBuf) {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    (dir.unwrap_or(Path::new(".")), new.into())
}

/// Why a new file and a rename: a crash leaves the old keys or the new ones, never half a line.
pub(super) fn write(env: &Env, path: &Path, text: &str) -> io::Result<()> {
    let (dir, new) = beside(path);
    let file = env.disk.open(&new, Open::Write)?;
    file.set_len(0)?;
    file.write_at(text.as_bytes(), 0)?;
    file.sync_data()?;
    env.disk.rename(&new, path)?;
    env.disk.sync_dir(dir)
}

pub(super) fn line(name: &str, key: &[u8; KEY_BYTES]) -> String {
    let body = format!("{name} {}", base::hex::encode(key));
    let check = check(body.as_bytes());
    format!("{body} {check}")
}

pub(super) fn parse(line: &str) -> Option<(&str, [u8; KEY_BYTES])> {
    let (body, sum) = line.rsplit_once(' ')?;
    let (name, key) = body.split_once(' ')?;
    (check(body.as_bytes()) == sum).then_some(())?;
    Some((name, base::hex::decode(key)?))
}

pub(super) fn check(bytes: &[u8]) -> String {
    base::hex::encode(&digest::digest(&digest::SHA256, bytes).as_ref()[..CHECK_BYTES])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_has_a_place_beside_it() {
        for (path, dir, new) in [
            ("keys", ".", "keys.new"),
            ("/a/keys", "/a", "/a/keys.new"),
            ("b.new", ".", "b.new.new"),
        ] {
            assert_eq!(beside(Path::new(path)), (Path::new(dir), new.into()));
        }
    }
}
