//! Calls of services that are not served, as the clients of each protocol send them.

use crate::support::{Raw, Reply, options, start};
use std::fmt::Write as _;

const SAYS: &str = "What it serves here: kinesis.";

async fn ask(line: &str, service: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let server = start(options());
    let mut request = format!("{line} HTTP/1.1\r\nhost: localhost\r\n");
    if !service.is_empty() {
        write!(
            request,
            "authorization: AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/{service}/\
             aws4_request, SignedHeaders=host, Signature=0\r\n"
        )
        .unwrap();
    }
    for (name, value) in headers {
        write!(request, "{name}: {value}\r\n").unwrap();
    }
    let mut client = Raw::connect(server.address).await;
    client.send(format!("{request}content-length: {}\r\n\r\n{body}", body.len())).await;
    let reply = client.reply().await;
    assert!(reply.header("x-amzn-requestid").is_some(), "{line}");
    reply
}

fn check(reply: &Reply, status: u16, content_type: &str, code: &str) {
    let text = String::from_utf8_lossy(&reply.body);
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (status, Some(content_type)),
        "{text}"
    );
    assert!(text.contains(SAYS) && text.contains(code), "{text}");
}

const UNKNOWN: &str = "UnknownOperationException";

#[tokio::test]
async fn json() {
    for version in ["1.0", "1.1"] {
        let content_type = format!("application/x-amz-json-{version}");
        let headers =
            [("content-type", &*content_type), ("x-amz-target", "DynamoDB_20120810.DescribeTable")];
        let reply = ask("POST /", "dynamodb", &headers, "{}").await;
        let want = format!(
            r#"{{"__type":"{UNKNOWN}","message":"Millweir does not serve dynamodb. {SAYS}"}}"#
        );
        assert_eq!(reply.text(), want);
        check(&reply, 400, &content_type, UNKNOWN);
        assert_eq!(reply.header("x-amzn-errortype"), Some(UNKNOWN));
        let query_error = reply.header("x-amzn-query-error");
        assert_eq!(query_error, Some("UnknownOperationException;Sender"));
    }
}

#[tokio::test]
async fn cbor() {
    let content_type = "application/x-amz-cbor-1.1";
    let headers = [("content-type", content_type), ("x-amz-target", "Other_20200101.Do")];
    check(&ask("POST /", "other", &headers, "\u{7f}").await, 400, content_type, UNKNOWN);
    let headers = [("content-type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")];
    let path = "POST /service/GraniteServiceVersion20100801/operation/PutMetricData";
    for service in ["monitoring", ""] {
        let reply = ask(path, service, &headers, "\u{7f}").await;
        check(&reply, 400, "application/cbor", UNKNOWN);
        assert_eq!(reply.header("smithy-protocol"), Some("rpc-v2-cbor"));
    }
}

#[tokio::test]
async fn rest_json() {
    let json = [("content-type", "application/json")];
    for (line, service, headers, body) in [
        ("GET /2015-03-31/functions", "lambda", &[][..], ""),
        ("POST /createStream", "kinesisvideo", &json, "{}"),
        ("POST /createStream", "kinesisvideo", &[], "{}"),
        ("POST /", "xray", &json, "{}"),
        ("POST /createStream", "", &json, "{}"),
    ] {
        let reply = ask(line, service, headers, body).await;
        check(&reply, 501, "application/json", UNKNOWN);
        assert_eq!(reply.header("x-amzn-errortype"), Some(UNKNOWN), "{line}");
    }
}

#[tokio::test]
async fn query() {
    let form = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
    for service in ["sts", ""] {
        let body = "Action=GetCallerIdentity&Version=2011-06-15";
        let reply = ask("POST /", service, &form, body).await;
        check(&reply, 400, "text/xml", "<ErrorResponse><Error><Type>Sender</Type>");
        assert!(reply.text().contains("<Code>InvalidAction</Code>"), "{}", reply.text());
        let id = reply.header("x-amzn-requestid").unwrap();
        assert!(reply.text().contains(&format!("<RequestId>{id}</RequestId>")), "{}", reply.text());
    }
    let reply = ask("POST /", "ec2", &form, "Action=DescribeRegions").await;
    check(&reply, 400, "text/xml", "<Response><Errors><Error><Code>InvalidAction</Code>");
}

#[tokio::test]
async fn s3_and_other_xml() {
    for line in ["GET /bucket?list-type=2", "PUT /bucket/key", "POST /bucket?delete"] {
        let reply = ask(line, "s3", &[("content-type", "application/octet-stream")], "x").await;
        check(&reply, 501, "application/xml", "<Error><Code>NotImplemented</Code>");
    }
    let old = [("authorization", "AWS AKID:c2lnbmF0dXJl")];
    check(&ask("GET /bucket", "", &old, "").await, 501, "application/xml", "NotImplemented");
    let query = "GET /b/k?AWSAccessKeyId=a&Signature=b&Expires=1";
    check(&ask(query, "", &[], "").await, 501, "application/xml", "NotImplemented");
    let query = "GET /b/k?X-Amz-Algorithm=x&X-Amz-Credential=AKID%2F20260101%2Fus-east-1%2Fs3%2F\
                 aws4_request";
    check(&ask(query, "", &[], "").await, 501, "application/xml", "NotImplemented");
    let reply = ask("GET /2013-04-01/hostedzone", "route53", &[], "").await;
    check(&reply, 501, "text/xml", "<ErrorResponse><Error>");
}

/// What a signature says is repeated only where it cannot break the answer.
#[tokio::test]
async fn odd_names_of_services_are_not_repeated() {
    for service in ["<b>", &"x".repeat(41), "a\"b"] {
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let reply = ask("POST /", service, &form, "Action=A").await;
        assert!(reply.text().contains("does not serve this service."), "{}", reply.text());
    }
}

/// A call of ours is judged as ours, whatever its signature says.
#[tokio::test]
async fn our_operations_are_never_foreign() {
    let headers =
        [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "Fake_20200101.Echo")];
    let dated: Vec<_> = headers.into_iter().chain([("x-amz-date", "20260101T000000Z")]).collect();
    let reply = ask("POST /", "dynamodb", &dated, "{}").await;
    assert_eq!((reply.status, reply.text()), (200, "{}"));
}
