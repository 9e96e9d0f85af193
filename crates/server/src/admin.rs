//! Pages for people and machines that watch the server: health and metrics, without a signature.
//!
//! On loopback they answer only to loopback names: a web page that has its own name point at
//! 127.0.0.1 could read them otherwise. Off loopback everybody learns whether the server is alive
//! and ready; why it is not, and the metrics, need a token or the owner's word.

use crate::host;
use crate::process;
use crate::shared::Stopping;
use crate::site::{self, Site, Visit};
use base::budget::Budget;
use base::env::Disk;
use base::metrics::{Gauge, Registry};
use bytes::Bytes;
use http::Method;
use http::header::{AUTHORIZATION, HOST};
use http::request::Parts as Head;
use ring::hmac;
use std::future::ready;
use std::net::IpAddr;
use std::sync::Arc;
use wire::sigv4::Secret;
use wire::{Answer, BoxFuture, Format, Writer};

/// Says why the server should get no requests now; nothing when it should.
pub type Readiness = Arc<dyn Fn() -> Vec<String> + Send + Sync>;

/// Says what an owner should know although the server takes requests.
pub type Notes = Readiness;

/// What the pages show.
pub(crate) struct Admin {
    pub(crate) registry: Registry,
    pub(crate) readiness: Option<Readiness>,
    pub(crate) notes: Option<Notes>,
    pub(crate) version: String,
    /// When the server was made, in milliseconds since the epoch.
    pub(crate) started_ms: i64,
    /// Whether the server can be reached from this machine only.
    pub(crate) loopback: bool,
    /// Further names for the server on loopback.
    pub(crate) host_names: Vec<String>,
    /// The metrics' bearer token.
    pub(crate) token: Option<Token>,
    /// Whether other machines read the metrics where there is none.
    pub(crate) open_metrics: bool,
    pub(crate) stopping: Stopping,
    /// Memory that clients cause, which is counted only when somebody looks.
    pub(crate) budget: Arc<Budget>,
    pub(crate) memory: Gauge,
    pub(crate) connections: Gauge,
    pub(crate) disk: Arc<dyn Disk>,
    /// Names of the services on this port.
    pub(crate) services: Vec<&'static str>,
}

impl Admin {
    /// Whether this client may see more than that the server is alive and ready. A token is asked
    /// for wherever there is one: other users of this machine are not its owner.
    fn may_look(&self, head: &Head) -> bool {
        match &self.token {
            Some(token) => token.is_borne_by(head),
            None => self.loopback || self.open_metrics,
        }
    }
}

/// A bearer token, kept as what proves it.
pub(crate) struct Token(hmac::Tag);

impl Token {
    /// What the tags are made over; any text would do.
    const TEXT: &[u8] = b"metrics";

    /// The token of this text; an empty one is none.
    pub(crate) fn new(secret: &Secret) -> Option<Self> {
        let text = Some(secret.reveal().as_bytes()).filter(|text| !text.is_empty())?;
        Some(Self(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, text), Self::TEXT)))
    }

    /// Compares tags, which takes the same time wherever the texts begin to differ.
    fn is_borne_by(&self, head: &Head) -> bool {
        let Some((scheme, given)) =
            head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.split_once(' '))
        else {
            return false;
        };
        let key = hmac::Key::new(hmac::HMAC_SHA256, given.trim().as_bytes());
        scheme.eq_ignore_ascii_case("bearer")
            && hmac::verify(&key, Self::TEXT, self.0.as_ref()).is_ok()
    }
}

/// What a page shows to a client that may see all of it, or not.
type Show = fn(&Admin, bool) -> Answer;

fn page_at(head: &Head) -> Option<Show> {
    if !matches!(head.method, Method::GET | Method::HEAD) {
        return None;
    }
    Some(match head.uri.path() {
        "/livez" => |_, _| site::text(200, "ok\n"),
        "/readyz" => Admin::ready,
        "/healthz" => Admin::health,
        "/metrics" => Admin::metrics,
        "/health" | "/_localstack/health" => Admin::local_health,
        _ => return None,
    })
}

impl Site for Admin {
    fn has(&self, head: &Head) -> bool {
        page_at(head).is_some()
    }

    fn gate(&self, head: &Head, _: IpAddr) -> Result<(), Answer> {
        if host_allowed(self, head) {
            return Ok(());
        }
        Err(site::text(403, "this page answers to loopback names only\n"))
    }

    fn page(&self, visit: Visit) -> BoxFuture<'_, Answer> {
        let may_look = self.may_look(&visit.head);
        let page = match page_at(&visit.head) {
            Some(show) => show(self, may_look),
            None => site::text(404, "no such page\n"),
        };
        Box::pin(ready(page))
    }
}

impl Admin {
    fn reasons(&self) -> Vec<String> {
        let mut reasons = self.readiness.as_ref().map(|ask| ask()).unwrap_or_default();
        if self.stopping.now() {
            reasons.push("stopping".to_owned());
        }
        reasons
    }

    fn notes(&self) -> Vec<String> {
        self.notes.as_ref().map(|ask| ask()).unwrap_or_default()
    }

    fn ready(&self, may_look: bool) -> Answer {
        let reasons = self.reasons();
        if reasons.is_empty() {
            let notes = if may_look { self.notes() } else { Vec::new() };
            let lines = std::iter::once("ok").chain(notes.iter().map(String::as_str));
            return site::text(200, lines.fold(String::new(), |body, line| body + line + "\n"));
        }
        site::text(
            503,
            if may_look { reasons.join("\n") + "\n" } else { "unavailable\n".to_owned() },
        )
    }

    fn health(&self, may_look: bool) -> Answer {
        let mut reasons = self.reasons();
        let (status, word) = if reasons.is_empty() { (200, "ok") } else { (503, "unavailable") };
        reasons.extend(self.notes());
        let told = if may_look { reasons.as_slice() } else { &[] };
        json(status, |w| {
            w.map_key("status");
            w.text(word);
            w.map_key("reasons");
            w.begin_list(told.len());
            for reason in told {
                w.element();
                w.text(reason);
            }
            w.end_list();
            w.map_key("version");
            w.text(&self.version);
            w.map_key("connections");
            w.long(self.connections.get() as i64);
        })
    }

    fn metrics(&self, may_look: bool) -> Answer {
        if !may_look {
            let why = match self.token {
                Some(_) => {
                    "metrics are read with the bearer token of `server.metrics_token_file`\n"
                }
                None => {
                    "other machines read metrics with the bearer token of \
                     `server.metrics_token_file`, or when `server.open_metrics` is true\n"
                }
            };
            return site::text(403, why);
        }
        self.memory.set(self.budget.held() as u64);
        let mut body = self.registry.render();
        process::render(&mut body, &*self.disk, self.started_ms);
        of_type(200, "text/plain; version=0.0.4; charset=utf-8", body)
    }

    /// The page that scripts made for LocalStack wait on.
    fn local_health(&self, _may_look: bool) -> Answer {
        let word = if self.reasons().is_empty() { "running" } else { "starting" };
        json(200, |w| {
            w.map_key("services");
            w.begin_map(self.services.len());
            for name in &self.services {
                w.map_key(name);
                w.text(word);
            }
            w.end_map();
            w.map_key("edition");
            w.text("millweir");
            w.map_key("version");
            w.text(&self.version);
        })
    }
}

/// A page of one JSON object.
fn json(status: u16, write: impl FnOnce(&mut Writer)) -> Answer {
    let mut w = Writer::new(Format::Json, 256);
    w.begin_map(1);
    write(&mut w);
    w.end_map();
    let mut body = w.finish().to_vec();
    body.push(b'\n');
    of_type(status, "application/json", body)
}

fn of_type(status: u16, content_type: &str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Answer { status, ..Answer::whole(body.into()) };
    answer.header("content-type", content_type);
    answer
}

/// Whether a server on loopback may be meant by the request's host.
pub(crate) fn host_allowed(admin: &Admin, head: &Head) -> bool {
    if !admin.loopback {
        return true;
    }
    let header = head.headers.get(HOST).map(|value| value.to_str().unwrap_or("?"));
    let Some(host) = head.uri.authority().map(http::uri::Authority::as_str).or(header) else {
        // No browser leaves the host out.
        return true;
    };
    let Some(name) = host::name_of(host) else { return false };
    // A name can be pointed at this machine by whoever owns it; an address cannot, and nobody owns
    // a name in `localhost`.
    is_localhost(name)
        || name.parse::<IpAddr>().is_ok()
        || admin.host_names.iter().any(|allowed| allowed.eq_ignore_ascii_case(name))
}

/// Whether a name is `localhost` or ends in `.localhost`.
fn is_localhost(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    last.eq_ignore_ascii_case("localhost")
}
