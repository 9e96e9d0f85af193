//! Health and metrics.

use crate::support::{call, get, options, start, start_with};
use server::Options;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use wire::sigv4::Keyring;

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
        ("[::1]:4566", 200),
        ("streams.test:4566", 200),
        ("evil.example:4566", 403),
        ("localhost.evil.example", 403),
        ("", 403),
    ] {
        assert_eq!(get(server.address, "/metrics", host).await.status, status, "{host}");
    }
}
