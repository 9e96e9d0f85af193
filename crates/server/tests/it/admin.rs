//! Health and metrics.

use crate::support::{Raw, call, get, headers, options, post, render, start, start_with};
use server::{AuthMode, Options};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use wire::sigv4::{Keyring, Secret};

#[tokio::test]
async fn pages_answer_without_a_signature() {
    let local = "{\"services\":{\"kinesis\":\"running\"},\"edition\":\"millweir\",\
                 \"version\":\"1.2\"}\n";
    let server = start(Options { version: "1.2".to_owned(), ..options() });
    for (path, content_type, body) in [
        ("/livez", "text/plain; charset=utf-8", "ok\n"),
        ("/readyz", "text/plain; charset=utf-8", "ok\n"),
        ("/_localstack/health", "application/json", local),
        ("/health?x", "application/json", local),
    ] {
        let page = get(server.address, path, "localhost:4566").await;
        assert_eq!(
            (page.status, page.header("content-type"), page.text()),
            (200, Some(content_type), body),
            "{path}"
        );
    }
    let health = get(server.address, "/healthz", "localhost").await;
    assert!(health.text().starts_with("{\"status\":\"ok\",\"reasons\":[],"), "{}", health.text());
    assert_eq!(get(server.address, "/other", "localhost").await.status, 403);
}

#[tokio::test]
async fn readiness_gives_reasons() {
    let ready = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&ready);
    let server = start_with(options(), Keyring::default(), |server| {
        server.with_readiness(Arc::new(move || {
            let ready = asked.load(Ordering::SeqCst);
            if ready { Vec::new() } else { vec!["the \"journal\" is replayed".to_owned()] }
        }))
    });
    let page = get(server.address, "/readyz", "localhost").await;
    assert_eq!((page.status, page.text()), (503, "the \"journal\" is replayed\n"));
    let page = get(server.address, "/healthz", "localhost").await;
    assert_eq!(page.status, 503);
    let want = r#"{"status":"unavailable","reasons":["the \"journal\" is replayed"],"#;
    assert!(page.text().starts_with(want), "{}", page.text());
    let page = get(server.address, "/health", "localhost").await;
    assert!(page.text().contains("\"starting\""), "{}", page.text());
    assert_eq!(get(server.address, "/livez", "localhost").await.status, 200);
    ready.store(true, Ordering::SeqCst);
    assert_eq!(get(server.address, "/readyz", "localhost").await.status, 200);
}

#[tokio::test]
async fn notes_stand_beside_a_server_that_is_ready() {
    let server = start_with(options(), Keyring::default(), |server| {
        server.with_notes(Arc::new(|| vec!["the clock is wrong".to_owned()]))
    });
    let page = get(server.address, "/readyz", "localhost").await;
    assert_eq!((page.status, page.text()), (200, "ok\nthe clock is wrong\n"));
    let page = get(server.address, "/healthz", "localhost").await;
    assert_eq!(page.status, 200);
    let want = r#"{"status":"ok","reasons":["the clock is wrong"],"#;
    assert!(page.text().starts_with(want), "{}", page.text());
    let page = get(server.address, "/health", "localhost").await;
    assert!(page.text().contains("\"running\""), "{}", page.text());
}

#[tokio::test]
async fn metrics_count_requests_by_action_and_code() {
    let server = start(options());
    call(server.address, "Echo", "{}").await;
    call(server.address, "Echo", "{}").await;
    call(server.address, "Refuse", "{}").await;
    call(server.address, "Nothing", "{}").await;
    let page = get(server.address, "/metrics", "127.0.0.1:4566").await;
    assert_eq!(page.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let total = "millweir_api_requests_total";
    for line in [
        format!(r#"{total}{{service="kinesis",action="Echo",code="OK"}} 2"#),
        format!(
            r#"{total}{{service="kinesis",action="Refuse",code="{}"}} 1"#,
            "ProvisionedThroughputExceededException"
        ),
        format!(
            r#"{total}{{service="none",action="none",code="{}"}} 1"#,
            "UnknownOperationException"
        ),
        r#"millweir_api_request_duration_seconds_count{service="kinesis",action="Echo"} 2"#.into(),
    ] {
        assert!(page.text().lines().any(|l| l == line), "{line} is not in {}", page.text());
    }
}

#[tokio::test]
async fn metrics_tell_of_the_process() {
    let server = start(options());
    let page = get(server.address, "/metrics", "localhost").await;
    let value = |name: &str| -> f64 {
        let line = page.text().lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name}")).parse().unwrap()
    };
    assert!(value("process_resident_memory_bytes") > 1e6);
    assert!(value("process_open_fds") > 3.0);
    assert!(value("process_cpu_seconds_total") >= 0.0);
    assert!(value("process_start_time_seconds") > 1.7e9);
}

#[tokio::test]
async fn a_name_of_someone_else_sees_nothing() {
    let allowed = vec!["streams.test".to_owned()];
    let server = start(Options { host_names: allowed, ..options() });
    for (host, status) in [
        ("localhost", 200),
        ("LOCALHOST:4566", 200),
        ("127.0.0.1:4566", 200),
        ("000000000000.data-kinesis.us-east-1.localhost:4566", 200),
        ("[::1]:4566", 200),
        ("streams.test:4566", 200),
        ("evil.example:4566", 403),
        ("localhost.evil.example", 403),
        ("", 403),
    ] {
        assert_eq!(get(server.address, "/metrics", host).await.status, status, "{host}");
    }
}

/// Sends a call with one header set anew and compares the status and what the answer says.
async fn check_call(options: Options, (name, value): (&str, &str), (status, says): (u16, &str)) {
    let server = start_with(options, crate::auth::keys(None), |server| server);
    let mut headers = headers("Echo");
    headers.retain(|(n, _)| n != name);
    headers.push((name.to_owned(), value.to_owned()));
    let mut client = Raw::connect(server.address).await;
    client.send(render(&headers, "{}")).await;
    let reply = client.reply().await;
    assert_eq!(reply.status, status, "{name}: {value}");
    assert!(reply.text().contains(says), "{name}: {value}: {}", reply.text());
}

const DENIED: (u16, &str) = (403, r#"{"__type":"AccessDeniedException","message":"#);
const FINE: (u16, &str) = (200, "{}");

#[tokio::test]
async fn a_name_of_someone_else_calls_nothing_where_any_signature_is_believed() {
    let named = || Options { host_names: vec!["localhost.example.cloud".to_owned()], ..options() };
    check_call(named(), ("host", "evil.example:4566"), DENIED).await;
    check_call(named(), ("host", "localhost.evil.example"), DENIED).await;
    check_call(named(), ("host", ""), DENIED).await;
    check_call(named(), ("host", "127.0.0.1:4566"), FINE).await;
    check_call(named(), ("host", "1.data-kinesis.localhost:4566"), FINE).await;
    check_call(named(), ("host", "localhost.example.cloud:4566"), FINE).await;
}

#[tokio::test]
async fn web_pages_call_nothing_where_any_signature_is_believed() {
    check_call(options(), ("origin", "http://localhost:3000"), DENIED).await;
    check_call(options(), ("sec-fetch-site", "same-origin"), DENIED).await;
    let required = || Options { auth: AuthMode::Required, ..options() };
    let judged = (400, "InvalidSignatureException");
    check_call(required(), ("origin", "http://localhost:3000"), judged).await;
    check_call(required(), ("host", "evil.example"), judged).await;
}

/// Off loopback for the server, yet on this machine: the mapped form is no loopback address.
pub(crate) fn off_loopback() -> Options {
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST.to_ipv6_mapped(), 0));
    Options { listen, ..options() }
}

#[tokio::test]
async fn metrics_are_not_for_other_machines() {
    let check = async |options: Options, bearing: &str, status: u16| {
        let server = start(options);
        let mut client = Raw::connect(server.address).await;
        let authorization = format!("\r\nauthorization: {bearing}\r\n");
        let request = "GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n";
        client.send(request.replacen("\r\n", &authorization, 1)).await;
        let reply = client.reply().await;
        assert_eq!(reply.status, status, "{bearing}");
        if status == 403 {
            assert!(reply.text().contains("`server.metrics_token_file`"), "{}", reply.text());
        }
    };
    let token = |text: &str| Options { metrics_token: Some(Secret::new(text)), ..off_loopback() };
    check(off_loopback(), "", 403).await;
    check(Options { open_metrics: true, ..off_loopback() }, "", 200).await;
    check(token("abc"), "Bearer abc", 200).await;
    check(token("abc"), "Bearer abd", 403).await;
    check(token("abc"), "Basic abc", 403).await;
    check(token("abc"), "", 403).await;
    check(token(""), "Bearer ", 403).await;
    // Wherever there is a token it is asked for.
    let local = |text: &str| Options { metrics_token: Some(Secret::new(text)), ..options() };
    check(Options { open_metrics: true, ..token("abc") }, "", 403).await;
    check(local("abc"), "", 403).await;
    check(local("abc"), "Bearer abc", 200).await;
    check(options(), "", 200).await;
}

#[tokio::test]
async fn other_machines_learn_no_reasons() {
    let server = start_with(off_loopback(), Keyring::default(), |server| {
        server.with_readiness(Arc::new(|| vec!["secret".to_owned()]))
    });
    assert_eq!(get(server.address, "/livez", "a").await.text(), "ok\n");
    let page = get(server.address, "/readyz", "a").await;
    assert_eq!((page.status, page.text()), (503, "unavailable\n"));
    let page = get(server.address, "/healthz", "a").await;
    assert!(page.text().starts_with(r#"{"status":"unavailable","reasons":[],"#), "{}", page.text());
}

#[tokio::test]
async fn a_request_names_one_host() {
    let server = start(options());
    for hosts in ["", "host: localhost\r\nhost: localhost\r\n"] {
        for request in [post("Echo", "{}"), "GET /livez HTTP/1.1\r\nhost: localhost\r\n".into()] {
            let request = request.replace("host: localhost\r\n", hosts);
            let end = if request.starts_with("GET") { "\r\n" } else { "" };
            let mut client = Raw::connect(server.address).await;
            client.send(request + end).await;
            let reply = client.reply().await;
            assert_eq!(reply.status, 400, "{hosts}");
            assert!(reply.text().contains("`Host` header"), "{}", reply.text());
        }
    }
    let mut old = Raw::connect(server.address).await;
    old.send("GET /livez HTTP/1.0\r\n\r\n").await;
    assert_eq!(old.reply().await.status, 200, "HTTP/1.0 knows no hosts");
}
