//! Pages for people and machines that watch the server: health and metrics, without a signature.
//!
//! On loopback they answer only to loopback names: a web page that has its own name point at
//! 127.0.0.1 could read them otherwise. Off loopback everybody learns whether the server is alive
//! and ready; why it is not, and the metrics, need a token or the owner's word.

use crate::answer::{self, Reply};
use crate::host;
use crate::process;
use crate::shared::Shared;
use base::metrics::Registry;
use bytes::Bytes;
use http::header::{AUTHORIZATION, HOST, HeaderValue};
use http::request::Parts as Head;
use http::{Method, StatusCode};
use ring::hmac;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::Arc;
use wire::sigv4::Secret;

/// Says why the server should get no requests now; nothing when it should.
pub type Readiness = Arc<dyn Fn() -> Vec<String> + Send + Sync>;

/// Says what an owner should know although the server takes requests.
pub type Notes = Readiness;

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PROMETHEUS: HeaderValue =
    HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

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

/// The page that this request asks for, when it asks for one.
pub(crate) fn page(shared: &Shared, head: &Head) -> Option<Reply> {
    if !matches!(head.method, Method::GET | Method::HEAD) {
        return None;
    }
    let page: fn(&Shared, bool) -> Reply = match head.uri.path() {
        "/livez" => |_, _| text(StatusCode::OK, "ok\n"),
        "/readyz" => ready,
        "/healthz" => health,
        "/metrics" => metrics,
        "/health" | "/_localstack/health" => local_health,
        _ => return None,
    };
    if !host_allowed(&shared.admin, head) {
        return Some(text(StatusCode::FORBIDDEN, "this page answers to loopback names only\n"));
    }
    Some(page(shared, shared.admin.may_look(head)))
}

fn text(status: StatusCode, body: &'static str) -> Reply {
    answer::text(status, TEXT, Bytes::from_static(body.as_bytes()))
}

fn reasons(shared: &Shared) -> Vec<String> {
    let mut reasons = shared.admin.readiness.as_ref().map(|ask| ask()).unwrap_or_default();
    if shared.stopping.now() {
        reasons.push("stopping".to_owned());
    }
    reasons
}

fn notes(shared: &Shared) -> Vec<String> {
    shared.admin.notes.as_ref().map(|ask| ask()).unwrap_or_default()
}

fn ready(shared: &Shared, may_look: bool) -> Reply {
    let reasons = reasons(shared);
    if reasons.is_empty() {
        let notes = if may_look { notes(shared) } else { Vec::new() };
        let lines = std::iter::once("ok").chain(notes.iter().map(String::as_str));
        let body = lines.fold(String::new(), |body, line| body + line + "\n");
        return answer::text(StatusCode::OK, TEXT, body.into());
    }
    let body = if may_look { reasons.join("\n") + "\n" } else { "unavailable\n".to_owned() };
    answer::text(StatusCode::SERVICE_UNAVAILABLE, TEXT, body.into())
}

fn health(shared: &Shared, may_look: bool) -> Reply {
    let mut reasons = reasons(shared);
    let (status, word) = if reasons.is_empty() {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
    };
    let mut body = format!("{{\"status\":\"{word}\",\"reasons\":[");
    reasons.extend(notes(shared));
    let told = if may_look { reasons.as_slice() } else { &[] };
    for (at, reason) in told.iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        put(&mut body, format_args!("{comma}{}", quoted(reason)));
    }
    let connections = shared.meters.connections.get();
    let version = quoted(&shared.admin.version);
    put(&mut body, format_args!("],\"version\":{version},\"connections\":{connections}}}\n"));
    answer::text(status, JSON, body.into())
}

fn metrics(shared: &Shared, may_look: bool) -> Reply {
    if !may_look {
        let why = match shared.admin.token {
            Some(_) => "metrics are read with the bearer token of `server.metrics_token_file`\n",
            None => {
                "other machines read metrics with the bearer token of \
                 `server.metrics_token_file`, or when `server.open_metrics` is true\n"
            }
        };
        return text(StatusCode::FORBIDDEN, why);
    }
    shared.meters.memory.set(shared.budget.held() as u64);
    let mut body = shared.admin.registry.render();
    process::render(&mut body, &*shared.env.disk, shared.admin.started_ms);
    answer::text(StatusCode::OK, PROMETHEUS, body.into())
}

/// The page that scripts made for LocalStack wait on.
fn local_health(shared: &Shared, _may_look: bool) -> Reply {
    let word = if reasons(shared).is_empty() { "running" } else { "starting" };
    let mut body = String::from("{\"services\":{");
    for (at, service) in shared.services.iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        let name = service.routes().signing_name;
        put(&mut body, format_args!("{comma}\"{name}\":\"{word}\""));
    }
    let version = quoted(&shared.admin.version);
    put(&mut body, format_args!("}},\"edition\":\"millweir\",\"version\":{version}}}\n"));
    answer::text(StatusCode::OK, JSON, body.into())
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("writing to a string cannot fail");
}

/// A text as JSON writes it.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c < ' ' => {
                write!(out, "\\u{:04x}", u32::from(c)).expect("writing to a string cannot fail");
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
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
