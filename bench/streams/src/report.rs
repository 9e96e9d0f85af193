//! The table, the ratios and the floors.

use crate::load::{Sample, Work};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// What was measured on one server.
pub(crate) struct Column {
    name: &'static str,
    durability: &'static str,
    /// One sample a round; none where the server has no such thing that works.
    samples: BTreeMap<Work, Vec<Sample>>,
}

impl Column {
    pub(crate) fn new(name: &'static str, durability: &'static str) -> Self {
        Self { name, durability, samples: BTreeMap::new() }
    }

    pub(crate) fn add(&mut self, work: Work, sample: Sample) {
        self.samples.entry(work).or_default().push(sample);
    }

    /// Units per second, by round.
    fn rates(&self, work: Work) -> Vec<f64> {
        self.samples.get(&work).into_iter().flatten().map(Sample::rate).collect()
    }
}

/// Memory and start of our own server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Footprint {
    pub(crate) start_empty: Duration,
    pub(crate) start_again: Duration,
    pub(crate) idle_bytes: u64,
    pub(crate) ten_thousand_shards_bytes: u64,
}

/// All columns of a run.
#[derive(Default)]
pub(crate) struct Report {
    /// With the peak of the server's memory, in bytes.
    columns: Vec<(Column, u64)>,
    footprint: Option<Footprint>,
}

/// What our own server is compared with.
struct Peer {
    /// The fastest of them counts, round by round.
    columns: &'static [&'static str],
    words: &'static str,
    /// Least ratios, by work; elsewhere only the number is of interest.
    floors: &'static [(Work, f64)],
}

const PEERS: [Peer; 5] = [
    Peer {
        columns: &["kinesalite", "kinesis-local", "moto"],
        words: "the fastest of kinesalite, kinesis-local and moto, in memory",
        floors: &[(Work::PutRecord(64), 5.0), (Work::PutRecords, 12.0), (Work::GetRecords, 20.0)],
    },
    // Floors: 0.8 of what was measured when ferrokinesis 0.7 was added.
    Peer {
        columns: &["ferrokinesis"],
        words: "ferrokinesis in memory",
        floors: &[(Work::PutRecord(64), 1.28), (Work::PutRecords, 5.36), (Work::GetRecords, 2.64)],
    },
    Peer {
        columns: &["ferrokinesis-durable"],
        words: "ferrokinesis with its state on disk",
        floors: &[(Work::PutRecord(64), 416.0)],
    },
    Peer {
        columns: &["redis"],
        words: "Redis Streams, AOF always",
        floors: &[
            (Work::PutRecord(1), 1.0),
            (Work::PutRecord(16), 1.0),
            (Work::PutRecord(64), 1.0),
        ],
    },
    Peer {
        columns: &["before"],
        words: "the program before",
        floors: &[
            (Work::PutRecord(1), BEFORE),
            (Work::PutRecord(16), BEFORE),
            (Work::PutRecord(64), BEFORE),
            (Work::PutRecords, BEFORE),
            (Work::GetRecords, BEFORE),
            (Work::CatchUp(10_000), BEFORE),
            (Work::CatchUp(2_000), BEFORE),
        ],
    },
];
/// Less than what two runs of one program may differ by.
const BEFORE: f64 = 0.95;
/// Peak memory of our own server under all the work.
const PEAK_BYTES_MAX: u64 = 600 << 20;
const START_EMPTY_MAX: Duration = Duration::from_millis(500);
const START_AGAIN_MAX: Duration = Duration::from_millis(100);
const IDLE_BYTES_MAX: u64 = 60 << 20;
const SHARDS_BYTES_MAX: u64 = 50 << 20;

impl Report {
    pub(crate) fn add(&mut self, column: Column, peak_bytes: u64) {
        self.columns.push((column, peak_bytes));
    }

    pub(crate) fn footprint(&mut self, footprint: Footprint) {
        self.footprint = Some(footprint);
    }

    /// The lines whose floor was not reached.
    pub(crate) fn missed_floors(&self) -> Vec<String> {
        let mut lines: Vec<String> =
            self.ratios().into_iter().filter(|r| r.times() < r.floor).map(|r| r.line()).collect();
        if let Some(f) = self.footprint {
            let mut check = |holds: bool, what: String| {
                if !holds {
                    lines.push(what);
                }
            };
            check(f.start_empty <= START_EMPTY_MAX, format!("first start {:?}", f.start_empty));
            check(f.start_again <= START_AGAIN_MAX, format!("start again {:?}", f.start_again));
            check(f.idle_bytes <= IDLE_BYTES_MAX, format!("idle memory {}", mib(f.idle_bytes)));
            let ours = self.columns.iter().find(|(column, _)| column.name == "millweir");
            let peak = ours.map_or(0, |(_, bytes)| *bytes);
            check(peak <= PEAK_BYTES_MAX, format!("peak memory {}", mib(peak)));
            let shards = f.ten_thousand_shards_bytes;
            check(shards <= SHARDS_BYTES_MAX, format!("10,000 idle shards {}", mib(shards)));
        }
        lines
    }

    /// The whole text.
    pub(crate) fn render(&self) -> String {
        let mut out = String::new();
        for (column, peak_bytes) in &self.columns {
            render(column, *peak_bytes, &mut out);
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

    fn ratios(&self) -> Vec<Ratio> {
        let find = |name: &str| self.columns.iter().map(|(c, _)| c).find(|c| c.name == name);
        let Some(ours) = find("millweir") else { return Vec::new() };
        let mut ratios = Vec::new();
        for (work, peer) in Work::ALL.iter().flat_map(|work| PEERS.iter().map(move |p| (*work, p)))
        {
            let ours = ours.rates(work);
            let theirs: Vec<_> =
                peer.columns.iter().filter_map(|n| find(n)).map(|c| c.rates(work)).collect();
            let fastest: Vec<f64> = (0..ours.len())
                .map(|round| theirs.iter().filter_map(|r| r.get(round)).fold(0.0, |a, b| b.max(a)))
                .collect();
            let floor = peer.floors.iter().find(|(of, _)| *of == work).map_or(0.0, |(_, f)| *f);
            ratios.extend(Ratio::new((work, peer.words), &ours, &fastest, floor));
        }
        ratios
    }
}

fn render(column: &Column, peak_bytes: u64, out: &mut String) {
    let (name, durability, peak) = (column.name, column.durability, mib(peak_bytes));
    put(out, &format!("{name} (at ack: {durability}; peak memory {peak})\n"));
    for work in Work::ALL {
        let (what, unit) = title(work);
        let Some(samples) = column.samples.get(&work) else {
            if work == Work::FanOut {
                put(out, &format!("  {what:<34}not there, or not working\n"));
            }
            continue;
        };
        let sum = Sample::sum(samples);
        let (p50, p99) =
            (sum.latency(0.5).as_secs_f64() * 1e3, sum.latency(0.99).as_secs_f64() * 1e3);
        put(
            out,
            &format!(
                "  {what:<34}{:>12.0} {unit:<9} p50 {p50:>9.3} ms  p99 {p99:>9.3} ms  \
                 {:>8.2} us of CPU each\n",
                sum.rate(),
                sum.cpu_us()
            ),
        );
    }
}

/// What a line is called, and what it counts.
fn title(work: Work) -> (String, &'static str) {
    match work {
        Work::PutRecord(connections) => {
            (format!("PutRecord 1 KiB, {connections} connections"), "requests")
        }
        Work::PutRecords => ("PutRecords 500 x 1 KiB, 8".to_owned(), "records"),
        Work::GetRecords => ("GetRecords, 4 readers".to_owned(), "records"),
        Work::CatchUp(limit) => (format!("catch-up from disk, {limit} a call"), "records"),
        Work::FanOut => ("fan-out, PutRecord to event".to_owned(), "events"),
    }
}

/// How many times as fast as a peer.
struct Ratio {
    of: (Work, &'static str),
    /// By round, from small to large.
    rounds: Vec<f64>,
    floor: f64,
}

impl Ratio {
    /// None for a peer that did not run.
    fn new(of: (Work, &'static str), ours: &[f64], theirs: &[f64], floor: f64) -> Option<Self> {
        let mut rounds: Vec<f64> =
            ours.iter().zip(theirs).filter(|(_, t)| **t > 0.0).map(|(o, t)| o / t).collect();
        rounds.sort_unstable_by(f64::total_cmp);
        (!rounds.is_empty()).then_some(Self { of, rounds, floor })
    }

    /// The median, of which half of an even number of rounds is below.
    fn times(&self) -> f64 {
        let half = self.rounds.len() / 2;
        f64::midpoint(self.rounds[half], self.rounds[(self.rounds.len() - 1) / 2])
    }

    fn line(&self) -> String {
        let ((work, peer), times) = (self.of, self.times());
        let (least, most) = (self.rounds[0], self.rounds[self.rounds.len() - 1]);
        let (what, _) = title(work);
        let floor =
            if self.floor > 0.0 { format!(", floor {}", self.floor) } else { String::new() };
        format!("{what}: {times:.2} times {peer} (rounds {least:.2} to {most:.2}{floor})")
    }
}

fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

fn put(out: &mut String, text: &str) {
    out.write_str(text).expect("writing to a string cannot fail");
}
