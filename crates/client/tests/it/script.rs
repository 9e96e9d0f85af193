//! Services that answer as a test says: one in this process, one on loopback that gives raw bytes.

use api::{Boxed, Handle};
use base::env::{Clock, Sleep};
use base::{AccountId, Cx, Region};
use client::{Client, Config};
use std::future::{Future, poll_fn};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;
use testkit::env::START_MS;
use testkit::{FakeEnv, fake_env};
use tokio::sync::{Semaphore, mpsc};
use wire::{BoxFuture, Refusal};

/// What a service in this process says.
pub(crate) type Answer = Result<Boxed, Refusal>;

/// A service in this process.
struct Script<F> {
    answer: F,
    /// Each call takes one for good before it is answered.
    permits: Option<Arc<Semaphore>>,
}

impl<F: Fn(&str, Boxed) -> Answer + Send + Sync + 'static> Handle for Script<F> {
    fn call<'a>(
        &'a self,
        _: &'a Cx,
        operation: &'a str,
        input: Boxed,
    ) -> BoxFuture<'a, Result<Boxed, Refusal>> {
        Box::pin(async move {
            let answer = (self.answer)(operation, input);
            if let Some(permits) = &self.permits {
                permits.acquire().await.unwrap().forget();
            }
            answer
        })
    }
}

/// A client of a service in this process, in a world of its own.
pub(crate) fn client(
    answer: impl Fn(&str, Boxed) -> Answer + Send + Sync + 'static,
) -> (Client, FakeEnv) {
    held_client(answer, None)
}

/// As `client`, but each call is answered only once there is a permit for it.
pub(crate) fn held_client(
    answer: impl Fn(&str, Boxed) -> Answer + Send + Sync + 'static,
    permits: Option<Arc<Semaphore>>,
) -> (Client, FakeEnv) {
    let world = fake_env(7);
    let config = Config { env: world.env(), ..Config::new("in this process") };
    let cx = Cx::of_service(AccountId::DEFAULT, Region::default());
    (Client::of_service(Arc::new(Script { answer, permits }), cx, config), world)
}

/// An answer of a service in this process.
#[expect(clippy::unnecessary_wraps, reason = "it stands beside refusals")]
pub(crate) fn ok<T: Send + 'static>(output: T) -> Answer {
    Ok(Box::new(output))
}

/// A refusal of a service in this process.
pub(crate) fn refuse(status: u16, code: &'static str) -> Answer {
    Err(Refusal { status, ..Refusal::client(code, "no") })
}

/// Polls without progress after which `timed` moves time: more than one task needs to tell another.
const IDLE_POLLS: u32 = 16;

/// Runs a future and moves time whenever nothing else moves: as `auto_advance`, but all there is
/// runs on this thread, so the processor need not be given away for others.
pub(crate) async fn timed<F: Future>(world: &FakeEnv, future: F) -> F::Output {
    let mut future = pin!(future);
    let (mut idle_polls, mut stuck) = (0, 0);
    poll_fn(|cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(output);
        }
        idle_polls += 1;
        if idle_polls > IDLE_POLLS {
            idle_polls = 0;
            stuck = if world.clock.advance_to_next() { 0 } else { stuck + 1 };
            assert!(stuck < 100, "it waits for what never comes");
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}

/// Lets every other task run until it waits.
pub(crate) async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

/// What becomes of a connection once its request was read.
pub(crate) enum Give {
    /// These bytes, and the end.
    Cut(Vec<u8>),
    /// These bytes, and nothing more until the other side ends.
    Hold(Vec<u8>),
}

/// A request as it came.
pub(crate) struct Sent {
    head: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Sent {
    /// A header, by its name in lower case; the request's line is ``.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.head.iter().skip(1).map(|(name, value)| (name.as_str(), value.as_bytes()))
    }
}

/// A server on loopback that gives one of these to each connection; tells of each request once the
/// bytes for it were sent, and of nothing (`None`) when a held connection has ended.
pub(crate) fn serve(gives: Vec<Give>) -> (String, mpsc::Receiver<Option<Sent>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (tell, told) = mpsc::channel(2 * gives.len().max(1));
    std::thread::spawn(move || {
        for give in gives {
            let mut socket = BufReader::new(listener.accept().unwrap().0);
            let sent = read(&mut socket);
            let (Give::Cut(bytes) | Give::Hold(bytes)) = &give;
            // A client that went away meanwhile is what some tests are about.
            drop(socket.get_mut().write_all(bytes));
            tell.blocking_send(Some(sent)).unwrap();
            if let Give::Hold(_) = give {
                drop(socket.read_to_end(&mut Vec::new()));
                // Who does not ask for it has gone.
                drop(tell.blocking_send(None));
            }
        }
    });
    (endpoint, told)
}

fn read(socket: &mut BufReader<TcpStream>) -> Sent {
    let (mut head, mut line) = (Vec::new(), String::new());
    while line != "\r\n" {
        line.clear();
        socket.read_line(&mut line).unwrap();
        let (name, value) = line.trim_end().split_once(": ").unwrap_or(("", line.trim_end()));
        head.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    head.pop();
    let mut sent = Sent { head, body: Vec::new() };
    let length = sent.header("content-length").map_or(0, |text| text.parse().unwrap());
    socket.take(length).read_to_end(&mut sent.body).unwrap();
    sent
}

/// A whole answer.
pub(crate) fn whole(status: u16, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head =
        format!("HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: {}", body.len());
    [head.as_bytes(), b"\r\n\r\n", body].concat()
}

/// Time-out of the clients here.
const TIMEOUT: Duration = Duration::from_secs(77);

/// A clock for calls over a socket: pauses pass at once, and time-outs when the test says so.
pub(crate) struct Pauses {
    passed: Mutex<Vec<Duration>>,
    time_outs: Arc<Semaphore>,
}

impl Pauses {
    /// The pauses so far.
    pub(crate) fn passed(&self) -> Vec<Duration> {
        self.passed.lock().unwrap().clone()
    }

    /// Time is up.
    pub(crate) fn time_out(&self) {
        self.time_outs.add_permits(1000);
    }
}

impl Clock for Pauses {
    fn now_ms(&self) -> i64 {
        START_MS
    }

    fn monotonic(&self) -> Duration {
        self.passed.lock().unwrap().iter().sum()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        let time_outs = self.time_outs.clone();
        if duration != TIMEOUT {
            self.passed.lock().unwrap().push(duration);
            return Box::pin(std::future::ready(()));
        }
        Box::pin(async move { time_outs.acquire().await.unwrap().forget() })
    }
}

/// Configuration of a client of a served endpoint, and its clock.
pub(crate) fn config(endpoint: &str) -> (Config, Arc<Pauses>) {
    let (passed, time_outs) = (Mutex::default(), Arc::new(Semaphore::new(0)));
    let clock = Arc::new(Pauses { passed, time_outs });
    let env = base::Env { clock: clock.clone(), ..fake_env(7).env() };
    (Config { env, timeout: TIMEOUT, ..Config::new(endpoint) }, clock)
}
