//! `put`, `tail` and `generate`.

use crate::support::{Running, output_with, write};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

fn server(shards: &str) -> Running {
    let server = Running::start(&["--memory", "--limits", "hardware"]);
    server.run(&["stream", "create", "s", "--shards", shards]);
    server
}

fn tail(server: &Running, args: &[&str]) -> Vec<String> {
    let args = [&["tail", "s", "--from", "trim_horizon"], args].concat();
    server.run(&args).lines().map(str::to_owned).collect()
}

#[test]
fn one_record_by_argument() {
    let server = server("1");
    let said = server.run(&["put", "s", "hello", "--key", "k"]);
    let (shard, number) = said.trim().split_once('\t').unwrap();
    assert_eq!((shard, number.len()), ("shardId-000000000000", 56));
    let got = tail(&server, &["--max-records", "1", "--output", "json"]);
    let record: Value = serde_json::from_str(&got[0]).unwrap();
    assert_eq!(record["data"], "hello");
    assert_eq!(record["partitionKey"], "k");
    assert_eq!(record["sequenceNumber"], number);
    assert!(record["approximateArrivalTimestamp"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn lines_arrive_as_they_are() {
    let server = server("1");
    let lines = b"plain\n\ngr\xc3\xbcn\nnot utf-8 \xff\x00\nlast without a break";
    server.run_with(&["put", "s", "--lanes", "1"], lines);
    let args = ["tail", "s", "--from", "trim_horizon", "--max-records", "5"];
    let got = server.command(&args).output().unwrap().stdout;
    assert_eq!(got, [&lines[..], b"\n"].concat());
}

#[test]
fn a_file_with_a_key_field_over_many_shards() {
    let server = server("4");
    let lines: Vec<String> = (0..5000).map(|n| format!("{} host-{} x", n, n % 40)).collect();
    write(&server.dir().join("lines"), &lines.join("\n"));
    let placed =
        server.run(&["put", "s", "--file", "lines", "--key-field", "2", "--output", "json"]);
    assert_eq!(placed.lines().count(), 5000);
    let got = tail(&server, &["--max-records", "5000"]);
    let of_host = |all: &[String]| {
        let mut by_host: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for line in all {
            let host = line.split(' ').nth(1).unwrap().to_owned();
            by_host.entry(host).or_default().push(line.clone());
        }
        by_host
    };
    assert_eq!(of_host(&got), of_host(&lines), "order per key");
}

#[test]
fn tail_follows_resharding_both_ways() {
    let server = server("2");
    let put = |range: std::ops::Range<u32>| {
        let lines: Vec<String> = range.map(|n| n.to_string()).collect();
        server.run_with(&["put", "s", "--key", "same"], lines.join("\n").as_bytes());
    };
    put(0..100);
    server.run(&["stream", "reshard", "s", "--shards", "4"]);
    put(100..200);
    server.run(&["stream", "reshard", "s", "--shards", "2"]);
    put(200..300);
    let want: Vec<String> = (0..300).map(|n| n.to_string()).collect();
    assert_eq!(tail(&server, &["--max-records", "300"]), want);
    assert_eq!(tail(&server, &["--max-records", "300", "--fan-out"]), want);
}

/// Starts a tail from `latest` and gives its lines as they come.
fn live(server: &Running, args: &[&str]) -> (std::process::Child, std::process::ChildStdout) {
    let args = [&["tail", "s"], args].concat();
    let mut child = server.command(&args).stdout(Stdio::piped()).spawn().unwrap();
    let stdout = child.stdout.take().unwrap();
    (child, stdout)
}

/// Puts markers until the first one comes out: only then the tail is known to listen.
fn await_live(server: &Running, lines: &mut impl Iterator<Item = std::io::Result<String>>) {
    std::thread::scope(|scope| {
        let (heard, stop) = std::sync::mpsc::sync_channel::<()>(1);
        scope.spawn(move || {
            while stop.try_recv().is_err() {
                server.run(&["put", "s", "marker"]);
            }
        });
        assert_eq!(lines.next().unwrap().unwrap(), "marker");
        heard.send(()).unwrap();
    });
}

fn check_live(args: &[&str], end: rustix::process::Signal) {
    let server = server("2");
    let (mut child, stdout) = live(&server, args);
    let mut lines = BufReader::new(stdout).lines();
    await_live(&server, &mut lines);
    server.run(&["stream", "reshard", "s", "--shards", "4"]);
    server.run_with(&["put", "s"], b"a\nb\nc\nd\ne\nf\ng\nh\n");
    let mut got = BTreeSet::new();
    while got.len() < 8 {
        let line = lines.next().unwrap().unwrap();
        assert!(line == "marker" || got.insert(line.clone()), "{line} came twice");
    }
    crate::support::signal(&child, end);
    assert!(child.wait().unwrap().success(), "a signal ends a tail in good order");
    // The temporary consumer is on its way out; a fan-out tail that left it behind hangs here.
    let consumers = || {
        let described = server.run(&["stream", "describe", "s", "--output", "json"]);
        serde_json::from_str::<Value>(&described).unwrap()["consumers"].as_u64().unwrap()
    };
    while consumers() > 0 {}
}

#[test]
fn live_by_polling() {
    check_live(&[], rustix::process::Signal::INT);
}

#[test]
fn live_by_fan_out() {
    check_live(&["--fan-out"], rustix::process::Signal::TERM);
}

#[test]
fn tail_from_a_time() {
    let server = server("2");
    server.run_with(&["put", "s"], b"a\nb\n");
    let got = tail(&server, &["--max-records", "2", "--output", "json"]);
    let newest: BTreeSet<String> = got
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|record| record["approximateArrivalTimestamp"].as_str().unwrap().to_owned())
        .collect();
    let first = newest.first().unwrap();
    let from = |position: &str| {
        let args = ["tail", "s", "--from", position, "--max-records", "2"];
        server.run(&args).lines().count()
    };
    assert_eq!(from(first), 2);
    assert_eq!(from("-1h"), 2);
    let none = ["tail", "s", "--from", "latest", "--idle-timeout", "50ms"];
    assert_eq!(server.run(&none), "");
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let server = server("1");
    server.run(&["generate", "s", "--records", "2000", "--rate", "1000000"]);
    let (mut child, stdout) = live(&server, &["--from", "trim_horizon"]);
    let mut lines = BufReader::new(stdout).lines();
    lines.next().unwrap().unwrap();
    drop(lines);
    server.run(&["generate", "s", "--records", "2000", "--rate", "1000000"]);
    assert!(child.wait().unwrap().success());

    let server = self::server("1");
    server.run(&["put", "s", "only"]);
    let (mut child, stdout) = live(&server, &["--from", "trim_horizon"]);
    let mut lines = BufReader::new(stdout).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "only");
    drop(lines);
    assert!(child.wait().unwrap().success(), "also when nothing comes after it");
}

#[test]
fn records_cannot_be_too_large_or_streams_absent() {
    let server = server("1");
    let large = vec![b'x'; (1 << 20) + 1];
    let output = output_with(&mut server.command(&["put", "s"]), &large);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let output = output_with(&mut server.command(&["put", "none"]), b"x\n");
    assert_eq!(output.status.code(), Some(3));
}

#[test]
fn wrong_usage_has_its_exit_code() {
    let server = server("1");
    let long = "x".repeat(257);
    for args in [
        &["tail", "s", "--from", "yesterday"][..],
        &["put", "s", "x", "--key", ""],
        &["put", "s", "x", "--key", &long],
        &["generate", "s", "--rate", "0"],
        &["bench", "--size", "20MiB"],
        &["bench", "--size", "1MiB", "--batch", "10"],
        &["bench", "--records", "0"],
    ] {
        let output = server.command(args).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
    }
}

#[test]
fn rates_without_an_end_are_refused() {
    let server = server("1");
    let slow = |rate: &str| {
        server.command(&["generate", "--stdout", "--seed", "1", "--records", "2", "--rate", rate])
    };
    let output = slow("1e-21").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("a rate is at least"), "{said}");
    assert!(slow("0.00001").output().unwrap().status.success());
}

#[test]
fn generated_records_repeat_from_a_seed() {
    let server = server("2");
    let made = |preset: &str| {
        let args = ["generate", "--stdout", "--preset", preset, "--records", "50", "--seed", "7"];
        server.run(&args)
    };
    for preset in ["apache-log", "stock-ticker", "sensor"] {
        assert_eq!(made(preset), made(preset));
        assert_eq!(made(preset).lines().count(), 50);
    }
    let args =
        ["generate", "s", "--preset", "sensor", "--records", "50", "--seed", "7", "--rate", "5000"];
    server.run(&args);
    let mut got = tail(&server, &["--max-records", "50"]);
    let printed = made("sensor");
    // The rate stands in the times of seeded records; here only the readings are compared.
    let reading = |line: &str| {
        let value: Value = serde_json::from_str(line).unwrap();
        format!("{} {}", value["sensorId"], value["currentTemperature"])
    };
    let mut want: Vec<String> = printed.lines().map(reading).collect();
    got = got.iter().map(|line| reading(line)).collect();
    got.sort_unstable();
    want.sort_unstable();
    assert_eq!(got, want);
}

#[test]
fn generate_keeps_its_rate() {
    let server = server("1");
    let clock = client::system_env().clock;
    server.run(&["generate", "s", "--rate", "100", "--duration", "300ms"]);
    let took = base::env::Clock::monotonic(&*clock);
    assert!(took.as_millis() >= 290, "30 records at 100 a second came in {took:?}");
    assert_eq!(tail(&server, &["--max-records", "30"]).len(), 30);
}
