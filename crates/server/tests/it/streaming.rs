//! Bodies that are handed on as they come, and answers that begin before the body has ended.

use base::AccountId;
use base::metrics::Registry;
use bytes::Bytes;
use futures_util::StreamExt;
use server::{AuthMode, Limits, Loops, Options, Server, system_env};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use wire::sigv4::{Credentials, Key, Keyring, Parts, Scope, Secret, Signed, payload_hash, sign};
use wire::{
    Answer, BoxFuture, Call, Content, Operation, Payload, Protocol, Refusal, Routes, Service,
};

static ROUTES: Routes = Routes {
    service_id: "Fake",
    signing_name: "video",
    target_prefix: "",
    xml_namespace: "",
    protocols: &[Protocol::RestJson],
    operations: &[
        Operation::new("Echo", 16)
            .at("POST", "/echo", 200)
            .reading(&["x-kind", "x-meta-*"])
            .streaming(),
        Operation::new("Plain", 16).at("POST", "/plain/{Name}", 204),
        Operation::new("Refuse", 16).at("POST", "/refuse", 200).streaming(),
    ],
};

/// Sends each piece of a body back as it comes.
struct Echo;

impl Service for Echo {
    fn routes(&self) -> &'static Routes {
        &ROUTES
    }

    fn call(&self, call: Call) -> BoxFuture<'_, Result<Answer, Refusal>> {
        Box::pin(async move {
            if call.operation == 2 {
                return Err(Refusal::unavailable("not now"));
            }
            let content = match call.body {
                Payload::Stream(pieces) => {
                    Content::Stream(Box::pin(pieces.map(|piece| match piece {
                        Err(refusal) => Ok(Bytes::from(format!("[{}]", refusal.code))),
                        piece => piece,
                    })))
                }
                whole => whole.into(),
            };
            let mut answer = Answer::of(content);
            if call.operation == 1 {
                answer.status = 204;
                answer.header("x-path", call.head.map(|head| head.path).unwrap_or_default());
            }
            answer.header("x-bad", "no\nheader");
            Ok(answer)
        })
    }
}

/// A server that stops with this.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    _stop: oneshot::Sender<()>,
}

fn start(options: Options, keys: Keyring) -> Running {
    let options = Options { listen: ([127, 0, 0, 1], 0).into(), ..options };
    let services: Vec<Arc<dyn Service>> = vec![Arc::new(Echo)];
    let (env, registry) = (system_env(), Registry::default());
    run(Server::bind(options, env, registry, services, keys).unwrap())
}

/// A server with a service or none, as `change` makes it.
pub(crate) fn start_with(with_services: bool, change: impl FnOnce(Server) -> Server) -> Running {
    let options = Options { listen: ([127, 0, 0, 1], 0).into(), ..Options::default() };
    let echo: Arc<dyn Service> = Arc::new(Echo);
    let services = if with_services { vec![echo] } else { Vec::new() };
    let (env, registry) = (system_env(), Registry::default());
    run(change(Server::bind(options, env, registry, services, Keyring::default()).unwrap()))
}

fn run(server: Server) -> Running {
    let address = server.local_addr();
    let (stop, stopped) = oneshot::channel::<()>();
    tokio::spawn(server.run(Loops::start(1).unwrap(), async { drop(stopped.await) }));
    Running { address, _stop: stop }
}

const HEAD: &str = "Host: localhost\r\nAuthorization: AWS4-HMAC-SHA256 \
    Credential=AKID/20260101/us-east-1/video/aws4_request, SignedHeaders=host, Signature=00\r\n\
    X-Amz-Date: 20260101T000000Z\r\n";

async fn connect(running: &Running, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// Reads until what came ends in `end`.
async fn until(stream: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    let mut buffer = [0; 1024];
    while !text.ends_with(end) {
        let read = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut buffer));
        let count = read.await.unwrap_or_else(|_| panic!("{text:?} and no more")).unwrap();
        assert_ne!(count, 0, "{text:?} and the end");
        text.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn each_piece_is_answered_before_the_next_is_sent() {
    let running = start(Options::default(), Keyring::default());
    let head = format!("POST /echo HTTP/1.1\r\n{HEAD}Transfer-Encoding: chunked\r\n\r\n");
    let mut stream = connect(&running, &head).await;
    // More than an operation may read at once.
    for n in 0..100 {
        let piece = format!("piece {n:04}");
        stream.write_all(format!("a\r\n{piece}\r\n").as_bytes()).await.unwrap();
        let got = until(&mut stream, &format!("{piece}\r\n")).await;
        assert_eq!(got.contains("HTTP/1.1 200 OK"), n == 0, "{got}");
        assert!(!got.contains("x-bad"), "{got}");
    }
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    until(&mut stream, "0\r\n\r\n").await;
}

/// A client that sends all before it reads must find the refusal, and its connection whole.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_upload_is_read_over() {
    let running = start(Options::default(), Keyring::default());
    let mut stream = connect(&running, "").await;
    for bytes in [1 << 10, 300 << 10] {
        let head = format!("POST /refuse HTTP/1.1\r\n{HEAD}Content-Length: {bytes}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&vec![b'x'; bytes]).await.unwrap();
        let got = until(&mut stream, "not now\"}").await;
        assert!(got.starts_with("HTTP/1.1 503"), "{got}");
    }
    let head = format!("POST /echo HTTP/1.1\r\n{HEAD}Content-Length: 2\r\n\r\nok");
    stream.write_all(head.as_bytes()).await.unwrap();
    until(&mut stream, "ok\r\n0\r\n\r\n").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_stands_still_or_ends_early_is_told_to_the_service() {
    let limits = Limits { body_timeout: Duration::from_millis(200), ..Limits::default() };
    let running = start(Options { limits, ..Options::default() }, Keyring::default());
    let head = format!("POST /echo HTTP/1.1\r\n{HEAD}Transfer-Encoding: chunked\r\n\r\n");
    let mut still = connect(&running, &head).await;
    still.write_all(b"1\r\nx\r\n").await.unwrap();
    until(&mut still, "[RequestTimeoutException]\r\n0\r\n\r\n").await;
    let running = start(Options::default(), Keyring::default());
    let mut early = connect(&running, &head).await;
    early.write_all(b"5\r\nx").await.unwrap();
    until(&mut early, "x\r\n").await;
    early.shutdown().await.unwrap();
    until(&mut early, "[SerializationException]\r\n0\r\n\r\n").await;
}

/// A request whose signature covers `signed`, with or without a header that says so.
fn request(body: &str, signed: &str, is_told: bool) -> String {
    let (path, host) = ("/echo", "localhost");
    let hash = payload_hash(signed.as_bytes());
    let mut headers = vec![("host", host.as_bytes())];
    if is_told {
        headers.push(("x-amz-content-sha256", hash.as_bytes()));
    }
    let parts = Parts { method: "POST", path, query: "", headers: &headers };
    let credentials = Credentials {
        access_key_id: "AKID".to_owned(),
        secret_access_key: Secret::new("secret"),
        session_token: None,
    };
    let scope = Scope { region: "eu-west-1", service: "video" };
    let now_ms = system_env().clock.now_ms();
    let Signed { x_amz_date, authorization, .. } = sign(&parts, &hash, &credentials, scope, now_ms);
    let told = if is_told { format!("x-amz-content-sha256: {hash}\r\n") } else { String::new() };
    format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nX-Amz-Date: {x_amz_date}\r\n{told}\
         Authorization: {authorization}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A stream is handed on before all of it is there, so a hash that the head tells is held against
/// what came; without one the body is read first, as far as the operation's cap.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_bound_to_what_was_signed() {
    let key = Key {
        secret_access_key: Secret::new("secret"),
        session_token: None,
        expires_ms: None,
        account: AccountId::DEFAULT,
        caller_arn: "arn:aws:iam::000000000000:user/a".into(),
        user_id: "AIDATEST".into(),
        role_arn: None,
        permissions: base::policy::Permissions::All,
    };
    let keys = Keyring::new([("AKID".to_owned(), key)]);
    let options = Options { auth: AuthMode::Required, ..Options::default() };
    let running = start(options, keys);
    let check = async |request: String, want: &str| {
        let mut stream = connect(&running, &request).await;
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        assert!(text.contains(want), "{want}: {text}");
    };
    let long = "y".repeat(40);
    check(request(&long, &long, true), &long).await;
    check(request(&long, "another", true), "[InvalidSignatureException]").await;
    check(request("short", "short", false), "short").await;
    check(request("short", "other", false), "InvalidSignatureException").await;
    check(request(&long, &long, false), "RequestEntityTooLargeException").await;
    let told = format!("x-amz-content-sha256: {}", payload_hash(long.as_bytes()));
    let nothing = request(&long, &long, true).replace(&told, "x-amz-content-sha256:");
    check(nothing, "InvalidSignatureException").await;
    for header in ["X-Kind: a", "x-meta-b: c"] {
        let added = request("short", "short", true)
            .replace("Connection", &format!("{header}\r\nConnection"));
        check(added, "must be a 'SignedHeader'").await;
    }
    let other = request("short", "short", true).replace("POST /echo", "POST /plain/x/../../echo");
    check(other, "UnknownOperationException").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_statuses_and_errors_of_rest() {
    let running = start(Options::default(), Keyring::default());
    let check = async |line: &str, want: &[&str]| {
        let request = format!("{line}\r\n{HEAD}Content-Length: 0\r\nConnection: close\r\n\r\n");
        let mut stream = connect(&running, &request).await;
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        for part in want {
            assert!(text.contains(part), "{line}: {part}: {text}");
        }
    };
    check("POST /plain/a%20b?c=d HTTP/1.1", &["HTTP/1.1 204", "x-path: /plain/a%20b"]).await;
    let unknown = ["HTTP/1.1 404", "x-amzn-errortype: UnknownOperationException"];
    check("GET /plain/a HTTP/1.1", &unknown).await;
    check("POST /nothing HTTP/1.1", &unknown).await;
}
