//! A server of set answers, for tests of what a reader asks next.

use bytes::Bytes;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, sync_channel};

/// The status of an answer that never comes: the connection is cut.
pub(super) const CUT: u16 = 0;

/// A server that gives these answers, one per connection; gives the requests it was sent so far:
/// the operation and the body.
pub(super) fn serve(answers: Vec<(u16, Bytes)>) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (requests, sent_so_far) = sync_channel(answers.len());
    let answer = move |(status, body): (u16, Bytes)| {
        let mut socket = BufReader::new(listener.accept().unwrap().0);
        let (mut line, mut length, mut sent) = (String::new(), 0, String::new());
        while line != "\r\n" {
            line.clear();
            socket.read_line(&mut line).unwrap();
            match line.trim().split_once(": ") {
                Some(("content-length", text)) => length = text.parse().unwrap(),
                Some(("x-amz-target", text)) => sent = text.split('.').skip(1).collect(),
                _ => {}
            }
        }
        sent.push(' ');
        socket.by_ref().take(length).read_to_string(&mut sent).unwrap();
        requests.send(sent).unwrap();
        if status == CUT {
            return;
        }
        let (head, length) = (format!("HTTP/1.1 {status} x\r\nconnection: close"), body.len());
        write!(socket.get_mut(), "{head}\r\ncontent-length: {length}\r\n\r\n").unwrap();
        socket.get_mut().write_all(&body).unwrap();
    };
    std::thread::spawn(move || answers.into_iter().for_each(answer));
    (endpoint, sent_so_far)
}

/// The time that a request asks to read from, in milliseconds.
pub(super) fn sent_ms(request: &str) -> i64 {
    let seconds = request.split("\"Timestamp\":").nth(1).unwrap();
    let seconds: f64 = seconds.split([',', '}']).next().unwrap().parse().unwrap();
    (seconds * 1000.0).round() as i64
}
