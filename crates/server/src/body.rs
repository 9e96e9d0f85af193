//! Request bodies: whole, bounded, and never slower than a floor.
//!
//! Copies: none when the body arrives in one piece (1 KiB records do), one otherwise. Room for the
//! bytes is taken from the server's budget before they are read.

use crate::shared::Shared;
use bytes::{Bytes, BytesMut};
use http_body::Body;
use hyper::body::Incoming;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use tokio::sync::SemaphorePermit;
use wire::Refusal;

/// Bytes that must arrive in each `body_timeout`.
const PROGRESS_BYTES: usize = 16 << 10;
/// Bytes of a refused body that are read and thrown away, so that the client, which sends before it
/// reads, sees the answer and not a reset connection.
const DISCARD_BYTES_MAX: u64 = 32 << 20;

/// A body and the room it takes.
pub(crate) struct Held<'a> {
    pub(crate) bytes: Bytes,
    _room: SemaphorePermit<'a>,
}

/// Reads a body of at most `bytes_max`.
///
/// # Errors
/// Status 413 it is larger; 408 it comes too slowly; 503 there is no room for it; 400 it ends
/// early.
pub(crate) async fn read(
    shared: &Shared,
    mut body: Incoming,
    bytes_max: usize,
) -> Result<Held<'_>, Refusal> {
    let declared = body.size_hint();
    if declared.lower() > bytes_max as u64 {
        discard(shared, body).await;
        return Err(too_large(bytes_max));
    }
    let room = declared.upper().map_or(bytes_max, |bytes| (bytes as usize).min(bytes_max));
    let room = take_room(shared, room).await?;
    let mut pace = Pace::default();
    let Some(first) = pace.next(shared, &mut body).await? else {
        return Ok(Held { bytes: Bytes::new(), _room: room });
    };
    if body.is_end_stream() && first.len() <= bytes_max {
        return Ok(Held { bytes: first, _room: room });
    }
    let expected = (declared.lower() as usize).min(bytes_max).max(first.len());
    let mut whole = BytesMut::with_capacity(expected);
    whole.extend_from_slice(&first);
    drop(first);
    while whole.len() <= bytes_max {
        match pace.next(shared, &mut body).await? {
            Some(bytes) => whole.extend_from_slice(&bytes),
            None => return Ok(Held { bytes: whole.freeze(), _room: room }),
        }
    }
    drop(whole);
    discard(shared, body).await;
    Err(too_large(bytes_max))
}

/// Reads a body that nobody wants, as far as that is reasonable.
pub(crate) async fn discard(shared: &Shared, mut body: Incoming) {
    let mut pace = Pace::default();
    let mut left = DISCARD_BYTES_MAX;
    if body.size_hint().lower() > left {
        return;
    }
    while let Ok(Some(bytes)) = pace.next(shared, &mut body).await {
        match left.checked_sub(bytes.len() as u64) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}

async fn take_room(shared: &Shared, bytes: usize) -> Result<SemaphorePermit<'_>, Refusal> {
    let full = || Refusal::unavailable("too many request bodies in flight, try again");
    let bytes = u32::try_from(bytes).map_err(|_| full())?;
    if let Ok(room) = shared.body_room.try_acquire_many(bytes) {
        return Ok(room);
    }
    if bytes as usize > shared.limits.body_bytes_in_flight_max {
        return Err(full());
    }
    tokio::select! {
        biased;
        room = shared.body_room.acquire_many(bytes) => room.map_err(|_| full()),
        () = shared.env.clock.sleep(shared.limits.body_room_timeout) => Err(full()),
    }
}

/// Holds a body to the floor of its speed; costs no timer while bytes are there.
#[derive(Default)]
struct Pace {
    since: usize,
    deadline: Option<base::env::Sleep>,
}

impl Pace {
    /// The next piece of data, or nothing at the end.
    async fn next(
        &mut self,
        shared: &Shared,
        body: &mut Incoming,
    ) -> Result<Option<Bytes>, Refusal> {
        loop {
            let polled = poll_fn(|cx| {
                if let Poll::Ready(frame) = Pin::new(&mut *body).poll_frame(cx) {
                    return Poll::Ready(Ok(frame));
                }
                let fresh = || shared.env.clock.sleep(shared.limits.body_timeout);
                self.deadline.get_or_insert_with(fresh).as_mut().poll(cx).map(Err)
            });
            match polled.await {
                Err(()) => return Err(too_slow()),
                Ok(None) => return Ok(None),
                Ok(Some(Err(_))) => {
                    return Err(Refusal::serialization("the body ended before its length"));
                }
                Ok(Some(Ok(frame))) => {
                    if let Ok(bytes) = frame.into_data() {
                        self.count(bytes.len());
                        return Ok(Some(bytes));
                    }
                }
            }
        }
    }

    fn count(&mut self, bytes: usize) {
        self.since += bytes;
        if self.since >= PROGRESS_BYTES {
            self.since = 0;
            self.deadline = None;
        }
    }
}

fn too_large(bytes_max: usize) -> Refusal {
    let text = format!("the request body is larger than {bytes_max} bytes");
    Refusal { status: 413, ..Refusal::client("RequestEntityTooLargeException", text) }
}

fn too_slow() -> Refusal {
    let text = "the request body took too long to arrive";
    Refusal { status: 408, ..Refusal::client("RequestTimeoutException", text) }
}
