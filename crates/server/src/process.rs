//! What the kernel says of this process, under the names that every Prometheus client uses.

use base::env::{Disk, Open};
use std::fmt::Write as _;
use std::path::Path;

/// Bytes read of a file of the kernel; those below are far shorter.
const FILE_BYTES_MAX: usize = 1024;

/// Appends the metrics that can be read; a system without `/proc` has fewer.
pub(crate) fn render(out: &mut String, disk: &dyn Disk, started_ms: i64) {
    if let Some(seconds) = cpu_seconds(disk) {
        let help = "CPU time of the process, user and system.";
        put(out, ("process_cpu_seconds_total", "counter"), help, seconds);
    }
    if let Some(bytes) = resident_bytes(disk) {
        let help = "Memory of the process that is resident.";
        put(out, ("process_resident_memory_bytes", "gauge"), help, bytes);
    }
    if let Ok(open) = disk.list(Path::new("/proc/self/fd")) {
        let help = "Open file descriptors.";
        put(out, ("process_open_fds", "gauge"), help, open.len() as f64);
    }
    let help = "When the process started, in seconds since the epoch.";
    put(out, ("process_start_time_seconds", "gauge"), help, started_ms as f64 / 1000.0);
}

fn put(out: &mut String, (name, kind): (&str, &str), help: &str, value: f64) {
    writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}")
        .expect("writing to a string cannot fail");
}

fn cpu_seconds(disk: &dyn Disk) -> Option<f64> {
    let text = read(disk, "/proc/self/stat")?;
    // The second field, the program's name, may hold anything; the third follows its bracket.
    let (_, rest) = text.rsplit_once(") ")?;
    let mut fields = rest.split(' ').skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / rustix::param::clock_ticks_per_second() as f64)
}

fn resident_bytes(disk: &dyn Disk) -> Option<f64> {
    let text = read(disk, "/proc/self/statm")?;
    let pages = text.split(' ').nth(1)?.parse::<f64>().ok()?;
    Some(pages * rustix::param::page_size() as f64)
}

fn read(disk: &dyn Disk, path: &str) -> Option<String> {
    let mut bytes = vec![0; FILE_BYTES_MAX];
    let file = disk.open(Path::new(path), Open::Read).ok()?;
    let count = file.read_at(&mut bytes, 0).ok()?;
    bytes.truncate(count);
    String::from_utf8(bytes).ok()
}
