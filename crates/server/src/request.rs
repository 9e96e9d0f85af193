//! A request's way through the server.
//!
//! Cost of a 1 KiB `PutRecord` in here, beside hyper and the service: one list of header pairs, the
//! caller's ARN and region, one boxed call, one buffer for both ids, one header map; no copy of the
//! body, three reads of the clock, a dozen atomic adds to what is counted and held, a lock for
//! reading the keys and one for the account's share where signatures are required, about 0.002 ms.
//! SHA-256 runs only there.

use crate::answer::{self, AnswerHead, Reply};
use crate::body::{Holder, Inbound};
use crate::cross::Page;
use crate::crowd::Place;
use crate::io::InFlight;
use crate::options::AuthMode;
use crate::route::{self, Refused, Route, Shape, Target};
use crate::shared::Shared;
use crate::unsent::Kept;
use crate::{auth, gate, packed, site, unsent};
use base::budget::{self, Room, Share};
use base::{AccountId, Cx, Origin, RequestId};
use bytes::Bytes;
use futures_util::FutureExt;
use http::header::{CONNECTION, HeaderValue, TRANSFER_ENCODING};
use http::request::Parts as Head;
use http::{Request, Version};
use hyper::body::Incoming;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use wire::sigv4::{Addressee, Principal, Unread};
use wire::{Answer, Call, Content, Format, Payload, Protocol, Refusal, Routes, Service};

/// How long the head of an event stream is held back over HTTP/1.1. The Go SDK (smithy-go 1.28,
/// seen) closes the request's body when the head comes; where its writer has sent the body and not
/// yet looked for more of it, Go takes that for a failed write and closes the connection. An answer
/// cut so is asked for again, a stream of events is lost.
const EVENTS_HOLD: Duration = Duration::from_millis(10);

/// Where a request comes from.
#[derive(Clone, Copy)]
pub(crate) struct Sender<'a> {
    pub(crate) address: IpAddr,
    pub(crate) is_tls: bool,
    /// Whether its head can be read in one way only.
    pub(crate) is_sound: bool,
    /// The place of its connection.
    pub(crate) place: &'a Place,
}

/// Memory of a request beside its head, its body and its answer: its task, and what the server and
/// the service note of it (measured: 8 KiB with a head of AWS's clients).
pub(crate) const REQUEST_BYTES: usize = 8 << 10;
/// Memory of a header beside its text.
const HEADER_BYTES: usize = 64;
/// What HTTP buffers of a stream beside the piece itself.
const STREAM_BYTES: usize = 64 << 10;

/// What was asked, for the log and the counters.
#[derive(Clone, Copy)]
struct Asked {
    id: RequestId,
    route: Option<Route>,
}

/// Answers one request.
pub(crate) async fn handle(
    shared: &Shared,
    sender: Sender<'_>,
    request: Request<Incoming>,
    in_flight: InFlight,
) -> Reply {
    let is_last = !sender.is_sound || request.headers().contains_key(TRANSFER_ENCODING);
    let mut reply = respond(shared, sender, request, in_flight).await;
    if is_last {
        // `strict` looks at no head behind it.
        close(&mut reply);
    }
    reply
}

/// Has the connection end behind an answer.
fn close(reply: &mut Reply) {
    reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
}

async fn respond(
    shared: &Shared,
    sender: Sender<'_>,
    request: Request<Incoming>,
    mut in_flight: InFlight,
) -> Reply {
    let began = shared.env.clock.monotonic();
    let (head, body) = request.into_parts();
    let (version, place) = (head.version, sender.place);
    let form = gate::check_form(&head, sender.is_sound);
    if form.is_ok()
        && let Some(site) = shared.site_of(&head)
    {
        // Boxed, as below, since every request would carry its size otherwise.
        let request = Request::from_parts(head, body);
        let visit = site::visit(shared, site, sender, request, in_flight);
        return Box::pin(visit).await;
    }
    let mut body = Inbound::new(&head, body);
    let id = shared.ids.next();
    let page = Page::of(shared, &head);
    if form.is_ok() && page.as_ref().is_some_and(Page::is_preflight) {
        return preflight(shared, id, page);
    }
    let route = form.and_then(|()| admit(shared, &head, &body));
    let mut asked = Asked { id, route: route.as_ref().ok().copied() };
    let mut room = room(shared, place, &head, &body).await;
    let done = match (route, &mut room) {
        (Ok(route), None) => Err(too_many(route.protocol)),
        (Ok(mut route), Some(room)) => {
            let asking = Asking { shared, sender, id, head: &head };
            let answer = serve(asking, &mut route, &mut body, room, &mut in_flight).await;
            asked.route = Some(route);
            answer.map(|answer| (route.protocol, answer))
        }
        (Err(Refused { refusal, shape: Shape::Wrapped }), Some(room)) => {
            drop(head);
            let holder = Holder { peer: &place.peer, room };
            let format = Some(Format::Json);
            let refusal = unless_unreadable(shared, &mut body, holder, format, refusal).await;
            Err(Refused { refusal, shape: Shape::Wrapped })
        }
        (Err(refused), room) => {
            // A slow body must not hold the head as well.
            drop(head);
            if let Some(room) = room {
                body.discard(shared, &place.peer, room.bytes()).await;
            }
            Err(refused)
        }
    };
    let streams = matches!(done, Ok((_, Answer { content: Content::Stream(_), .. })));
    if version < Version::HTTP_2 && streams {
        shared.env.clock.sleep(EVENTS_HOLD).await;
    }
    let (mut reply, refused) = reply(shared, id, done, Kept { room, in_flight });
    let took = shared.env.clock.monotonic().saturating_sub(began);
    account(shared, asked, refused.as_ref(), took);
    answer::identify(&mut reply, &shared.ids, id);
    if let Some(page) = page {
        page.admit(&mut reply);
    }
    if body.is_held_back() {
        close(&mut reply);
    }
    reply
}

/// What a browser is told that asks whether a page may call.
fn preflight(shared: &Shared, id: RequestId, page: Option<Page>) -> Reply {
    let mut reply = answer::empty();
    answer::identify(&mut reply, &shared.ids, id);
    // As AWS does it.
    reply.headers_mut().remove(answer::ID2);
    if let Some(page) = page {
        page.admit(&mut reply);
    }
    reply
}

/// Room for a request and what may come of its body before it is asked for. Bodies that do not move
/// give way for it, which a request whose body is there never does.
pub(crate) async fn room(
    shared: &Shared,
    place: &Place,
    head: &Head,
    body: &Inbound,
) -> Option<Room> {
    let headers = head.headers.iter();
    let head_bytes: usize = headers
        .map(|(name, value)| name.as_str().len() + value.as_bytes().len() + HEADER_BYTES)
        .sum();
    let bytes = REQUEST_BYTES + head_bytes + body.bytes_ahead();
    place.peer.admit(&*shared.env.clock, bytes, shared.limits.room_timeout).await
}

/// Source: ours.
fn too_many(protocol: Protocol) -> Refused {
    let refusal = Refusal::unavailable("too many requests in flight, try again");
    Refused { refusal, shape: Shape::Body(protocol, "") }
}

/// Finds out where a request leads, and whether its client may go there.
fn admit(shared: &Shared, head: &Head, body: &Inbound) -> Result<Route, Refused> {
    let route = route::route(&shared.services, head, body.is_empty())?;
    let space = shared.services[route.service].routes().xml_namespace;
    let shape = Shape::Body(route.protocol, space);
    gate::check_client(shared, head).map_err(|refusal| Refused { refusal, shape })?;
    Ok(route)
}

/// What goes out for what the service said, or for why nothing was asked of it.
fn reply(
    shared: &Shared,
    id: RequestId,
    done: Result<(Protocol, Answer), Refused>,
    mut kept: Kept,
) -> (Reply, Option<Refused>) {
    let refused = match done {
        Ok((protocol, Answer { status, headers, content })) => {
            let held = match content {
                Content::Whole(bytes) => unsent::hold(bytes, kept),
                Content::Long(body) => unsent::hold_long(body, kept),
                Content::Stream(pieces) => {
                    if kept.room.as_mut().is_none_or(|room| room.resize(STREAM_BYTES)) {
                        let panics = &shared.meters.panics;
                        Ok(answer::stream(pieces, &shared.stopping, panics, kept))
                    } else {
                        Err(too_many(protocol).refusal)
                    }
                }
            };
            let head = AnswerHead { status, headers };
            match held {
                Ok(body) => return (answer::of_protocol(protocol, head, body), None),
                Err(refusal) => Refused { refusal, shape: Shape::Body(protocol, "") },
            }
        }
        Err(refused) => {
            // What the client is told may hold what it sent, so a refusal can be large as well.
            let reply = answer::refused(&refused.refusal, refused.shape, id);
            match answer::try_map_whole(reply, |bytes| unsent::hold(bytes, kept)) {
                Ok(reply) => return (reply, Some(refused)),
                Err(refusal) => Refused { refusal, shape: refused.shape },
            }
        }
    };
    (answer::refused(&refused.refusal, refused.shape, id), Some(refused))
}

/// A request that was routed.
#[derive(Clone, Copy)]
struct Asking<'a> {
    shared: &'a Shared,
    sender: Sender<'a>,
    id: RequestId,
    head: &'a Head,
}

/// Takes a routed request to its service.
async fn serve(
    Asking { shared, sender, id, head }: Asking<'_>,
    route: &mut Route,
    body: &mut Inbound,
    room: &mut Room,
    in_flight: &mut InFlight,
) -> Result<Answer, Refused> {
    let place = sender.place;
    let protocol = route.protocol;
    let service = &shared.services[route.service];
    let routes = service.routes();
    let shape = Shape::Body(protocol, routes.xml_namespace);
    let refused = |refusal| Refused { refusal, shape };
    let time_ms = shared.env.clock.now_ms();
    let headers = auth::headers(head);
    let judge = shared.auth.judge();
    let format = whole_format(protocol, head);
    let named = route.operation.map(|operation| &routes.operations[operation]);
    let to = Addressee {
        service: routes.signing_name,
        headers: named.map_or(&[][..], |operation| operation.headers),
    };
    let judged = match judge.hear(head, &headers, to, time_ms) {
        Ok(judged) => judged,
        Err(refusal) => {
            let holder = Holder { peer: &place.peer, room };
            return Err(refused(unless_unreadable(shared, body, holder, format, refusal).await));
        }
    };
    let streams = protocol == Protocol::RestJson && named.is_some_and(|op| op.streams);
    let unread = if streams { judged.unread(sender.is_tls) } else { Ok(None) };
    let unread = match unread {
        Ok(unread) => unread,
        Err(refusal) => {
            Box::pin(body.discard(shared, &place.peer, room.bytes())).await;
            return Err(refused(refusal));
        }
    };
    let (who, payload) = if let Some(Unread { principal, sha256 }) = unread {
        (principal, Payload::Stream(body.take_stream(shared, sha256)))
    } else {
        let bytes_max = bytes_max(routes, route.operation);
        let holder = Holder { peer: &place.peer, room };
        let body = body.read(shared, holder, bytes_max).await.map_err(refused)?;
        if body.is_empty() && head.headers.contains_key(route::TARGET) {
            return Err(refused(route::no_body()));
        }
        let judged = judged.finish(&body, sender.is_tls);
        let who = judged.map_err(|refusal| refused(or_unreadable(format, &body, refusal)))?;
        let body = match route::is_packed(&head.headers) {
            true => packed::unpack(&body, bytes_max, room).map_err(refused)?,
            false => body,
        };
        (who, Payload::Whole(body))
    };
    let (operation, payload) = operation(&**service, *route, head, payload).map_err(refused)?;
    route.operation = Some(operation);
    in_flight.verified(place.busy());
    let memory = charge(shared, place, who.account, room).map_err(refused)?;
    let origin = Origin { address: Some(sender.address), is_tls: sender.is_tls, time_ms };
    let cx = context(shared, id, who, (origin, memory));
    let head = (protocol == Protocol::RestJson).then(|| Box::new(wire_head(head)));
    let call = Call { cx, operation, protocol, head, body: payload };
    let calling = AssertUnwindSafe(async { service.call(call).await }).catch_unwind();
    let answer = match calling.await {
        Ok(answer) => answer.map_err(refused),
        Err(panic) => Err(refused(panicked(shared, id, panic.as_ref()))),
    };
    if answer.is_err() && body.take_back() {
        Box::pin(body.discard(shared, &place.peer, room.bytes())).await;
    }
    answer
}

fn context(
    shared: &Shared,
    request_id: RequestId,
    who: Principal,
    (origin, memory): (Origin, Share),
) -> Cx {
    Cx {
        request_id,
        account: who.account,
        region: who.region,
        caller_arn: who.caller_arn,
        access_key: who.access_key,
        user_id: who.user_id,
        role_arn: who.role_arn,
        partition: shared.auth.partition,
        permissions: who.permissions,
        origin,
        memory,
    }
}

/// The format in which a body can be told to be unreadable before anybody knows who sent it.
fn whole_format(protocol: Protocol, head: &Head) -> Option<Format> {
    let is_structure = !matches!(protocol, Protocol::RestJson | Protocol::Query);
    (is_structure && !route::is_packed(&head.headers)).then(|| protocol.format())
}

/// The operation that is asked for, which a form names in its body.
fn operation(
    service: &dyn Service,
    route: Route,
    head: &Head,
    payload: Payload,
) -> Result<(usize, Payload), Refusal> {
    if let Some(operation) = route.operation {
        return Ok((operation, payload));
    }
    let form = form(head, payload)?;
    Ok((route::action(service, head, &form)?, Payload::Whole(form)))
}

/// The largest body of an operation; of any when a form will name it.
fn bytes_max(routes: &Routes, operation: Option<usize>) -> usize {
    match operation {
        Some(operation) => routes.operations[operation].body_bytes_max,
        None => routes.operations.iter().map(|op| op.body_bytes_max).max().unwrap_or_default(),
    }
}

/// A form, which may stand in the query.
fn form(head: &Head, body: Payload) -> Result<Bytes, Refusal> {
    let body = body.whole()?;
    let query = head.uri.query().filter(|_| body.is_empty());
    Ok(query.map_or(body, |query| Bytes::copy_from_slice(query.as_bytes())))
}

/// What members may travel in.
fn wire_head(head: &Head) -> wire::Head {
    let headers = head.headers.iter().map(|(name, value)| {
        let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_owned(), text)
    });
    wire::Head {
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: headers.collect(),
    }
}

/// Largest body that is read for somebody whose signature is missing or wrong.
const UNPROVEN_BYTES_MAX: usize = 16 << 10;

/// Why a request is refused whose head is not enough. AWS reads the body before it looks for a
/// signature, and of `application/json` (observed, recorded by kinesalite's tests); here a large
/// one is read for nobody.
async fn unless_unreadable(
    shared: &Shared,
    body: &mut Inbound,
    holder: Holder<'_>,
    format: Option<Format>,
    refusal: Refusal,
) -> Refusal {
    if body.is_held_back() || body.bytes_max() > UNPROVEN_BYTES_MAX as u64 {
        body.discard(shared, holder.peer, holder.room.bytes()).await;
        return refusal;
    }
    match body.read(shared, holder, UNPROVEN_BYTES_MAX).await {
        Ok(body) => or_unreadable(format, &body, refusal),
        Err(_) => refusal,
    }
}

/// That a body cannot be read, when it cannot; else `refusal`.
fn or_unreadable(format: Option<Format>, body: &Bytes, refusal: Refusal) -> Refusal {
    match format {
        Some(format) if !body.is_empty() && body.len() <= UNPROVEN_BYTES_MAX => {
            wire::check_syntax(format, body.clone()).err().unwrap_or(refusal)
        }
        _ => refusal,
    }
}

/// Puts a request to the account of those who proved to be of it, beside whom its peer may have
/// strangers; what others only claim changes nothing. Gives whose memory the service takes.
///
/// Source: ours.
fn charge(
    shared: &Shared,
    place: &Place,
    account: AccountId,
    room: &mut Room,
) -> Result<Share, Refusal> {
    if shared.auth.mode() == AuthMode::Any {
        return Ok(place.peer.share.clone());
    }
    let share = shared.budget.share(budget::Holder::Account(account));
    if room.pass_to(&share) {
        return Ok(share);
    }
    Err(Refusal::unavailable("too much in flight for this account, try again"))
}

/// Turns a panic into an answer: a defect of ours must not take other clients' server away.
fn panicked(shared: &Shared, id: RequestId, panic: &(dyn std::any::Any + Send)) -> Refusal {
    shared.meters.panics.add(1);
    let text = answer::panic_text(panic);
    tracing::error!(request_id = %id, panic = text, "a request ended in a panic");
    Refusal::internal()
}

/// Counts and logs one request: what is our fault loudly, what is the client's only when asked for.
fn account(shared: &Shared, asked: Asked, refused: Option<&Refused>, took: Duration) {
    let target = asked.route.and_then(Route::target);
    let refusal = refused.map(|refused| &refused.refusal);
    let code = refusal.map(|refusal| refusal.code);
    shared.meters.of(target).count(code, took);
    let status = refusal.map_or(200, |refusal| refusal.status);
    // What is not implemented is asked for by a client that is wrong here.
    let is_ours = status >= 500 && status != 501;
    if !is_ours && !tracing::enabled!(tracing::Level::DEBUG) {
        return;
    }
    let operations = |target: Target| shared.services[target.service].routes().operations;
    let action = target.map_or("none", |target| operations(target)[target.operation].name);
    let (id, ms, code) = (asked.id, took.as_secs_f64() * 1000.0, code.unwrap_or("OK"));
    if is_ours {
        let text = refusal.map_or("", |refusal| refusal.message.as_ref());
        tracing::warn!(request_id = %id, action, status, code, text, ms, "request failed");
    } else {
        tracing::debug!(request_id = %id, action, status, code, ms, "request");
    }
}
