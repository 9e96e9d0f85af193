//! The memory that clients cause: one budget, shared so that nobody holds the server.

use crate::limits::{ask_without_reading, expecting};
use crate::support::{
    Raw, Running, call, get, headers, impatient, memory_comes, options, post, render, start,
    start_in, start_with,
};
use base::env::{Clock, Sleep};
use base::{AccountId, Env};
use server::{AuthMode, Limits, Options, system_env};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use wire::sigv4::{Credentials, Key, Keyring, Parts, Scope, Secret, payload_hash, sign};

/// With this much memory one client may hold almost 2 MiB in large pieces: three quarters are left
/// by connections, an eighth of them is for small pieces, a quarter of the rest for others.
const MEMORY_BYTES: usize = 4 << 20;
const LARGE_BYTES: usize = 600 << 10;

fn scarce() -> Options {
    let limits = Limits { memory_bytes_max: MEMORY_BYTES, ..impatient() };
    let minute = Duration::from_mins(1);
    // Only room is short.
    let limits = Limits { room_timeout: Duration::from_secs(1), ..limits };
    let limits =
        Limits { body_timeout: minute, idle_timeout: minute, header_timeout: minute, ..limits };
    Options { limits, ..options() }
}

/// A clock that stands still, though sleeps pass: nothing that moved is ever too long ago.
struct Still(Arc<dyn Clock>);

impl Clock for Still {
    fn now_ms(&self) -> i64 {
        self.0.now_ms()
    }

    fn monotonic(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        self.0.sleep(duration)
    }
}

#[tokio::test]
async fn bodies_in_flight_share_one_budget() {
    let server = start(scarce());
    let large = "x".repeat(LARGE_BYTES);
    let mut first = Raw::connect(server.address).await;
    first.send(post("Wait", &large)).await;
    server.service.waiting.acquire().await.unwrap().forget();
    let refused = call(server.address, "Echo", &large).await;
    assert_eq!(refused.status, 503);
    assert!(refused.text().contains("ServiceUnavailableException"), "{}", refused.text());
    assert_eq!(call(server.address, "Echo", &"x".repeat(10_000)).await.status, 200);
    server.service.gate.add_permits(1);
    assert_eq!(first.reply().await.status, 200);
    assert_eq!(call(server.address, "Echo", &large).await.status, 200);
}

#[tokio::test]
async fn a_body_takes_room_for_what_came_of_it_only() {
    let server = start(scarce());
    let mut announcing = Raw::connect(server.address).await;
    announcing.send(expecting("Echo", 1 << 20)).await;
    assert_eq!(announcing.head().await.status, 100, "its body is being read");
    announcing.send("x").await;
    assert_eq!(call(server.address, "Echo", &"x".repeat(900 << 10)).await.status, 200);
}

#[tokio::test]
async fn half_read_bodies_do_not_wait_for_each_other() {
    let env = system_env();
    let env = Env { clock: Arc::new(Still(Arc::clone(&env.clock))), ..env };
    let server = start_in(env, scarce(), Keyring::default(), |server| server);
    let mut half = Raw::connect(server.address).await;
    let request = post("Echo", &"x".repeat(900 << 10));
    let (first, rest) = request.as_bytes().split_at(request.len() - 1000);
    half.send(first).await;
    // All of it has come, so that another body finds no room; that gives way.
    memory_comes(&server, |bytes| bytes > 2 * 900_000).await;
    assert_eq!(call(server.address, "Echo", &"x".repeat(LARGE_BYTES)).await.status, 503);
    half.send(rest).await;
    assert_eq!(half.reply().await.status, 200);
}

#[tokio::test]
async fn requests_that_wait_for_their_bodies_give_way_to_others() {
    // Whoever is told to give way does so, however long that takes.
    let limits = Limits { room_timeout: Duration::from_mins(1), ..scarce().limits };
    let server = start(Options { limits, ..options() });
    let mut halves = Vec::new();
    let begin = async || {
        let mut half = Raw::connect(server.address).await;
        half.send(expecting("Echo", LARGE_BYTES)).await;
        assert_eq!(half.head().await.status, 100, "its body is waited for");
        half
    };
    // Each may bring 64 KiB at once, so there is no room for so many.
    for _ in 0..40 {
        halves.push(begin().await);
        assert_eq!(call(server.address, "Echo", "{}").await.status, 200);
    }
    let refused = halves[0].reply().await;
    assert_eq!(refused.status, 503);
    assert!(refused.text().contains("too many requests in flight"), "{}", refused.text());
    let mut last = halves.pop().unwrap();
    last.send("x".repeat(LARGE_BYTES)).await;
    assert_eq!(last.reply().await.status, 200);
}

#[tokio::test]
async fn answers_that_nobody_takes_share_one_budget() {
    let limits = Limits { room_timeout: Duration::from_millis(100), ..options().limits };
    let limits = Limits { memory_bytes_max: 2 * MEMORY_BYTES, ..limits };
    let server = start(Options { limits, ..options() });
    let stuck: Vec<_> = (0..4).map(|_| tokio::spawn(ask_without_reading(server.address))).collect();
    let large = "x".repeat(1 << 20);
    let until = async |status| {
        loop {
            let reply = call(server.address, "Echo", &large).await;
            if reply.status == status {
                break reply;
            }
        }
    };
    let refused = until(503).await;
    assert!(refused.text().contains("ServiceUnavailableException"), "{}", refused.text());
    assert_eq!(call(server.address, "Echo", "{}").await.status, 200, "small ones find room");
    assert_eq!(get(server.address, "/livez", "localhost").await.status, 200);
    stuck.iter().for_each(tokio::task::JoinHandle::abort);
    assert_eq!(until(200).await.text(), large, "the room comes back with the connections' end");
}

/// Two keys of two accounts.
fn keys() -> Keyring {
    Keyring::new(["ALICE", "BOB"].map(|name| {
        let key = Key {
            secret_access_key: Secret::new("secret"),
            session_token: None,
            expires_ms: None,
            account: AccountId::parse(&name.len().to_string().repeat(12)).unwrap(),
            caller_arn: format!("arn:aws:iam::000000000000:user/{name}").into(),
            user_id: "AIDATEST".into(),
            role_arn: None,
            permissions: base::policy::Permissions::All,
        };
        (name.to_owned(), key)
    }))
}

/// A request signed by a key of [`keys`].
fn signed(key: &str, operation: &str, body: &str) -> String {
    let mut headers = headers(operation);
    headers.truncate(3);
    let pairs: Vec<(&str, &[u8])> =
        headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let parts = Parts { method: "POST", path: "/", query: "", headers: &pairs };
    let credentials = Credentials {
        access_key_id: key.to_owned(),
        secret_access_key: Secret::new("secret"),
        session_token: None,
    };
    let scope = Scope { region: "eu-west-1", service: "kinesis" };
    let now_ms = system_env().clock.now_ms();
    let signed = sign(&parts, &payload_hash(body.as_bytes()), &credentials, scope, now_ms);
    headers.push(("x-amz-date".to_owned(), signed.x_amz_date));
    headers.push(("authorization".to_owned(), signed.authorization));
    render(&headers, body)
}

async fn ask(server: &Running, request: &str) -> u16 {
    let mut client = Raw::connect(server.address).await;
    client.send(request).await;
    client.reply().await.status
}

#[tokio::test]
async fn one_account_does_not_hold_the_memory_of_another() {
    let limits = Limits { memory_bytes_max: 24 << 20, ..scarce().limits };
    let options = Options { auth: AuthMode::Required, limits, ..options() };
    let server = start_with(options, keys(), |server| server);
    let large = "x".repeat(1 << 20);
    let mut held = Vec::new();
    // Requests of Bob's wait for the service until there is no room for one more.
    let wait = signed("BOB", "Wait", &large);
    loop {
        let mut client = Raw::connect(server.address).await;
        client.send(&wait).await;
        tokio::select! {
            arrived = server.service.waiting.acquire() => arrived.unwrap().forget(),
            refused = client.reply() => {
                assert_eq!(refused.status, 503);
                break;
            }
        }
        held.push(client);
    }
    assert!(held.len() > 4, "{}", held.len());
    // All come from one address: until it is verified a request has no account.
    assert_eq!(ask(&server, &signed("ALICE", "Echo", &large)).await, 200);
    assert_eq!(ask(&server, &signed("ALICE", "Who", "{}")).await, 200);
    server.service.gate.add_permits(held.len());
    for client in &mut held {
        assert_eq!(client.reply().await.status, 200);
    }
    assert_eq!(ask(&server, &signed("BOB", "Echo", &large)).await, 200);
}

#[tokio::test]
async fn silent_connections_give_their_places_to_new_ones() {
    let limits = Limits { connections_max: 2, ..options().limits };
    let server = start(Options { limits, ..options() });
    let mut first = Raw::connect(server.address).await;
    assert_eq!(first.call("Echo", "{}").await.status, 200);
    let mut silent = Raw::connect(server.address).await;
    assert_eq!(get(server.address, "/livez", "localhost").await.status, 200);
    assert_eq!(silent.rest().await, b"");
    assert_eq!(first.call("Echo", "{}").await.status, 200, "who asks keeps its place");
    let _crowd: Vec<TcpStream> = {
        let mut crowd = Vec::new();
        for _ in 0..20 {
            crowd.push(TcpStream::connect(server.address).await.unwrap());
        }
        crowd
    };
    assert_eq!(get(server.address, "/livez", "localhost").await.status, 200);
    assert_eq!(call(server.address, "Echo", "{}").await.status, 200);
}

/// A clock that tells of long sleeps that end before an idle connection's time is over.
struct Telling(Arc<dyn Clock>, Arc<Semaphore>);

const IDLE: Duration = Duration::from_hours(1);

impl Clock for Telling {
    fn now_ms(&self) -> i64 {
        self.0.now_ms()
    }

    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        if (IDLE / 2..IDLE).contains(&duration) {
            self.1.add_permits(1);
        }
        self.0.sleep(duration)
    }
}

#[tokio::test]
async fn an_idle_connection_keeps_no_buffer_and_goes_on() {
    let (env, rests) = (system_env(), Arc::new(Semaphore::new(0)));
    let clock = Telling(Arc::clone(&env.clock), Arc::clone(&rests));
    let env = Env { clock: Arc::new(clock), ..env };
    let limits = Limits { idle_timeout: IDLE, ..impatient() };
    let server =
        start_in(env, Options { limits, ..options() }, Keyring::default(), |server| server);
    let mut client = Raw::connect(server.address).await;
    for text in ["{}".to_owned(), "x".repeat(1 << 20), "\"last\"".to_owned()] {
        assert_eq!(client.call("Echo", &text).await.text(), text);
        rests.acquire().await.unwrap().forget();
    }
    // The first byte alone ends the rest, and then the head has its time.
    client.send("P").await;
    assert_eq!(client.rest().await, b"");
}
