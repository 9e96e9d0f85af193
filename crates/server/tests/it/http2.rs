//! HTTP/2 with prior knowledge on the plain port.

use crate::support::{Running, headers, options, start};
use bytes::Bytes;
use http::{Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
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
