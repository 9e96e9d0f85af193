//! Pages beside the services, and on a port of their own.

use crate::streaming::start_with;
use futures_util::StreamExt;
use http::request::Parts as Head;
use server::{Site, Visit, text};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wire::{Answer, BoxFuture, Content, Payload};

/// A guest book: `/book` takes 16 bytes, `/stream` gives back what comes, `/panic` fails.
struct Book;

impl Site for Book {
    fn has(&self, head: &Head) -> bool {
        matches!(head.uri.path(), "/book" | "/stream" | "/panic")
    }

    fn gate(&self, head: &Head, peer: IpAddr) -> Result<(), Answer> {
        assert!(peer.is_loopback());
        if head.headers.contains_key("x-guest") { Ok(()) } else { Err(text(401, "who?\n")) }
    }

    fn body_bytes_max(&self, head: &Head) -> Option<usize> {
        (head.uri.path() != "/stream").then_some(16)
    }

    fn page(&self, visit: Visit) -> BoxFuture<'_, Answer> {
        Box::pin(async move {
            assert!(!visit.is_tls);
            match visit.body {
                _ if visit.head.uri.path() == "/panic" => panic!("as asked"),
                Payload::Stream(pieces) => Answer::of(Content::Stream(pieces.boxed())),
                body => text(200, [b"got ", &*body.whole().unwrap()].concat()),
            }
        })
    }
}

async fn ask(address: SocketAddr, line: &str, body: &str) -> String {
    let length = body.len();
    let request = format!(
        "{line} HTTP/1.1\r\nHost: localhost\r\nX-Guest: 1\r\nConnection: close\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    send(address, &request).await
}

async fn send(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_take_bodies_and_have_a_gate() {
    for with_services in [false, true] {
        let running = start_with(with_services, |server| server.with_site(Arc::new(Book)));
        let check = async |line: &str, body: &str, status: &str, want: &str| {
            let got = ask(running.address, line, body).await;
            assert!(got.starts_with(&format!("HTTP/1.1 {status}")), "{line}: {got}");
            assert!(got.contains(want), "{line}: {got}");
        };
        check("GET /book", "", "200", "got ").await;
        check("POST /book", "hello", "200", "got hello").await;
        check("POST /book", "more than sixteen", "413", "larger than 16 bytes").await;
        check("POST /stream", "more than sixteen", "200", "more than sixteen").await;
        check("POST /panic", "", "500", "internal error").await;
        check("GET /livez", "", "200", "ok\n").await;
        let nothing = if with_services { "403" } else { "404" };
        check("GET /nothing", "", nothing, "").await;
        let stranger = "GET /book HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        let got = send(running.address, stranger).await;
        assert!(got.starts_with("HTTP/1.1 401"), "{got}");
        assert!(got.contains("content-type: text/plain; charset=utf-8"), "{got}");
        assert!(got.ends_with("who?\n"), "{got}");
    }
}
