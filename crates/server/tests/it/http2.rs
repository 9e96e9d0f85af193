//! HTTP/2 with prior knowledge on the plain port.

use crate::support::{Running, headers, impatient, memory_comes, options, start};
use bytes::Bytes;
use futures_util::stream;
use http::{Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Incoming;
use hyper::client::conn::http2::{Builder, SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use server::{Limits, Options};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

pub(crate) type Client = SendRequest<Full<Bytes>>;

/// Speaks HTTP/2 on a stream; the task ends with the connection.
pub(crate) async fn speak<S>(stream: S) -> (Client, tokio::task::JoinHandle<hyper::Result<()>>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (client, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    (client, tokio::spawn(connection))
}

pub(crate) async fn connect(
    server: &Running,
) -> (Client, tokio::task::JoinHandle<hyper::Result<()>>) {
    speak(TcpStream::connect(server.address).await.unwrap()).await
}

pub(crate) fn request(operation: &str, body: &str) -> Request<Full<Bytes>> {
    let mut request = Request::post("http://localhost/").version(Version::HTTP_2);
    for (name, value) in headers(operation).into_iter().filter(|(name, _)| name != "host") {
        request = request.header(name, value);
    }
    request.body(Full::new(Bytes::copy_from_slice(body.as_bytes()))).unwrap()
}

pub(crate) async fn text(reply: Response<Incoming>) -> String {
    String::from_utf8(reply.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn many_requests_share_a_connection() {
    let server = start(options());
    let (mut client, _connection) = connect(&server).await;
    let waiting = client.send_request(request("Wait", "\"slow\""));
    let waiting = tokio::spawn(waiting);
    let _arrived = server.service.waiting.acquire().await.unwrap();
    let large = "x".repeat(300_000);
    let reply = client.send_request(request("Echo", &large)).await.unwrap();
    assert_eq!((reply.status(), reply.version()), (StatusCode::OK, Version::HTTP_2));
    assert!(reply.headers().contains_key("x-amzn-requestid"));
    assert!(reply.headers().contains_key("date"));
    assert_eq!(text(reply).await, large);
    let reply = client.send_request(request("Long", &large)).await.unwrap();
    let want = format!("{{\"Data\":\"{}\"}}", "eHh4".repeat(large.len() / 3));
    assert_eq!(reply.headers()["content-length"], want.len().to_string().as_str());
    assert_eq!(text(reply).await, want);
    server.service.gate.add_permits(1);
    assert_eq!(text(waiting.await.unwrap().unwrap()).await, "\"slow\"");
}

#[tokio::test]
async fn event_frames_arrive_one_by_one_and_end_with_the_client() {
    let server = start(options());
    let (mut client, _connection) = connect(&server).await;
    let reply = client.send_request(request("Events", "{}")).await.unwrap();
    assert_eq!(reply.headers()["content-type"], "application/vnd.amazon.eventstream");
    let mut body = reply.into_body();
    for frame in ["one", "two"] {
        server.service.frames.send(frame.into()).await.unwrap();
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), frame);
    }
    drop(body);
    server.service.dropped.notified().await;
    let reply = client.send_request(request("Echo", "{}")).await.unwrap();
    assert_eq!(reply.status(), StatusCode::OK);
}

#[tokio::test]
async fn errors_and_panics_leave_the_connection_alone() {
    let server = start(options());
    let (mut client, _connection) = connect(&server).await;
    for (operation, status) in [("Refuse", 400), ("Panic", 500), ("Nothing", 400), ("Echo", 200)] {
        let reply = client.send_request(request(operation, "{}")).await.unwrap();
        assert_eq!(reply.status(), status, "{operation}");
    }
    let large = "x".repeat(100);
    let reply = client.send_request(request("Small", &large)).await.unwrap();
    assert_eq!(reply.status(), 413);
}

#[tokio::test]
async fn a_request_has_a_bounded_number_of_headers() {
    let server = start(options());
    let (mut client, _connection) = connect(&server).await;
    for (extra, status) in [(90, 200), (100, 431)] {
        let mut request = request("Echo", "{}");
        for n in 0..extra {
            let name = http::HeaderName::try_from(format!("x{n}")).unwrap();
            request.headers_mut().insert(name, http::HeaderValue::from_static(""));
        }
        let reply = client.send_request(request).await.unwrap();
        assert_eq!(reply.status(), status);
    }
    let mut request = request("Echo", "{}");
    request.headers_mut().insert("x", "y".repeat(17_000).parse().unwrap());
    match client.send_request(request).await {
        Ok(reply) => assert_eq!(reply.status(), 431),
        // The client may have learnt the bound from the settings.
        Err(error) => assert!(error.is_user(), "{error}"),
    }
}

#[tokio::test]
async fn a_refusal_waits_for_no_body() {
    let server = start(options());
    let stream = TokioIo::new(TcpStream::connect(server.address).await.unwrap());
    let (mut client, connection) = handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    let (mut head, _) = request("Echo", "").into_parts();
    head.headers.remove("authorization");
    let never = stream::pending::<Result<http_body::Frame<Bytes>, std::io::Error>>();
    let request = Request::from_parts(head, StreamBody::new(never));
    let reply = client.send_request(request).await.unwrap();
    assert_eq!(reply.status(), StatusCode::BAD_REQUEST);
    let said = text(reply).await;
    assert!(said.contains("MissingAuthenticationTokenException"), "{said}");
}

/// A client that lets one byte of each answer in, until somebody reads the answer.
async fn connect_narrow(server: &Running) -> Client {
    let stream = TokioIo::new(TcpStream::connect(server.address).await.unwrap());
    let mut builder = Builder::new(TokioExecutor::new());
    let (client, connection) =
        builder.initial_stream_window_size(1).handshake(stream).await.unwrap();
    tokio::spawn(connection);
    client
}

#[tokio::test]
async fn a_stream_that_nobody_pulls_is_reset_though_others_move() {
    let server = start(Options { limits: impatient(), ..options() });
    let mut client = connect_narrow(&server).await;
    let _events = client.send_request(request("Events", "{}")).await.unwrap();
    let feed = async { while server.service.frames.send("frame".into()).await.is_ok() {} };
    let others = async {
        loop {
            let reply = client.send_request(request("Empty", "{}")).await.unwrap();
            assert_eq!(reply.status(), StatusCode::OK);
        }
    };
    tokio::select! {
        () = server.service.dropped.notified() => {}
        () = async { tokio::join!(feed, others); } => {}
    }
}

#[tokio::test]
async fn a_stream_that_waits_for_us_is_kept() {
    let server = start(Options { limits: impatient(), ..options() });
    let (mut client, _connection) = connect(&server).await;
    let mut events = client.send_request(request("Events", "{}")).await.unwrap().into_body();
    // Another connection is idle for as long and goes meanwhile.
    let (_idle, gone) = connect(&server).await;
    gone.await.unwrap().unwrap();
    server.service.frames.send("late".into()).await.unwrap();
    assert_eq!(events.frame().await.unwrap().unwrap().into_data().unwrap(), "late");
}

#[tokio::test]
async fn answers_left_in_a_connection_keep_their_room() {
    for (operation, status) in [("Echo", 200), ("Long", 200), ("Complain", 400)] {
        let body_timeout = Duration::from_mins(1);
        let limits = Limits { memory_bytes_max: 1 << 20, body_timeout, ..impatient() };
        let limits = Limits { room_timeout: Duration::ZERO, ..limits };
        let server = start(Options { limits, ..options() });
        let mut client = connect_narrow(&server).await;
        let large = "x".repeat(200 << 10);
        let first = client.send_request(request(operation, &large)).await.unwrap();
        assert_eq!(first.status(), status);
        let second = client.send_request(request(operation, &large)).await.unwrap();
        assert_eq!(second.status(), 503);
        // What nobody takes is thrown away, and the room comes back while the client goes on.
        memory_comes(&server, |bytes| bytes < 64 << 10).await;
        let third = client.send_request(request(operation, &large)).await.unwrap();
        assert_eq!(third.status(), status);
        drop(first);
    }
}

#[tokio::test]
async fn pages_left_in_a_connection_keep_their_room() {
    let limits = Limits { memory_bytes_max: 1 << 20, ..impatient() };
    let server = start(Options { limits, ..options() });
    let mut client = connect_narrow(&server).await;
    let mut left = Vec::new();
    let refused = loop {
        let page = Request::get("http://localhost/livez").body(Full::default()).unwrap();
        let reply = client.send_request(page).await.unwrap();
        if reply.status() != StatusCode::OK {
            break reply;
        }
        left.push(reply);
        assert!(left.len() < 150, "they take no room");
    };
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(text(refused).await, "");
    drop(left);
}
