//! How a server ends.

use crate::support::{Raw, impatient, options, post, start};
use http_body_util::BodyExt;
use server::Options;
use tokio::net::TcpStream;

#[tokio::test]
async fn event_streams_end_cleanly() {
    let mut server = start(options());
    let mut client = Raw::connect(server.address).await;
    client.send(post("Events", "{}")).await;
    client.head().await;
    server.service.frames.send("one".into()).await.unwrap();
    assert_eq!(client.chunk().await, b"one");
    server.stop().await.unwrap();
    assert_eq!(client.rest().await, b"0\r\n\r\n");
}

#[tokio::test]
async fn event_streams_end_cleanly_over_http2() {
    let mut server = start(options());
    let (mut client, connection) = crate::http2::connect(&server).await;
    let reply = client.send_request(crate::http2::request("Events", "{}")).await.unwrap();
    let mut body = reply.into_body();
    server.service.frames.send("one".into()).await.unwrap();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "one");
    let stopped = server.stop();
    let rest = body.collect().await.expect("the stream ends, it does not break");
    assert_eq!(rest.to_bytes(), "");
    stopped.await.unwrap();
    // A GOAWAY without error is what ends a connection cleanly.
    connection.await.unwrap().unwrap();
}

#[tokio::test]
async fn requests_in_flight_are_answered_and_new_connections_refused() {
    let mut server = start(options());
    let mut idle = Raw::connect(server.address).await;
    assert_eq!(idle.call("Echo", "{}").await.status, 200);
    let mut busy = Raw::connect(server.address).await;
    busy.send(post("Wait", "{}")).await;
    server.service.waiting.acquire().await.unwrap().forget();
    let (address, service) = (server.address, server.service.clone());
    let stopped = server.stop();
    // Idle connections end at once; by then the port is closed.
    assert_eq!(idle.rest().await, b"");
    assert!(TcpStream::connect(address).await.is_err());
    service.gate.add_permits(1);
    assert_eq!(busy.reply().await.status, 200);
    assert_eq!(busy.rest().await, b"");
    stopped.await.unwrap();
}

#[tokio::test]
async fn what_does_not_end_in_time_is_cut() {
    let mut server = start(Options { limits: impatient(), ..options() });
    let mut stuck = Raw::connect(server.address).await;
    stuck.send(post("Wait", "{}")).await;
    server.service.waiting.acquire().await.unwrap().forget();
    server.stop().await.unwrap();
    assert_eq!(stuck.rest().await, b"");
}
