//! Request bodies: whole, bounded, and never slower than a floor; or handed on as they come.
//!
//! Copies: none when the body arrives in one piece (1 KiB records do), one or two otherwise. Room
//! is taken for the bytes that came, twice, as the service makes records of them, and for those
//! that may lie unread in HTTP's buffer; never for all that were announced. A body that finds no
//! room within `room_timeout` is refused and gives back what it had, so half-read bodies cannot
//! wait for each other for ever; one that does not move gives way to newcomers of its peer.
//! Cost of a small body: no timer, and a few additions beside the request's own room.

use crate::connection::{HTTP1_READ_BYTES_MAX, HTTP2_STREAM_WINDOW_BYTES};
use crate::crowd::{GivesWay, Peer};
use crate::shared::Shared;
use base::budget::Room;
use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http::header::{EXPECT, HeaderValue};
use http::{Version, request::Parts as Head};
use http_body::{Body, SizeHint};
use hyper::body::Incoming;
use parking_lot::Mutex;
use ring::digest;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use wire::{ByteStream, Refusal};

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

/// A body that may still be on its way.
pub(crate) struct Inbound {
    /// None once it was handed on.
    body: Option<Incoming>,
    /// The client sends nothing before it is told to go on, which the first read does.
    awaits_go: bool,
    http2: bool,
    /// It gave way to others and is of no use any more.
    gave_way: bool,
    /// Where one that was handed on comes back to when nobody wants the rest of it.
    back: Arc<Mutex<Option<Incoming>>>,
}

/// A body that was handed on.
struct Handed {
    body: Option<Incoming>,
    back: Arc<Mutex<Option<Incoming>>>,
}

impl Drop for Handed {
    fn drop(&mut self) {
        *self.back.lock() = self.body.take();
    }
}

/// Whose memory a body takes: its peer, and the room of its request.
pub(crate) struct Holder<'a> {
    pub(crate) peer: &'a Peer,
    pub(crate) room: &'a mut Room,
}

impl Inbound {
    pub(crate) fn new(head: &Head, body: Incoming) -> Self {
        let expects = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"100-continue");
        let http2 = head.version == Version::HTTP_2;
        let awaits_go = !http2 && head.headers.get(EXPECT).is_some_and(expects);
        Self { body: Some(body), awaits_go, http2, gave_way: false, back: Arc::default() }
    }

    /// Whether it is known to have no bytes.
    pub(crate) fn is_empty(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }

    /// Most bytes that it can have, as far as the head tells.
    pub(crate) fn bytes_max(&self) -> u64 {
        self.size_hint().upper().unwrap_or(u64::MAX)
    }

    /// Whether the client still holds it back; whether it then sends it is its own choice, so the
    /// connection has no further use.
    pub(crate) fn is_held_back(&self) -> bool {
        self.awaits_go
    }

    /// Bytes that may come of it before any is asked for.
    pub(crate) fn bytes_ahead(&self) -> usize {
        let ahead =
            if self.http2 { HTTP2_STREAM_WINDOW_BYTES as usize } else { HTTP1_READ_BYTES_MAX };
        self.bytes_within(ahead)
    }

    /// Bytes of all of it, this many at most.
    fn bytes_within(&self, most: usize) -> usize {
        self.size_hint().upper().map_or(most, |bytes| (bytes as usize).min(most))
    }

    /// Reads all of it, at most `bytes_max`; the room of its request then covers it.
    ///
    /// # Errors
    /// Status 413 it is larger; 408 it comes too slowly; 503 there is no room for it; 400 it ends
    /// early.
    pub(crate) async fn read(
        &mut self,
        shared: &Shared,
        mut holder: Holder<'_>,
        bytes_max: usize,
    ) -> Result<Bytes, Refusal> {
        let before = holder.room.bytes();
        let done = if self.size_hint().lower() > bytes_max as u64 {
            Err(too_large(bytes_max))
        } else {
            self.awaits_go = false;
            self.collect(shared, &mut holder, bytes_max).await
        };
        if let Err(Refusal { status: 413 | 503, .. }) = done {
            let _smaller = holder.room.resize(before);
            self.discard(shared, holder.peer, before).await;
        }
        done
    }

    /// Reads over what nobody wants, as far as that is reasonable; the request holds `held` bytes
    /// meanwhile.
    pub(crate) async fn discard(&mut self, shared: &Shared, peer: &Peer, held: usize) {
        let mut left = DISCARD_BYTES_MAX;
        let declared = self.size_hint();
        if self.awaits_go || self.http2 || self.gave_way || declared.lower() > left {
            return;
        }
        let Some(body) = &mut self.body else { return };
        let mut pace = Pace::of(declared.upper().unwrap_or(left).min(left), shared, peer);
        pace.held = held;
        while let Ok(Some(bytes)) = pace.next(shared, body).await {
            match left.checked_sub(bytes.len() as u64) {
                Some(rest) => left = rest,
                None => return,
            }
        }
    }

    /// Hands it on as it comes. Pieces come at least each `body_timeout`; HTTP buffers no more of
    /// it than of any other. `sha256`: what its bytes must have in the end.
    pub(crate) fn take_stream(&mut self, shared: &Shared, sha256: Option<String>) -> ByteStream {
        let Some(body) = self.body.take() else { return Box::pin(stream::empty()) };
        self.awaits_go = false;
        let body = Handed { body: Some(body), back: Arc::clone(&self.back) };
        let check = sha256.map(|sha256| (digest::Context::new(&digest::SHA256), sha256));
        let (clock, timeout) = (Arc::clone(&shared.env.clock), shared.limits.body_timeout);
        Box::pin(stream::unfold(Some((body, check)), move |state| {
            let mut silence = clock.sleep(timeout);
            async move {
                let (mut body, mut check) = state?;
                let incoming = body.body.as_mut()?;
                let frame = poll_fn(|cx| match Pin::new(&mut *incoming).poll_frame(cx) {
                    Poll::Ready(frame) => Poll::Ready(Ok(frame)),
                    Poll::Pending => silence.as_mut().poll(cx).map(|()| Err(too_slow())),
                });
                let bytes = match frame.await {
                    Err(refusal) => return Some((Err(refusal), None)),
                    Ok(Some(Err(_))) => return Some((Err(ended_early()), None)),
                    Ok(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
                    Ok(None) => {
                        let (context, wanted) = check?;
                        let is_same = base::hex::encode(context.finish().as_ref()) == wanted;
                        return (!is_same).then(|| (Err(changed()), None));
                    }
                };
                if let Some((context, _)) = &mut check {
                    context.update(&bytes);
                }
                Some((Ok(bytes), Some((body, check))))
            }
        }))
    }

    /// Takes back a body that was handed on and not read to its end; whether there is one.
    pub(crate) fn take_back(&mut self) -> bool {
        if self.body.is_none() {
            self.body = self.back.lock().take();
        }
        !self.is_empty()
    }

    async fn collect(
        &mut self,
        shared: &Shared,
        holder: &mut Holder<'_>,
        bytes_max: usize,
    ) -> Result<Bytes, Refusal> {
        let declared = self.size_hint();
        let peer = holder.peer;
        let mut pace = Pace::of(declared.upper().unwrap_or(bytes_max as u64), shared, peer);
        let ahead = self.bytes_ahead();
        let mut growth = Growth {
            bytes_max: self.bytes_within(bytes_max),
            ahead,
            beside: holder.room.bytes().saturating_sub(ahead),
            holder,
        };
        pace.held = growth.holder.room.bytes();
        let Some(first) = self.next(shared, &mut pace).await? else { return Ok(Bytes::new()) };
        pace.held = growth.to(shared, first.len()).await?;
        if self.is_empty() && first.len() <= bytes_max {
            return Ok(first);
        }
        let expected = (declared.lower() as usize).min(bytes_max).min(FIRST_BYTES);
        let mut whole = BytesMut::with_capacity(expected.max(first.len()));
        whole.extend_from_slice(&first);
        drop(first);
        while whole.len() <= bytes_max {
            match self.next(shared, &mut pace).await? {
                Some(bytes) => {
                    let came = whole.len() + bytes.len();
                    pace.held = growth.to(shared, came).await?;
                    if whole.capacity() < came {
                        // Most requests of 500 records are copied once so, and not twice.
                        let wanted = (4 * whole.len()).min(growth.bytes_max).max(came);
                        whole.reserve(wanted - whole.len());
                    }
                    whole.extend_from_slice(&bytes);
                }
                None => return Ok(whole.freeze()),
            }
        }
        Err(too_large(bytes_max))
    }

    /// The next piece, or why there is none: also because it gave way to others.
    ///
    /// Source: ours.
    async fn next(
        &mut self,
        shared: &Shared,
        pace: &mut Pace<'_>,
    ) -> Result<Option<Bytes>, Refusal> {
        let Some(body) = &mut self.body else { return Ok(None) };
        let next = pace.next(shared, body).await;
        next.map_err(|stopped| match stopped {
            Stopped::Refused(refusal) => refusal,
            Stopped::GaveWay => {
                self.gave_way = true;
                Refusal::unavailable("too many requests in flight, try again")
            }
        })
    }
}

/// How the room of a request grows with its body.
struct Growth<'a, 'b> {
    holder: &'a mut Holder<'b>,
    /// Room of the request beside its body.
    beside: usize,
    ahead: usize,
    bytes_max: usize,
}

impl Growth<'_, '_> {
    /// Takes room for so many bytes that came, waiting a bounded time; gives the whole room's size.
    ///
    /// Source: ours.
    async fn to(&mut self, shared: &Shared, came: usize) -> Result<usize, Refusal> {
        let wanted = self.beside + (came + self.ahead).min(self.bytes_max.max(came)) + came;
        let Holder { peer, room } = &mut *self.holder;
        let (clock, time) = (&*shared.env.clock, shared.limits.room_timeout);
        if peer.grow(room, clock, wanted, time).await {
            return Ok(wanted);
        }
        Err(Refusal::unavailable("too many request bodies in flight, try again"))
    }
}

/// Why no more of a body is waited for.
enum Stopped {
    Refused(Refusal),
    GaveWay,
}

/// Holds a body to the floor of its speed; costs neither clock nor timer while bytes are there.
struct Pace<'a> {
    peer: &'a Peer,
    /// Bytes that its request holds.
    held: usize,
    since: usize,
    /// A good part of it came already.
    moved: bool,
    /// Set while it is waited for.
    waits: Option<Waits>,
    /// Time that the whole body may take.
    whole: Duration,
    /// When that time is over; set at the first wait.
    end: Option<Duration>,
}

struct Waits {
    /// When it began.
    since: Duration,
    /// The next moment by which bytes must have come.
    deadline: base::env::Sleep,
    /// Only while nothing is there: what came takes its room itself.
    gives_way: Option<GivesWay>,
}

impl<'a> Pace<'a> {
    fn of(bytes: u64, shared: &Shared, peer: &'a Peer) -> Self {
        let whole = shared.limits.body_timeout + Duration::from_secs(bytes / BYTES_PER_SECOND_MIN);
        Self { peer, held: 0, since: 0, moved: false, waits: None, whole, end: None }
    }

    /// The next piece of data, or nothing at the end.
    ///
    /// Source: ours.
    async fn next(
        &mut self,
        shared: &Shared,
        body: &mut Incoming,
    ) -> Result<Option<Bytes>, Stopped> {
        loop {
            let polled = poll_fn(|cx| {
                if let Poll::Ready(frame) = Pin::new(&mut *body).poll_frame(cx) {
                    return Poll::Ready(Ok(frame));
                }
                let (peer, held, moved) = (self.peer, self.held, self.moved);
                let waits = self.waits(shared);
                let since = moved.then_some(waits.since);
                let gives_way = waits.gives_way.get_or_insert_with(|| peer.wait_for(since, held));
                if Pin::new(gives_way).poll(cx).is_ready() {
                    return Poll::Ready(Err(Stopped::GaveWay));
                }
                waits.deadline.as_mut().poll(cx).map(|()| Err(Stopped::Refused(too_slow())))
            });
            let polled = polled.await?;
            if let Some(waits) = &mut self.waits {
                waits.gives_way = None;
            }
            match polled {
                None => return Ok(None),
                Some(Err(_)) => {
                    return Err(Stopped::Refused(ended_early()));
                }
                Some(Ok(frame)) => {
                    if let Ok(bytes) = frame.into_data() {
                        self.count(bytes.len());
                        return Ok(Some(bytes));
                    }
                }
            }
        }
    }

    fn waits(&mut self, shared: &Shared) -> &mut Waits {
        let whole = self.whole;
        self.waits.get_or_insert_with(|| {
            let clock = &shared.env.clock;
            let now = clock.monotonic();
            let end = *self.end.get_or_insert(now + whole);
            let deadline = clock.sleep(shared.limits.body_timeout.min(end.saturating_sub(now)));
            Waits { since: now, deadline, gives_way: None }
        })
    }

    fn count(&mut self, bytes: usize) {
        self.since += bytes;
        if self.since >= PROGRESS_BYTES {
            self.since = 0;
            self.moved = true;
            self.waits = None;
        }
    }
}

/// Source: ours.
pub(crate) fn too_large(bytes_max: usize) -> Refusal {
    let text = format!("the request body is larger than {bytes_max} bytes");
    Refusal { status: 413, ..Refusal::client("RequestEntityTooLargeException", text) }
}

/// Source: ours.
fn ended_early() -> Refusal {
    Refusal::serialization("the body ended before its length")
}

/// Source: ours.
fn changed() -> Refusal {
    let text = "The body is not the one that `x-amz-content-sha256` was made of.";
    Refusal::client("InvalidSignatureException", text)
}

/// Source: ours.
fn too_slow() -> Refusal {
    let text = "the request body took too long to arrive";
    Refusal { status: 408, ..Refusal::client("RequestTimeoutException", text) }
}
