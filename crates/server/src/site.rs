//! What a server serves that is no AWS API: pages, with a gate of their own. A site shares the port
//! of the services, or has one to itself: a server without services.

use crate::answer::{self, Reply};
use crate::body::{Holder, Inbound};
use crate::crowd::Place;
use crate::io::InFlight;
use crate::request::{self, Sender};
use crate::shared::Shared;
use crate::unsent::{self, Kept};
use bytes::Bytes;
use futures_util::FutureExt;
use http::Request;
use http::StatusCode;
use http::request::Parts as Head;
use hyper::body::Incoming;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use wire::{Answer, BoxFuture, Content, Payload, Refusal};

/// Pages, and who may see them.
pub trait Site: Send + Sync + 'static {
    /// Whether a request is for a page of this site.
    fn has(&self, head: &Head) -> bool;

    /// Whether this one may be answered; else what is said instead. Nothing of its body was read.
    ///
    /// # Errors
    /// What is said.
    fn gate(&self, head: &Head, peer: IpAddr) -> Result<(), Answer>;

    /// Most bytes of a request's body; `None`: it is handed on as it comes.
    fn body_bytes_max(&self, _head: &Head) -> Option<usize> {
        Some(0)
    }

    /// The page.
    fn page(&self, visit: Visit) -> BoxFuture<'_, Answer>;
}

/// Where there is no page.
pub(crate) struct Nowhere;

impl Site for Nowhere {
    fn has(&self, _: &Head) -> bool {
        true
    }

    fn gate(&self, _: &Head, _: IpAddr) -> Result<(), Answer> {
        Err(text(404, "no such page\n"))
    }

    fn page(&self, _: Visit) -> BoxFuture<'_, Answer> {
        Box::pin(async { text(404, "no such page\n") })
    }
}

/// A request for a page.
#[derive(Debug)]
pub struct Visit {
    /// Its head.
    pub head: Head,
    /// Where it comes from.
    pub peer: IpAddr,
    /// Whether it came over TLS.
    pub is_tls: bool,
    /// Its body.
    pub body: Payload,
}

/// A page of plain text.
pub fn text(status: u16, text: impl Into<Bytes>) -> Answer {
    let mut answer = Answer { status, ..Answer::whole(text.into()) };
    answer.header("content-type", "text/plain; charset=utf-8");
    answer
}

/// Answers a request for a page of `site`.
pub(crate) async fn visit(
    shared: &Shared,
    site: &dyn Site,
    sender: Sender<'_>,
    request: Request<Incoming>,
    in_flight: InFlight,
) -> Reply {
    let (head, body) = request.into_parts();
    let place = sender.place;
    place.earn();
    let mut body = Inbound::new(&head, body);
    if let Err(said) = site.gate(&head, sender.address) {
        return reply(shared, place, said, Kept { room: None, in_flight });
    }
    // Pages that are read alone take no room over HTTP/1.1: health is told when there is none.
    let mut room = None;
    let payload = if body.is_empty() {
        Payload::Empty
    } else {
        let Some(mut held) = request::room(shared, place, &head, &body).await else {
            return answer::empty_unavailable();
        };
        let read = match site.body_bytes_max(&head) {
            None => Ok(Payload::Stream(body.take_stream(shared, None))),
            Some(bytes_max) => {
                let holder = Holder { peer: &place.peer, room: &mut held };
                body.read(shared, holder, bytes_max).await.map(Payload::Whole)
            }
        };
        room = Some(held);
        match read {
            Ok(payload) => payload,
            Err(Refusal { status, message, .. }) => {
                let said = text(status, message.into_owned() + "\n");
                return reply(shared, place, said, Kept { room, in_flight });
            }
        }
    };
    let visit = Visit { head, peer: sender.address, is_tls: sender.is_tls, body: payload };
    let page = AssertUnwindSafe(async { site.page(visit).await }).catch_unwind().await;
    let page = page.unwrap_or_else(|panic| {
        shared.meters.panics.add(1);
        tracing::error!(panic = answer::panic_text(&*panic), "a page ended in a panic");
        text(500, "internal error\n")
    });
    reply(shared, place, page, Kept { room, in_flight })
}

/// A page as it goes out. Over HTTP/2 a client may leave many of them, so they take room as answers
/// do.
fn reply(shared: &Shared, place: &Place, page: Answer, mut kept: Kept) -> Reply {
    let Answer { status, headers, content } = page;
    if kept.room.is_none() && kept.in_flight.is_http2() {
        kept.room = place.peer.share.take(request::REQUEST_BYTES);
        if kept.room.is_none() {
            return answer::empty_unavailable();
        }
    }
    let body = match content {
        Content::Whole(bytes) => unsent::hold(bytes, kept),
        Content::Long(long) => unsent::hold_long(long, kept),
        Content::Stream(pieces) => {
            Ok(answer::stream(pieces, &shared.stopping, &shared.meters.panics, kept))
        }
    };
    let Ok(body) = body else { return answer::empty_unavailable() };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    answer::of_site(status, headers, body)
}
