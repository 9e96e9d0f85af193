//! Starting and stopping the servers, each in its own folder, on loopback, by pid.

use crate::http::Connection;
use crate::load::{Sample, Work};
use crate::report::Footprint;
use crate::{aws, redis};
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Every server this program knows how to start.
pub(crate) const NAMES: [&str; 5] = ["millweir", "kinesalite", "kinesis-local", "moto", "redis"];

/// A running server.
pub(crate) struct Server {
    pub(crate) name: &'static str,
    port: u16,
    /// What an acknowledged write survives.
    pub(crate) durability: &'static str,
    child: Child,
    folder: PathBuf,
}

impl Server {
    /// Gets it ready for any work.
    pub(crate) async fn prepare(&self) -> Result<()> {
        match self.name {
            "redis" => redis::prepare(self.port).await,
            _ => aws::prepare(self.port).await,
        }
    }

    /// One slice of the work.
    pub(crate) async fn measure(&self, work: Work, length: Duration) -> Result<Sample> {
        match self.name {
            "redis" => redis::measure(self.port, work, length).await,
            _ => aws::measure(self.port, work, length).await,
        }
    }

    /// Stops it; its peak resident memory in bytes.
    pub(crate) fn stop(mut self) -> Result<u64> {
        let peak = memory(self.child.id(), "VmHWM:")?;
        self.child.kill()?;
        self.child.wait()?;
        Ok(peak)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.child.kill().ok();
            self.child.wait().ok();
        }
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

/// Starts a server by name; `None` when it is not installed.
pub(crate) async fn start(name: &'static str, millweir: &Path) -> Result<Option<Server>> {
    let folder = folder(name)?;
    let port = free_port()?;
    let Some((mut command, durability)) = command(name, millweir, &folder, port)? else {
        return Ok(None);
    };
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let server = Server { name, port, durability, child, folder };
    for _ in 0..600 {
        if Connection::open(port).await.is_ok() {
            return Ok(Some(server));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bail!("{name} does not listen")
}

fn command(
    name: &str,
    millweir: &Path,
    folder: &Path,
    port: u16,
) -> Result<Option<(Command, &'static str)>> {
    let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
    let modules = peers.join("node_modules");
    let port = port.to_string();
    let found = match name {
        "millweir" => {
            let mut c = serve(millweir, folder, &port);
            c.args(["--limits", "hardware"]);
            Some((millweir.to_owned(), c, "fdatasync'ed"))
        }
        "kinesalite" => {
            let program = modules.join("kinesalite/cli.js");
            let mut c = Command::new("node");
            c.arg(&program).args(["--port", &port, "--createStreamMs", "0", "--shardLimit", "100"]);
            Some((program, c, "in memory"))
        }
        "kinesis-local" => {
            let home = modules.join("kinesis-local");
            let mut c = Command::new("node");
            c.arg("main.js").current_dir(&home).env("LOG_LEVEL", "ERROR");
            c.env("KINESIS_MOCK_PLAIN_PORT", &port);
            c.env("KINESIS_MOCK_TLS_PORT", free_port()?.to_string());
            c.env("CREATE_STREAM_DURATION", "1ms").env("SHARD_LIMIT", "100");
            Some((home.join("main.js"), c, "in memory"))
        }
        "moto" => {
            let program = peers.join("venv/bin/moto_server");
            let mut c = Command::new(&program);
            c.args(["-H", "127.0.0.1", "-p", &port]);
            Some((program, c, "in memory"))
        }
        "redis" => {
            let mut c = Command::new("redis-server");
            c.args(["--bind", "127.0.0.1", "--port", &port, "--save", "", "--appendonly", "yes"]);
            c.args(["--appendfsync", "always", "--dir"]).arg(folder);
            let program = PathBuf::from("/usr/bin/redis-server");
            Some((program, c, "fsync'ed (AOF always)"))
        }
        _ => None,
    };
    Ok(found.filter(|(program, _, _)| program.exists()).map(|(_, c, d)| (c, d)))
}

fn serve(millweir: &Path, data: &Path, port: &str) -> Command {
    let mut command = Command::new(millweir);
    command.arg("serve").args(["--listen", &format!("127.0.0.1:{port}"), "--data"]).arg(data);
    command
}

/// Start times and memory of our own server.
pub(crate) async fn footprint(millweir: &Path) -> Result<Footprint> {
    let folder = folder("footprint")?;
    let (mut child, _, start_empty) = start_ready(millweir, &folder)?;
    // The journal is prefilled in the background; an idle server has finished that.
    tokio::time::sleep(Duration::from_secs(10)).await;
    stop_cleanly(&mut child)?;
    let (mut child, port, start_again) = start_ready(millweir, &folder)?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let idle_bytes = memory(child.id(), "VmRSS:")?;
    for i in 0..10 {
        aws::create_with(port, &format!("idle-{i}"), 1000).await?;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let loaded = memory(child.id(), "VmRSS:")?;
    stop_cleanly(&mut child)?;
    std::fs::remove_dir_all(&folder).ok();
    let ten_thousand_shards_bytes = loaded.saturating_sub(idle_bytes);
    Ok(Footprint { start_empty, start_again, idle_bytes, ten_thousand_shards_bytes })
}

/// Starts our server on port 0 and times it to its `Ready.` line.
fn start_ready(millweir: &Path, data: &Path) -> Result<(Child, u16, Duration)> {
    let start = Instant::now();
    let mut command = serve(millweir, data, "0");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let stdout = child.stdout.take().context("no stdout")?;
    let mut port = None;
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        if let Some(url) = line.strip_prefix("listening http://") {
            port = url.rsplit(':').next().and_then(|p| p.parse().ok());
        }
        if line == "Ready." {
            let took = start.elapsed();
            return Ok((child, port.context("no port was printed")?, took));
        }
    }
    child.kill()?;
    bail!("millweir ended before it was ready")
}

fn stop_cleanly(child: &mut Child) -> Result<()> {
    let pid = child.id().to_string();
    Command::new("kill").args(["-TERM", &pid]).status()?;
    child.wait()?;
    Ok(())
}

fn folder(name: &str) -> Result<PathBuf> {
    let id = std::process::id();
    let folder = Path::new("target").join("bench-data").join(format!("{name}-{id}"));
    std::fs::create_dir_all(&folder)?;
    Ok(folder.canonicalize()?)
}

fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// A line of `/proc/PID/status`, in bytes.
fn memory(pid: u32, line: &str) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let value = status.lines().find_map(|l| l.strip_prefix(line)).context("no such line")?;
    let kib: u64 = value.trim().trim_end_matches(" kB").parse()?;
    Ok(kib * 1024)
}
