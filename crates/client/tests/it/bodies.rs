//! Answers as they may be spelled: errors of every shape, outputs that cannot be read.

use crate::script::{Give, config, serve, whole};
use api::kinesis::{DescribeLimitsInput, ops};
use client::{Client, Config, Error, ErrorKind, Retry};
use wire::{Protocol, Refusal};

/// One attempt of a call that is answered so.
async fn answered(protocol: Protocol, bytes: Vec<u8>) -> Result<i32, Error> {
    let (endpoint, _sent) = serve(vec![Give::Cut(bytes)]);
    let (config, _) = config(&endpoint);
    let client = Client::new(Config { protocol, ..config }).unwrap();
    let input = DescribeLimitsInput {};
    let done = client.call_with::<ops::DescribeLimits>(&input, Retry::NONE).await;
    done.map(|limits| limits.shard_limit)
}

async fn refused(protocol: Protocol, status: u16, body: &[u8], (code, message): (&str, &str)) {
    let e = answered(protocol, whole(status, body)).await.unwrap_err();
    let shown = String::from_utf8_lossy(body);
    assert_eq!((e.kind(), e.status()), (ErrorKind::Refused, status), "{shown}");
    assert_eq!((e.code(), e.message()), (code, message), "{shown}");
    let want = if message.is_empty() { code.to_owned() } else { format!("{code}: {message}") };
    assert_eq!(e.to_string(), want);
    let slow = ["ThrottlingException", "ProvisionedThroughputExceededException", "Http429"];
    let slow = slow.contains(&code);
    assert_eq!(e.is_throttling(), slow, "{shown}");
    assert_eq!(e.is_transient(), slow || status >= 500, "{shown}");
}

#[tokio::test]
async fn errors_in_json() {
    for (status, body, want) in [
        (400, r#"{"__type":"ThrottlingException","message":"m"}"#, ("ThrottlingException", "m")),
        (400, r#"{"__type":"ThrottlingException","Message":"m"}"#, ("ThrottlingException", "m")),
        (
            400,
            r#"{"message":"m","__type":"com.amazonaws.kinesis#XException"}"#,
            ("XException", "m"),
        ),
        (400, r#"{"__type":"XException:http://internal.amazon.com/coral/"}"#, ("XException", "")),
        (400, r#"{"code":"XException","message":"m"}"#, ("XException", "m")),
        (400, r#"{"code":"Y","__type":"XException"}"#, ("XException", "")),
        (
            400,
            r#"{"__type":"XException","message":"é\n\u0041\"","more":{"a":[1]}}"#,
            ("XException", "é\nA\""),
        ),
        (400, r#"{"__type":"XException","message":null}"#, ("XException", "")),
        (500, r#"{"__type":"InternalFailureException"}"#, ("InternalFailureException", "")),
        (503, r#"{"__type":"ServiceUnavailable","message":"m"}"#, ("ServiceUnavailable", "m")),
        (
            403,
            r#"{"__type":"AccessDeniedException","Message":"m"}"#,
            ("AccessDeniedException", "m"),
        ),
    ] {
        for protocol in [Protocol::Json11, Protocol::Json10] {
            refused(protocol, status, body.as_bytes(), want).await;
        }
    }
}

/// What is no error of AWS's is told by its status.
#[tokio::test]
async fn answers_of_others() {
    for (status, body, want) in [
        (400, "", ("Http400", "Bad Request")),
        (400, "{}", ("Http400", "Bad Request")),
        (400, "[]", ("Http400", "Bad Request")),
        (400, "null", ("Http400", "Bad Request")),
        (400, r#"{"message":"no name"}"#, ("Http400", "Bad Request")),
        (400, r#"{"__type":7,"message":"m"}"#, ("Http400", "Bad Request")),
        (400, r#"{"__type":"XException","#, ("Http400", "Bad Request")),
        (400, r#"{"__type":"","message":"m"}"#, ("Http400", "Bad Request")),
        (404, "<html>nginx</html>", ("Http404", "Not Found")),
        (429, "<html>nginx</html>", ("Http429", "Too Many Requests")),
        (502, "<html>nginx</html>", ("Http502", "Bad Gateway")),
        (504, "upstream", ("Http504", "Gateway Timeout")),
        (599, "", ("Http599", "")),
        (302, "", ("Http302", "Found")),
        (204, "", ("Http204", "No Content")),
        (201, r#"{"ShardLimit":1}"#, ("Http201", "Created")),
    ] {
        let body = if status == 204 { &b""[..] } else { body.as_bytes() };
        for protocol in [Protocol::Json11, Protocol::Cbor11] {
            refused(protocol, status, body, want).await;
        }
    }
}

#[tokio::test]
async fn errors_in_cbor() {
    for protocol in [Protocol::Cbor11, Protocol::RpcCbor] {
        for refusal in [
            Refusal::client("ProvisionedThroughputExceededException", "Rate exceeded"),
            Refusal::client("ResourceNotFoundException", ""),
            Refusal::serialization("with a capital"),
            Refusal::unavailable("later"),
        ] {
            let body = protocol.error_body(&refusal, "id", "");
            refused(protocol, refusal.status, &body, (refusal.code, &refusal.message)).await;
            refused(
                Protocol::Json11,
                refusal.status,
                &body,
                match refusal.status {
                    503 => ("Http503", "Service Unavailable"),
                    _ => ("Http400", "Bad Request"),
                },
            )
            .await;
        }
    }
}

/// The body alone tells what it is, whatever the head calls it.
#[tokio::test]
async fn outputs() {
    const LIMITS: &str = r#"{"ShardLimit":5,"OpenShardCount":1,"OnDemandStreamCount":0,
        "OnDemandStreamCountLimit":9,"New":{"of":["later"]}}"#;
    for kind in ["application/x-amz-json-1.1", "text/html", "application/x-amz-cbor-1.1"] {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\n");
        let bytes = format!("{head}content-length: {}\r\n\r\n{LIMITS}", LIMITS.len());
        assert_eq!(answered(Protocol::Json11, bytes.into_bytes()).await, Ok(5), "{kind}");
    }
    let chunked = |pieces: &[&str]| {
        let piece = |text: &&str| format!("{:x}\r\n{text}\r\n", text.len());
        let body: String = pieces.iter().map(piece).collect();
        format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{body}0\r\n\r\n").into_bytes()
    };
    let (first, second) = LIMITS.split_at(20);
    assert_eq!(answered(Protocol::Json11, chunked(&[first, second])).await, Ok(5));
    let no_length = format!("HTTP/1.1 200 OK\r\n\r\n{LIMITS}").into_bytes();
    assert_eq!(answered(Protocol::Json11, no_length).await, Ok(5), "its end is the end");
    for body in ["<html>", "[]", "{", r#"{"ShardLimit":"x"}"#, r#"{"ShardLimit":1}x"#] {
        let e = answered(Protocol::Json11, whole(200, body)).await.unwrap_err();
        assert_eq!((e.kind(), e.status(), e.code()), (ErrorKind::Malformed, 0, "Malformed"));
        assert!(e.message().starts_with("unreadable answer to DescribeLimits"), "{e}");
        assert!(!e.is_transient() && !e.is_throttling(), "{e}");
    }
    let e = answered(Protocol::Cbor11, whole(200, LIMITS)).await.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Malformed, "JSON to who speaks CBOR");
}

/// Room for the largest answer of AWS's, and an end to it.
#[tokio::test]
async fn answers_are_bounded() {
    let padded = |bytes: usize| {
        let mut body = br#"{"ShardLimit":5}"#.to_vec();
        body.resize(bytes, b' ');
        whole(200, body)
    };
    assert_eq!(answered(Protocol::Json11, padded(64 << 20)).await, Ok(5));
    let e = answered(Protocol::Json11, padded((64 << 20) + 1)).await.unwrap_err();
    assert_eq!(e.message(), "the answer is larger than 67108864 bytes");
    assert_eq!((e.kind(), e.is_transient()), (ErrorKind::Malformed, false));
}
