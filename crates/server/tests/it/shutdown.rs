//! How a server ends.

use crate::support::{Raw, Running, impatient, options, post, start};
use http_body_util::BodyExt;
use server::{Options, system_env};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

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

#[tokio::test]
async fn a_blocked_thread_does_not_keep_the_server() {
    let mut server = start(Options { limits: impatient(), ..options() });
    let mut stuck = Raw::connect(server.address).await;
    stuck.send(post("Block", "{}")).await;
    server.service.waiting.acquire().await.unwrap().forget();
    server.threads[0].set_blocked(true);
    let service = server.service.clone();
    let stopped = timeout(Duration::from_secs(10), server.stop()).await;
    service.thread_gate.wait();
    stopped.expect("the stop waits for the thread").unwrap();
}

/// What a connection counts for is given back, whatever its end.
#[tokio::test]
async fn ended_connections_leave_their_loops() {
    let server = start(options());
    let alone = |server: &Running| server.threads.iter().filter(|t| t.may_block()).count();
    let (mut client, connection) = crate::http2::connect(&server).await;
    client.send_request(crate::http2::request("Echo", "{}")).await.unwrap();
    let mut one = Raw::connect(server.address).await;
    assert_eq!(one.call("Echo", "{}").await.status, 200);
    // The HTTP/2 connection counts twice, so its loop may not block.
    assert_eq!(alone(&server), 1);
    let mut other = Raw::connect(server.address).await;
    assert_eq!(other.call("Echo", "{}").await.status, 200);
    assert_eq!(alone(&server), 0);
    other.send(post("Panic", "{}")).await;
    other.reply().await;
    drop((client, one, other));
    connection.await.unwrap().unwrap();
    let clock = system_env().clock;
    for _ in 0..1000 {
        if alone(&server) == 2 {
            return;
        }
        clock.sleep(Duration::from_millis(5)).await;
    }
    panic!("connections are gone and still count");
}
