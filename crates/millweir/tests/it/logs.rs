//! CloudWatch Logs in the real program.

use crate::policies::ask_form;
use crate::support::Running;
use api::logs::{
    CreateLogGroupRequest, CreateLogStreamRequest, FilterLogEventsRequest, GetLogEventsRequest,
    InputLogEvent, PutLogEventsRequest, PutSubscriptionFilterRequest, ops,
};
use client::{Client, Config, Retry};
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use tokio::sync::Semaphore;
use wire::Protocol;

const PUTTERS: usize = 8;

fn client(server: &Running, retry: Retry) -> Client {
    let protocol = Protocol::Json11;
    Client::new(Config { protocol, retry, ..Config::new(server.endpoint()) }).unwrap()
}

async fn create(client: &Client, group: &str, streams: &[String]) {
    let log_group_name = group.into();
    let input = CreateLogGroupRequest { log_group_name, ..CreateLogGroupRequest::default() };
    client.call::<ops::CreateLogGroup>(&input).await.unwrap();
    for stream in streams {
        let (log_group_name, log_stream_name) = (group.into(), stream.as_str().into());
        let input = CreateLogStreamRequest { log_group_name, log_stream_name };
        client.call::<ops::CreateLogStream>(&input).await.unwrap();
    }
}

fn event(group: &str, stream: &str, message: &str) -> PutLogEventsRequest {
    let timestamp = client::system_env().clock.now_ms();
    PutLogEventsRequest {
        log_group_name: group.into(),
        log_stream_name: stream.into(),
        log_events: vec![InputLogEvent { timestamp, message: message.into() }],
        ..PutLogEventsRequest::default()
    }
}

/// The messages of a stream in their order.
async fn messages(client: &Client, stream: &str) -> Vec<String> {
    let mut input = GetLogEventsRequest {
        log_group_name: Some("kill".into()),
        log_stream_name: stream.into(),
        start_from_head: Some(true),
        ..GetLogEventsRequest::default()
    };
    let mut messages = Vec::new();
    loop {
        let page = client.call::<ops::GetLogEvents>(&input).await.unwrap();
        let events = page.events.unwrap_or_default();
        messages.extend(events.into_iter().filter_map(|event| Some(event.message?.to_string())));
        if page.next_forward_token == input.next_token {
            return messages;
        }
        input.next_token = page.next_forward_token;
    }
}

/// Every acknowledged event is there once after `kill -9`, and at most one of each putter was not
/// acknowledged.
#[tokio::test(flavor = "multi_thread")]
async fn events_outlive_kill_9() {
    let mut server = Running::start(&[]);
    let once = Arc::new(client(&server, Retry::NONE));
    let streams: Vec<String> = (0..PUTTERS).map(|putter| format!("s{putter}")).collect();
    create(&once, "kill", &streams).await;
    let acked: Arc<Vec<Mutex<usize>>> = Arc::new((0..PUTTERS).map(|_| Mutex::default()).collect());
    let all = Arc::new(Semaphore::new(0));
    let putters: Vec<_> = streams
        .iter()
        .cloned()
        .enumerate()
        .map(|(putter, stream)| {
            let (client, acked, all) = (once.clone(), acked.clone(), all.clone());
            tokio::spawn(async move {
                for number in 0.. {
                    let input = event("kill", &stream, &number.to_string());
                    if client.call::<ops::PutLogEvents>(&input).await.is_err() {
                        return;
                    }
                    *acked[putter].lock().unwrap() = number + 1;
                    all.add_permits(1);
                }
            })
        })
        .collect();
    drop(all.acquire_many(400).await.unwrap());
    server.kill();
    for putter in putters {
        putter.await.unwrap();
    }
    for life in 0..2 {
        server.restart();
        let patient = client(&server, Retry::default());
        for (stream, acked) in streams.iter().zip(acked.iter()) {
            let acked = *acked.lock().unwrap();
            let found = messages(&patient, stream).await;
            let want: Vec<String> = (0..found.len()).map(|number| number.to_string()).collect();
            assert_eq!(found, want, "{stream}, life {life}");
            assert!((acked..=acked + 1).contains(&found.len()), "{acked}: {}", found.len());
        }
        if life == 0 {
            server.stop();
        }
    }
}

/// Whatever a filter was to tell when the server was killed is told afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_outlives_kill_9() {
    let mut server = Running::start(&[]);
    server.run(&["stream", "create", "out"]);
    let client_of = |server: &Running| client(server, Retry::default());
    let logs = client_of(&server);
    create(&logs, "g", &["s".to_owned()]).await;
    role(&server);
    let filter = PutSubscriptionFilterRequest {
        log_group_name: "g".into(),
        filter_name: "f".into(),
        filter_pattern: "kept".into(),
        destination_arn: "arn:aws:kinesis:us-east-1:000000000000:stream/out".into(),
        role_arn: Some("arn:aws:iam::000000000000:role/r".into()),
        ..PutSubscriptionFilterRequest::default()
    };
    logs.call::<ops::PutSubscriptionFilter>(&filter).await.unwrap();
    let mut want = BTreeSet::new();
    for number in 0..40 {
        let kind = if number % 2 == 0 { "kept" } else { "passed over" };
        let message = format!("{kind} {number}");
        logs.call::<ops::PutLogEvents>(&event("g", "s", &message)).await.unwrap();
        if number % 2 == 0 {
            want.insert(message);
        }
    }
    server.kill();
    server.restart();
    let mut got = BTreeSet::new();
    for _ in 0..200 {
        got = told(&server);
        if got == want {
            break;
        }
        client::system_env().clock.sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(got, want);
}

/// A role that the service may take on, to write to any stream.
fn role(server: &Running) {
    let trust = "%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22sts%3AAssumeRole%22\
                 %2C%22Principal%22%3A%7B%22Service%22%3A%22logs.amazonaws.com%22%7D%7D%7D";
    let rights = "%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22kinesis%3APut%2A\
                  %22%2C%22Resource%22%3A%22%2A%22%7D%7D";
    for form in [
        format!("Action=CreateRole&RoleName=r&AssumeRolePolicyDocument={trust}"),
        format!("Action=PutRolePolicy&RoleName=r&PolicyName=p&PolicyDocument={rights}"),
    ] {
        let body = format!("{form}&Version=2010-05-08");
        let done = ask_form(server.address(), ("iam", &body), "any");
        assert!(done.starts_with("HTTP/1.1 200"), "{done}");
    }
}

/// The messages that the stream `out` was told.
fn told(server: &Running) -> BTreeSet<String> {
    let line = "tail out --from trim_horizon --output json --idle-timeout 300ms";
    let records = server.run(&line.split(' ').collect::<Vec<_>>());
    let mut messages = BTreeSet::new();
    for record in records.lines() {
        let record: serde_json::Value = serde_json::from_str(record).unwrap();
        let data = record["dataBase64"].as_str().expect("gzip is no text");
        let packed = base64_simd::STANDARD.decode_to_vec(data).unwrap();
        let mut json = String::new();
        let mut unpacker = flate2::read::GzDecoder::new(&*packed);
        std::io::Read::read_to_string(&mut unpacker, &mut json).unwrap();
        let envelope: serde_json::Value = serde_json::from_str(&json).unwrap();
        if envelope["messageType"] == "DATA_MESSAGE" {
            let events = envelope["logEvents"].as_array().unwrap().iter();
            messages.extend(events.map(|event| event["message"].as_str().unwrap().to_owned()));
        }
    }
    messages
}

/// The commands, as people use them.
#[tokio::test(flavor = "multi_thread")]
async fn logs_on_the_command_line() {
    let server = Running::start(&[]);
    let run = |line: &str| server.run(&line.split(' ').collect::<Vec<_>>());
    assert_eq!(run("logs ls --output text"), "");
    let logs = client(&server, Retry::default());
    create(&logs, "app", &["web-1".to_owned(), "db-1".to_owned()]).await;
    assert_eq!(run("logs ls ap --output text"), "app\tforever\t0\n");
    let began_ms = client::system_env().clock.now_ms() - 1000;
    let all = [("web-1", "ERROR one\n"), ("db-1", "two"), ("web-1", "three \x1b[2J")];
    for (at_ms, (stream, message)) in (began_ms..).zip(all) {
        let mut input = event("app", stream, message);
        input.log_events[0].timestamp = at_ms;
        logs.call::<ops::PutLogEvents>(&input).await.unwrap();
    }
    let all = run("logs tail app --no-follow");
    let lines: Vec<_> = all.lines().map(|line| line.split_once("Z ").unwrap().1).collect();
    assert_eq!(lines, ["web-1 ERROR one", "db-1 two", "web-1 three \\u{1b}[2J"]);
    let some = run("logs tail app --no-follow --stream-prefix web --filter ERROR --output json");
    let event_of: serde_json::Value = serde_json::from_str(some.trim()).unwrap();
    assert_eq!(event_of["message"], "ERROR one\n");
    assert_eq!(event_of["logStreamName"], "web-1");
    let none = server.command(&["logs", "tail", "none", "--no-follow"]).output().unwrap();
    assert_eq!(none.status.code(), Some(3));
    let words = String::from_utf8_lossy(&none.stderr).into_owned();
    assert!(words.contains("The specified log group does not exist."), "{words}");

    // What comes is printed once, also when its own time is a little ago.
    let mut tail = server.command(&["logs", "tail", "app"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    let mut next = || lines.next().unwrap().unwrap();
    for _ in 0..3 {
        next();
    }
    logs.call::<ops::PutLogEvents>(&event("app", "db-1", "four")).await.unwrap();
    assert!(next().ends_with("Z db-1 four"));
    let mut late = event("app", "db-1", "late");
    late.log_events[0].timestamp -= 30_000;
    logs.call::<ops::PutLogEvents>(&late).await.unwrap();
    assert!(next().ends_with("Z db-1 late"));
    crate::support::signal(&tail, rustix::process::Signal::INT);
    assert_eq!(tail.wait().unwrap().code(), Some(0));
    assert_eq!(lines.next().map(Result::unwrap), None, "nothing twice");
    let input = FilterLogEventsRequest {
        log_group_name: Some("app".into()),
        ..FilterLogEventsRequest::default()
    };
    let found = logs.call::<ops::FilterLogEvents>(&input).await.unwrap();
    assert_eq!(found.events.unwrap_or_default().len(), 5);
}
