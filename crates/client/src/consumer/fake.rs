//! A server of set answers, for tests of what a reader asks next.

use bytes::Bytes;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::thread::JoinHandle;

/// A server that gives these answers, one per connection; gives the bodies it was sent.
pub(super) fn serve(answers: Vec<(u16, Bytes)>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let answer = move |(status, body): (u16, Bytes)| {
        let mut socket = BufReader::new(listener.accept().unwrap().0);
        let (mut line, mut length) = (String::new(), 0);
        while line != "\r\n" {
            line.clear();
            socket.read_line(&mut line).unwrap();
            if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = text.trim().parse().unwrap();
            }
        }
        let mut sent = vec![0; length];
        socket.read_exact(&mut sent).unwrap();
        let (head, length) = (format!("HTTP/1.1 {status} x\r\nconnection: close"), body.len());
        write!(socket.get_mut(), "{head}\r\ncontent-length: {length}\r\n\r\n").unwrap();
        socket.get_mut().write_all(&body).unwrap();
        String::from_utf8(sent).unwrap()
    };
    (endpoint, std::thread::spawn(move || answers.into_iter().map(answer).collect()))
}

/// The time that a request asks to read from, in milliseconds.
pub(super) fn sent_ms(request: &str) -> i64 {
    let seconds = request.split("\"Timestamp\":").nth(1).unwrap();
    let seconds: f64 = seconds.split([',', '}']).next().unwrap().parse().unwrap();
    (seconds * 1000.0).round() as i64
}
