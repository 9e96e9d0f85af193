//! Answers that clients have not taken yet: each keeps the room of its request and is watched until
//! it is gone.
//!
//! An answer's length is known only once it is made, so one that finds no room is thrown away and
//! the client told to come again; waiting for room would hold what there is no room for.

use crate::answer::AnswerBody;
use crate::io::InFlight;
use crate::request::REQUEST_BYTES;
use base::budget::Room;
use bytes::Bytes;
use std::sync::Arc;
use wire::{LongBody, Refusal};

/// Answers below this are part of an HTTP/1.1 connection, which has one of them.
const SMALL_BYTES: usize = 4 << 10;
/// Answers below this are not watched over HTTP/2, where others go out beside them.
const SMALL_BYTES_HTTP2: usize = 1 << 10;
/// What an answer takes beside its bytes over HTTP/1.1, where its request has ended.
const ANSWER_BYTES: usize = 1 << 10;
/// Pieces of a long answer that HTTP holds, copies beside its records: one that waits for the
/// socket and the next.
const PIECES_BYTES: usize = 128 << 10;

/// Bytes on their way out, and what goes when the last of them was written or the connection ends.
struct Unsent<H> {
    bytes: Bytes,
    _held: H,
}

impl<H> AsRef<[u8]> for Unsent<H> {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// What a request keeps until its answer is sent.
pub(crate) struct Kept {
    /// Its room, if it found any.
    pub(crate) room: Option<Room>,
    pub(crate) in_flight: InFlight,
}

/// What is held for an answer.
pub(crate) struct Held {
    _room: Room,
    /// A client that takes none of it is cut off as one that takes none of an event stream.
    _in_flight: Option<InFlight>,
}

/// Keeps room for an answer until it is sent.
///
/// # Errors
/// Status 503: there is no room for an answer of this size.
pub(crate) fn hold(
    bytes: Bytes,
    Kept { room, mut in_flight }: Kept,
) -> Result<AnswerBody, Refusal> {
    let http2 = in_flight.is_http2();
    if http2 && room.is_none() {
        // Without a body its stream ends with its head, and keeps nothing.
        return Ok(AnswerBody::whole(Bytes::new()));
    }
    let Some(mut room) = room.filter(|_| http2 || bytes.len() >= SMALL_BYTES) else {
        return Ok(AnswerBody::whole(bytes));
    };
    let beside = if http2 { REQUEST_BYTES } else { ANSWER_BYTES };
    if !room.resize(beside + bytes.len()) {
        return Err(no_room());
    }
    let watched = !http2 || bytes.len() >= SMALL_BYTES_HTTP2;
    let sliced = watched && http2;
    let in_flight = watched.then(|| {
        in_flight.hold(bytes.len());
        in_flight
    });
    let held = Held { _room: room, _in_flight: in_flight };
    let bytes = Bytes::from_owner(Unsent { bytes, _held: held });
    Ok(if sliced { AnswerBody::sliced(bytes) } else { AnswerBody::whole(bytes) })
}

/// As [`hold`], of a long answer.
///
/// # Errors
/// Status 503: there is no room for it.
pub(crate) fn hold_long(
    body: LongBody,
    Kept { room, mut in_flight }: Kept,
) -> Result<AnswerBody, Refusal> {
    let mut room = room.ok_or_else(no_room)?;
    if !room.resize(REQUEST_BYTES + body.memory_bytes() + PIECES_BYTES) {
        return Err(no_room());
    }
    in_flight.hold(body.bytes_left());
    Ok(AnswerBody::long(body, Held { _room: room, _in_flight: Some(in_flight) }))
}

/// A piece of a long answer, which is unsent until its last piece is.
pub(crate) fn piece(bytes: Bytes, held: &Arc<Held>) -> Bytes {
    Bytes::from_owner(Unsent { bytes, _held: Arc::clone(held) })
}

/// Source: ours.
fn no_room() -> Refusal {
    Refusal::unavailable("too many answers wait to be read, try again")
}
