//! A service with one operation for each thing a server must cope with, and clients to call it.

use base::Env;
use base::metrics::Registry;
use bytes::Bytes;
use futures_util::stream;
use server::tls::TlsOptions;
use server::{Limits, LoopThread, Loops, Options, Port, Server, system_env};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;
use wire::rules::Member;
use wire::sigv4::Keyring;
use wire::{
    Answer, BoxFuture, Call, Content, Operation, Protocol, Refusal, Routes, Service, Writer,
};

const BODY_BYTES_MAX: usize = 1 << 20;
/// Largest body of the operation `Small`.
pub(crate) const SMALL_BYTES_MAX: usize = 16;

const fn operation(name: &'static str) -> Operation {
    Operation::new(name, BODY_BYTES_MAX)
}

static ROUTES: Routes = Routes {
    service_id: "Fake",
    signing_name: "kinesis",
    target_prefix: "Fake_20200101",
    xml_namespace: "",
    protocols: &[Protocol::Json11, Protocol::Cbor11],
    operations: &[
        operation("Block"),
        operation("Complain"),
        operation("Echo"),
        operation("Empty"),
        operation("Events"),
        operation("Long"),
        operation("Origin"),
        operation("Panic"),
        operation("Refuse"),
        Operation::new("Small", SMALL_BYTES_MAX),
        operation("Wait"),
        operation("Who"),
    ],
};

/// The service; a test looks into it and steers it from here.
pub(crate) struct Fake {
    /// Calls that arrived.
    pub(crate) calls: AtomicUsize,
    /// Calls that arrived at `Block` or `Wait`, one permit each.
    pub(crate) waiting: Semaphore,
    /// Lets a call of `Block` end, which keeps its thread meanwhile.
    pub(crate) thread_gate: Barrier,
    /// Lets calls of `Wait` end, one permit each.
    pub(crate) gate: Semaphore,
    /// What `Events` sends.
    pub(crate) frames: mpsc::Sender<Bytes>,
    queue: Mutex<Option<mpsc::Receiver<Bytes>>>,
    /// Told when a stream of `Events` was dropped.
    pub(crate) dropped: Arc<Notify>,
}

impl Fake {
    fn new() -> Self {
        let (frames, queue) = mpsc::channel(16);
        Self {
            calls: AtomicUsize::new(0),
            waiting: Semaphore::new(0),
            thread_gate: Barrier::new(2),
            gate: Semaphore::new(0),
            frames,
            queue: Mutex::new(Some(queue)),
            dropped: Arc::new(Notify::new()),
        }
    }

    fn events(&self) -> Answer {
        let queue = self.queue.lock().unwrap().take().expect("one stream a test");
        let state = (queue, NotifyOnDrop(Arc::clone(&self.dropped)));
        let next = |(mut queue, guard): (mpsc::Receiver<Bytes>, NotifyOnDrop)| async move {
            queue.recv().await.map(|bytes| (Ok(bytes), (queue, guard)))
        };
        let mut answer = Answer::of(Content::Stream(Box::pin(stream::unfold(state, next))));
        answer.header("content-type", wire::event_stream::CONTENT_TYPE);
        answer
    }
}

/// An answer of any length that is sent as a long one.
fn long(protocol: Protocol, data: &Bytes) -> Answer {
    let mut w = Writer::answer(protocol.format(), 10 << 20);
    w.begin();
    w.key(Member::new("\"Data\":"));
    w.blob(data);
    w.end();
    Answer::of(w.finish_answer())
}

struct NotifyOnDrop(Arc<Notify>);

impl Drop for NotifyOnDrop {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl Service for Fake {
    fn routes(&self) -> &'static Routes {
        &ROUTES
    }

    fn call(&self, call: Call) -> BoxFuture<'_, Result<Answer, Refusal>> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            let body = call.body.whole()?;
            match ROUTES.operations[call.operation].name {
                "Block" => {
                    self.waiting.add_permits(1);
                    self.thread_gate.wait();
                    Ok(Answer::whole(body))
                }
                "Complain" => {
                    let text = String::from_utf8(body.to_vec()).unwrap();
                    Err(Refusal::client("ValidationException", text))
                }
                "Empty" => Ok(Answer::whole(Bytes::new())),
                "Events" => Ok(self.events()),
                "Long" => Ok(long(call.protocol, &body)),
                "Origin" => {
                    let (origin, key) = (call.cx.origin, call.cx.access_key);
                    Ok(Answer::whole(format!("{origin:?} {key:?}").into()))
                }
                "Panic" => panic!("as asked"),
                "Refuse" => {
                    Err(Refusal::client("ProvisionedThroughputExceededException", "Slow \"down\"."))
                }
                "Wait" => {
                    self.waiting.add_permits(1);
                    self.gate.acquire().await.unwrap().forget();
                    Ok(Answer::whole(body))
                }
                "Who" => {
                    let cx = call.cx;
                    let text = format!("{} {} {}", cx.region, cx.account, cx.caller_arn);
                    Ok(Answer::whole(text.into()))
                }
                _ => Ok(Answer::whole(body)),
            }
        })
    }
}

/// A server that runs; it stops when this is dropped.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) ca_pem: Option<String>,
    pub(crate) service: Arc<Fake>,
    pub(crate) registry: Registry,
    /// Of the loops.
    pub(crate) threads: Vec<LoopThread>,
    stop: Option<oneshot::Sender<()>>,
    done: JoinHandle<()>,
}

impl Running {
    /// Tells the server to stop; it has stopped once the answer resolves.
    pub(crate) fn stop(&mut self) -> &mut JoinHandle<()> {
        self.stop.take().expect("stopped once").send(()).unwrap();
        &mut self.done
    }
}

/// What every test begins from: no TLS, time-outs that no working test meets.
pub(crate) fn options() -> Options {
    Options {
        listen: "127.0.0.1:0".parse().unwrap(),
        tls: TlsOptions::Off,
        limits: Limits { shutdown_timeout: Duration::from_secs(30), ..Limits::default() },
        ..Options::default()
    }
}

/// Limits under which what is slow ends soon.
pub(crate) fn impatient() -> Limits {
    Limits {
        header_timeout: Duration::from_millis(100),
        body_timeout: Duration::from_millis(100),
        idle_timeout: Duration::from_millis(200),
        room_timeout: Duration::from_millis(100),
        shutdown_timeout: Duration::from_millis(200),
        ..Limits::default()
    }
}

pub(crate) fn start(options: Options) -> Running {
    start_with(options, Keyring::default(), |server| server)
}

pub(crate) fn start_with(
    options: Options,
    keys: Keyring,
    change: impl FnOnce(Server) -> Server,
) -> Running {
    start_in(system_env(), options, keys, change)
}

pub(crate) fn start_in(
    env: Env,
    options: Options,
    keys: Keyring,
    change: impl FnOnce(Server) -> Server,
) -> Running {
    start_on(Port::take(options).unwrap(), env, keys, change)
}

pub(crate) fn start_on(
    port: Port,
    env: Env,
    keys: Keyring,
    change: impl FnOnce(Server) -> Server,
) -> Running {
    let service = Arc::new(Fake::new());
    let services: Vec<Arc<dyn Service>> = vec![Arc::clone(&service) as _];
    let registry = Registry::default();
    let server = Server::on(port, env, registry.clone(), services, keys).unwrap();
    let server = change(server);
    let (address, ca_pem) = (server.local_addr(), server.ca_pem().map(str::to_owned));
    let (stop, stopped) = oneshot::channel();
    // A dropped sender stops the server as well.
    let loops = Loops::start(2).unwrap();
    let threads = loops.threads().map(|(thread, _)| thread).collect();
    let done = tokio::spawn(server.run(loops, async { drop(stopped.await) }));
    Running { address, ca_pem, service, registry, threads, stop: Some(stop), done }
}

/// A signature as `auth = "any"` wants it.
pub(crate) const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 \
    Credential=AKID/20260101/eu-west-1/kinesis/aws4_request, SignedHeaders=host, Signature=0";

/// Headers of a request to `operation`.
pub(crate) fn headers(operation: &str) -> Vec<(String, String)> {
    [
        ("host", "localhost"),
        ("content-type", "application/x-amz-json-1.1"),
        ("x-amz-target", &format!("Fake_20200101.{operation}")),
        ("x-amz-date", "20260101T000000Z"),
        ("authorization", AUTHORIZATION),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

/// A request as HTTP/1.1 writes it.
pub(crate) fn post(operation: &str, body: &str) -> String {
    render(&headers(operation), body)
}

pub(crate) fn render(headers: &[(String, String)], body: &str) -> String {
    use std::fmt::Write;
    let mut out = String::from("POST / HTTP/1.1\r\n");
    for (name, value) in headers {
        write!(out, "{name}: {value}\r\n").unwrap();
    }
    write!(out, "content-length: {}\r\n\r\n{body}", body.len()).unwrap();
    out
}

/// An answer as HTTP/1.1 brings it.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// A client that sends exactly the bytes it is told to.
pub(crate) struct Raw<S> {
    pub(crate) stream: S,
}

impl Raw<TcpStream> {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.unwrap() }
    }
}

impl<S: AsyncRead + tokio::io::AsyncWrite + Unpin> Raw<S> {
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// Reads the head of an answer.
    pub(crate) async fn head(&mut self) -> Reply {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.stream.read_u8().await.expect("the connection ended in a head"));
        }
        let head = String::from_utf8(head).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Reply { status, head, body: Vec::new() }
    }

    /// Reads an answer of known length.
    pub(crate) async fn reply(&mut self) -> Reply {
        let mut reply = self.head().await;
        let length = reply.header("content-length").expect("no length").parse().unwrap();
        reply.body = self.exactly(length).await;
        reply
    }

    pub(crate) async fn exactly(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.stream.read_exact(&mut bytes).await.unwrap();
        bytes
    }

    /// Reads one chunk of a chunked body.
    pub(crate) async fn chunk(&mut self) -> Vec<u8> {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            line.push(self.stream.read_u8().await.unwrap());
        }
        let length = std::str::from_utf8(&line).unwrap().trim();
        let length = usize::from_str_radix(length, 16).unwrap();
        let chunk = self.exactly(length).await;
        assert_eq!(self.exactly(2).await, b"\r\n");
        chunk
    }

    pub(crate) async fn call(&mut self, operation: &str, body: &str) -> Reply {
        self.send(post(operation, body)).await;
        self.reply().await
    }

    /// Everything until the server closes; a reset is as good an end.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        drop(self.stream.read_to_end(&mut rest).await);
        rest
    }
}

/// One request on a connection of its own.
pub(crate) async fn call(address: SocketAddr, operation: &str, body: &str) -> Reply {
    Raw::connect(address).await.call(operation, body).await
}

/// One GET on a connection of its own.
pub(crate) async fn get(address: SocketAddr, path: &str, host: &str) -> Reply {
    let mut client = Raw::connect(address).await;
    client.send(format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n")).await;
    client.reply().await
}

/// Waits until what the server holds for its clients is as wanted.
pub(crate) async fn memory_comes(server: &Running, wanted: impl Fn(u64) -> bool) {
    loop {
        let metrics = get(server.address, "/metrics", "localhost").await;
        let held = metrics.text().lines().find_map(|line| {
            line.strip_prefix("millweir_client_memory_bytes ")?.parse::<u64>().ok()
        });
        if wanted(held.expect("the gauge is there")) {
            return;
        }
        tokio::task::yield_now().await;
    }
}
