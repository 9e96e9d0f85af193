//! Streams under HTTP: bytes that were read too early, and a count of what moves.

use crate::crowd::Busy;
use base::budget::{Room, Share};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

/// How HTTP/2 begins, by prior knowledge or after ALPN.
const HTTP2_PREFACE: [u8; 24] = *b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// First byte of a TLS handshake record; no HTTP method begins with it.
const TLS_HANDSHAKE: u8 = 0x16;

/// What a client wants to speak.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Speech {
    Tls,
    Http1,
    Http2,
}

/// A stream whose first bytes have been looked at; they are read again from here.
pub(crate) struct Peeked<S> {
    inner: S,
    bytes: [u8; HTTP2_PREFACE.len()],
    read: usize,
    filled: usize,
}

impl<S: AsyncRead + Unpin> Peeked<S> {
    /// Waits for the first bytes.
    ///
    /// # Errors
    /// Of the socket; `UnexpectedEof` when nothing came at all.
    pub(crate) async fn first(mut inner: S) -> io::Result<Self> {
        let mut bytes = [0; HTTP2_PREFACE.len()];
        let filled = inner.read(&mut bytes).await?;
        if filled == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(Self { inner, bytes, read: 0, filled })
    }

    /// Reads just enough to tell what is spoken.
    ///
    /// # Errors
    /// Of the socket.
    pub(crate) async fn tell(mut self) -> io::Result<(Self, Speech)> {
        let speech = loop {
            let seen = &self.bytes[..self.filled];
            if seen[0] == TLS_HANDSHAKE {
                break Speech::Tls;
            }
            if !HTTP2_PREFACE.starts_with(seen) {
                break Speech::Http1;
            }
            if seen.len() == HTTP2_PREFACE.len() {
                break Speech::Http2;
            }
            match self.inner.read(&mut self.bytes[self.filled..]).await? {
                0 => break Speech::Http1,
                count => self.filled += count,
            }
        };
        Ok((self, speech))
    }
}

impl<S: AsyncRead + Unpin> Peeked<S> {
    /// Waits for further bytes while nobody reads: whoever held the stream then needs no buffer.
    ///
    /// # Errors
    /// Of the socket; `UnexpectedEof` at the end.
    pub(crate) async fn more(&mut self) -> io::Result<()> {
        if self.read == self.filled {
            (self.read, self.filled) = (0, 0);
            self.filled = self.inner.read(&mut self.bytes).await?;
        }
        if self.filled == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Peeked<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let left = &this.bytes[this.read..this.filled];
        if left.is_empty() {
            return Pin::new(&mut this.inner).poll_read(cx, buf);
        }
        let count = left.len().min(buf.remaining());
        buf.put_slice(&left[..count]);
        this.read += count;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Peeked<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

/// What happens on one connection, counted without a clock so that it costs next to nothing.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    flights: Arc<Flights>,
    http2: bool,
    reads: AtomicU64,
    bytes_written: AtomicU64,
    /// Bytes wait for the socket.
    blocked: AtomicBool,
    /// Bytes of large answers that the client has not taken.
    bytes_held: AtomicUsize,
    /// `reads` when the last request ended.
    reads_at_end: AtomicU64,
    /// Requests whose head arrived.
    requests: AtomicU64,
    in_flight: AtomicU32,
    /// Event streams and large answers among those in flight.
    streaming: AtomicU32,
}

/// The requests in flight on all connections.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    count: AtomicUsize,
    landed: Notify,
}

impl Flights {
    /// Resolves when there is none.
    pub(crate) async fn landed(&self) {
        while self.count.load(Ordering::Acquire) > 0 {
            self.landed.notified().await;
        }
    }
}

/// A request in flight; dropping it ends it.
#[derive(Debug)]
pub(crate) struct InFlight {
    activity: Arc<Activity>,
    streaming: bool,
    bytes_held: usize,
    busy: Option<Busy>,
}

/// The counts at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) reads: u64,
    pub(crate) bytes_written: u64,
    pub(crate) bytes_held: usize,
    pub(crate) requests: u64,
    pub(crate) in_flight: u32,
    pub(crate) streaming: u32,
    pub(crate) blocked: bool,
    /// Bytes came in behind the last request, none of them a whole head yet.
    pub(crate) head_open: bool,
}

impl Activity {
    pub(crate) fn new(flights: Arc<Flights>, http2: bool) -> Self {
        Self { flights, http2, ..Self::default() }
    }

    pub(crate) fn is_http2(&self) -> bool {
        self.http2
    }

    pub(crate) fn note_read(&self) {
        self.reads.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn note_write(&self, bytes: usize) {
        self.bytes_written.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Notes that a request's head arrived.
    pub(crate) fn begin(self: &Arc<Self>) -> InFlight {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        self.flights.count.fetch_add(1, Ordering::Relaxed);
        InFlight { activity: Arc::clone(self), streaming: false, bytes_held: 0, busy: None }
    }

    pub(crate) fn moment(&self) -> Moment {
        let in_flight = self.in_flight.load(Ordering::Relaxed);
        let reads = self.reads.load(Ordering::Relaxed);
        Moment {
            reads,
            bytes_written: self.bytes_written.load(Ordering::Relaxed),
            bytes_held: self.bytes_held.load(Ordering::Relaxed),
            requests: self.requests.load(Ordering::Relaxed),
            in_flight,
            streaming: self.streaming.load(Ordering::Relaxed),
            blocked: self.blocked.load(Ordering::Relaxed),
            head_open: in_flight == 0 && reads != self.reads_at_end.load(Ordering::Relaxed),
        }
    }
}

impl InFlight {
    pub(crate) fn is_http2(&self) -> bool {
        self.activity.http2
    }

    /// Notes that the request was verified.
    pub(crate) fn verified(&mut self, busy: Busy) {
        self.busy = Some(busy);
    }

    /// Notes that the answer has so many bytes, to be taken by the client.
    pub(crate) fn hold(&mut self, bytes: usize) {
        self.stream();
        self.bytes_held = bytes;
        self.activity.bytes_held.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Notes that the answer is an event stream.
    pub(crate) fn stream(&mut self) {
        self.streaming = true;
        self.activity.streaming.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let activity = &self.activity;
        if self.streaming {
            activity.streaming.fetch_sub(1, Ordering::Relaxed);
            activity.bytes_held.fetch_sub(self.bytes_held, Ordering::Relaxed);
        }
        activity.reads_at_end.store(activity.reads.load(Ordering::Relaxed), Ordering::Relaxed);
        activity.in_flight.fetch_sub(1, Ordering::Relaxed);
        if activity.flights.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            activity.flights.landed.notify_one();
        }
    }
}

/// Bytes of an HTTP/1.1 head that a connection has as such.
const HEAD_BYTES: usize = 8 << 10;

/// A stream that counts what moves through it, and takes room for a large head on its way.
pub(crate) struct Watched<S> {
    inner: S,
    activity: Arc<Activity>,
    share: Share,
    /// Bytes that came since the last request began or was in flight.
    head_bytes: usize,
    /// How many had begun.
    requests: u64,
    head_room: Option<Room>,
    head_bytes_max: usize,
}

impl<S> Watched<S> {
    pub(crate) fn new(
        inner: S,
        activity: Arc<Activity>,
        share: Share,
        head_bytes_max: usize,
    ) -> Self {
        Self { inner, activity, share, head_bytes: 0, requests: 0, head_room: None, head_bytes_max }
    }

    pub(crate) fn inner_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Gives back the room of a head that has become a request.
    fn leave_head(&mut self) {
        let requests = self.activity.requests.load(Ordering::Relaxed);
        if self.has_request() || requests != self.requests {
            (self.head_bytes, self.head_room, self.requests) = (0, None, requests);
        }
    }

    fn has_request(&self) -> bool {
        self.activity.in_flight.load(Ordering::Relaxed) > 0
    }

    /// Counts bytes that came.
    ///
    /// # Errors
    /// There is no room for a head this large.
    fn count_read(&mut self, bytes: usize) -> io::Result<()> {
        self.activity.note_read();
        if self.has_request() || self.activity.http2 {
            return Ok(());
        }
        self.head_bytes += bytes;
        if self.head_bytes > HEAD_BYTES && self.head_room.is_none() {
            self.head_room = self.share.take(self.head_bytes_max);
            if self.head_room.is_none() {
                return Err(io::Error::other("no room for a large head"));
            }
        }
        Ok(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        // Also when nothing comes: what came with the last head may have been its body.
        self.leave_head();
        let polled = Pin::new(&mut self.inner).poll_read(cx, buf);
        match buf.filled().len() - before {
            0 => polled,
            bytes => self.count_read(bytes).map_or_else(|e| Poll::Ready(Err(e)), |()| polled),
        }
    }
}

impl<S: AsyncWrite + Unpin> Watched<S> {
    fn count(&self, polled: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = polled {
            self.activity.note_write(bytes);
        }
        self.activity.blocked.store(polled.is_pending(), Ordering::Relaxed);
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.count(polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.inner).poll_flush(cx);
        // TLS takes bytes before the socket does.
        self.activity.blocked.store(polled.is_pending(), Ordering::Relaxed);
        polled
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        self.count(polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::budget::{Budget, Holder};
    use futures_util::FutureExt;
    use tokio::io::AsyncWriteExt;

    async fn check(sent: &[u8], want: Speech) {
        let (mut client, server) = tokio::io::duplex(64);
        client.write_all(sent).await.unwrap();
        drop(client);
        let (mut peeked, speech) = Peeked::first(server).await.unwrap().tell().await.unwrap();
        assert_eq!(speech, want, "{sent:?}");
        let mut again = Vec::new();
        peeked.read_to_end(&mut again).await.unwrap();
        assert_eq!(again, sent);
    }

    #[tokio::test]
    async fn speech_is_told_by_the_first_bytes() {
        check(b"\x16\x03\x01", Speech::Tls).await;
        check(b"POST / HTTP/1.1\r\nhost: x\r\n\r\n", Speech::Http1).await;
        check(b"PRI * HTTP/1.1\r\n\r\n", Speech::Http1).await;
        check(b"P", Speech::Http1).await;
        check(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Speech::Http2).await;
        check(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0", Speech::Http2).await;
        check(b"\0\0\0\0", Speech::Http1).await;
    }

    #[tokio::test]
    async fn what_came_while_nobody_read_is_read_first() {
        let (mut client, server) = tokio::io::duplex(64);
        client.write_all(b"GET").await.unwrap();
        let mut peeked = Peeked::first(server).await.unwrap();
        let mut read = [0; 3];
        peeked.read_exact(&mut read).await.unwrap();
        assert_eq!(read, *b"GET");
        assert!(peeked.more().now_or_never().is_none());
        client.write_all(b" / and so on until more than a preface's bytes").await.unwrap();
        drop(client);
        peeked.more().await.unwrap();
        let mut rest = Vec::new();
        peeked.read_to_end(&mut rest).await.unwrap();
        assert!(rest.starts_with(b" / and") && rest.ends_with(b"bytes"));
        assert!(peeked.more().await.is_err());
    }

    #[tokio::test]
    async fn nothing_is_no_speech() {
        let (client, server) = tokio::io::duplex(64);
        drop(client);
        assert!(Peeked::first(server).await.is_err());
    }

    fn watched<S>(inner: S) -> Watched<S> {
        let share = Budget::new(1 << 20).share(Holder::peer([10, 0, 0, 1].into()));
        Watched::new(inner, Arc::default(), share, 64 << 10)
    }

    /// Takes bytes and has them wait, as TLS does when its socket is full.
    struct Full;

    impl AsyncWrite for Full {
        fn poll_write(
            self: Pin<&mut Self>,
            _cx: &mut Context<'_>,
            buf: &[u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(buf.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }

        fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    #[tokio::test]
    async fn what_waits_to_be_flushed_is_not_at_rest() {
        let mut stream = watched(Full);
        stream.write_all(b"answer").await.unwrap();
        assert!(stream.flush().now_or_never().is_none());
        assert!(stream.activity.moment().blocked);
    }

    #[tokio::test]
    async fn the_room_of_a_head_goes_with_it() {
        let (mut client, server) = tokio::io::duplex(64 << 10);
        let mut stream = watched(server);
        let mut read = vec![b'x'; 20 << 10];
        client.write_all(&read).await.unwrap();
        stream.read_exact(&mut read).await.unwrap();
        assert!(stream.head_room.is_some(), "it may be a head");
        drop(stream.activity.begin());
        assert!(stream.read(&mut read).now_or_never().is_none());
        assert!(stream.head_room.is_none());
    }

    #[tokio::test]
    async fn flights_have_landed_once_the_last_request_ended() {
        let flights = Arc::new(Flights::default());
        flights.landed().await;
        let of_each = [false, true].map(|http2| {
            let activity = Arc::new(Activity::new(Arc::clone(&flights), http2));
            (activity.begin(), activity.begin())
        });
        assert!(flights.landed().now_or_never().is_none());
        drop(of_each);
        flights.landed().await;
    }
}
