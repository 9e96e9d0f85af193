//! Retries of one call, and what a service in this process may answer.

use crate::script::{client, ok, refuse, timed};
use api::kinesis::{DeleteStreamInput, DescribeLimitsInput, DescribeLimitsOutput, ops};
use base::env::Clock as _;
use client::{ErrorKind, Retry};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use testkit::block_on;

const SLOW: (u16, &str) = (400, "ProvisionedThroughputExceededException");
const DOWN: (u16, &str) = (500, "InternalFailureException");
const WRONG: (u16, &str) = (400, "ValidationException");

/// Refuses a call so, then does it: how often it was asked, how it ended, and the bounds of the
/// time that passed, in milliseconds.
fn check(
    refusals: &[(u16, &'static str)],
    retry: Retry,
    (asked, ended): (usize, &str),
    ms: [u64; 2],
) {
    let left: Mutex<VecDeque<_>> = Mutex::new(refusals.iter().copied().collect());
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let (client, world) = client(move |operation, _| {
        assert_eq!(operation, "DeleteStream");
        counted.fetch_add(1, Ordering::Relaxed);
        match left.lock().unwrap().pop_front() {
            Some((status, code)) => refuse(status, code),
            None => ok(()),
        }
    });
    let input = DeleteStreamInput::default();
    let call = client.call_with::<ops::DeleteStream>(&input, retry);
    let done = block_on(timed(&world, call));
    let code = done.as_ref().map_or_else(client::Error::code, |()| "");
    assert_eq!((count.load(Ordering::Relaxed), code), (asked, ended), "{refusals:?}");
    let passed = world.clock.monotonic().as_millis() as u64;
    assert!((ms[0]..=ms[1]).contains(&passed), "{refusals:?}: {passed} ms of {ms:?}");
    if let Err(e) = done {
        let (status, code) = refusals[asked - 1];
        assert_eq!((e.kind(), e.status(), e.message()), (ErrorKind::Refused, status, "no"));
        assert_eq!(e.to_string(), format!("{code}: no"));
        assert!(!e.tells_done(code), "no connection broke");
    }
}

#[test]
fn what_is_asked_again() {
    let usual = Retry::default();
    check(&[], usual, (1, ""), [0, 0]);
    check(&[WRONG], usual, (1, WRONG.1), [0, 0]);
    for code in [
        "ProvisionedThroughputExceededException",
        "LimitExceededException",
        "ThrottlingException",
        "KMSThrottlingException",
        "RequestLimitExceeded",
        "ServiceUnavailableException",
        "InternalFailureException",
    ] {
        check(&[(400, code)], usual, (2, ""), [25, 50]);
    }
    for status in [429, 500, 502, 503, 504, 599] {
        check(&[(status, "Anything")], usual, (2, ""), [25, 50]);
    }
    for code in [
        "ResourceNotFoundException",
        "ResourceInUseException",
        "AccessDeniedException",
        "ExpiredIteratorException",
        "InvalidArgumentException",
        "SerializationException",
        "KMSDisabledException",
        "InvalidSignatureException",
    ] {
        check(&[(400, code)], usual, (1, code), [0, 0]);
    }
}

#[test]
fn how_often_and_how_fast() {
    let usual = Retry::default();
    check(&[SLOW, DOWN, SLOW], usual, (4, ""), [175, 350]);
    check(&[SLOW, DOWN, SLOW, DOWN], usual, (4, DOWN.1), [175, 350]);
    check(&[DOWN, WRONG], usual, (2, WRONG.1), [25, 50]);
    check(&[DOWN], Retry::NONE, (1, DOWN.1), [0, 0]);
    let of = |attempts_max| Retry { attempts_max, ..usual };
    check(&[DOWN], of(0), (1, DOWN.1), [0, 0]);
    check(&[DOWN], of(1), (1, DOWN.1), [0, 0]);
    check(&[DOWN, DOWN], of(2), (2, DOWN.1), [25, 50]);
    // 50, 100, ... 1600 ms and then two seconds each, or as little as half of it.
    check(&[DOWN; 9], of(10), (10, ""), [4_575, 9_150]);
    let steady = Retry { attempts_max: 6, pause: Duration::from_secs(1), ..usual };
    let steady = Retry { pause_max: Duration::from_millis(10), ..steady };
    check(&[DOWN; 5], steady, (6, ""), [25, 50]);
    let patient = Retry { attempts_max: 41, pause: Duration::MAX, ..steady };
    check(&[DOWN; 40], patient, (41, ""), [200, 400]);
}

/// Clients that were refused together do not come back together.
#[test]
fn pauses_differ() {
    let (client, world) = client(|_, _| refuse(503, "ServiceUnavailableException"));
    let mut passed = Vec::new();
    for _ in 0..8 {
        let before = world.clock.monotonic();
        let input = DeleteStreamInput::default();
        let retry = Retry { attempts_max: 2, ..Retry::default() };
        let call = client.call_with::<ops::DeleteStream>(&input, retry);
        block_on(timed(&world, call)).unwrap_err();
        passed.push(world.clock.monotonic().abs_diff(before));
    }
    passed.sort();
    passed.dedup();
    assert!(passed.len() > 4, "{passed:?}");
}

#[test]
fn a_service_here_answers_with_its_shapes() {
    let (limited, _) = client(|operation, input| {
        assert_eq!(operation, "DescribeLimits");
        assert!(input.downcast::<DescribeLimitsInput>().is_ok(), "what was given");
        ok(DescribeLimitsOutput { shard_limit: 42, ..DescribeLimitsOutput::default() })
    });
    let call = || limited.call::<ops::DescribeLimits>(&DescribeLimitsInput {});
    assert_eq!(block_on(call()).unwrap().shard_limit, 42);
    let clone = limited.clone();
    drop(limited);
    let input = DescribeLimitsInput {};
    assert_eq!(block_on(clone.call::<ops::DescribeLimits>(&input)).unwrap().shard_limit, 42);
    let (mistyped, _) = client(|_, _| ok("no limits"));
    let e = block_on(mistyped.call::<ops::DescribeLimits>(&input)).unwrap_err();
    assert_eq!((e.kind(), e.status(), e.code()), (ErrorKind::Config, 0, "Config"));
    assert_eq!(e.to_string(), "the service in this process has no such operation");
    let e = block_on(mistyped.subscribe(&api::kinesis::SubscribeToShardInput::default()));
    assert_eq!(e.err().unwrap().kind(), ErrorKind::Config);
}
