//! Time per record of the hot codecs, and the ratio to serde_json on the same bytes.
//!
//! `cargo run --release -p bench-codec`. serde_json reads into borrowed strings and decodes base64
//! with the same SIMD code, checks no constraint, and writes from prepared strings: the least that
//! a serde-derived service could do. Each line is the best of many short rounds.

use api::kinesis::{GetRecordsOutput, PutRecordsInput, PutRecordsRequestEntry, Record};
use base64_simd::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::hint::black_box;
use std::time::Duration;
use wire::{Format, Text, Timestamp, Writer};

const ROUNDS: usize = 100;
const CALLS_PER_LOOK: u32 = 8;
const ROUND: Duration = Duration::from_millis(8);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SerdeInput<'a> {
    #[serde(borrow)]
    stream_name: Cow<'a, str>,
    #[serde(borrow)]
    records: Vec<SerdeEntry<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SerdeEntry<'a> {
    #[serde(borrow)]
    data: Cow<'a, str>,
    #[serde(borrow)]
    partition_key: Cow<'a, str>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SerdeOutput<'a> {
    records: Vec<SerdeRecord<'a>>,
    millis_behind_latest: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SerdeRecord<'a> {
    sequence_number: &'a str,
    approximate_arrival_timestamp: f64,
    data: String,
    partition_key: &'a str,
}

fn main() {
    for (records, data_bytes) in [(500, 1024), (500, 100), (1, 100), (10, 1 << 20)] {
        put_records(records, data_bytes);
    }
    for (records, data_bytes) in [(10_000, 1024), (10_000, 100), (1, 100)] {
        get_records(records, data_bytes);
    }
}

/// Nanoseconds of one call on the processor: the best of many short rounds, so that a busy machine
/// counts little.
fn time<T>(mut call: impl FnMut() -> T) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let begin = processor_time();
        let mut calls = 0_u32;
        while since(begin) < ROUND {
            // Looking at the clock takes as long as a small call.
            for _ in 0..CALLS_PER_LOOK {
                black_box(call());
            }
            calls += CALLS_PER_LOOK;
        }
        best = best.min(since(begin).as_secs_f64() * 1e9 / f64::from(calls));
    }
    best
}

fn since(begin: Duration) -> Duration {
    processor_time().saturating_sub(begin)
}

/// Time that this thread has run.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

#[expect(clippy::print_stdout, reason = "the benchmark's answer")]
fn report(what: &str, records: usize, body_bytes: usize, ns: f64, serde_ns: Option<f64>) {
    let each = ns / records as f64;
    let rate = body_bytes as f64 / ns;
    let ratio =
        serde_ns.map_or(String::new(), |s| format!("  serde_json takes {:.2} times", s / ns));
    println!("{what:44} {each:9.0} ns/record  {rate:6.2} GB/s of body{ratio}");
}

fn put_records(records: usize, data_bytes: usize) {
    let entry = |i: usize| PutRecordsRequestEntry {
        data: Bytes::from((0..data_bytes).map(|b| (b * 7 + i) as u8).collect::<Vec<_>>()),
        partition_key: Some(Text::from(format!("user-{i:012}"))),
        explicit_hash_key: None,
    };
    let input = PutRecordsInput {
        stream_name: Some("a-stream".into()),
        records: (0..records).map(entry).collect(),
        ..Default::default()
    };
    for format in [Format::Json, Format::Cbor] {
        let mut w = Writer::new(format, input.bytes_hint());
        input.write(&mut w);
        let body = w.finish();
        let ns = time(|| wire::decode(format, body.clone(), PutRecordsInput::read));
        let serde = (format == Format::Json).then(|| time(|| serde_decode(&body)));
        let what = format!("read PutRecords {records} x {data_bytes} {format:?}");
        report(&what, records, body.len(), ns, serde);
    }
}

fn serde_decode(body: &[u8]) -> usize {
    let input: SerdeInput<'_> = serde_json::from_slice(body).expect("the body is ours");
    let decode = |e: &SerdeEntry<'_>| STANDARD.decode_to_vec(e.data.as_bytes());
    let data: Vec<Vec<u8>> =
        input.records.iter().map(decode).collect::<Result<_, _>>().expect("the data is ours");
    let keys: usize = input.records.iter().map(|e| e.partition_key.len()).sum();
    black_box(&data);
    data.len() + keys + input.stream_name.len()
}

fn get_records(records: usize, data_bytes: usize) {
    let record = |i: usize| Record {
        data: Bytes::from((0..data_bytes).map(|b| (b * 7 + i) as u8).collect::<Vec<_>>()),
        partition_key: Some(Text::from(format!("user-{i:012}"))),
        sequence_number: Text::from(format!("4959033849825{i:043}")),
        approximate_arrival_timestamp: Some(Timestamp(1_700_000_000_123)),
        encryption_type: None,
    };
    let output = GetRecordsOutput {
        records: (0..records).map(record).collect(),
        millis_behind_latest: Some(0),
        ..Default::default()
    };
    for format in [Format::Json, Format::Cbor] {
        let write = || {
            let mut w = Writer::new(format, output.bytes_hint());
            output.write(&mut w);
            w.finish()
        };
        let ns = time(write);
        let serde = (format == Format::Json).then(|| time(|| serde_encode(&output)));
        let what = format!("write GetRecords {records} x {data_bytes} {format:?}");
        report(&what, records, write().len(), ns, serde);
    }
}

fn serde_encode(output: &GetRecordsOutput) -> Vec<u8> {
    fn record(record: &Record) -> SerdeRecord<'_> {
        SerdeRecord {
            sequence_number: &record.sequence_number,
            approximate_arrival_timestamp: 1_700_000_000.123,
            data: STANDARD.encode_to_string(&record.data),
            partition_key: record.partition_key.as_deref().unwrap_or_default(),
        }
    }
    let records = output.records.iter().map(record).collect();
    serde_json::to_vec(&SerdeOutput { records, millis_behind_latest: 0 })
        .expect("strings and numbers are JSON")
}
