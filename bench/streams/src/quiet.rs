//! Waiting until the machine does nothing.

use anyhow::{Context, Result};
use std::time::{Duration, Instant};

/// How long one look at the processors takes.
const LOOK: Duration = Duration::from_millis(100);
/// Part of the processors' time that may be busy.
const BUSY_MAX: f64 = 0.1;
/// After so long it is as quiet as it gets.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// Waits until the processors idle, but not longer than [`WAIT_MAX`].
pub(crate) async fn wait() -> Result<()> {
    let start = Instant::now();
    while start.elapsed() < WAIT_MAX {
        let before = ticks()?;
        tokio::time::sleep(LOOK).await;
        let after = ticks()?;
        let (idle, all) = (after.0 - before.0, after.1 - before.1);
        if all > 0.0 && 1.0 - idle / all < BUSY_MAX {
            break;
        }
    }
    Ok(())
}

/// Time that all processors were idle, not even waiting for the disk, and their whole time.
fn ticks() -> Result<(f64, f64)> {
    let stat = std::fs::read_to_string("/proc/stat")?;
    let line = stat.lines().next().context("an empty /proc/stat")?;
    let fields: Vec<f64> = line.split_whitespace().skip(1).flat_map(str::parse).collect();
    Ok((*fields.get(3).context("no idle time in /proc/stat")?, fields.iter().sum()))
}
