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
use wire::Refusal;

/// Answers below this are part of an HTTP/1.1 connection, which has one of them.
const SMALL_BYTES: usize = 4 << 10;
/// Answers below this are not watched over HTTP/2, where others go out beside them.
const SMALL_BYTES_HTTP2: usize = 1 << 10;
/// What an answer takes beside its bytes over HTTP/1.1, where its request has ended.
const ANSWER_BYTES: usize = 1 << 10;

/// An answer on its way out; dropped when the last of its bytes was written, or the connection
/// ends.
struct Unsent {
    bytes: Bytes,
    _room: Room,
    /// A client that takes none of it is cut off as one that takes none of an event stream.
    _in_flight: Option<InFlight>,
}

impl AsRef<[u8]> for Unsent {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Keeps room for an answer until it is sent. `room`: that of its request, if it found any.
///
/// # Errors
/// Status 503: there is no room for an answer of this size.
///
/// Source: ours.
pub(crate) fn hold(
    bytes: Bytes,
    room: Option<Room>,
    mut in_flight: InFlight,
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
        return Err(Refusal::unavailable("too many answers wait to be read, try again"));
    }
    let watched = !http2 || bytes.len() >= SMALL_BYTES_HTTP2;
    let sliced = watched && http2;
    let in_flight = watched.then(|| {
        in_flight.hold(bytes.len());
        in_flight
    });
    let bytes = Bytes::from_owner(Unsent { bytes, _room: room, _in_flight: in_flight });
    Ok(if sliced { AnswerBody::sliced(bytes) } else { AnswerBody::whole(bytes) })
}
