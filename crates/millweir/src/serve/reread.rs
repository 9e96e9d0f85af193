//! What may change while a server runs: its access keys and certificates.
//!
//! ```text
//! SIGHUP, or a look at the files every few seconds -> keys of the configuration -> server
//! ```
//!
//! A key that was taken out of the configuration is gone whatever else is wrong there: nobody who
//! revokes one should have to find out that a slip in another line kept it. All else changes only
//! when everything is right. A file that cannot be read, or is no TOML, says nothing of its keys.

use super::issuer::Issued;
use super::keyring;
use crate::config;
use crate::config::options::{AccessKey, Options};
use crate::config::settings::{Flag, Settings};
use crate::config::table::name;
use crate::files::{self, Holds};
use crate::stop::{Hangup, Hangups};
use base::env::Clock;
use server::Renewal;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Time between two looks at the files.
const LOOK: Duration = Duration::from_secs(5);
/// Time in which somebody who writes a file is done: what is found then counts.
const SETTLING: Duration = Duration::from_millis(200);

/// See the module.
pub(super) struct Reread {
    sources: Sources,
    /// Those in force.
    keys: Vec<AccessKey>,
    /// What was wrong at the last look.
    trouble: String,
    renewal: Renewal,
    partition: &'static str,
    issuer: Arc<Issued>,
    clock: Arc<dyn Clock>,
}

/// Where the configuration came from at the start.
#[derive(Clone)]
struct Sources {
    file: Option<PathBuf>,
    flags: Vec<Flag>,
}

/// What a look found.
#[derive(Clone, PartialEq, Debug)]
struct Found {
    /// The keys that are to be in force.
    keys: Vec<AccessKey>,
    /// Why they are not all that the configuration may say; empty when nothing is wrong.
    trouble: String,
}

impl Reread {
    pub(super) fn new(
        options: &Options,
        flags: Vec<Flag>,
        (renewal, issuer): (Renewal, Arc<Issued>),
        clock: Arc<dyn Clock>,
    ) -> Self {
        let sources = Sources { file: options.file.clone(), flags };
        let (keys, trouble) = (options.access_keys.clone(), String::new());
        let partition = options.server.partition;
        Self { sources, keys, trouble, renewal, partition, issuer, clock }
    }

    /// Keeps up with the configuration until the server's terminal is gone.
    pub(super) async fn run(mut self, mut hangups: Hangups) {
        loop {
            tokio::select! {
                hangup = hangups.next() => {
                    if hangup == Hangup::TerminalGone {
                        return;
                    }
                    tracing::info!("access keys and certificates are read again");
                    self.renewal.renew_certificate();
                    let found = self.look().await;
                    self.take(found, true);
                }
                () = self.clock.sleep(LOOK) => self.notice().await,
            }
        }
    }

    /// Takes what somebody changed, once it is written.
    async fn notice(&mut self) {
        let found = self.look().await;
        if found.keys == self.keys && found.trouble == self.trouble {
            return;
        }
        self.clock.sleep(SETTLING).await;
        // Still being written: the next look comes soon.
        if self.look().await == found {
            self.take(found, false);
        }
    }

    async fn look(&self) -> Found {
        let (sources, keys) = (self.sources.clone(), self.keys.clone());
        // The files may lie on a disk that does not answer.
        match tokio::task::spawn_blocking(move || sources.look(&keys)).await {
            Ok(found) => found,
            Err(e) => Found { keys: self.keys.clone(), trouble: e.to_string() },
        }
    }

    fn take(&mut self, found: Found, asked: bool) {
        let Found { keys, trouble } = found;
        if keys != self.keys {
            let names = |of: &[AccessKey], but: &[AccessKey]| {
                let news = of.iter().filter(|key| !but.contains(key));
                news.map(|key| key.name.as_str()).collect::<Vec<_>>().join(", ")
            };
            let (new, gone) = (names(&keys, &self.keys), names(&self.keys, &keys));
            self.renewal.set_keys(keyring(&keys, self.partition, &self.issuer));
            tracing::warn!(count = keys.len(), new, gone, "the access keys changed");
            self.keys = keys;
        } else if asked && trouble.is_empty() {
            tracing::info!(count = self.keys.len(), "the access keys are as before");
        }
        if !trouble.is_empty() && (asked || trouble != self.trouble) {
            tracing::error!(
                trouble,
                "the configuration is wrong now: access keys that it is seen to name no more are \
                 gone, all others stay as they were"
            );
        }
        self.trouble = trouble;
    }
}

impl Sources {
    /// Reads the configuration again; `old` are the keys in force.
    fn look(self, old: &[AccessKey]) -> Found {
        let (settings, problems) = match config::load_again(self.file.as_deref(), self.flags) {
            Ok(found) => found,
            Err(problems) => return Found { keys: old.to_vec(), trouble: problems.to_string() },
        };
        let (keys, of_keys) = Options::keys(&settings, read_lasting);
        let trouble = [problems.to_string(), of_keys.to_string()];
        let trouble = trouble.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>();
        let keys = if trouble.is_empty() { keys } else { still_named(old, &settings) };
        Found { keys, trouble: trouble.join("\n") }
    }
}

fn read_lasting(path: &Path, holds: Holds) -> io::Result<Vec<u8>> {
    files::check_lasting(path)?;
    files::read_for(path, holds)
}

/// The keys that a configuration still has, by their names and ids.
fn still_named(old: &[AccessKey], settings: &Settings) -> Vec<AccessKey> {
    let words = settings.words(name::ACCESS_KEY_ID);
    let id = |key: &AccessKey| settings.given(&name::ACCESS_KEY_ID.replacen('*', &key.name, 1));
    let is_named =
        |key: &&AccessKey| words.contains(&key.name) && id(key).as_ref() == Some(&key.id);
    old.iter().filter(is_named).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::env::{Disk as _, Open, OsDisk};

    struct File(tempfile::TempDir);

    impl File {
        fn write(&self, text: &str) {
            let file = OsDisk.open(&self.path(), Open::Write).unwrap();
            file.set_len(0).unwrap();
            file.write_at(text.as_bytes(), 0).unwrap();
        }

        fn path(&self) -> PathBuf {
            self.0.path().join("m.toml")
        }

        /// The ids in force after a look, and what was said.
        fn look(&self, old: &[AccessKey]) -> (Vec<AccessKey>, String) {
            let sources = Sources { file: Some(self.path()), flags: Vec::new() };
            let Found { keys, trouble } = sources.look(old);
            (keys, trouble)
        }
    }

    fn key(name: &str, secret: &str) -> String {
        format!("[access_keys.{name}]\nid = 'AK{name}'\nsecret = '{secret}'\n")
    }

    fn names(keys: &[AccessKey]) -> Vec<&str> {
        keys.iter().map(|key| key.name.as_str()).collect()
    }

    #[test]
    fn keys_come_and_go_with_the_file() {
        let file = File(tempfile::tempdir().unwrap());
        file.write(&(key("a", "1") + &key("b", "2")));
        let (old, said) = file.look(&[]);
        assert_eq!((names(&old), &*said), (vec!["a", "b"], ""));
        file.write(&(key("b", "3") + &key("c", "4")));
        let (new, said) = file.look(&old);
        assert_eq!((names(&new), &*said), (vec!["b", "c"], ""));
        assert_eq!(new[0].secret.reveal(), "3");
    }

    #[test]
    fn what_is_wrong_keeps_the_old_keys_but_those_taken_out() {
        let file = File(tempfile::tempdir().unwrap());
        file.write(&(key("a", "1") + &key("b", "2")));
        let (old, _) = file.look(&[]);
        for wrong in [
            "limits = 'none'\n".to_owned() + &key("b", "3") + &key("c", "4"),
            "colour = 'red'\n".to_owned() + &key("b", "3"),
            key("b", "3") + "[access_keys.c]\nid = 'AKc'\nsecret_file = '/gone'",
            "[access_keys.b]\nid = 'AKb'\nsecret_file = '/gone'".to_owned(),
        ] {
            file.write(&wrong);
            let (keys, said) = file.look(&old);
            assert_eq!(names(&keys), ["b"], "{wrong}");
            assert_eq!(keys[0].secret.reveal(), "2", "{wrong}");
            assert!(!said.is_empty(), "{wrong}");
        }
        // Another id under the old name: that key was taken out.
        file.write("limits = 'none'\n[access_keys.b]\nid = 'AKnew'\nsecret = '2'");
        assert!(file.look(&old).0.is_empty());
    }

    #[test]
    fn a_file_that_says_nothing_takes_nothing() {
        let file = File(tempfile::tempdir().unwrap());
        file.write(&key("a", "1"));
        let (old, _) = file.look(&[]);
        file.write("[access_keys.a");
        let (keys, said) = file.look(&old);
        assert_eq!(keys, old);
        assert!(said.contains("TOML parse error"), "{said}");
        OsDisk.remove(&file.path()).unwrap();
        let (keys, said) = file.look(&old);
        assert_eq!(keys, old);
        assert!(said.contains("cannot read the configuration"), "{said}");
    }

    #[cfg(unix)]
    #[test]
    fn a_key_goes_also_when_others_can_read_the_file() {
        use std::os::unix::fs::PermissionsExt as _;
        let file = File(tempfile::tempdir().unwrap());
        file.write(&(key("a", "1") + &key("b", "2")));
        let (old, _) = file.look(&[]);
        file.write(&key("b", "2"));
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o644)).unwrap();
        let (keys, said) = file.look(&old);
        assert_eq!(names(&keys), ["b"]);
        assert!(said.contains("m.toml"), "{said}");
    }
}
