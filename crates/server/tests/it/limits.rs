//! What is slow, large or too much.

use crate::support::{
    Raw, Running, SMALL_BYTES_MAX, call, headers, impatient, options, post, render, start,
    start_in, start_with,
};
use base::Env;
use base::env::{Clock, Sleep};
use server::{Limits, Options, system_env};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wire::sigv4::Keyring;

fn hurried() -> Options {
    Options { limits: impatient(), ..options() }
}

#[tokio::test]
async fn a_client_that_says_nothing_is_let_go() {
    let server = start(hurried());
    assert_eq!(Raw::connect(server.address).await.rest().await, b"");
}

#[tokio::test]
async fn a_connection_in_store_may_say_nothing_yet() {
    let limits = Limits { idle_timeout: Duration::from_mins(1), ..impatient() };
    let server = start(Options { limits, ..options() });
    let mut stored = Raw::connect(server.address).await;
    for _ in 0..2 {
        let mut half = Raw::connect(server.address).await;
        half.send("P").await;
        assert_eq!(half.rest().await, b"", "the time for a head has passed");
    }
    assert_eq!(stored.call("Echo", "{}").await.status, 200);
}

#[tokio::test]
async fn half_a_head_is_not_waited_for() {
    let server = start(hurried());
    let mut fresh = Raw::connect(server.address).await;
    fresh.send("POST / HTTP/1.1\r\nhost:").await;
    assert_eq!(fresh.rest().await, b"");
    let mut kept = Raw::connect(server.address).await;
    assert_eq!(kept.call("Echo", "{}").await.status, 200);
    kept.send("POST / HTTP/1.1\r\nhost:").await;
    assert_eq!(kept.rest().await, b"");
}

/// Also when it came together with the request before.
#[tokio::test]
async fn half_a_head_behind_a_request_is_not_waited_for() {
    let limits = Limits { idle_timeout: Duration::from_mins(1), ..impatient() };
    let server = start(Options { limits, ..options() });
    let mut client = Raw::connect(server.address).await;
    client.send(post("Echo", "{}") + "POST / HTTP/1.1\r\nHost: lo").await;
    assert_eq!(client.reply().await.status, 200);
    assert!(client.rest().await.is_empty(), "it is closed long before the minute");
}

#[tokio::test]
async fn dripping_a_head_does_not_help() {
    let server = start(Options {
        // Only the head's own time-out can end this.
        limits: Limits { idle_timeout: Duration::from_mins(1), ..impatient() },
        ..options()
    });
    let mut client = Raw::connect(server.address).await;
    client.send("POST / HTTP/1.1\r\nx:").await;
    let (mut reading, mut writing) = tokio::io::split(client.stream);
    let drip = async {
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        loop {
            tick.tick().await;
            if tokio::io::AsyncWriteExt::write_all(&mut writing, b"y").await.is_err() {
                return;
            }
        }
    };
    let mut rest = Vec::new();
    tokio::select! {
        end = tokio::io::AsyncReadExt::read_to_end(&mut reading, &mut rest) => drop(end),
        () = drip => {}
    }
    assert_eq!(rest, b"");
}

#[tokio::test]
async fn half_a_body_is_answered_after_a_while() {
    let server = start(hurried());
    let mut client = Raw::connect(server.address).await;
    let request = post("Echo", "{\"a\":1}");
    client.send(&request.as_bytes()[..request.len() - 3]).await;
    let reply = client.reply().await;
    assert_eq!(reply.status, 408);
    assert!(reply.text().contains("RequestTimeoutException"), "{}", reply.text());
    assert_eq!(client.rest().await, b"", "the connection ends: its next byte has no meaning");
    assert_eq!(server.service.calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_body_that_ends_early_reaches_nobody() {
    let server = start(options());
    let mut client = Raw::connect(server.address).await;
    let request = post("Echo", "{\"a\":1}");
    client.send(&request.as_bytes()[..request.len() - 3]).await;
    drop(client);
    assert_eq!(call(server.address, "Echo", "{}").await.status, 200);
    assert_eq!(server.service.calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn idle_connections_are_closed_and_busy_ones_are_not() {
    let server = start(hurried());
    let mut waiting = Raw::connect(server.address).await;
    waiting.send(post("Wait", "{}")).await;
    let mut idle = Raw::connect(server.address).await;
    assert_eq!(idle.call("Echo", "{}").await.status, 200);
    assert_eq!(idle.rest().await, b"");
    // The other one was silent for as long, but waits for us.
    server.service.gate.add_permits(1);
    assert_eq!(waiting.reply().await.status, 200);
}

#[tokio::test]
async fn idle_http2_connections_are_told_to_go() {
    let server = start(hurried());
    let (mut client, connection) = crate::http2::connect(&server).await;
    let reply = client.send_request(crate::http2::request("Echo", "{}")).await.unwrap();
    assert_eq!(reply.status(), 200);
    drop(reply);
    connection.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_reader_that_takes_nothing_is_cut() {
    let server = start(hurried());
    let mut client = Raw::connect(server.address).await;
    client.send(post("Events", "{}")).await;
    client.head().await;
    let frame = bytes::Bytes::from(vec![0; 1 << 20]);
    let feed = async { while server.service.frames.send(frame.clone()).await.is_ok() {} };
    tokio::select! {
        () = server.service.dropped.notified() => {}
        () = feed => {}
    }
}

#[tokio::test]
async fn large_bodies_are_refused_and_read_over() {
    let server = start(options());
    let mut client = Raw::connect(server.address).await;
    let fits = "x".repeat(SMALL_BYTES_MAX);
    assert_eq!(client.call("Small", &fits).await.status, 200);
    let large = "x".repeat(1_000_000);
    let reply = client.call("Small", &large).await;
    assert_eq!(reply.status, 413);
    assert_eq!(
        reply.text(),
        "{\"__type\":\"RequestEntityTooLargeException\",\
         \"message\":\"the request body is larger than 16 bytes\"}"
    );
    assert!(reply.header("x-amzn-requestid").is_some());
    // The body was read over: the connection goes on.
    assert_eq!(client.call("Small", &fits).await.status, 200);
    let chunked = post("Small", "").replace("content-length: 0", "transfer-encoding: chunked");
    client.send(format!("{chunked}11\r\n{}\r\n0\r\n\r\n", "x".repeat(17))).await;
    assert_eq!(client.reply().await.status, 413);
    assert_eq!(server.service.calls.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_length_beyond_reason_is_refused_at_once() {
    let server = start(options());
    let mut client = Raw::connect(server.address).await;
    let request = post("Echo", "").replace("content-length: 0", "content-length: 99999999999999");
    client.send(request).await;
    assert_eq!(client.reply().await.status, 413);
}

#[tokio::test]
async fn heads_have_a_size() {
    let server = start(options());
    let mut headers = headers("Echo");
    headers.push(("x".to_owned(), "y".repeat(70_000)));
    let mut client = Raw::connect(server.address).await;
    client.send(render(&headers, "{}")).await;
    let rest = String::from_utf8(client.rest().await).unwrap();
    assert!(rest.starts_with("HTTP/1.1 431 "), "{rest}");
    let mut many = crate::support::headers("Echo");
    many.extend((0..200).map(|n| (format!("x{n}"), "y".to_owned())));
    let mut client = Raw::connect(server.address).await;
    client.send(render(&many, "{}")).await;
    let rest = String::from_utf8(client.rest().await).unwrap();
    assert!(rest.starts_with("HTTP/1.1 431 "), "{rest}");
}

/// A request that waits to be told before it sends its body of `length` bytes.
pub(crate) fn expecting(operation: &str, length: usize) -> String {
    let head = post(operation, "").replace("content-length: 0", "expect: 100-continue");
    head.replacen("\r\n", &format!("\r\ncontent-length: {length}\r\n"), 1)
}

#[tokio::test]
async fn a_body_may_not_crawl_above_the_floor() {
    let server = start(hurried());
    let mut client = Raw::connect(server.address).await;
    let request = post("Echo", &"x".repeat(60 << 10));
    let (mut reading, mut writing) = tokio::io::split(&mut client.stream);
    let crawl = async {
        let mut tick = tokio::time::interval(Duration::from_millis(60));
        for piece in request.as_bytes().chunks(17 << 10) {
            tick.tick().await;
            drop(writing.write_all(piece).await);
        }
    };
    let mut reply = Vec::new();
    tokio::join!(crawl, async { drop(reading.read_to_end(&mut reply).await) });
    assert!(reply.starts_with(b"HTTP/1.1 408 "), "{}", String::from_utf8_lossy(&reply));
}

/// Sends a head that waits to be told; it must be answered without its body and the connection end.
async fn check_refused_at_once(server: &Running, request: String, want: &str) {
    let mut client = Raw::connect(server.address).await;
    client.send(request).await;
    let reply = client.reply().await;
    assert!(reply.text().contains(want), "{}", reply.text());
    assert_eq!(reply.header("connection"), Some("close"));
    assert_eq!(client.rest().await, b"");
}

#[tokio::test]
async fn a_body_that_is_not_wanted_is_not_asked_for() {
    let server = start(options());
    let request = expecting("Echo", 1000);
    let unsigned = request.replace("authorization", "x-other");
    check_refused_at_once(&server, unsigned, "MissingAuthenticationTokenException").await;
    let unknown = request.replace(".Echo", ".Nothing");
    check_refused_at_once(&server, unknown, "UnknownOperationException").await;
    let large = expecting("Small", SMALL_BYTES_MAX + 1);
    check_refused_at_once(&server, large, "RequestEntityTooLargeException").await;
}

#[tokio::test]
async fn the_head_of_a_required_signature_is_checked_first() {
    let server = start_with(crate::auth::required(), crate::auth::keys(None), |server| server);
    check_refused_at_once(&server, expecting("Who", 2), "Signature expired").await;
}

/// Asks for large answers for ever, one behind the other, and reads none; ends when it is cut.
pub(crate) async fn ask_without_reading(address: SocketAddr) {
    let mut client = Raw::connect(address).await;
    let request = post("Echo", &"x".repeat(1 << 20));
    while client.stream.write_all(request.as_bytes()).await.is_ok() {}
}

#[tokio::test]
async fn a_client_that_takes_no_answer_is_cut() {
    let server = start(hurried());
    ask_without_reading(server.address).await;
}

/// A clock that counts the sleeps it was asked for.
struct Counting(Arc<dyn Clock>, AtomicUsize);

impl Clock for Counting {
    fn now_ms(&self) -> i64 {
        self.0.now_ms()
    }

    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.sleep(duration)
    }
}

#[tokio::test]
async fn small_requests_cost_no_timer() {
    let env = system_env();
    let clock = Arc::new(Counting(Arc::clone(&env.clock), AtomicUsize::new(0)));
    let env = Env { clock: Arc::clone(&clock) as _, ..env };
    let server = start_in(env, options(), Keyring::default(), |server| server);
    let mut client = Raw::connect(server.address).await;
    assert_eq!(client.call("Echo", "{}").await.status, 200);
    let before = clock.1.load(Ordering::SeqCst);
    for _ in 0..100 {
        assert_eq!(client.call("Echo", &"x".repeat(1024)).await.status, 200);
    }
    // The connection's own tick may pass meanwhile.
    let made = clock.1.load(Ordering::SeqCst) - before;
    assert!(made < 10, "{made} timers for 100 requests");
}
