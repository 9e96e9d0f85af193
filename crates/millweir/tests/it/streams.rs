//! `stream create|list|describe|delete|reshard`.

use crate::support::Running;
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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

/// A way to the server that cuts the connection over the first request of this operation, once the
/// server would refuse to do it again.
fn cutting(server: SocketAddr, operation: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let cut = Arc::new(AtomicBool::new(false));
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let cut = cut.clone();
            std::thread::spawn(move || relay(socket.unwrap(), server, (operation, &cut)));
        }
    });
    endpoint
}

fn relay(socket: TcpStream, server: SocketAddr, (operation, cut): (&str, &AtomicBool)) {
    let mut socket = BufReader::new(socket);
    let mut server = BufReader::new(TcpStream::connect(server).unwrap());
    while let Some(request) = message(&mut socket) {
        let mut ask = || {
            server.get_mut().write_all(&request).unwrap();
            message(&mut server).unwrap()
        };
        let mut answer = ask();
        if String::from_utf8_lossy(&request).contains(&format!(".{operation}\r\n"))
            && !cut.swap(true, Ordering::Relaxed)
        {
            while answer.starts_with(b"HTTP/1.1 200") {
                answer = ask();
            }
            return;
        }
        socket.get_mut().write_all(&answer).unwrap();
    }
}

/// A request or an answer, head and body; nothing at the end of the connection.
fn message(from: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let (mut head, mut length) = (String::new(), 0);
    while !head.ends_with("\r\n\r\n") {
        let start = head.len();
        if from.read_line(&mut head).ok()? == 0 {
            return None;
        }
        let line = head.get(start..)?.to_ascii_lowercase();
        if let Some(text) = line.strip_prefix("content-length:") {
            length = text.trim().parse().unwrap();
        }
    }
    let mut whole = head.into_bytes();
    from.take(length).read_to_end(&mut whole).unwrap();
    Some(whole)
}

#[test]
fn what_a_cut_connection_did_is_done() {
    let server = Running::start(&["--memory"]);
    let run = |operation: &'static str, args: &[&str]| {
        let endpoint = cutting(server.address(), operation);
        server.run(&[args, &["--endpoint", &endpoint]].concat())
    };
    let said = run("CreateStream", &["stream", "create", "a", "--retention", "48"]);
    assert_eq!(said, "stream a is ACTIVE with 1 open shards\n");
    assert_eq!(json(&server, &["stream", "describe", "a"])["retentionHours"], 48);
    assert_eq!(run("DeleteStream", &["stream", "delete", "a"]), "stream a is gone\n");
}
