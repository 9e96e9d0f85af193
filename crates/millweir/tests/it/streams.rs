//! `stream create|list|describe|delete|reshard`.

use crate::cutting::{Cut, cutting};
use crate::support::Running;
use serde_json::Value;

fn json(server: &Running, args: &[&str]) -> Value {
    let args = [args, &["--output", "json"]].concat();
    serde_json::from_str(&server.run(&args)).unwrap()
}

fn open_shards(server: &Running, stream: &str) -> Vec<String> {
    let described = json(server, &["stream", "describe", stream]);
    let shards = described["shards"].as_array().unwrap().iter();
    let open = shards.filter(|shard| shard["state"] == "open");
    open.map(|shard| shard["shardId"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_stream_from_birth_to_death() {
    let server = Running::start(&["--memory"]);
    let said = server.run(&["stream", "create", "a", "--shards", "3", "--retention", "48"]);
    assert_eq!(said, "stream a is ACTIVE with 3 open shards\n");
    server.run(&["stream", "create", "b", "--on-demand"]);

    let list = server.run(&["stream", "list", "--output", "text"]);
    let names: Vec<&str> = list.lines().map(|line| line.split('\t').next().unwrap()).collect();
    assert_eq!(names, ["a", "b"]);
    assert!(server.run(&["stream", "list"]).starts_with("NAME"));

    let a = json(&server, &["stream", "describe", "a"]);
    assert_eq!((&a["status"], &a["retentionHours"]), (&"ACTIVE".into(), &48.into()));
    assert_eq!(a["arn"], "arn:aws:kinesis:us-east-1:000000000000:stream/a");
    assert_eq!(json(&server, &["stream", "describe", "b"])["mode"], "ON_DEMAND");
    assert!(server.run(&["stream", "describe", "a"]).contains("shardId-000000000002"));

    assert_eq!(server.run(&["stream", "delete", "a"]), "stream a is gone\n");
    assert_eq!(json(&server, &["stream", "list"]).as_array().unwrap().len(), 1);
}

#[test]
fn if_absent_leaves_a_stream_as_it_is() {
    let server = Running::start(&["--memory"]);
    server.run(&["stream", "create", "a", "--retention", "48"]);
    let again = ["stream", "create", "a", "--if-absent", "--retention", "24"];
    assert_eq!(server.run(&again), "stream a is ACTIVE with 1 open shards\n");
    assert_eq!(json(&server, &["stream", "describe", "a"])["retentionHours"], 48);
}

#[test]
fn resharding() {
    let server = Running::start(&["--memory"]);
    server.run(&["stream", "create", "s"]);
    let said = server.run(&["stream", "reshard", "s", "--shards", "5"]);
    assert_eq!(said, "stream s is ACTIVE with 5 open shards\n");

    let open = open_shards(&server, "s");
    server.run(&["stream", "reshard", "s", "--split", &open[0]]);
    assert_eq!(open_shards(&server, "s").len(), 6);
    let open = open_shards(&server, "s");
    server.run(&["stream", "reshard", "s", "--merge", &open[4], &open[5]]);
    assert_eq!(open_shards(&server, "s").len(), 5);
}

#[test]
fn regions_are_worlds_of_their_own() {
    let server = Running::start(&["--memory"]);
    server.run(&["stream", "create", "here", "--region", "eu-west-1"]);
    assert_eq!(json(&server, &["stream", "list"]), Value::Array(vec![]));
    let there = json(&server, &["stream", "list", "--region", "eu-west-1"]);
    assert_eq!(there[0]["arn"], "arn:aws:kinesis:eu-west-1:000000000000:stream/here");
}

#[test]
fn refusals_have_their_exit_code() {
    let server = Running::start(&["--memory"]);
    let code = |args: &[&str]| {
        let output = server.command(args).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (status, said) = code(&["stream", "describe", "none"]);
    assert!(status == 3 && said.contains("ResourceNotFoundException"), "{status} {said}");
    server.run(&["stream", "create", "a"]);
    assert_eq!(code(&["stream", "create", "a"]).0, 3);
    assert_eq!(code(&["stream", "create", "a", "--if-absent"]).0, 0);
    assert_eq!(code(&["stream", "reshard", "a"]).0, 2);
    assert_eq!(code(&["stream", "list", "--endpoint", "http://127.0.0.1:1"]).0, 1);
    assert_eq!(code(&["stream", "list", "--endpoint", "nonsense"]).0, 2);
}

#[test]
fn cbor_says_the_same() {
    let server = Running::start(&["--memory"]);
    server.run(&["stream", "create", "c", "--cbor"]);
    let of = |args: &[&str]| json(&server, args);
    assert_eq!(of(&["stream", "describe", "c"]), of(&["stream", "describe", "c", "--cbor"]));
}

#[test]
fn what_a_cut_connection_did_is_done() {
    let server = Running::start(&["--memory"]);
    let run = |operation: &'static str, args: &[&str]| {
        let endpoint = cutting(server.address(), operation, Cut::OnceDone);
        server.run(&[args, &["--endpoint", &endpoint]].concat())
    };
    let said = run("CreateStream", &["stream", "create", "a", "--retention", "48"]);
    assert_eq!(said, "stream a is ACTIVE with 1 open shards\n");
    assert_eq!(json(&server, &["stream", "describe", "a"])["retentionHours"], 48);
    assert_eq!(run("DeleteStream", &["stream", "delete", "a"]), "stream a is gone\n");
}
