//! One subscription, by the bytes of its answer.

use crate::script::{Give, config, serve, whole};
use api::EventShape as _;
use api::kinesis::{SubscribeToShardEvent, SubscribeToShardEventStream, SubscribeToShardInput};
use client::{Client, Error, ErrorKind, Subscription};
use proptest::prelude::*;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use wire::Protocol::Json11;
use wire::event_stream::{FrameWriter, exception, initial_response};

fn event(number: i64) -> Vec<u8> {
    let event = SubscribeToShardEvent {
        millis_behind_latest: number,
        continuation_sequence_number: Some(number.to_string().into()),
        ..SubscribeToShardEvent::default()
    };
    SubscribeToShardEventStream::SubscribeToShardEvent(event).frame(Json11).to_vec()
}

fn begun() -> Vec<u8> {
    initial_response(Json11).to_vec()
}

/// An event of this type and payload.
fn raw(event_type: &str, payload: &str) -> Vec<u8> {
    let (frame, empty) = FrameWriter::event(event_type, Json11, 0);
    let whole = frame.finish(empty);
    let headers = whole[12..whole.len() - 4].to_vec();
    let total = (12 + headers.len() + payload.len() + 4) as u32;
    let mut out = [total.to_be_bytes(), (headers.len() as u32).to_be_bytes()].concat();
    out.extend(crc(&out));
    out.extend(headers);
    out.extend(payload.as_bytes());
    out.extend(crc(&out));
    out
}

/// CRC-32 as frames have it, in the fewest lines.
fn crc(bytes: &[u8]) -> [u8; 4] {
    let step = |crc: u32| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    let byte = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc));
    (!bytes.iter().fold(!0, byte)).to_be_bytes()
}

/// A frame of `:message-type` `error`, as of a failure that the model does not have.
fn unmodeled(code: &str, message: &str) -> Vec<u8> {
    let mut headers = Vec::new();
    for (name, value) in
        [(":message-type", "error"), (":error-code", code), (":error-message", message)]
    {
        headers.push(name.len() as u8);
        headers.extend(name.as_bytes());
        headers.extend([7, 0, value.len() as u8]);
        headers.extend(value.as_bytes());
    }
    let total = (16 + headers.len()) as u32;
    let mut out = [total.to_be_bytes(), (headers.len() as u32).to_be_bytes()].concat();
    out.extend(crc(&out));
    out.extend(headers);
    out.extend(crc(&out));
    out
}

async fn subscribe(bytes: Vec<u8>) -> Result<Subscription, Error> {
    let (endpoint, _sent) = serve(vec![Give::Cut(bytes)]);
    let client = Client::new(config(&endpoint).0).unwrap();
    client.subscribe(&SubscribeToShardInput::default()).await
}

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/vnd.amazon.eventstream\r\n";

/// Numbers of the events that come of these frames, and how it ends.
async fn check(frames: &[Vec<u8>], want: &[i64], end: Option<(ErrorKind, &str)>) {
    let body = frames.concat();
    let whole = [HEAD.as_bytes(), b"\r\n", &body].concat();
    let length = format!("content-length: {}\r\n\r\n", body.len());
    let counted = [HEAD.as_bytes(), length.as_bytes(), &body].concat();
    for bytes in [whole, counted] {
        let mut events = subscribe(bytes).await.unwrap();
        for number in want {
            let event = events.next().await.unwrap().unwrap();
            assert_eq!(event.millis_behind_latest, *number);
        }
        let last = events.next().await.map(|last| last.unwrap_err());
        let found = last.as_ref().map(|e| (e.kind(), e.to_string()));
        assert_eq!(found, end.map(|(kind, text)| (kind, text.to_owned())));
        assert!(events.next().await.is_none(), "nothing comes after the end");
    }
}

#[tokio::test]
async fn events_until_the_end() {
    check(&[], &[], None).await;
    check(&[begun()], &[], None).await;
    check(&[begun(), event(1), event(2)], &[1, 2], None).await;
    check(&[event(1)], &[1], None).await;
    let later = raw("EventOfLaterYears", "{}");
    check(&[begun(), later.clone(), event(1), later], &[1], None).await;
    let empty = r#"{"Records":[],"MillisBehindLatest":3,"ContinuationSequenceNumber":"1","X":1}"#;
    check(&[raw("SubscribeToShardEvent", empty)], &[3], None).await;
}

#[tokio::test]
async fn errors_end_it() {
    let refused = |code: &str| (ErrorKind::Refused, format!("{code}: so"));
    for code in [
        "ResourceInUseException",
        "ResourceNotFoundException",
        "InternalFailureException",
        "KMSThrottlingException",
        "ExceptionOfLaterYears",
    ] {
        let (kind, text) = refused(code);
        let frames = [begun(), event(1), exception(code, "so", Json11).to_vec(), event(2)];
        check(&frames, &[1], Some((kind, &text))).await;
        check(&[unmodeled(code, "so"), event(2)], &[], Some((kind, &text))).await;
    }
    let nameless = (ErrorKind::Refused, "InternalFailureException");
    check(&[exception("InternalFailureException", "", Json11).to_vec()], &[], Some(nameless)).await;
    for (code, status, transient) in [
        ("InternalFailureException", 500, true),
        ("ServiceUnavailableException", 503, true),
        ("ServiceUnavailable", 503, true),
        ("ThrottlingException", 400, true),
        ("KMSThrottlingException", 400, true),
        ("ResourceInUseException", 400, false),
    ] {
        let bytes = [HEAD.as_bytes(), b"\r\n", &exception(code, "so", Json11)].concat();
        let e = subscribe(bytes).await.unwrap().next().await.unwrap().unwrap_err();
        assert_eq!((e.code(), e.status(), e.is_transient()), (code, status, transient));
    }
}

#[tokio::test]
async fn what_is_damaged_ends_it() {
    let flipped = |at: usize| {
        let mut frame = event(2);
        let at = if at == 0 { 0 } else { frame.len() - at };
        frame[at] ^= 4;
        frame
    };
    let malformed = |text| Some((ErrorKind::Malformed, text));
    let prelude = malformed("the checksum of a frame's prelude is wrong");
    check(&[begun(), event(1), flipped(0), event(3)], &[1], prelude).await;
    let frame = malformed("the checksum of a frame is wrong");
    check(&[begun(), event(1), flipped(9), event(3)], &[1], frame).await;
    let cut = event(2)[..40].to_vec();
    let broken = Some((ErrorKind::Broken, "the subscription broke off in a frame"));
    check(&[begun(), event(1), cut], &[1], broken).await;
    check(&[begun()[..5].to_vec()], &[], broken).await;
    for payload in ["", "[]", "{", r#"{"Records":7}"#] {
        let body = [HEAD.as_bytes(), b"\r\n", &raw("SubscribeToShardEvent", payload)].concat();
        let e = subscribe(body).await.unwrap().next().await.unwrap().unwrap_err();
        assert_eq!(e.kind(), ErrorKind::Malformed, "{payload}: {e}");
        assert!(e.message().starts_with("unreadable event"), "{e}");
    }
}

/// The body breaks off between frames, which its framing tells.
#[tokio::test]
async fn a_connection_that_is_cut_is_no_end() {
    let frames = [begun(), event(1)].concat();
    let length = format!("content-length: {}\r\n\r\n", frames.len() + 1);
    let chunked = format!("transfer-encoding: chunked\r\n\r\n{:x}\r\n", frames.len());
    for (head, behind) in [(length, ""), (chunked, "\r\n")] {
        let bytes = [HEAD.as_bytes(), head.as_bytes(), &frames, behind.as_bytes()].concat();
        let mut events = subscribe(bytes).await.unwrap();
        assert_eq!(events.next().await.unwrap().unwrap().millis_behind_latest, 1);
        let e = events.next().await.unwrap().unwrap_err();
        assert_eq!((e.kind(), e.is_transient()), (ErrorKind::Broken, true), "{e}");
        assert!(e.message().starts_with("the subscription broke off: "), "{e}");
        assert!(events.next().await.is_none());
    }
}

#[tokio::test]
async fn what_does_not_begin() {
    for (status, body, code) in [
        (400, r#"{"__type":"ResourceInUseException","message":"m"}"#, "ResourceInUseException"),
        (400, r#"{"__type":"LimitExceededException","message":"m"}"#, "LimitExceededException"),
        (502, "<html>", "Http502"),
        (302, "", "Http302"),
    ] {
        let e = subscribe(whole(status, body)).await.err().unwrap();
        assert_eq!((e.kind(), e.status(), e.code()), (ErrorKind::Refused, status, code));
    }
    let e = subscribe(Vec::new()).await.err().unwrap();
    assert_eq!(e.kind(), ErrorKind::Broken);
    let e =
        subscribe(b"HTTP/1.1 400 x\r\ncontent-length: 9\r\n\r\n{".to_vec()).await.err().unwrap();
    assert_eq!(e.kind(), ErrorKind::Broken);
}

/// The time-out is for the beginning alone; who drops a subscription ends it.
#[tokio::test]
async fn a_subscription_may_be_silent_for_long() {
    let (endpoint, mut sent) = serve(vec![Give::Hold(Vec::new())]);
    let (late, clock) = config(&endpoint);
    let client = Client::new(late).unwrap();
    let waits = async move { client.subscribe(&SubscribeToShardInput::default()).await.map(drop) };
    let waits = tokio::spawn(waits);
    assert!(sent.recv().await.unwrap().is_some());
    assert!(!waits.is_finished());
    clock.time_out();
    let e = waits.await.unwrap().unwrap_err();
    assert!(e.kind() == ErrorKind::Broken && e.message().contains("within 77s"), "{e}");
    assert!(sent.recv().await.unwrap().is_none());
    let bytes = [HEAD.as_bytes(), b"\r\n", &event(1)].concat();
    let (endpoint, mut sent) = serve(vec![Give::Hold(bytes)]);
    let (silent, clock) = config(&endpoint);
    let client = Client::new(silent).unwrap();
    let mut events = client.subscribe(&SubscribeToShardInput::default()).await.unwrap();
    clock.time_out();
    assert_eq!(events.next().await.unwrap().unwrap().millis_behind_latest, 1);
    assert!(sent.recv().await.unwrap().is_some());
    assert!(polled(&mut events).await.is_pending(), "and waits");
    drop(events);
    assert!(sent.recv().await.unwrap().is_none(), "the connection was closed");
}

/// Asks once and takes the question back.
async fn polled(events: &mut Subscription) -> Poll<Option<Result<SubscribeToShardEvent, Error>>> {
    poll_fn(|cx| Poll::Ready(pin!(events.next()).poll(cx))).await
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// However the bytes are cut, and though questions are taken back at once.
    #[test]
    fn nothing_read_is_lost(
        numbers in prop::collection::vec(0_i64..1 << 40, 0..6), piece in 1_usize..90,
    ) {
        let frames: Vec<u8> = numbers.iter().flat_map(|n| event(*n)).collect();
        let chunk = |bytes: &[u8]| {
            [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
        };
        let body: Vec<u8> = frames.chunks(piece).flat_map(chunk).collect();
        let head = [HEAD.as_bytes(), b"transfer-encoding: chunked\r\n\r\n"].concat();
        let bytes = [head, body, b"0\r\n\r\n".to_vec()].concat();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let seen = runtime.block_on(async {
            let mut events = subscribe(bytes).await.unwrap();
            let mut seen = Vec::new();
            loop {
                let next = match polled(&mut events).await {
                    Poll::Ready(next) => next,
                    Poll::Pending => events.next().await,
                };
                match next {
                    Some(event) => seen.push(event.unwrap().millis_behind_latest),
                    None => return seen,
                }
            }
        });
        prop_assert_eq!(seen, numbers);
    }
}
