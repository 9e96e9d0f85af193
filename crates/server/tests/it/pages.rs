//! Web pages where signatures are verified, as kinesalite's tests recorded AWS.

use crate::auth::{keys, required};
use crate::support::{Raw, Reply, headers, options, render, start, start_with};
use server::Options;

async fn ask(options: Options, request: &str) -> Reply {
    let server = start_with(options, keys(None), |server| server);
    let mut client = Raw::connect(server.address).await;
    client.send(request).await;
    client.reply().await
}

fn preflight(origin: &str) -> String {
    format!(
        "OPTIONS / HTTP/1.1\r\nhost: a.example\r\norigin: {origin}\r\n\
         access-control-request-headers: a, b, c\r\naccess-control-request-method: POST\r\n\r\n"
    )
}

fn post(origin: &str) -> String {
    let mut headers = headers("Echo");
    headers.push(("origin".into(), origin.into()));
    render(&headers, "{}")
}

#[tokio::test]
async fn preflights_are_answered() {
    let reply = ask(required(), &preflight("https://any.example")).await;
    assert_eq!((reply.status, reply.text()), (200, ""));
    for (name, want) in [
        ("access-control-allow-origin", Some("*")),
        ("access-control-allow-headers", Some("a, b, c")),
        ("access-control-allow-methods", Some("POST")),
        ("access-control-max-age", Some("172800")),
        ("access-control-expose-headers", None),
        ("access-control-allow-credentials", None),
        ("content-length", Some("0")),
        ("content-type", None),
        ("vary", None),
        ("x-amz-id-2", None),
    ] {
        assert_eq!(reply.header(name), want, "{name}");
    }
    assert!(reply.header("x-amzn-requestid").is_some());
}

#[tokio::test]
async fn answers_may_be_read_by_pages() {
    let reply = ask(required(), &post("https://any.example")).await;
    assert!(reply.text().contains("Signature expired"), "{}", reply.text());
    assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
    let exposed = "x-amzn-RequestId,x-amzn-ErrorType,x-amz-request-id,x-amz-id-2,\
                   x-amzn-ErrorMessage,Date";
    assert_eq!(reply.header("access-control-expose-headers"), Some(exposed));
    assert!(reply.header("x-amz-id-2").is_some());
    let server = start_with(required(), keys(None), |server| server);
    let plain = crate::support::call(server.address, "Echo", "{}").await;
    assert_eq!(plain.header("access-control-allow-origin"), None, "no page asks");
}

#[tokio::test]
async fn a_setting_narrows_the_pages() {
    let narrow = || {
        let cors_origins = vec!["https://a.example".to_owned(), "https://b.example".to_owned()];
        Options { cors_origins, ..required() }
    };
    for request in [preflight, post] {
        let reply = ask(narrow(), &request("https://b.example")).await;
        assert_eq!(reply.header("access-control-allow-origin"), Some("https://b.example"));
        assert_eq!(reply.header("vary"), Some("Origin"));
        let reply = ask(narrow(), &request("https://evil.example")).await;
        assert_eq!(reply.header("access-control-allow-origin"), None);
    }
    let reply = ask(narrow(), &preflight("https://evil.example")).await;
    assert_eq!(reply.status, 403);
}

#[tokio::test]
async fn health_pages_and_open_servers_are_not_for_pages() {
    let metrics = "GET /metrics HTTP/1.1\r\nhost: localhost\r\norigin: http://a.example\r\n\r\n";
    let reply = ask(required(), metrics).await;
    assert_eq!((reply.status, reply.header("access-control-allow-origin")), (200, None));
    for request in [preflight("http://localhost:3000"), post("http://localhost:3000")] {
        let server = start(options());
        let mut client = Raw::connect(server.address).await;
        client.send(request).await;
        let reply = client.reply().await;
        assert_eq!((reply.status, reply.header("access-control-allow-origin")), (403, None));
    }
}
