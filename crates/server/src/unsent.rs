//! Answers that clients have not taken yet: bounded together and per connection, and each watched
//! until it is gone.
//!
//! An answer's length is known only once it is made, so one that finds no room is thrown away and
//! the client told to come again; waiting for room would hold what there is no room for.

use crate::answer::AnswerBody;
use crate::io::InFlight;
use crate::shared::Shared;
use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use wire::Refusal;

/// Answers below this are not counted over HTTP/1.1: most fit into the socket's own buffer.
const SMALL_BYTES: usize = 32 << 10;
/// The same over HTTP/2, where a connection may leave one lying in each of its streams.
const SMALL_BYTES_HTTP2: usize = 1 << 10;
/// One connection's share of the room: this part of it, or a single answer.
const CONNECTION_SHARE: usize = 8;

/// An answer on its way out; dropped when the last of its bytes was written, or the connection
/// ends.
struct Unsent {
    bytes: Bytes,
    _room: OwnedSemaphorePermit,
    /// A client that takes none of it is cut off as one that takes none of an event stream.
    _in_flight: InFlight,
}

impl AsRef<[u8]> for Unsent {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Takes room for an answer until it is sent.
///
/// # Errors
/// Status 503: other answers take all the room, or all that this connection may have.
///
/// Source: ours.
pub(crate) fn hold(
    shared: &Shared,
    bytes: Bytes,
    mut in_flight: InFlight,
) -> Result<AnswerBody, Refusal> {
    let http2 = in_flight.is_http2();
    if bytes.len() < if http2 { SMALL_BYTES_HTTP2 } else { SMALL_BYTES } {
        return Ok(AnswerBody::whole(bytes));
    }
    let full = || Refusal::unavailable("too many answers wait to be read, try again");
    let room_bytes_max = shared.limits.answer_bytes_in_flight_max;
    let held = in_flight.hold(bytes.len());
    if held > 0 && held + bytes.len() > room_bytes_max / CONNECTION_SHARE {
        return Err(full());
    }
    let wanted = u32::try_from(bytes.len().min(room_bytes_max)).map_err(|_| full())?;
    let room = Arc::clone(&shared.answer_room).try_acquire_many_owned(wanted);
    let room = room.map_err(|_| full())?;
    let bytes = Bytes::from_owner(Unsent { bytes, _room: room, _in_flight: in_flight });
    Ok(if http2 { AnswerBody::sliced(bytes) } else { AnswerBody::whole(bytes) })
}
