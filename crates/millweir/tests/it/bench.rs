//! `bench`.

use crate::cutting::{Cut, cutting};
use crate::support::{Running, signal};
use serde_json::Value;

fn check(mode: &str, args: &[&str]) -> Value {
    let server = Running::start(&["--memory", "--limits", "hardware"]);
    let fixed = ["bench", "--mode", mode, "--output", "json", "--duration", "20s"];
    let answer: Value = serde_json::from_str(&server.run(&[&fixed[..], args].concat())).unwrap();
    assert_eq!(answer["failed"], 0, "{answer}");
    assert!(answer["recordsPerSecond"].as_f64().unwrap() > 0.0, "{answer}");
    let (p50, p99) = (answer["p50Ms"].as_f64().unwrap(), answer["p99Ms"].as_f64().unwrap());
    assert!(p50 <= p99 && p99 <= answer["maxMs"].as_f64().unwrap(), "{answer}");
    assert_eq!(server.run(&["stream", "list", "--output", "text"]), "", "its stream is gone");
    answer
}

#[test]
fn put_record_is_bounded_by_records() {
    let answer = check("put-record", &["--records", "200", "--connections", "4"]);
    assert_eq!((&answer["records"], &answer["calls"]), (&200.into(), &200.into()));
}

#[test]
fn put_records_counts_records_and_calls() {
    let answer = check("put-records", &["--records", "2050", "--batch", "100"]);
    assert_eq!((&answer["records"], &answer["calls"]), (&2050.into(), &21.into()));
}

#[test]
fn get_records_reads_what_it_wrote() {
    let answer = check("get-records", &["--records", "3000", "--size", "100B"]);
    assert_eq!(answer["records"], 3000);
}

#[test]
fn the_records_to_read_are_written_once() {
    let server = Running::start(&["--memory", "--limits", "hardware"]);
    let args = ["bench", "--mode", "get-records", "--records", "3000", "--size", "100B"];
    server.run(&[&args[..], &["--batch", "500", "--connections", "4"]].concat());
    let (_, metrics) = server.get("/metrics");
    let of_puts = |line: &&str| {
        line.starts_with("millweir_api_requests_total") && line.contains("action=\"PutRecords\"")
    };
    let puts: Vec<&str> = metrics.lines().filter(of_puts).collect();
    assert!(puts.len() == 1 && puts[0].ends_with(" 6"), "{puts:?}");
}

#[test]
fn large_records_make_small_calls() {
    let answer = check("put-records", &["--records", "200", "--size", "100KiB"]);
    assert_eq!((&answer["records"], &answer["calls"]), (&200.into(), &4.into()));
    let answer = check("get-records", &["--records", "4", "--size", "2MiB"]);
    assert_eq!(answer["records"], 4);
}

#[test]
fn batches_that_no_call_takes_are_refused() {
    let server = Running::start(&["--memory"]);
    let output = server.command(&["bench", "--size", "1MiB", "--batch", "10"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("10 records of 1MiB and their keys are more than"), "{said}");
    assert!(said.contains("--batch is at most 9 here"), "{said}");
}

/// Runs over a way where PutRecords are cut; gives the exit code and what was said on stderr.
fn cut(mode: &str, cut: Cut) -> (i32, String) {
    let server = Running::start(&["--memory", "--limits", "hardware"]);
    let endpoint = cutting(server.address(), "PutRecords", cut);
    let args = ["bench", "--mode", mode, "--connections", "1", "--records", "1000"];
    let mut command = server.command(&args);
    let output = command.args(["--duration", "1s", "--endpoint", &endpoint]).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn nothing_written_to_read_is_a_failure() {
    let (code, said) = cut("get-records", Cut::Always);
    assert!(code == 1 && said.contains("error: no answer from"), "{code} {said}");
}

#[test]
fn a_failure_is_told_when_something_went_through() {
    for mode in ["put-records", "get-records"] {
        let (code, said) = cut(mode, Cut::OnceUndone);
        assert!(code == 0 && said.contains("last failure: no answer from"), "{code} {said}");
    }
}

#[test]
fn a_signal_leaves_no_stream_behind() {
    let server = Running::start(&["--memory", "--limits", "hardware"]);
    let endless = ["bench", "--duration", "1h", "--records", "1000000000000", "--connections", "1"];
    let mut child = server.command(&endless).spawn().unwrap();
    let streams = || server.run(&["stream", "list", "--output", "text"]);
    while !streams().contains("ACTIVE") {}
    signal(&child, rustix::process::Signal::TERM);
    assert_eq!(child.wait().unwrap().code(), Some(143));
    assert_eq!(streams(), "");
}
