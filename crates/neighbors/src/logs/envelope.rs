//! What a destination gets: events of one stream as JSON, packed with gzip.

use super::place::Place;
use base::hex;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;
use std::io::Write as _;

/// Bytes of messages after which an envelope ends: packed it fits into a record.
pub(super) const ENVELOPE_BYTES: usize = 768 << 10;

/// Whom an envelope is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Address<'a> {
    pub(super) owner: &'a str,
    pub(super) group: &'a str,
    pub(super) stream: &'a str,
    pub(super) filter: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    message_type: &'a str,
    owner: &'a str,
    log_group: &'a str,
    log_stream: &'a str,
    subscription_filters: &'a [&'a str],
    log_events: Vec<Event<'a>>,
}

#[derive(Serialize)]
struct Event<'a> {
    id: String,
    timestamp: i64,
    message: &'a str,
}

/// Packs events of a stream.
pub(super) fn data(address: Address<'_>, events: &[(Place, &str)]) -> Vec<u8> {
    let log_events = events.iter().map(|(place, message)| Event {
        id: place.id(),
        timestamp: place.at_ms,
        message,
    });
    packed(&Envelope {
        message_type: "DATA_MESSAGE",
        owner: address.owner,
        log_group: address.group,
        log_stream: address.stream,
        subscription_filters: &[address.filter],
        log_events: log_events.collect(),
    })
}

/// What a destination gets first, to see whether it takes anything.
pub(super) fn control(now_ms: i64) -> Vec<u8> {
    let event = Event {
        id: String::new(),
        timestamp: now_ms,
        message: "CWL CONTROL MESSAGE: Checking health of destination Kinesis stream.",
    };
    packed(&Envelope {
        message_type: "CONTROL_MESSAGE",
        owner: "CloudwatchLogs",
        log_group: "",
        log_stream: "",
        subscription_filters: &[],
        log_events: vec![event],
    })
}

fn packed(envelope: &Envelope<'_>) -> Vec<u8> {
    let json = serde_json::to_vec(envelope).expect("texts and numbers are JSON");
    let mut packer = GzEncoder::new(Vec::with_capacity(json.len() / 4), Compression::fast());
    packer.write_all(&json).expect("memory takes everything");
    packer.finish().expect("memory takes everything")
}

/// The partition key of a record: that of its stream, or one of its own.
pub(super) fn partition_key(bytes: [u8; 16]) -> String {
    hex::encode(&bytes)
}
