//! Connections that break, never come or stay silent, and what the client makes of them.

use crate::script::{Give, config, serve, whole};
use api::kinesis::{DeleteStreamInput, ops};
use client::{Client, Config, Error, ErrorKind, Retry};
use std::net::TcpListener;
use std::time::Duration;

const DONE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

async fn delete(client: &Client, retry: Retry) -> Result<(), Error> {
    client.call_with::<ops::DeleteStream>(&DeleteStreamInput::default(), retry).await
}

/// One attempt that ends so.
async fn check(bytes: &[u8], kind: ErrorKind, text: &str) {
    let (endpoint, _sent) = serve(vec![Give::Cut(bytes.to_vec())]);
    let client = Client::new(config(&endpoint).0).unwrap();
    let e = delete(&client, Retry::NONE).await.unwrap_err();
    let shown = String::from_utf8_lossy(bytes);
    assert_eq!((e.kind(), e.status()), (kind, 0), "{shown}: {e}");
    assert_eq!((e.code(), e.is_transient()), ("Broken", true), "{shown}");
    assert!(e.to_string().starts_with(text), "{shown}: {e}");
}

#[tokio::test]
async fn what_breaks_may_have_been_done() {
    for bytes in ["", "HTTP/1.1 20", "HTTP/1.1 200 OK\r\ncontent-le", "SSH-2.0-x\r\n", "\0\0\0"] {
        check(bytes.as_bytes(), ErrorKind::Broken, "no answer from http://127.0.0.1:").await;
    }
    for bytes in [
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
        "HTTP/1.1 500 x\r\ncontent-length: 999\r\n\r\n{\"__type\":\"X\"}",
    ] {
        check(bytes.as_bytes(), ErrorKind::Broken, "the answer broke off").await;
    }
}

/// A port that nobody listens at.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[tokio::test]
async fn who_is_not_reached_did_nothing() {
    let (config, clock) = config(&nobody());
    let client = Client::new(config).unwrap();
    let e = delete(&client, Retry::default()).await.unwrap_err();
    assert_eq!((e.kind(), e.code(), e.status()), (ErrorKind::Unreachable, "Unreachable", 0));
    assert!(e.is_transient() && !e.tells_done("Unreachable"), "{e}");
    assert_eq!(clock.passed().len(), 3, "asked four times");
    let within = |ms: u64, pause: Duration| {
        (Duration::from_millis(ms / 2)..=Duration::from_millis(ms)).contains(&pause)
    };
    let pauses = clock.passed();
    assert!([50, 100, 200].into_iter().zip(pauses).all(|(ms, pause)| within(ms, pause)));
}

#[tokio::test]
async fn a_broken_call_is_made_again_alike() {
    let cut = || Give::Cut(Vec::new());
    let (endpoint, mut sent) = serve(vec![cut(), cut(), Give::Cut(DONE.into())]);
    let client = Client::new(config(&endpoint).0).unwrap();
    delete(&client, Retry::default()).await.unwrap();
    let mut bodies = Vec::new();
    for _ in 0..3 {
        bodies.push(sent.recv().await.unwrap().unwrap().body);
    }
    assert_eq!(bodies[0], bodies[1]);
    assert_eq!(bodies[0], bodies[2]);
}

/// A refusal tells that it was done already only behind an attempt that broke.
#[tokio::test]
async fn what_a_refusal_tells_of_the_attempt_before() {
    const GONE: &str = "ResourceNotFoundException";
    let refused =
        |status, code: &str| Give::Cut(whole(status, format!(r#"{{"__type":"{code}"}}"#)));
    let cut = || Give::Cut(Vec::new());
    for (gives, want) in [
        (vec![refused(400, GONE)], false),
        (vec![refused(500, "InternalFailureException"), refused(400, GONE)], false),
        (vec![cut(), refused(400, GONE)], true),
        (vec![cut(), refused(503, "X"), refused(400, GONE)], true),
        (vec![refused(503, "X"), cut(), refused(400, GONE)], true),
        (vec![cut(), refused(400, "ResourceInUseException")], false),
    ] {
        let (endpoint, _sent) = serve(gives);
        let client = Client::new(config(&endpoint).0).unwrap();
        let e = delete(&client, Retry::default()).await.unwrap_err();
        assert_eq!((e.kind(), e.tells_done(GONE)), (ErrorKind::Refused, want), "{e:?}");
    }
}

/// Unreadable answers, and refusals that do not pass, are final.
#[tokio::test]
async fn what_is_not_asked_again() {
    const INPUT: api::kinesis::DescribeLimitsInput = api::kinesis::DescribeLimitsInput {};
    for (bytes, kind) in [
        (whole(200, "<html>"), ErrorKind::Malformed),
        (whole(400, r#"{"__type":"ValidationException"}"#), ErrorKind::Refused),
        (whole(404, "<html>"), ErrorKind::Refused),
    ] {
        let (endpoint, _sent) = serve(vec![Give::Cut(bytes)]);
        let (config, clock) = config(&endpoint);
        let client = Client::new(config).unwrap();
        let e = client.call::<ops::DescribeLimits>(&INPUT).await.unwrap_err();
        assert_eq!(e.kind(), kind, "{e}");
        assert_eq!(clock.passed(), [Duration::ZERO; 0], "{e}");
    }
}

#[tokio::test]
async fn silence_ends_with_the_time() {
    for bytes in [
        "",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{",
        "HTTP/1.1 500 x\r\ntransfer-encoding: chunked\r\n\r\n",
    ] {
        let (endpoint, mut sent) = serve(vec![Give::Hold(bytes.into())]);
        let (config, clock) = config(&endpoint);
        let client = Client::new(config).unwrap();
        let waits = client.clone();
        let call = tokio::spawn(async move { delete(&waits, Retry::NONE).await });
        assert!(sent.recv().await.unwrap().is_some());
        assert!(!call.is_finished(), "{bytes}");
        clock.time_out();
        let e = call.await.unwrap().unwrap_err();
        assert_eq!((e.kind(), e.is_transient()), (ErrorKind::Broken, true), "{bytes}");
        assert_eq!(e.message(), format!("no answer from {endpoint}/ within 77s"));
        assert!(sent.recv().await.unwrap().is_none(), "the connection was closed");
    }
}

#[tokio::test]
async fn a_call_that_is_dropped_ends_its_connection() {
    let (endpoint, mut sent) = serve(vec![Give::Hold(Vec::new())]);
    let client = Client::new(config(&endpoint).0).unwrap();
    let call = tokio::spawn(async move { delete(&client, Retry::NONE).await });
    assert!(sent.recv().await.unwrap().is_some());
    call.abort();
    assert!(sent.recv().await.unwrap().is_none());
}

#[test]
fn endpoints() {
    let new = |endpoint: &str, ca_pem: Option<&str>| {
        let ca_pem = ca_pem.map(|text| text.as_bytes().to_vec());
        Client::new(Config { ca_pem, ..Config::new(endpoint) }).map(drop)
    };
    for good in [
        "http://127.0.0.1:4566",
        "http://127.0.0.1:4566/",
        "http://127.0.0.1:65535",
        "http://[::1]:4566",
        "http://[::1]",
        "http://kinesis.local",
        "HTTP://LOCALHOST:1",
    ] {
        assert_eq!(new(good, None), Ok(()), "{good}");
    }
    for (bad, why) in [
        ("", "not an address"),
        ("http://a b", "not an address"),
        ("http://", "must be as in"),
        ("127.0.0.1:4566", "must be as in"),
        ("localhost", "must be as in"),
        ("/socket", "must be as in"),
        ("ftp://a", "must be as in"),
        ("http://a/b", "must have no path"),
        ("http://a?b", "must have no path"),
        ("http://127.0.0.1:", "the port must be a number up to 65535"),
        ("http://127.0.0.1:65536", "the port must be a number up to 65535"),
        ("http://127.0.0.1:99999", "the port must be a number up to 65535"),
        ("http://[::1]:", "the port must be a number up to 65535"),
        ("http://ann:canary@a", "must be without a user name or password"),
        ("http://canary@a:4566", "must be without a user name or password"),
        ("http://ann:canary@a b", "must be without a user name or password"),
        ("https://a", "needs the certificate"),
    ] {
        let e = new(bad, None).unwrap_err();
        assert_eq!((e.kind(), e.code(), e.is_transient()), (ErrorKind::Config, "Config", false));
        assert!(e.message().contains(why), "{bad}: {e}");
        assert!(!format!("{e:?}").contains("canary"), "{e}");
    }
    for (pem, why) in [
        ("no certificate at all", "needs the certificate"),
        ("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", "unreadable certificate"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "unusable certificate"),
    ] {
        let e = new("https://a", Some(pem)).unwrap_err();
        assert!(e.kind() == ErrorKind::Config && e.message().contains(why), "{pem}: {e}");
    }
}
