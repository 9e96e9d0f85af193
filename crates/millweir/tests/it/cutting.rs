//! A way to a server on which connections are cut.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Over which requests of an operation the connection is cut.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The first, once the server would refuse to do it again.
    OnceDone,
    /// The first, before the server sees it.
    OnceUndone,
    /// All of them, before the server sees them.
    Always,
}

/// Gives the address of the way.
pub(crate) fn cutting(server: SocketAddr, operation: &'static str, cut: Cut) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let way = Way { server, operation, cut, seen: Arc::default() };
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let way = way.clone();
            std::thread::spawn(move || way.relay(socket.unwrap()));
        }
    });
    endpoint
}

#[derive(Clone)]
struct Way {
    server: SocketAddr,
    operation: &'static str,
    cut: Cut,
    /// Whether the operation was asked for.
    seen: Arc<AtomicBool>,
}

impl Way {
    fn relay(&self, socket: TcpStream) {
        let mut socket = BufReader::new(socket);
        let mut server = BufReader::new(TcpStream::connect(self.server).unwrap());
        while let Some(request) = message(&mut socket) {
            let mut ask = || {
                server.get_mut().write_all(&request).unwrap();
                message(&mut server).unwrap()
            };
            if self.is_cut(&request) {
                while self.cut == Cut::OnceDone && ask().starts_with(b"HTTP/1.1 200") {}
                return;
            }
            let answer = ask();
            if socket.get_mut().write_all(&answer).is_err() {
                return;
            }
        }
    }

    fn is_cut(&self, request: &[u8]) -> bool {
        let target = format!(".{}\r\n", self.operation);
        String::from_utf8_lossy(request).contains(&target)
            && (!self.seen.swap(true, Ordering::Relaxed) || self.cut == Cut::Always)
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
