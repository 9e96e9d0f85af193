//! A server whose every word would drive the terminal of whoever calls it.

use crate::support::millweir;
use serde_json::json;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};

const WORDS: &str = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31mevil\u{202e}\u{2066}\r\nfake: line";

fn serve() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || answer_all(&stream));
        }
    });
    address
}

/// Answers requests until the client is gone.
fn answer_all(stream: &TcpStream) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut target, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
            let line = line.trim_end().to_ascii_lowercase();
            match line.split_once(": ") {
                Some(("x-amz-target", value)) => value.clone_into(&mut target),
                Some(("content-length", value)) => length = value.parse().unwrap(),
                _ => {}
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let (status, body) = answer(&target);
        let body = body.to_string();
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/x-amz-json-1.1\r\n\
             content-length: {}\r\n\r\n",
            body.len()
        );
        let mut writer = stream;
        writer.write_all((head + &body).as_bytes()).ok()?;
    }
}

fn answer(target: &str) -> (u16, serde_json::Value) {
    match target.rsplit('.').next() {
        Some("liststreams") => {
            let summary =
                json!({"StreamName": WORDS, "StreamARN": WORDS, "StreamStatus": "ACTIVE"});
            let names = [WORDS];
            (
                200,
                json!({"HasMoreStreams": false, "StreamNames": names, "StreamSummaries": [summary]}),
            )
        }
        Some("putrecord" | "putrecords") => {
            let placed = json!({"ShardId": WORDS, "SequenceNumber": WORDS});
            (
                200,
                json!({"Records": [placed], "FailedRecordCount": 0, "ShardId": WORDS,
                         "SequenceNumber": WORDS}),
            )
        }
        Some("describestreamsummary") => {
            (400, json!({"__type": format!("X{WORDS}"), "message": WORDS}))
        }
        _ => (400, json!({"__type": "ValidationException", "message": WORDS})),
    }
}

#[test]
fn what_a_server_says_does_not_drive_the_terminal() {
    let (endpoint, dir) = (format!("http://{}", serve()), tempfile::tempdir().unwrap());
    for args in [
        &["stream", "list"][..],
        &["stream", "list", "--output", "json"],
        &["stream", "list", "--output", "text"],
        &["stream", "describe", "x"],
        &["stream", "create", "x"],
        &["stream", "delete", "x"],
        &["put", "x", "hello"],
        &["put", "x", "hello", "--output", "json"],
        &["put", "x", "hello", "--output", "text"],
        &["tail", "x"],
    ] {
        let mut command = millweir(dir.path());
        let output = command.args(args).env("AWS_ENDPOINT_URL_KINESIS", &endpoint).output();
        let output = output.unwrap();
        for said in [&output.stdout, &output.stderr] {
            let said = String::from_utf8(said.clone()).unwrap();
            let drives = |c: char| {
                c.is_control() && !matches!(c, '\n' | '\t')
                    || ('\u{202a}'..='\u{2069}').contains(&c)
            };
            assert!(!said.contains(drives), "{args:?}: {said:?}");
            assert!(!said.lines().any(|line| line.starts_with("fake")), "{args:?}: {said}");
        }
        let all = [output.stdout, output.stderr].concat();
        assert!(String::from_utf8_lossy(&all).contains("evil"), "{args:?}: {all:?}");
    }
}
