//! Request bodies: whole, bounded, and never slower than a floor.
//!
//! Copies: none when the body arrives in one piece (1 KiB records do), one or two otherwise. Room
//! in the server's budget is taken for the bytes that came, never for those that were announced: a
//! client holds what it sent and no more. A body that finds no room within `body_room_timeout` is
//! refused and gives back what it had, so half-read bodies cannot wait for each other for ever.
//! Cost of a small body: one semaphore operation, no timer.

use crate::shared::Shared;
use bytes::{Bytes, BytesMut};
use http::header::{EXPECT, HeaderValue};
use http::{Version, request::Parts as Head};
use http_body::Body;
use hyper::body::Incoming;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::SemaphorePermit;
use wire::Refusal;

/// Bytes that must arrive in each `body_timeout`.
const PROGRESS_BYTES: usize = 16 << 10;
/// Bytes a second that a whole body must arrive with, beside one `body_timeout`.
const BYTES_PER_SECOND_MIN: u64 = 64 << 10;
/// Bytes of a refused body that are read and thrown away over HTTP/1.1, so that the client, which
/// sends before it reads, sees the answer and not a reset connection. Over HTTP/2 the end of the
/// answer ends the stream, which costs the client nothing and us no request in flight.
const DISCARD_BYTES_MAX: u64 = 32 << 20;
/// First memory of a body in pieces; it grows as they come, since a length is only a promise.
const FIRST_BYTES: usize = 256 << 10;

/// A body and the room it takes.
pub(crate) struct Held<'a> {
    pub(crate) bytes: Bytes,
    _room: Room<'a>,
}

/// A body that may still be on its way.
pub(crate) struct Inbound {
    body: Incoming,
    /// The client sends nothing before it is told to go on, which the first read does.
    awaits_go: bool,
    http2: bool,
}

impl Inbound {
    pub(crate) fn new(head: &Head, body: Incoming) -> Self {
        let expects = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"100-continue");
        let http2 = head.version == Version::HTTP_2;
        let awaits_go = !http2 && head.headers.get(EXPECT).is_some_and(expects);
        Self { body, awaits_go, http2 }
    }

    /// Whether it is known to have no bytes.
    pub(crate) fn is_empty(&self) -> bool {
        self.body.is_end_stream()
    }

    /// Most bytes that it can have, as far as the head tells.
    pub(crate) fn bytes_max(&self) -> u64 {
        self.body.size_hint().upper().unwrap_or(u64::MAX)
    }

    /// Whether the client still holds it back; whether it then sends it is its own choice, so the
    /// connection has no further use.
    pub(crate) fn is_held_back(&self) -> bool {
        self.awaits_go
    }

    /// Reads all of it, at most `bytes_max`.
    ///
    /// # Errors
    /// Status 413 it is larger; 408 it comes too slowly; 503 there is no room for it; 400 it ends
    /// early.
    pub(crate) async fn read<'a>(
        &mut self,
        shared: &'a Shared,
        bytes_max: usize,
    ) -> Result<Held<'a>, Refusal> {
        let done = if self.body.size_hint().lower() > bytes_max as u64 {
            Err(too_large(bytes_max))
        } else {
            self.awaits_go = false;
            collect(shared, &mut self.body, bytes_max).await
        };
        if let Err(Refusal { status: 413 | 503, .. }) = done {
            self.discard(shared).await;
        }
        done
    }

    /// Reads over what nobody wants, as far as that is reasonable.
    pub(crate) async fn discard(&mut self, shared: &Shared) {
        let mut left = DISCARD_BYTES_MAX;
        let declared = self.body.size_hint();
        if self.awaits_go || self.http2 || declared.lower() > left {
            return;
        }
        let mut pace = Pace::of(declared.upper().unwrap_or(left).min(left), shared);
        while let Ok(Some(bytes)) = pace.next(shared, &mut self.body).await {
            match left.checked_sub(bytes.len() as u64) {
                Some(rest) => left = rest,
                None => return,
            }
        }
    }
}

async fn collect<'a>(
    shared: &'a Shared,
    body: &mut Incoming,
    bytes_max: usize,
) -> Result<Held<'a>, Refusal> {
    let declared = body.size_hint();
    let mut pace = Pace::of(declared.upper().unwrap_or(bytes_max as u64), shared);
    let mut room = Room(None);
    let Some(first) = pace.next(shared, body).await? else {
        return Ok(Held { bytes: Bytes::new(), _room: room });
    };
    room.grow(shared, first.len()).await?;
    if body.is_end_stream() && first.len() <= bytes_max {
        return Ok(Held { bytes: first, _room: room });
    }
    let expected = (declared.lower() as usize).min(bytes_max).min(FIRST_BYTES);
    let mut whole = BytesMut::with_capacity(expected.max(first.len()));
    whole.extend_from_slice(&first);
    drop(first);
    while whole.len() <= bytes_max {
        match pace.next(shared, body).await? {
            Some(bytes) => {
                room.grow(shared, bytes.len()).await?;
                whole.extend_from_slice(&bytes);
            }
            None => return Ok(Held { bytes: whole.freeze(), _room: room }),
        }
    }
    Err(too_large(bytes_max))
}

/// What one body holds of the server's budget.
struct Room<'a>(Option<SemaphorePermit<'a>>);

impl<'a> Room<'a> {
    /// Takes room for so many further bytes, waiting a bounded time.
    ///
    /// Source: ours.
    async fn grow(&mut self, shared: &'a Shared, bytes: usize) -> Result<(), Refusal> {
        let full = || Refusal::unavailable("too many request bodies in flight, try again");
        let held = self.0.as_ref().map_or(0, SemaphorePermit::num_permits);
        if held + bytes > shared.limits.body_bytes_in_flight_max {
            return Err(full());
        }
        let wanted = u32::try_from(bytes).map_err(|_| full())?;
        let more = if let Ok(more) = shared.body_room.try_acquire_many(wanted) {
            more
        } else {
            tokio::select! {
                biased;
                more = shared.body_room.acquire_many(wanted) => more.map_err(|_| full())?,
                () = shared.env.clock.sleep(shared.limits.body_room_timeout) => return Err(full()),
            }
        };
        match &mut self.0 {
            Some(room) => room.merge(more),
            none => *none = Some(more),
        }
        Ok(())
    }
}

/// Holds a body to the floor of its speed; costs neither clock nor timer while bytes are there.
struct Pace {
    since: usize,
    deadline: Option<base::env::Sleep>,
    /// Time that the whole body may take.
    whole: Duration,
    /// When that time is over; set at the first wait.
    end: Option<Duration>,
}

impl Pace {
    fn of(bytes: u64, shared: &Shared) -> Self {
        let whole = shared.limits.body_timeout + Duration::from_secs(bytes / BYTES_PER_SECOND_MIN);
        Self { since: 0, deadline: None, whole, end: None }
    }

    /// The next piece of data, or nothing at the end.
    ///
    /// Source: ours.
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
                self.deadline(shared).as_mut().poll(cx).map(Err)
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

    /// The next moment by which bytes must have come.
    fn deadline(&mut self, shared: &Shared) -> &mut base::env::Sleep {
        self.deadline.get_or_insert_with(|| {
            let clock = &shared.env.clock;
            let now = clock.monotonic();
            let end = *self.end.get_or_insert(now + self.whole);
            clock.sleep(shared.limits.body_timeout.min(end.saturating_sub(now)))
        })
    }

    fn count(&mut self, bytes: usize) {
        self.since += bytes;
        if self.since >= PROGRESS_BYTES {
            self.since = 0;
            self.deadline = None;
        }
    }
}

/// Source: ours.
fn too_large(bytes_max: usize) -> Refusal {
    let text = format!("the request body is larger than {bytes_max} bytes");
    Refusal { status: 413, ..Refusal::client("RequestEntityTooLargeException", text) }
}

/// Source: ours.
fn too_slow() -> Refusal {
    let text = "the request body took too long to arrive";
    Refusal { status: 408, ..Refusal::client("RequestTimeoutException", text) }
}
