//! HTTP/1.1: answers, errors, odd requests.

use crate::support::{
    Raw, Running, call, headers, memory_comes, options, post, render, start, start_on,
};
use server::{Error, Options, Port, system_env};
use std::sync::atomic::Ordering;
use std::time::Duration;
use wire::sigv4::Keyring;

#[tokio::test]
async fn an_answer_carries_what_aws_sends() {
    let server = start(options());
    let mut client = Raw::connect(server.address).await;
    let first = client.call("Echo", "{\"a\":1}").await;
    assert_eq!((first.status, first.text()), (200, "{\"a\":1}"));
    assert_eq!(first.header("content-type"), Some("application/x-amz-json-1.1"));
    assert!(first.header("date").unwrap().ends_with(" GMT"));
    assert_eq!(first.header("x-amz-id-2").unwrap().len(), 96);
    let id = first.header("x-amzn-requestid").unwrap().to_owned();
    assert_eq!(id.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
    let second = client.call("Empty", "{}").await;
    assert_eq!((second.status, second.text()), (200, ""));
    assert_eq!(second.header("content-length"), Some("0"));
    assert_ne!(second.header("x-amzn-requestid"), Some(id.as_str()));
}

#[tokio::test]
async fn a_long_answer_is_told_its_length_and_followed_by_the_next() {
    let server = start(options());
    let mut client = Raw::connect(server.address).await;
    let data = "x".repeat(900_000);
    let want = format!("{{\"Data\":\"{}\"}}", "eHh4".repeat(data.len() / 3));
    for _ in 0..2 {
        let long = client.call("Long", &data).await;
        assert_eq!(long.header("content-length"), Some(want.len().to_string().as_str()));
        assert_eq!((long.status, long.text()), (200, want.as_str()));
    }
    memory_comes(&server, |bytes| bytes < 16 << 10).await;
}

#[tokio::test]
async fn connections_wait_on_a_port_until_it_is_served() {
    let port = Port::take(options()).unwrap();
    let address = port.local_addr();
    let taken = Port::take(Options { listen: address, ..options() });
    assert!(matches!(taken.err().unwrap(), Error::Listen(of, _) if of == address));
    let mut early = Raw::connect(address).await;
    early.send(post("Echo", "{}")).await;
    let server = start_on(port, system_env(), Keyring::default(), |server| server);
    assert_eq!((server.address, early.reply().await.status), (address, 200));
}

#[tokio::test]
async fn errors_come_in_the_format_of_the_request() {
    let server = start(options());
    let json = call(server.address, "Refuse", "{}").await;
    assert_eq!(json.status, 400);
    assert_eq!(
        json.text(),
        r#"{"__type":"ProvisionedThroughputExceededException","message":"Slow \"down\"."}"#
    );
    let mut in_cbor = headers("Refuse");
    in_cbor[1].1 = "application/x-amz-cbor-1.1".to_owned();
    let mut client = Raw::connect(server.address).await;
    client.send(render(&in_cbor, "x")).await;
    let cbor = client.reply().await;
    assert_eq!(cbor.header("content-type"), Some("application/x-amz-cbor-1.1"));
    let want = b"\xbf\x66__type\x78\x26ProvisionedThroughputExceededException\
                 \x67message\x6cSlow \"down\".\xff";
    assert_eq!(cbor.body, want);
}

/// Sends a request changed by `change` and compares the answer's status, content type and body.
async fn check(
    change: impl FnOnce(&mut Vec<(String, String)>, &mut String),
    (status, content_type, body): (u16, Option<&str>, &str),
) {
    let server = start(options());
    let (mut headers, mut sent) = (headers("Echo"), "{}".to_owned());
    change(&mut headers, &mut sent);
    let mut client = Raw::connect(server.address).await;
    client.send(render(&headers, &sent)).await;
    let reply = client.reply().await;
    assert_eq!(
        (reply.status, reply.header("content-type"), reply.text()),
        (status, content_type, body)
    );
    assert!(reply.header("x-amzn-requestid").is_some());
    assert_eq!(server.service.calls.load(Ordering::SeqCst), 0);
}

fn set(headers: &mut Vec<(String, String)>, name: &str, value: &str) {
    headers.retain(|(n, _)| n != name);
    if !value.is_empty() {
        headers.push((name.to_owned(), value.to_owned()));
    }
}

const JSON: Option<&str> = Some("application/x-amz-json-1.1");
const UNKNOWN: &str = r#"{"__type":"UnknownOperationException"}"#;
const UNDETERMINED: &str = "<AccessDeniedException>\n  <Message>Unable to determine \
                            service/operation name to be authorized</Message>\n\
                            </AccessDeniedException>\n";

#[tokio::test]
async fn unknown_operations() {
    check(|h, _| set(h, "x-amz-target", "Fake_20200101.Nothing"), (400, JSON, UNKNOWN)).await;
    check(|h, _| set(h, "x-amz-target", "Other_20200101.Echo"), (400, JSON, UNKNOWN)).await;
    check(|h, _| set(h, "x-amz-target", "Echo"), (400, JSON, UNKNOWN)).await;
    check(|h, _| set(h, "x-amz-target", ""), (400, JSON, UNKNOWN)).await;
}

#[tokio::test]
async fn bodies_that_are_missing() {
    let serialization = r#"{"__type":"SerializationException"}"#;
    check(|_, b| b.clear(), (400, JSON, serialization)).await;
    let unknown = |h: &mut Vec<_>, b: &mut String| {
        set(h, "x-amz-target", "");
        b.clear();
    };
    check(unknown, (400, JSON, UNKNOWN)).await;
}

#[tokio::test]
async fn what_has_neither_body_nor_type_is_answered_in_cbor() {
    let server = start(options());
    let mut headers = headers("Echo");
    set(&mut headers, "content-type", "");
    let mut client = Raw::connect(server.address).await;
    client.send(render(&headers, "")).await;
    let reply = client.reply().await;
    assert_eq!(reply.header("content-type"), Some("application/x-amz-cbor-1.1"));
    assert_eq!(reply.body, b"\xbf\x66__type\x76SerializationException\xff");
}

#[tokio::test]
async fn content_types_that_are_not_spoken() {
    let unknown = "<UnknownOperationException/>\n";
    check(|h, _| set(h, "content-type", "application/x-amz-json-1.0"), (404, None, unknown)).await;
    check(|h, _| set(h, "content-type", ""), (404, None, unknown)).await;
    let neither = |h: &mut Vec<_>, _: &mut String| {
        set(h, "content-type", "text/plain");
        set(h, "x-amz-target", "");
    };
    check(neither, (403, None, UNDETERMINED)).await;
    let wrapped = "{\"Output\":{\"__type\":\"com.amazon.coral.service#UnknownOperationException\",\
                   \"message\":null},\"Version\":\"1.0\"}";
    let plain = Some("application/json");
    check(|h, _| set(h, "content-type", "application/json"), (200, plain, wrapped)).await;
    let unreadable = "{\"Output\":{\"__type\":\"com.amazon.coral.service#SerializationException\",\
                      \"Message\":null},\"Version\":\"1.0\"}";
    let no_json = |h: &mut Vec<_>, body: &mut String| {
        set(h, "content-type", "     application/json     ;");
        "hello".clone_into(body);
    };
    check(no_json, (200, plain, unreadable)).await;
}

#[tokio::test]
async fn a_content_type_may_have_parameters() {
    let server = start(options());
    let mut headers = headers("Echo");
    set(&mut headers, "content-type", "Application/X-Amz-Json-1.1; charset=utf-8");
    let mut client = Raw::connect(server.address).await;
    client.send(render(&headers, "{}")).await;
    assert_eq!(client.reply().await.text(), "{}");
}

#[tokio::test]
async fn packed_bodies_are_refused() {
    let want = "{\"__type\":\"SerializationException\",\"Message\":\
                \"Content-Encoding 'gzip' is not supported, send the body as it is\"}";
    check(|h, _| set(h, "content-encoding", "gzip"), (400, JSON, want)).await;
}

#[tokio::test]
async fn nobody_asks_without_a_signature() {
    let want = "{\"__type\":\"MissingAuthenticationTokenException\",\
                \"message\":\"Missing Authentication Token\"}";
    check(|h, _| set(h, "authorization", ""), (400, JSON, want)).await;
}

#[tokio::test]
async fn two_hosts_are_one_too_many() {
    let want = "<InvalidRequestException>\n  <Message>more than one `Host` header</Message>\n\
                </InvalidRequestException>\n";
    check(|h, _| h.push(("host".to_owned(), "other".to_owned())), (400, None, want)).await;
}

/// What a refused head gets, and whether the connection ends with it.
async fn check_head(server: &Running, sent: &str, status: u16) {
    let mut client = Raw::connect(server.address).await;
    client.send(sent).await;
    let rest = String::from_utf8(client.rest().await).unwrap();
    assert!(rest.starts_with(&format!("HTTP/1.1 {status} ")), "{sent:?}: {rest}");
    assert_eq!(rest.matches("HTTP/1.1 ").count(), 1, "{sent:?}: {rest}");
}

#[tokio::test]
async fn heads_that_others_may_read_otherwise_are_refused() {
    let server = start(options());
    let fine = post("Echo", "{}");
    let with = |line: &str| fine.replacen("\r\n", &format!("\r\n{line}\r\n"), 1);
    check_head(&server, &with("transfer-encoding: chunked"), 400).await;
    let coded = post("Echo", "").replace("content-length: 0", "transfer-encoding: chunked");
    let coded = coded + "2\r\n{}\r\n0\r\n\r\n";
    check_head(&server, &coded.replacen("\r\n", "\r\ncontent-length: 12\r\n", 1), 400).await;
    check_head(&server, &fine.replace("\r\n", "\n"), 400).await;
    check_head(&server, &fine.replacen("localhost\r\n", "localhost\n", 1), 400).await;
    check_head(&server, &coded.replace(": chunked", ": gzip, chunked"), 501).await;
    check_head(&server, &coded.replace(": chunked", ": chunked, chunked"), 400).await;
    check_head(&server, &coded.replace(": chunked", ": identity"), 400).await;
    assert_eq!(server.service.calls.load(Ordering::SeqCst), 0);
    // Whatever stands behind chunks is not served.
    check_head(&server, &(coded + &fine), 200).await;
    assert_eq!(server.service.calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn bodies_may_hold_line_feeds_and_requests_follow_each_other() {
    let server = start(options());
    let mut client = Raw::connect(server.address).await;
    let body = "{\n\n}\n";
    client.send(post("Echo", body).repeat(3)).await;
    for _ in 0..3 {
        assert_eq!(client.reply().await.text(), body);
    }
}

#[tokio::test]
async fn hosts_are_names_or_addresses() {
    let server = start(options());
    let of = |host: &str| post("Echo", "{}").replacen("localhost", host, 1);
    for host in ["[::1]evil.example", "evil.example@127.0.0.1", "a b", "[evil]", "::1"] {
        let mut client = Raw::connect(server.address).await;
        client.send(of(host)).await;
        let reply = client.reply().await;
        assert_eq!(reply.status, 400, "{host}");
        assert!(reply.text().contains("no name and no address"), "{host}: {}", reply.text());
    }
    // As LocalStack's own client sends it.
    for host in ["http://localhost:4566", "https://127.0.0.1:4566", "[::1]:4566"] {
        let mut client = Raw::connect(server.address).await;
        client.send(of(host)).await;
        assert_eq!(client.reply().await.status, 200, "{host}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_told_before_a_signature_is_missed() {
    let serialization = r#"{"__type":"SerializationException"}"#;
    let unread = |h: &mut Vec<_>, b: &mut String, body: &str| {
        set(h, "authorization", "");
        body.clone_into(b);
    };
    for body in ["hello", "{", "{} {}", r#"{"a":}"#, "null"] {
        check(|h, b| unread(h, b, body), (400, JSON, serialization)).await;
    }
    let missing = "{\"__type\":\"MissingAuthenticationTokenException\",\
                   \"message\":\"Missing Authentication Token\"}";
    check(|h, b| unread(h, b, r#"{"a":[1,{"b":null}]}"#), (400, JSON, missing)).await;
    // A large body is read for nobody.
    check(|h, b| unread(h, b, &"x".repeat(20 << 10)), (400, JSON, missing)).await;
}

#[tokio::test]
async fn methods_other_than_post() {
    let server = start(options());
    for method in ["GET", "PUT", "DELETE", "OPTIONS", "PATCH"] {
        let mut client = Raw::connect(server.address).await;
        let request = post("Echo", "{}").replacen("POST", method, 1);
        client.send(request.replacen("\r\n", "\r\norigin: http://evil.example\r\n", 1)).await;
        let reply = client.reply().await;
        assert_eq!((reply.status, reply.text()), (403, UNDETERMINED), "{method}");
        assert_eq!(reply.header("access-control-allow-origin"), None);
    }
}

#[tokio::test]
async fn event_frames_arrive_one_by_one_and_end_with_the_client() {
    let server = start(options());
    let mut client = Raw::connect(server.address).await;
    let clock = system_env().clock;
    let asked = clock.monotonic();
    client.send(post("Events", "{}")).await;
    let head = client.head().await;
    let held = clock.monotonic().saturating_sub(asked);
    assert!(held >= Duration::from_millis(10), "the Go SDK may close the connection: {held:?}");
    assert_eq!(head.header("content-type"), Some("application/vnd.amazon.eventstream"));
    assert_eq!(head.header("transfer-encoding"), Some("chunked"));
    for frame in ["one", "two"] {
        // The next frame is made only once the last has been read: none is held back.
        server.service.frames.send(frame.into()).await.unwrap();
        assert_eq!(client.chunk().await, frame.as_bytes());
    }
    drop(client);
    server.service.dropped.notified().await;
}

#[tokio::test]
async fn a_panic_is_answered_counted_and_survived() {
    let server = start(options());
    let mut client = Raw::connect(server.address).await;
    let reply = client.call("Panic", "{}").await;
    assert_eq!((reply.status, reply.text()), (500, r#"{"__type":"InternalFailureException"}"#));
    assert!(reply.header("x-amzn-requestid").is_some());
    assert_eq!(client.call("Echo", "{}").await.status, 200);
    let metrics = server.registry.render();
    assert!(metrics.contains("millweir_panics_total 1\n"), "{metrics}");
}

#[tokio::test]
async fn garbage_is_turned_away() {
    let server = start(options());
    for garbage in [
        b"\0\0\0\0\r\n\r\n".as_slice(),
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\nfolded: a\r\n b\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}",
        b"POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\ngarbage that is no frame at all",
        b"\x16\x03\x01\x00\x05hello",
    ] {
        let mut client = Raw::connect(server.address).await;
        client.send(garbage).await;
        let rest = client.rest().await;
        assert!(!rest.starts_with(b"HTTP/1.1 200"), "{garbage:?}");
    }
    assert_eq!(call(server.address, "Echo", "{}").await.status, 200);
    assert_eq!(server.service.calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_request_hidden_behind_two_lengths_is_not_served() {
    let server = start(options());
    let hidden = post("Who", "{}");
    let both = post("Echo", "0\r\n\r\n").replacen("\r\n", "\r\ntransfer-encoding: chunked\r\n", 1);
    let mut client = Raw::connect(server.address).await;
    client.send(both + &hidden).await;
    let rest = String::from_utf8(client.rest().await).unwrap();
    assert_eq!(rest.matches("HTTP/1.1 ").count(), 1, "{rest}");
    assert_eq!(server.service.calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn chunked_bodies_are_read() {
    let server = start(options());
    let chunked = post("Echo", "").replace("content-length: 0", "transfer-encoding: chunked");
    let mut client = Raw::connect(server.address).await;
    client.send(chunked + "2\r\n{\"\r\n5\r\na\":1}\r\n0\r\n\r\n").await;
    assert_eq!(client.reply().await.text(), "{\"a\":1}");
}
