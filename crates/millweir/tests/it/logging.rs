//! What clients can do to the log, and the log to clients.

use crate::support::{Running, STOP_MAX, millweir};
use client::system_env;
use rustix::process::Signal;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;

/// A pipe takes 64 KiB; each of the requests writes more than 100 bytes.
const REQUESTS: usize = 3000;

#[test]
fn a_log_that_nobody_reads_stops_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = millweir(dir.path())
        .args(["serve", "--listen", "127.0.0.1:0", "--memory", "--log-level", "debug"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut listening = String::new();
    stdout.read_line(&mut listening).unwrap();
    let mut socket = TcpStream::connect(listening.trim().split("://").nth(1).unwrap()).unwrap();
    let mut answers = BufReader::new(socket.try_clone().unwrap());
    for n in 0..REQUESTS {
        socket
            .write_all(b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n")
            .unwrap();
        let mut length = 0;
        loop {
            let mut line = String::new();
            answers.read_line(&mut line).unwrap();
            match line.trim_end().to_ascii_lowercase().strip_prefix("content-length: ") {
                Some(bytes) => length = bytes.parse().unwrap(),
                None if line == "\r\n" => break,
                None => assert_ne!(line, "", "request {n} was not answered"),
            }
        }
        answers.read_exact(&mut vec![0; length]).unwrap();
    }
    let clock = system_env().clock;
    crate::support::signal(&child, Signal::TERM);
    assert!(child.wait().unwrap().success());
    assert!(clock.monotonic() < STOP_MAX);
}

#[test]
fn strangers_write_nothing_into_the_log() {
    let mut server = Running::start(&["--memory"]);
    let mut socket = TcpStream::connect(server.address()).unwrap();
    let ping = |flags, text: &[u8; 8]| [&[0, 0, 8, 6, flags, 0, 0, 0, 0], text.as_slice()].concat();
    socket.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").unwrap();
    for _ in 0..100 {
        socket.write_all(&ping(1, b"unasked!")).unwrap();
    }
    socket.write_all(&ping(0, b"all read")).unwrap();
    let (answer, mut read) = (ping(1, b"all read"), Vec::new());
    while !read.ends_with(&answer) {
        let mut byte = [0];
        socket.read_exact(&mut byte).unwrap();
        read.push(byte[0]);
    }
    server.stop();
    let log = server.log_with("stopped");
    assert!(!log.contains("PING"), "{log}");
}
