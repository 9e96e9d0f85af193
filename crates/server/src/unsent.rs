//! Answers that clients have not taken yet: bounded together, and each watched until it is gone.
//!
//! An answer's length is known only once it is made, so one that finds no room is thrown away and
//! the client told to come again; waiting for room would hold what there is no room for.

use crate::io::InFlight;
use crate::shared::Shared;
use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use wire::Refusal;

/// Answers below this are not counted: most fit into the socket's own buffer.
const SMALL_BYTES: usize = 32 << 10;

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
/// Status 503: other answers take all the room.
pub(crate) fn hold(
    shared: &Shared,
    bytes: Bytes,
    mut in_flight: InFlight,
) -> Result<Bytes, Refusal> {
    if bytes.len() < SMALL_BYTES {
        return Ok(bytes);
    }
    let room_bytes = bytes.len().min(shared.limits.answer_bytes_in_flight_max);
    let room = u32::try_from(room_bytes).ok().and_then(|room_bytes| {
        Arc::clone(&shared.answer_room).try_acquire_many_owned(room_bytes).ok()
    });
    let full = || Refusal::unavailable("too many answers wait to be read, try again");
    let room = room.ok_or_else(full)?;
    in_flight.stream();
    Ok(Bytes::from_owner(Unsent { bytes, _room: room, _in_flight: in_flight }))
}
