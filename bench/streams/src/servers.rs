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

/// Every server this program knows how to start. `before` is another Millweir program.
pub(crate) const NAMES: [&str; 8] = [
    "millweir",
    "before",
    "kinesalite",
    "kinesis-local",
    "moto",
    "ferrokinesis",
    "ferrokinesis-durable",
    "redis",
];

/// Our own programs.
pub(crate) struct Programs {
    pub(crate) millweir: PathBuf,
    pub(crate) before: Option<PathBuf>,
}

/// What the kernel counts the time of processes in (`USER_HZ`).
const TICKS_PER_SECOND: u64 = 100;

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
            "redis" => return redis::prepare(self.port).await,
            "ferrokinesis-durable" => return aws::create_with(self.port, "single", 4).await,
            _ => aws::prepare(self.port).await?,
        }
        if self.is_ours() { aws::prepare_deep(self.port).await } else { Ok(()) }
    }

    fn is_ours(&self) -> bool {
        ["millweir", "before"].contains(&self.name)
    }

    /// Whether it is given that work.
    pub(crate) fn takes(&self, work: Work) -> bool {
        match work {
            Work::CatchUp(_) => self.is_ours(),
            // It writes all that it holds again and again: full requests take minutes each.
            Work::PutRecord(_) => true,
            _ => self.name != "ferrokinesis-durable",
        }
    }

    /// One slice of the work.
    pub(crate) async fn measure(&self, work: Work, length: Duration) -> Result<Sample> {
        let before = cpu(self.child.id())?;
        let mut sample = match self.name {
            "redis" => redis::measure(self.port, work, length).await?,
            _ => aws::measure(self.port, work, length).await?,
        };
        sample.cpu = cpu(self.child.id())?.saturating_sub(before);
        Ok(sample)
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
pub(crate) async fn start(name: &'static str, ours: &Programs) -> Result<Option<Server>> {
    let folder = folder(name)?;
    let port = free_port()?;
    let Some((mut command, durability)) = command(name, ours, &folder, port)? else {
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
    ours: &Programs,
    folder: &Path,
    port: u16,
) -> Result<Option<(Command, &'static str)>> {
    let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
    let modules = peers.join("node_modules");
    let port = port.to_string();
    let found = match name {
        "millweir" => Some((ours.millweir.clone(), unlimited(&ours.millweir, folder, &port))),
        "before" => {
            ours.before.as_ref().map(|before| (before.clone(), unlimited(before, folder, &port)))
        }
        "kinesalite" => {
            let program = modules.join("kinesalite/cli.js");
            let mut c = Command::new("node");
            c.arg(&program).args(["--port", &port, "--createStreamMs", "0", "--shardLimit", "100"]);
            Some((program, c))
        }
        "kinesis-local" => {
            let home = modules.join("kinesis-local");
            let mut c = Command::new("node");
            c.arg("main.js").current_dir(&home).env("LOG_LEVEL", "ERROR");
            c.env("KINESIS_MOCK_PLAIN_PORT", &port);
            c.env("KINESIS_MOCK_TLS_PORT", free_port()?.to_string());
            c.env("CREATE_STREAM_DURATION", "1ms").env("SHARD_LIMIT", "100");
            Some((home.join("main.js"), c))
        }
        "moto" => {
            let program = peers.join("venv/bin/moto_server");
            let mut c = Command::new(&program);
            c.args(["-H", "127.0.0.1", "-p", &port]);
            Some((program, c))
        }
        "ferrokinesis" | "ferrokinesis-durable" => {
            let program = peers.join("bin/ferrokinesis");
            let mut c = Command::new(&program);
            c.args(["--port", &port, "--create-stream-ms", "0", "--log-level", "error"]);
            c.args(["--shard-limit", "100"]);
            if name == "ferrokinesis-durable" {
                c.arg("--state-dir").arg(folder);
            }
            Some((program, c))
        }
        "redis" => {
            let mut c = Command::new("redis-server");
            c.args(["--bind", "127.0.0.1", "--port", &port, "--save", "", "--appendonly", "yes"]);
            c.args(["--appendfsync", "always", "--dir"]).arg(folder);
            let program = PathBuf::from("/usr/bin/redis-server");
            Some((program, c))
        }
        _ => None,
    };
    Ok(found.filter(|(program, _)| program.exists()).map(|(_, c)| (c, durability(name))))
}

fn durability(name: &str) -> &'static str {
    match name {
        "millweir" | "before" => "fdatasync'ed",
        "ferrokinesis-durable" => "in its WAL",
        "redis" => "fsync'ed (AOF always)",
        _ => "in memory",
    }
}

/// Our own server without AWS's rates.
pub(crate) fn unlimited(millweir: &Path, data: &Path, port: &str) -> Command {
    let mut command = serve(millweir, data, port);
    command.args(["--limits", "hardware"]);
    command
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
    ready(serve(millweir, data, "0"))
}

/// Times a server of ours on port 0 to its `Ready.` line.
pub(crate) fn ready(mut command: Command) -> Result<(Child, u16, Duration)> {
    let start = Instant::now();
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

pub(crate) fn stop_cleanly(child: &mut Child) -> Result<()> {
    let pid = child.id().to_string();
    Command::new("kill").args(["-TERM", &pid]).status()?;
    child.wait()?;
    Ok(())
}

pub(crate) fn folder(name: &str) -> Result<PathBuf> {
    let id = std::process::id();
    let folder = Path::new("target").join("bench-data").join(format!("{name}-{id}"));
    std::fs::create_dir_all(&folder)?;
    Ok(folder.canonicalize()?)
}

fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Time of the processors that a process has taken.
fn cpu(pid: u32) -> Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // Behind the name, which may hold anything: utime and stime are the 12th and 13th fields.
    let fields = stat.rsplit(')').next().context("an empty /proc/PID/stat")?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
    Ok(Duration::from_millis(ticks.sum::<Result<u64, _>>()? * 1000 / TICKS_PER_SECOND))
}

/// A line of `/proc/PID/status`, in bytes.
pub(crate) fn memory(pid: u32, line: &str) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let value = status.lines().find_map(|l| l.strip_prefix(line)).context("no such line")?;
    let kib: u64 = value.trim().trim_end_matches(" kB").parse()?;
    Ok(kib * 1024)
}
