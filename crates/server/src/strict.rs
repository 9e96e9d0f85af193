//! HTTP/1.1 heads as RFC 9112 has them, and not as a lenient parser takes them.
//!
//! hyper takes a lone line feed for the end of a line, and of a head with both a length and a
//! transfer coding it forgets the length. Who stands before this server may read such a head
//! otherwise, and so see other requests in the same bytes. So the bytes are looked at on their way
//! in, the heads are counted, and the first that breaks one of these rules is refused when hyper
//! brings it.
//!
//! ```text
//! lines of a head -> bytes of the body by its length -> lines of the next head
//! ```
//!
//! Behind an ambiguous head and behind a chunked body nothing is looked at: their answers close the
//! connection, see `request`.
//!
//! Cost: one search for line feeds over each head and a look at where its lines begin, nothing over
//! a body.

use bytes::{Buf as _, Bytes};
use memchr::memchr;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream whose HTTP/1.1 heads are looked at.
pub(crate) struct Strict<S> {
    inner: S,
    place: Place,
    heads: Arc<Heads>,
    /// What was given back; it was looked at.
    unread: Bytes,
}

/// The heads of one connection.
#[derive(Debug, Default)]
pub(crate) struct Heads {
    /// Those that came in whole, each readable in one way only.
    sound: AtomicU64,
    /// Those that were brought to be answered.
    brought: AtomicU64,
}

impl Heads {
    /// Whether the next head that is brought can be read in one way only.
    pub(crate) fn next_is_sound(&self) -> bool {
        let nth = self.brought.fetch_add(1, Ordering::Relaxed);
        nth < self.sound.load(Ordering::Relaxed)
    }
}

/// Where in a request the next byte stands.
#[derive(Clone, Copy, Debug)]
enum Place {
    Head(Head),
    /// In a body, before so many bytes of it.
    Body(u64),
    /// In what is not looked at.
    Rest,
}

/// What was seen of a head.
#[derive(Clone, Copy, Debug, Default)]
struct Head {
    /// Whether the request line is over; blank lines may stand before it.
    has_request_line: bool,
    /// Bytes of the line so far.
    line_bytes: usize,
    /// Whether the last of them is a carriage return.
    after_cr: bool,
    name: Name,
    length: Option<u64>,
    has_coding: bool,
}

/// Which field a line holds, as far as its name has come.
#[derive(Clone, Copy, Debug, Default)]
enum Name {
    #[default]
    Open,
    /// So many bytes are those of [`LENGTH`].
    Length(usize),
    /// So many bytes are those of [`CODING`].
    Coding(usize),
    /// The value of the length.
    Digits,
    Other,
}

const LENGTH: &[u8] = b"content-length:";
const CODING: &[u8] = b"transfer-encoding:";

impl<S> Strict<S> {
    pub(crate) fn new(inner: S, heads: Arc<Heads>) -> Self {
        Self { inner, place: Place::head(), heads, unread: Bytes::new() }
    }

    /// Takes bytes back that were read and had no meaning yet; they are read again first.
    pub(crate) fn give_back(&mut self, unread: Bytes) {
        self.unread = unread;
    }

    pub(crate) fn inner_mut(&mut self) -> &mut S {
        &mut self.inner
    }
}

impl Place {
    /// Looks at bytes that came; gives how many sound heads end in them.
    fn pass(&mut self, mut bytes: &[u8]) -> u64 {
        let mut sound = 0;
        while !bytes.is_empty() {
            let (taken, next) = match self {
                Self::Head(head) => {
                    let (taken, end) = head.pass(bytes);
                    sound += u64::from(matches!(end, Some(End::Sound(_))));
                    (taken, end.map(End::next))
                }
                Self::Body(left) => {
                    let taken = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                    *left -= taken as u64;
                    (taken, (*left == 0).then(Self::head))
                }
                Self::Rest => return sound,
            };
            bytes = &bytes[taken..];
            if let Some(next) = next {
                *self = next;
            }
        }
        sound
    }

    fn head() -> Self {
        Self::Head(Head::default())
    }
}

/// How the look at a head ends.
enum End {
    /// It can be read in one way only; this follows.
    Sound(Place),
    Ambiguous,
}

impl End {
    fn next(self) -> Place {
        match self {
            Self::Sound(next) => next,
            Self::Ambiguous => Place::Rest,
        }
    }
}

impl Head {
    /// Looks at the bytes up to the end of a line, or at all; tells how many, and how the head ends
    /// if it does.
    fn pass(&mut self, bytes: &[u8]) -> (usize, Option<End>) {
        let end = memchr(b'\n', bytes);
        let text = &bytes[..end.unwrap_or(bytes.len())];
        self.read(text);
        let Some(end) = end else { return (bytes.len(), None) };
        let is_blank = self.line_bytes == 1;
        let is_over = is_blank && self.has_request_line;
        if !self.after_cr || is_over && self.length.is_some() && self.has_coding {
            return (end + 1, Some(End::Ambiguous));
        }
        if is_over {
            return (end + 1, Some(End::Sound(self.body())));
        }
        self.has_request_line |= !is_blank;
        (self.line_bytes, self.after_cr, self.name) = (0, false, Name::Open);
        (end + 1, None)
    }

    /// What follows a head.
    fn body(&self) -> Place {
        match self.length {
            _ if self.has_coding => Place::Rest,
            None | Some(0) => Place::head(),
            Some(length) => Place::Body(length),
        }
    }

    /// Reads a piece of a line.
    fn read(&mut self, text: &[u8]) {
        let Some(&last) = text.last() else { return };
        self.line_bytes += text.len();
        self.after_cr = last == b'\r';
        if !self.has_request_line {
            return;
        }
        let mut rest = text;
        while let Some(first) = rest.first() {
            let (known, at) = match self.name {
                Name::Open if first.eq_ignore_ascii_case(&CODING[0]) => (CODING, 0),
                Name::Open => (LENGTH, 0),
                Name::Length(at) => (LENGTH, at),
                Name::Coding(at) => (CODING, at),
                Name::Digits => return self.count(rest),
                Name::Other => return,
            };
            let (name, behind) = rest.split_at(rest.len().min(known.len() - at));
            let next = at + name.len();
            self.name = match known == LENGTH {
                _ if !name.eq_ignore_ascii_case(&known[at..next]) => Name::Other,
                true if next < known.len() => Name::Length(next),
                false if next < known.len() => Name::Coding(next),
                true => {
                    self.length = Some(0);
                    Name::Digits
                }
                false => {
                    self.has_coding = true;
                    Name::Other
                }
            };
            rest = behind;
        }
    }

    /// Reads a piece of the length. hyper refuses one of anything else but digits.
    fn count(&mut self, text: &[u8]) {
        for digit in text.iter().filter(|byte| byte.is_ascii_digit()) {
            let length = self.length.unwrap_or(0).saturating_mul(10);
            self.length = Some(length.saturating_add(u64::from(digit - b'0')));
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Strict<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.unread.is_empty() {
            let count = this.unread.len().min(buf.remaining());
            buf.put_slice(&this.unread[..count]);
            this.unread.advance(count);
            if this.unread.is_empty() {
                // Empty, it would keep all that the largest request needed.
                this.unread = Bytes::new();
            }
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        let polled = Pin::new(&mut this.inner).poll_read(cx, buf);
        let sound = this.place.pass(&buf.filled()[before..]);
        if sound > 0 {
            this.heads.sound.fetch_add(sound, Ordering::Relaxed);
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Strict<S> {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Passes the bytes in pieces of every size; `sound` heads come before the end or an ambiguous
    /// one.
    fn check(sent: &str, sound: u64) {
        for size in 1..=sent.len() {
            let mut place = Place::head();
            let found: u64 = sent.as_bytes().chunks(size).map(|piece| place.pass(piece)).sum();
            assert_eq!(found, sound, "{sent:?} in pieces of {size}");
        }
    }

    const FINE: &str =
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:  6 \r\nTe: x\r\n\r\n{\n\n\n\n}";

    #[test]
    fn heads_are_followed_over_bodies() {
        check(FINE, 1);
        check(&FINE.repeat(3), 3);
        check(&format!("\r\n\r\n{FINE}\r\n{FINE}"), 2);
        let bare = "GET / HTTP/1.1\r\nContent-Length-X: 9\r\nX: content-length: 3\r\n\r\n";
        check(&format!("{bare}{bare}{FINE}"), 3);
        let chunked = "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1\r\n\n\r\n0\r\n\r\n";
        check(&format!("{FINE}{chunked}{FINE}"), 2);
    }

    #[test]
    fn lone_line_feeds_are_ambiguous() {
        for sent in [
            "\nGET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\nHost: a\n\n",
            "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n\n",
            "GET / HTTP/1.1\r\nHost: a\r \n\r\n",
        ] {
            check(&format!("{sent}{FINE}"), 0);
            check(&format!("{FINE}{sent}{FINE}"), 1);
        }
    }

    #[test]
    fn a_length_and_a_coding_are_ambiguous() {
        for (one, two) in [
            ("Content-Length: 5", "Transfer-Encoding: chunked"),
            ("transfer-encoding: \tchunked", "CONTENT-LENGTH:0"),
            ("content-length:", "transfer-encoding:"),
        ] {
            check(&format!("POST / HTTP/1.1\r\n{one}\r\nHost: a\r\n{two}\r\n\r\n0\r\n\r\n"), 0);
        }
    }

    #[tokio::test]
    async fn what_is_given_back_is_read_again_and_looked_at_once() {
        use tokio::io::AsyncReadExt as _;
        let (text, heads) = (b"GET / HTTP/1.1\r\n\r\n".as_slice(), Arc::<Heads>::default());
        let mut strict = Strict::new(text, Arc::clone(&heads));
        let (mut begun, mut all) = ([0; 18], Vec::new());
        strict.read_exact(&mut begun).await.unwrap();
        strict.give_back(Bytes::copy_from_slice(&begun));
        strict.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, text);
        assert_eq!(heads.sound.load(Ordering::Relaxed), 1);
    }
}
