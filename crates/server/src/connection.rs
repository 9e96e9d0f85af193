//! One connection: what is spoken on it, and how long it may stay silent.
//!
//! first bytes → TLS handshake, when it is one → first bytes again → HTTP/1.1 or HTTP/2.
//!
//! An HTTP/1.1 connection that is idle for a while is taken out of hyper until its next bytes come,
//! so that it keeps no buffer, however large the last body was.

use crate::answer::AnswerBody;
use crate::crowd::Place;
use crate::io::{Activity, Moment, Peeked, Speech, Watched};
use crate::loops::Seat;
use crate::options::Limits;
use crate::request::{self, Sender};
use crate::shared::Shared;
use crate::stall::Streams;
use crate::strict::{Heads, Strict};
use crate::tls::Tls;
use base::budget::Room;
use base::env::Clock;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// Reset streams that a client may leave behind before its connection is closed (rapid reset).
const HTTP2_RESETS_MAX: usize = 20;
/// Streams that we had to reset before the connection is closed ("made you reset").
const HTTP2_LOCAL_RESETS_MAX: usize = 256;
/// Bytes in flight to us on one HTTP/2 connection, and on one of its streams: room is taken for the
/// latter before a body is read.
const HTTP2_WINDOW_BYTES: u32 = 1 << 20;
pub(crate) const HTTP2_STREAM_WINDOW_BYTES: u32 = 256 << 10;
/// Bytes of answers that one HTTP/2 stream buffers.
const HTTP2_SEND_BYTES_MAX: usize = 64 << 10;
/// Most that HTTP/1.1 reads at once, and so holds of what was not asked for yet.
pub(crate) const HTTP1_READ_BYTES_MAX: usize = 64 << 10;
/// What HTTP/2 takes for a connection: its tables, a frame in each direction, its streams' names.
const HTTP2_BYTES: usize = 48 << 10;
/// What TLS takes for one: a record in each direction.
const TLS_BYTES: usize = 48 << 10;
/// An HTTP/2 client that answers no ping for this long is gone.
const HTTP2_PING_INTERVAL: Duration = Duration::from_secs(30);
const HTTP2_PING_TIMEOUT: Duration = Duration::from_secs(20);

/// Bytes of one request's head over HTTP/2, where one connection has many. AWS's clients send one
/// or two KiB.
const HTTP2_HEADER_BYTES_MAX: u32 = 16 << 10;
/// Bytes a second that a client must take of large answers, averaged.
const ANSWER_BYTES_PER_SECOND_MIN: u64 = 16 << 10;
/// Bytes of answers that may lie in an HTTP/2 connection at any speed: it carries other streams,
/// which one small answer that nobody takes must not end.
const HTTP2_ANSWER_BYTES_MIN: usize = 64 << 10;
/// Bytes that a client may have taken in advance: what the kernel takes at once in its stead.
const ANSWER_BYTES_CREDIT_MAX: u64 = 4 << 20;

/// How HTTP is served; made once.
pub(crate) struct Http {
    one: http1::Builder,
    two: http2::Builder<Streams>,
}

impl Http {
    pub(crate) fn new(limits: &Limits, clock: &Arc<dyn Clock>) -> Self {
        let mut one = http1::Builder::new();
        // Hyper's own time-out would cost a timer a request and also runs on idle connections;
        // `Watch` sees to both.
        one.timer(TokioTimer::new())
            .header_read_timeout(None)
            .max_header_size(limits.header_bytes_max as usize)
            .max_buf_size(HTTP1_READ_BYTES_MAX.max(limits.header_bytes_max as usize));
        let mut two = http2::Builder::new(Streams::new(Arc::clone(clock), limits.idle_timeout));
        two.timer(TokioTimer::new())
            .max_concurrent_streams(limits.http2_streams_max)
            .max_header_list_size(limits.header_bytes_max.min(HTTP2_HEADER_BYTES_MAX))
            .max_pending_accept_reset_streams(HTTP2_RESETS_MAX)
            .max_local_error_reset_streams(HTTP2_LOCAL_RESETS_MAX)
            .initial_connection_window_size(HTTP2_WINDOW_BYTES)
            .initial_stream_window_size(HTTP2_STREAM_WINDOW_BYTES)
            .max_send_buf_size(HTTP2_SEND_BYTES_MAX)
            .keep_alive_interval(HTTP2_PING_INTERVAL)
            .keep_alive_timeout(HTTP2_PING_TIMEOUT);
        Self { one, two }
    }
}

/// A connection that was accepted.
pub(crate) struct Accepted {
    pub(crate) socket: TcpStream,
    pub(crate) seat: Seat,
    pub(crate) place: Arc<Place>,
}

/// A connection whose first bytes said what is spoken.
struct Opened {
    seat: Seat,
    place: Arc<Place>,
    address: IpAddr,
    is_tls: bool,
}

/// Serves a connection until it ends, gives way to others or the server stops; it has its seat and
/// its place until then.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    http: Arc<Http>,
    tls: Option<Arc<Tls>>,
    accepted: Accepted,
) {
    let place = Arc::clone(&accepted.place);
    tokio::select! {
        biased;
        () = open(shared, http, tls, accepted) => {}
        () = place.lost() => tracing::debug!("an idle connection gave way to others"),
    }
}

async fn open(
    shared: Arc<Shared>,
    http: Arc<Http>,
    tls: Option<Arc<Tls>>,
    Accepted { socket, seat, place }: Accepted,
) {
    // Answers are small and awaited; a socket that refuses the option still works.
    drop(socket.set_nodelay(true));
    let Ok(address) = socket.peer_addr() else {
        return tracing::trace!("a connection was gone before it was served");
    };
    let address = address.ip().to_canonical();
    let mut opened = Opened { seat, place, address, is_tls: false };
    let stopping = shared.stopping.clone();
    let opening = look(&shared, socket);
    let looked = tokio::select! {
        looked = opening => looked,
        () = stopping.clone().wait() => return,
    };
    let (socket, speech) = match looked {
        Ok(looked) => looked,
        Err(error) => return tracing::trace!(%error, "a connection said nothing"),
    };
    let (Speech::Tls, Some(tls)) = (speech, tls) else {
        if shared.tls_only {
            return tracing::debug!("a connection without TLS was closed");
        }
        return speak(shared, &http, opened, socket, speech).await;
    };
    let Some(_room) = room(&shared, &opened.place, TLS_BYTES).await else { return };
    let shaken = tokio::select! {
        shaken = Box::pin(handshake(&shared, &tls, socket)) => shaken,
        () = stopping.wait() => return,
    };
    match shaken {
        Ok((stream, speech)) => {
            opened.is_tls = true;
            Box::pin(speak(shared, &http, opened, stream, speech)).await;
        }
        Err(error) => {
            shared.meters.handshakes_failed.add(1);
            tracing::debug!(%error, "a TLS handshake failed");
        }
    }
}

type TlsStream = tokio_rustls::server::TlsStream<Peeked<TcpStream>>;

/// Old clients send HTTP/2's preface without having offered it in the handshake, so what is spoken
/// inside is looked at again instead of trusting what was negotiated.
async fn handshake(
    shared: &Shared,
    tls: &Tls,
    socket: Peeked<TcpStream>,
) -> io::Result<(Peeked<TlsStream>, Speech)> {
    let clock = &shared.env.clock;
    let stream = within(clock, shared.limits.header_timeout, tls.acceptor.accept(socket)).await?;
    look(shared, stream).await
}

/// Tells what is spoken. A client may keep a connection in store and say nothing yet; once it
/// speaks, it must not stop in the middle.
async fn look<S>(shared: &Shared, stream: S) -> io::Result<(Peeked<S>, Speech)>
where
    S: AsyncRead + Unpin,
{
    let (clock, limits) = (&shared.env.clock, &shared.limits);
    let begun = within(clock, limits.idle_timeout, Peeked::first(stream)).await?;
    within(clock, limits.header_timeout, begun.tell()).await
}

async fn within<T>(
    clock: &Arc<dyn Clock>,
    time: Duration,
    work: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    tokio::select! {
        // The work first: on a busy machine both may be over.
        biased;
        done = work => done,
        () = clock.sleep(time) => Err(io::ErrorKind::TimedOut.into()),
    }
}

/// Room for a connection that takes more than one that speaks plain HTTP/1.1.
async fn room(shared: &Shared, place: &Place, bytes: usize) -> Option<Room> {
    let room = place.room(&*shared.env.clock, bytes, shared.limits.room_timeout).await;
    if room.is_none() {
        tracing::debug!("a connection found no room");
    }
    room
}

async fn speak<S>(
    shared: Arc<Shared>,
    http: &Http,
    Opened { seat, place, address, is_tls }: Opened,
    stream: Peeked<S>,
    speech: Speech,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let http2 = speech == Speech::Http2;
    // Its requests would wait for each other if one of them blocked the thread.
    let _another = http2.then(|| seat.another());
    let activity = Arc::new(Activity::new(Arc::clone(&shared.flights), http2));
    let (share, bytes_max) = (place.peer.share.clone(), shared.limits.header_bytes_max as usize);
    let stream = Watched::new(stream, Arc::clone(&activity), share, bytes_max);
    let heads = Arc::<Heads>::default();
    let service = {
        let (shared, activity) = (Arc::clone(&shared), Arc::clone(&activity));
        let (heads, place) = (Arc::clone(&heads), Arc::clone(&place));
        service_fn(move |request: Request<Incoming>| {
            let (shared, in_flight) = (Arc::clone(&shared), activity.begin());
            let is_sound = http2 || heads.next_is_sound();
            let place = Arc::clone(&place);
            async move {
                let sender = Sender { address, is_tls, is_sound, place: &place };
                let reply = request::handle(&shared, sender, request, in_flight).await;
                Ok::<Response<AnswerBody>, Infallible>(reply)
            }
        })
    };
    let mut watch = Watch::new(&activity, &shared.limits);
    match speech {
        // TLS inside TLS, or TLS where there is none, gets what garbage gets.
        Speech::Http1 | Speech::Tls => {
            let io = TokioIo::new(Strict::new(stream, heads));
            speak_one(&shared, http, io, service, watch).await;
        }
        Speech::Http2 => {
            let Some(_room) = room(&shared, &place, HTTP2_BYTES).await else { return };
            let io = TokioIo::new(stream);
            let mut connection = Box::pin(http.two.serve_connection(io, service));
            drive(&shared, connection.as_mut(), &mut watch).await;
        }
    }
}

type Io<S> = TokioIo<Strict<Watched<Peeked<S>>>>;

/// Speaks HTTP/1.1; while nothing is said hyper does not hold the connection.
async fn speak_one<S, V>(
    shared: &Shared,
    http: &Http,
    mut io: Io<S>,
    mut service: V,
    mut watch: Watch<'_>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    V: HttpService<Incoming, ResBody = AnswerBody, Error = Infallible>,
{
    loop {
        let mut connection = Box::new(http.one.serve_connection(io, service));
        match drive(shared, Pin::new(&mut *connection), &mut watch).await {
            Left::Over => return,
            Left::Idle => {}
        }
        let unread;
        http1::Parts { io, service, read_buf: unread, .. } = connection.into_parts();
        if !unread.is_empty() {
            // A part of the next request came together with the last one: its head is open.
            watch.activity.note_read();
            io.inner_mut().give_back(unread);
            continue;
        }
        // Empty, it keeps all that the largest request needed.
        drop(unread);
        let more = io.inner_mut().inner_mut().inner_mut().more();
        tokio::select! {
            more = within(&shared.env.clock, watch.patience(), more) => if more.is_err() { return },
            () = shared.stopping.clone().wait() => return,
        }
    }
}

/// How a connection was left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Left {
    Over,
    /// It goes on, and nothing is under way on it.
    Idle,
}

async fn drive<C>(shared: &Shared, mut connection: Pin<&mut C>, watch: &mut Watch<'_>) -> Left
where
    C: GracefulConnection,
    C::Error: std::fmt::Display,
{
    let mut stopped = Box::pin(shared.stopping.clone().wait());
    let (mut asked, tick) = (false, shared.limits.header_timeout / 2);
    loop {
        let mut tick_over = shared.env.clock.sleep(tick);
        // The connection first: the other two are polled only when it has nothing to do.
        tokio::select! {
            biased;
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::trace!(%error, "a connection broke");
                }
                return Left::Over;
            }
            () = stopped.as_mut(), if !asked => {
                asked = true;
                connection.as_mut().graceful_shutdown();
            }
            () = tick_over.as_mut() => match watch.tick(tick) {
                Verdict::Fine if watch.rests() && !asked => return Left::Idle,
                Verdict::Fine => {}
                Verdict::Cut => return Left::Over,
                Verdict::Ask => {
                    asked = true;
                    connection.as_mut().graceful_shutdown();
                }
            },
        }
    }
}

/// What becomes of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Verdict {
    Fine,
    /// It is asked to end: no further request is taken.
    Ask,
    /// It is closed as it is.
    Cut,
}

/// Compares what a connection did between ticks with what it must do.
struct Watch<'a> {
    activity: &'a Activity,
    limits: &'a Limits,
    http2: bool,
    last: Moment,
    /// Time without what the last verdict waited for.
    silent: Duration,
    /// Bytes of large answers that may stay untaken for now.
    credit: u64,
    asked: bool,
}

impl<'a> Watch<'a> {
    fn new(activity: &'a Activity, limits: &'a Limits) -> Self {
        let (last, http2) = (activity.moment(), activity.is_http2());
        let credit = answer_bytes_in(limits.body_timeout);
        Self { activity, limits, http2, last, silent: Duration::ZERO, credit, asked: false }
    }

    /// Whether nothing was under way at the last tick, and nothing happened for a tick before.
    fn rests(&self) -> bool {
        let Moment { in_flight, head_open, blocked, .. } = self.last;
        !self.http2 && in_flight == 0 && !head_open && !blocked && !self.silent.is_zero()
    }

    /// How much longer nothing may be said.
    fn patience(&self) -> Duration {
        self.limits.idle_timeout.saturating_sub(self.silent)
    }

    fn tick(&mut self, tick: Duration) -> Verdict {
        let (last, now) = (self.last, self.activity.moment());
        self.last = now;
        if self.crawls(tick, last, now) {
            return Verdict::Cut;
        }
        let same_request = now.requests == last.requests;
        let written = now.bytes_written != last.bytes_written;
        // Pings keep the bytes of an idle HTTP/2 connection moving, so there only requests count.
        let moved = written || (!self.http2 && now.reads != last.reads);
        let (waits, limit) = if now.streaming > 0 {
            // Keep-alive events are written every few seconds unless the client takes no bytes. Of
            // HTTP/2 each stream is watched by itself, in `stall`.
            (!self.http2 && !written, self.limits.idle_timeout)
        } else if now.in_flight > 0 {
            (false, self.limits.idle_timeout)
        } else if now.head_open && !self.http2 {
            (last.head_open && same_request, self.limits.header_timeout)
        } else {
            (same_request && (self.http2 || !moved), self.limits.idle_timeout)
        };
        self.silent = if waits { self.silent + tick } else { Duration::ZERO };
        if self.silent < limit {
            return Verdict::Fine;
        }
        self.silent = Duration::ZERO;
        if self.asked || now.streaming > 0 || now.head_open && !self.http2 {
            return Verdict::Cut;
        }
        self.asked = true;
        Verdict::Ask
    }

    /// Whether large answers are taken too slowly. What the kernel takes in one go counts as taken
    /// in advance, since its next bytes go only when the client has taken a good part of those.
    fn crawls(&mut self, tick: Duration, last: Moment, now: Moment) -> bool {
        let some = if self.http2 { HTTP2_ANSWER_BYTES_MIN } else { 1 };
        if now.bytes_held.min(last.bytes_held) < some {
            self.credit = answer_bytes_in(self.limits.body_timeout);
            return false;
        }
        let taken = now.bytes_written - last.bytes_written;
        let credit = (self.credit + taken).min(ANSWER_BYTES_CREDIT_MAX);
        let credit = credit.checked_sub(answer_bytes_in(tick));
        self.credit = credit.unwrap_or(0);
        credit.is_none()
    }
}

/// Bytes of large answers that a client must take in a time.
fn answer_bytes_in(time: Duration) -> u64 {
    (ANSWER_BYTES_PER_SECOND_MIN as f64 * time.as_secs_f64()) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: Duration = Duration::from_secs(5);

    fn limits() -> Limits {
        let (header_timeout, idle_timeout) = (Duration::from_secs(10), Duration::from_secs(20));
        Limits { header_timeout, idle_timeout, ..Limits::default() }
    }

    fn of_http2(http2: bool) -> Arc<Activity> {
        Arc::new(Activity::new(Arc::default(), http2))
    }

    /// Ticks until the verdict is not `Fine`, doing `each` before every tick.
    fn check(activity: &Activity, each: impl Fn(), want: (usize, Verdict)) {
        let limits = limits();
        let mut watch = Watch::new(activity, &limits);
        for tick in 1..=100 {
            each();
            let verdict = watch.tick(TICK);
            if verdict != Verdict::Fine {
                return assert_eq!((tick, verdict), want);
            }
        }
        assert_eq!((100, Verdict::Fine), want);
    }

    #[test]
    fn idle_connections_are_asked_then_cut() {
        check(&of_http2(false), || {}, (4, Verdict::Ask));
        let (activity, limits) = (of_http2(true), limits());
        check(&activity, || {}, (4, Verdict::Ask));
        let mut watch = Watch::new(&activity, &limits);
        let verdicts: Vec<_> = (0..8).map(|_| watch.tick(TICK)).collect();
        let mut want = vec![Verdict::Fine; 8];
        (want[3], want[7]) = (Verdict::Ask, Verdict::Cut);
        assert_eq!(verdicts, want);
    }

    #[test]
    fn half_heads_are_cut_however_they_drip() {
        let activity = of_http2(false);
        // The head opens in the first tick; two more pass.
        check(&activity, || activity.note_read(), (3, Verdict::Cut));
    }

    #[test]
    fn bytes_of_http2_are_no_requests() {
        let activity = of_http2(true);
        check(&activity, || activity.note_read(), (4, Verdict::Ask));
    }

    #[test]
    fn requests_keep_a_connection() {
        for http2 in [false, true] {
            let activity = of_http2(http2);
            let request = || {
                activity.note_read();
                drop(activity.begin());
            };
            check(&activity, request, (100, Verdict::Fine));
            let _long = activity.begin();
            check(&activity, || {}, (100, Verdict::Fine));
        }
    }

    #[test]
    fn streams_must_move() {
        let activity = of_http2(false);
        let mut stream = activity.begin();
        stream.stream();
        check(&activity, || activity.note_write(1), (100, Verdict::Fine));
        check(&activity, || {}, (4, Verdict::Cut));
    }

    #[test]
    fn large_answers_must_be_taken_at_a_speed() {
        for http2 in [false, true] {
            let activity = of_http2(http2);
            let mut answer = activity.begin();
            answer.hold(1 << 20);
            check(&activity, || activity.note_write(80 << 10), (100, Verdict::Fine));
            // A time-out of 20 seconds is worth four ticks.
            check(&activity, || activity.note_write(17), (5, Verdict::Cut));
        }
    }

    #[test]
    fn a_small_answer_ends_no_other_stream() {
        let activity = of_http2(true);
        let (mut answer, mut events) = (activity.begin(), activity.begin());
        answer.hold(2 << 10);
        events.stream();
        check(&activity, || activity.note_write(17), (100, Verdict::Fine));
    }

    #[test]
    fn what_the_kernel_takes_counts_for_a_while() {
        let activity = of_http2(true);
        let mut answer = activity.begin();
        answer.hold(1 << 20);
        activity.note_write(100 << 20);
        check(&activity, || {}, (5, Verdict::Cut));
        let bursts = std::cell::Cell::new(0);
        let burst = || {
            if bursts.replace(bursts.get() + 1) == 0 {
                activity.note_write(100 << 20);
            }
        };
        // Four MiB at 80 KiB a tick.
        check(&activity, burst, (52, Verdict::Cut));
    }
}
