//! What a connection costs on which nothing is said.

use crate::support::{Running, STOP_MAX};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// Connections that come together.
const CONNECTIONS: usize = 300;
const TURNS_MAX: usize = 8;
/// A third of what a connection kept that had brought one large body.
const BYTES_EACH_MAX: u64 = 32 << 10;

/// Memory that is free stays with the program for a while, so those that come later count: they
/// find what the earlier ones gave back, in one turn or another.
#[test]
fn an_idle_connection_keeps_nothing_of_a_large_body() {
    let dir = tempfile::tempdir().unwrap();
    let server =
        Running::start_after("export MILLWEIR__SERVER__HEADER_TIMEOUT=1s", dir, &["--memory"]);
    let body =
        format!(r#"{{"ExclusiveStartStreamName":"a","Unknown":"{}"}}"#, "x".repeat(700 << 10));
    let request = format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-amz-json-1.1\r\n\
         x-amz-target: Kinesis_20131202.ListStreams\r\nx-amz-date: 20260101T000000Z\r\n\
         authorization: AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/kinesis/aws4_request, \
         SignedHeaders=host, Signature={:064}\r\ncontent-length: {}\r\n\r\n{body}",
        0,
        body.len()
    );
    let mut idle = Vec::new();
    let mut kept = Vec::new();
    for _ in 0..TURNS_MAX {
        let before = server.resident_bytes();
        idle.extend((0..CONNECTIONS).map(|_| asked(&server, &request)));
        // The server looks twice a second, and at the second look they have been idle.
        std::thread::sleep(Duration::from_secs(4));
        kept.push(server.resident_bytes().saturating_sub(before) / CONNECTIONS as u64);
        if kept.len() > 1 && kept.last().is_some_and(|bytes| *bytes <= BYTES_EACH_MAX) {
            return;
        }
    }
    panic!("{kept:?} bytes each");
}

/// A connection on which this was asked and answered.
fn asked(server: &Running, request: &str) -> TcpStream {
    let mut socket = TcpStream::connect(server.address()).unwrap();
    socket.set_read_timeout(Some(STOP_MAX)).unwrap();
    socket.write_all(request.as_bytes()).unwrap();
    let mut answer = [0; 2048];
    let read = socket.read(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer[..read]));
    socket
}
