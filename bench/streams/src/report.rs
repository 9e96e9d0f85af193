//! The table, the ratios and the floors.

use crate::load::Sample;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// What was measured on one server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Column {
    /// By number of connections; requests per second.
    pub(crate) put_record: BTreeMap<usize, Sample>,
    /// Records per second, 500 x 1 KiB a request.
    pub(crate) put_records: Sample,
    /// Records per second.
    pub(crate) get_records: Sample,
    /// From PutRecord to event; `None` where the server has no working fan-out.
    pub(crate) fan_out: Option<Sample>,
}

/// Memory and start of our own server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Footprint {
    pub(crate) start_empty: Duration,
    pub(crate) start_again: Duration,
    pub(crate) idle_bytes: u64,
    pub(crate) ten_thousand_shards_bytes: u64,
}

struct Entry {
    name: &'static str,
    durability: &'static str,
    column: Column,
    peak_rss_bytes: u64,
}

/// All columns of a run.
#[derive(Default)]
pub(crate) struct Report {
    entries: Vec<Entry>,
    footprint: Option<Footprint>,
}

/// None of these is durable; the floors of the read and write rates are against the fastest.
const EMULATORS: [&str; 3] = ["kinesalite", "kinesis-local", "moto"];
const FLOOR_PUT_RECORDS: f64 = 12.0;
const FLOOR_PUT_RECORD: f64 = 5.0;
const FLOOR_GET_RECORDS: f64 = 20.0;
const FLOOR_REDIS: f64 = 1.0;
const START_EMPTY_MAX: Duration = Duration::from_millis(500);
const START_AGAIN_MAX: Duration = Duration::from_millis(100);
const IDLE_BYTES_MAX: u64 = 60 << 20;
const SHARDS_BYTES_MAX: u64 = 50 << 20;

impl Report {
    pub(crate) fn add(
        &mut self,
        name: &'static str,
        durability: &'static str,
        column: Column,
        peak_rss_bytes: u64,
    ) {
        self.entries.push(Entry { name, durability, column, peak_rss_bytes });
    }

    pub(crate) fn footprint(&mut self, footprint: Footprint) {
        self.footprint = Some(footprint);
    }

    /// The lines whose floor was not reached.
    pub(crate) fn missed_floors(&self) -> Vec<String> {
        let mut lines: Vec<String> =
            self.ratios().into_iter().filter(|r| r.times < r.floor).map(|r| r.line()).collect();
        if let Some(f) = self.footprint {
            let mut check = |holds: bool, what: String| {
                if !holds {
                    lines.push(what);
                }
            };
            check(f.start_empty <= START_EMPTY_MAX, format!("first start {:?}", f.start_empty));
            check(f.start_again <= START_AGAIN_MAX, format!("start again {:?}", f.start_again));
            check(f.idle_bytes <= IDLE_BYTES_MAX, format!("idle memory {}", mib(f.idle_bytes)));
            let shards = f.ten_thousand_shards_bytes;
            check(shards <= SHARDS_BYTES_MAX, format!("10,000 idle shards {}", mib(shards)));
        }
        lines
    }

    /// The whole text.
    pub(crate) fn render(&self) -> String {
        let mut out = String::new();
        for entry in &self.entries {
            Self::render_entry(entry, &mut out);
        }
        for ratio in self.ratios() {
            put(&mut out, &format!("{}\n", ratio.line()));
        }
        if let Some(f) = self.footprint {
            put(
                &mut out,
                &format!(
                    "start to Ready.: {:?} on an empty directory, {:?} again; idle {}; \
                     10,000 idle shards {} more\n",
                    f.start_empty,
                    f.start_again,
                    mib(f.idle_bytes),
                    mib(f.ten_thousand_shards_bytes)
                ),
            );
        }
        out
    }

    fn render_entry(entry: &Entry, out: &mut String) {
        let rss = mib(entry.peak_rss_bytes);
        put(out, &format!("{} (at ack: {}; peak memory {rss})\n", entry.name, entry.durability));
        let mut row = |what: &str, unit: &str, s: &Sample| {
            let line = format!(
                "  {what:<34}{:>12.0} {unit:<9} p50 {:>9.3} ms  p99 {:>9.3} ms\n",
                s.per_second,
                s.p50.as_secs_f64() * 1e3,
                s.p99.as_secs_f64() * 1e3
            );
            put(out, &line);
        };
        for (connections, sample) in &entry.column.put_record {
            row(&format!("PutRecord 1 KiB, {connections} connections"), "requests", sample);
        }
        row("PutRecords 500 x 1 KiB, 8", "records", &entry.column.put_records);
        row("GetRecords catch-up, 4 readers", "records", &entry.column.get_records);
        match &entry.column.fan_out {
            Some(sample) => row("fan-out, PutRecord to event", "events", sample),
            None => put(out, "  fan-out                           not there, or not working\n"),
        }
    }

    fn ratios(&self) -> Vec<Ratio> {
        let find = |name: &str| self.entries.iter().find(|e| e.name == name).map(|e| &e.column);
        let Some(ours) = find("millweir") else { return Vec::new() };
        let fastest = |rate: &dyn Fn(&Column) -> f64| {
            EMULATORS.iter().filter_map(|n| find(n)).map(rate).fold(0.0, f64::max)
        };
        let single = |c: &Column| c.put_record.get(&64).map_or(0.0, |s| s.per_second);
        let batch = |c: &Column| c.put_records.per_second;
        let read = |c: &Column| c.get_records.per_second;
        let mut ratios = Vec::new();
        let mut add = |what, ours: f64, theirs: f64, floor| {
            if theirs > 0.0 {
                ratios.push(Ratio { what, times: ours / theirs, floor });
            }
        };
        let peers = "the fastest of the emulators, none durable";
        add(["PutRecords", peers], batch(ours), fastest(&batch), FLOOR_PUT_RECORDS);
        add(["PutRecord, 64 connections", peers], single(ours), fastest(&single), FLOOR_PUT_RECORD);
        add(["GetRecords catch-up", peers], read(ours), fastest(&read), FLOOR_GET_RECORDS);
        if let Some(redis) = find("redis") {
            let peer = "Redis Streams, AOF always";
            add(["PutRecord, 64 connections", peer], single(ours), single(redis), FLOOR_REDIS);
            add(["PutRecords", peer], batch(ours), batch(redis), 0.0);
            add(["GetRecords catch-up", peer], read(ours), read(redis), 0.0);
        }
        ratios
    }
}

struct Ratio {
    what: [&'static str; 2],
    times: f64,
    floor: f64,
}

impl Ratio {
    fn line(&self) -> String {
        let [what, against] = self.what;
        format!("{what}: {:.1} times {against} (floor {})", self.times, self.floor)
    }
}

fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

fn put(out: &mut String, text: &str) {
    out.write_str(text).expect("writing to a string cannot fail");
}
