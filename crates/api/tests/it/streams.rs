//! Event streams from a service to a client.

use api::kinesis::*;
use api::{EventShape as _, EventStream};
use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use wire::event_stream::{Decoder, Message};
use wire::{Format, Protocol, Refusal};

/// What a client gets of the events `sent`.
fn received(
    sent: Vec<Result<SubscribeToShardEventStream, Error>>,
    protocol: Protocol,
) -> Vec<Message> {
    let events: EventStream<_, Error> = Box::pin(stream::iter(sent));
    let frames: Vec<Bytes> = api::frames(events, protocol)
        .map(Result::unwrap)
        .collect()
        .now_or_never()
        .expect("the events are there");
    let mut decoder = Decoder::new();
    let mut messages = Vec::new();
    for frame in frames {
        decoder.push(&frame);
        messages
            .push(decoder.next_message().expect("frames decode").expect("each item is a frame"));
    }
    assert_eq!(decoder.pending_bytes(), 0);
    messages
}

fn event(number: &str) -> SubscribeToShardEvent {
    SubscribeToShardEvent {
        continuation_sequence_number: Some(number.into()),
        millis_behind_latest: 5,
        records: vec![Record { data: Bytes::from_static(b"\0data"), ..Default::default() }],
        child_shards: None,
    }
}

#[test]
fn events_come_behind_an_initial_response() {
    for protocol in [Protocol::Json11, Protocol::Cbor11, Protocol::RpcCbor] {
        let sent = |n: &str| SubscribeToShardEventStream::SubscribeToShardEvent(event(n));
        let messages = received(vec![Ok(sent("1")), Ok(sent("2"))], protocol);
        assert_eq!(messages[0].event_type(), Some("initial-response"));
        assert_eq!(messages.len(), 3);
        for (message, number) in messages[1..].iter().zip(["1", "2"]) {
            let name = message.event_type().unwrap();
            let read =
                SubscribeToShardEventStream::read(name, protocol.format(), message.payload.clone())
                    .unwrap();
            assert_eq!(read, Some(sent(number)));
        }
    }
}

#[test]
fn an_error_is_the_last_frame() {
    let sent = vec![
        Err(Error::ResourceInUse("taken over".to_owned())),
        Ok(SubscribeToShardEventStream::SubscribeToShardEvent(event("1"))),
    ];
    let messages = received(sent, Protocol::Json11);
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[1].exception_type(), Some("ResourceInUseException"));
    assert_eq!(messages[1].payload, r#"{"message":"taken over"}"#);
    let known = Error::from_code("ResourceInUseException", "m".into());
    assert_eq!(known, Some(Error::ResourceInUse("m".into())));
}

#[test]
fn a_shards_end_has_no_continuation() {
    let last = SubscribeToShardEvent { continuation_sequence_number: None, ..event("") };
    let sent = vec![Ok(SubscribeToShardEventStream::SubscribeToShardEvent(last))];
    let payload = received(sent, Protocol::Json11).remove(1).payload;
    assert!(!String::from_utf8_lossy(&payload).contains("ContinuationSequenceNumber"));
}

#[test]
fn unknown_events_are_passed_over() {
    let read = SubscribeToShardEventStream::read("Later", Format::Json, Bytes::from_static(b"{}"));
    assert_eq!(read, Ok(None));
    let bad = SubscribeToShardEventStream::read(
        "SubscribeToShardEvent",
        Format::Json,
        Bytes::from_static(b"{"),
    );
    assert_eq!(bad, Err(Refusal::serialization("")));
}
