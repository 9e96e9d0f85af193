//! The program on a free port with an empty directory; stopped when dropped.

use anyhow::{Context as _, Result};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

pub(crate) struct Server {
    process: Child,
    endpoint: String,
    dir: tempfile::TempDir,
}

impl Server {
    /// # Errors
    /// It does not start.
    pub(crate) fn start(program: &Path) -> Result<Self> {
        let dir = tempfile::tempdir_in(".")?;
        let mut process = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0", "--limits", "hardware", "--data"])
            .arg(dir.path().join("data"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let lines = BufReader::new(process.stdout.take().context("its stdout")?).lines();
        let mut endpoint = String::new();
        for line in lines {
            let line = line?;
            if let Some(address) = line.strip_prefix("listening ") {
                address.clone_into(&mut endpoint);
            }
            if line == "Ready." {
                break;
            }
        }
        Ok(Self { process, endpoint, dir })
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Its process's id.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Bytes of the segments of all logs.
    ///
    /// # Errors
    /// They cannot be listed.
    pub(crate) fn segment_bytes(&self) -> Result<u64> {
        let mut dirs = vec![self.dir.path().join("data")];
        let mut bytes = 0;
        while let Some(dir) = dirs.pop() {
            for entry in std::fs::read_dir(dir)? {
                let (path, kind) = {
                    let entry = entry?;
                    (entry.path(), entry.metadata()?)
                };
                if kind.is_dir() && !path.ends_with("journal") && !path.ends_with("catalog") {
                    dirs.push(path);
                } else if kind.is_file() {
                    bytes += kind.len();
                }
            }
        }
        Ok(bytes)
    }

    /// Bytes of the catalog's files.
    ///
    /// # Errors
    /// They cannot be listed.
    pub(crate) fn catalog_bytes(&self) -> Result<u64> {
        let mut bytes = 0;
        for entry in std::fs::read_dir(self.dir.path().join("data/catalog"))? {
            bytes += entry?.metadata()?.len();
        }
        Ok(bytes)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It is going anyway; its directory goes with it.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
