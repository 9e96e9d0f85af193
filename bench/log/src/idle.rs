//! Starts, and what idle logs cost.

use crate::{Args, system};
use anyhow::{Context, Result};
use base::Env;
use base::env::Open;
use std::path::Path;
use std::sync::Arc;
use store::local::{Local, Options};
use store::{BatchBuilder, LogId, Logs};

const LOGS: u64 = 10_000;
/// Batches of 512 KiB that a killed engine leaves in the journal.
const UNSPILLED: usize = 100;

/// Prints the times of starts and the memory of idle logs.
pub(crate) async fn run(args: &Args) -> Result<()> {
    let env = system::env();
    let dir = tempfile::tempdir_in(&args.dir)?;
    let local = start("empty directory", dir.path(), &env)?;
    let before = resident_bytes(&env)?;
    let mut logs = Vec::new();
    for id in 0..LOGS {
        logs.push(local.open(LogId(id)).await?);
    }
    let opened = resident_bytes(&env)?;
    for log in &logs {
        let mut batch = BatchBuilder::default();
        batch.push(b"key-0001", &[b'x'; 100]);
        log.append(batch, None)?.await?;
    }
    let written = resident_bytes(&env)?;
    println!(
        "{LOGS} idle logs: {:.1} MB opened, {:.1} MB with a record each",
        (opened - before) as f64 / 1e6,
        (written - before) as f64 / 1e6
    );
    drop(logs);
    local.close().await?;
    drop(local);
    let local = start("10,000 logs after a clean shutdown", dir.path(), &env)?;
    let log = local.open(LogId(1)).await?;
    for _ in 0..UNSPILLED {
        let mut batch = BatchBuilder::default();
        batch.push(b"key-0001", &vec![b'x'; 512 << 10]);
        log.append(batch, None)?.await?;
    }
    drop((log, local));
    drop(start("50 MiB in the journal after a crash", dir.path(), &env)?);
    Ok(())
}

fn start(what: &str, dir: &Path, env: &Env) -> Result<Arc<Local>> {
    let began = env.clock.monotonic();
    let (local, _) = Local::open(dir, env, Options::default())?;
    let took = env.clock.monotonic().saturating_sub(began);
    println!("start, {what}: {:.1} ms", took.as_secs_f64() * 1e3);
    Ok(local)
}

fn resident_bytes(env: &Env) -> Result<i64> {
    let mut text = [0; 256];
    let file = env.disk.open(Path::new("/proc/self/statm"), Open::Read)?;
    let read = file.read_at(&mut text, 0)?;
    let text = std::str::from_utf8(&text[..read])?;
    let pages: i64 = text.split(' ').nth(1).context("statm has a second number")?.parse()?;
    Ok(pages * 4096)
}
