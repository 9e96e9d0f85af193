//! `bench`.

use crate::support::Running;
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
