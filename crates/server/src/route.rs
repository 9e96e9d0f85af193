//! Which operation a request's head names, or why it names none.
//!
//! The order of checks is AWS's (observed, recorded by kinesalite's tests): method, body present,
//! content type, known operation; the signature comes after them, in `auth`.

use crate::{body, foreign};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName};
use http::{Method, request::Parts};
use std::sync::Arc;
use wire::{Protocol, Refusal, Service};

/// Names the operation.
pub(crate) const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const FORM: &str = "application/x-www-form-urlencoded";
/// Longest name of an unknown operation that an error repeats.
const ACTION_CHARS_MAX: usize = 64;

/// An operation, by its places in the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// Index into the server's services.
    pub(crate) service: usize,
    /// Index into the service's operations.
    pub(crate) operation: usize,
}

/// How an error is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// As the request's protocol has it, in the XML name space of the service once it is known.
    Body(Protocol, &'static str),
    /// As small XML-like text: the request has no protocol.
    Xml,
    /// As AWS wraps errors for `application/json`, under status 200 (observed).
    Wrapped,
    /// As a service does that is not served.
    Foreign(foreign::Form),
}

/// A request that is refused before it reaches an operation.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) refusal: Refusal,
    pub(crate) shape: Shape,
}

/// What a request's head asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    /// Index into the server's services.
    pub(crate) service: usize,
    /// Index into the service's operations; a form names it only in its body.
    pub(crate) operation: Option<usize>,
    pub(crate) protocol: Protocol,
}

impl Route {
    pub(crate) fn target(self) -> Option<Target> {
        Some(Target { service: self.service, operation: self.operation? })
    }
}

/// What a content type says.
enum Content {
    Of(Protocol),
    PlainJson,
    Other,
}

/// Reads a request's head.
///
/// # Errors
/// As AWS answers: `AccessDeniedException`, `UnknownOperationException` or
/// `SerializationException`, each in the shape that the request calls for. For a service that is
/// not served as it would.
pub(crate) fn route(
    services: &[Arc<dyn Service>],
    head: &Parts,
    body_empty: bool,
) -> Result<Route, Refused> {
    if let Some(refused) = foreign::refusal(services, head) {
        return Err(refused);
    }
    // First, since every request of the hot path is told by it.
    let elsewhere = if head.headers.contains_key(TARGET) {
        None
    } else {
        rpc(services, head).or_else(|| form(services, head)).or_else(|| rest(services, head))
    };
    let route = match elsewhere {
        Some(route) => route?,
        None => target(services, head, body_empty)?,
    };
    let routes = services[route.service].routes();
    let operations = routes.operations;
    let packs = match route.operation {
        Some(operation) => operations[operation].packs,
        None => operations.iter().any(|operation| operation.packs),
    };
    let shape = Shape::Body(route.protocol, routes.xml_namespace);
    check_encoding(&head.headers, packs).map_err(|refusal| Refused { refusal, shape })?;
    Ok(route)
}

/// Routes by `X-Amz-Target`.
fn target(services: &[Arc<dyn Service>], head: &Parts, body_empty: bool) -> Result<Route, Refused> {
    if head.method != Method::POST {
        return Err(undetermined());
    }
    let named = text(&head.headers, &TARGET).and_then(|target| target.split_once('.'));
    let target = named.and_then(|(prefix, operation)| find(services, prefix, operation));
    let content = content(services, &head.headers);
    if body_empty {
        let protocol =
            if let Content::Of(protocol) = content { protocol } else { Protocol::Cbor11 };
        let refusal = if target.is_some() { no_body() } else { unknown() };
        return Err(Refused { refusal, shape: Shape::Body(protocol, "") });
    }
    let service = named.and_then(|(prefix, _)| with_prefix(services, prefix));
    let protocol = match content {
        Content::Of(protocol)
            if service.is_none_or(|service| services[service].routes().speaks(protocol)) =>
        {
            protocol
        }
        Content::PlainJson => return Err(Refused { refusal: unknown(), shape: Shape::Wrapped }),
        _ if named.is_none() => return Err(undetermined()),
        _ => {
            let refusal = Refusal { status: 404, ..unknown() };
            return Err(Refused { refusal, shape: Shape::Xml });
        }
    };
    let shape = Shape::Body(protocol, "");
    let target = target.ok_or_else(|| Refused { refusal: unknown(), shape })?;
    Ok(Route { service: target.service, operation: Some(target.operation), protocol })
}

/// Routes by the path of RPC v2, when the request speaks it.
fn rpc(services: &[Arc<dyn Service>], head: &Parts) -> Option<Result<Route, Refused>> {
    if text(&head.headers, &foreign::SMITHY_PROTOCOL) != Some("rpc-v2-cbor") {
        return None;
    }
    let protocol = Protocol::RpcCbor;
    let find = || {
        let (prefix, operation) = wire::protocol::rpc_named(head.uri.path())?;
        let service = with_prefix(services, prefix)
            .filter(|service| services[*service].routes().speaks(protocol))?;
        let operation = services[service].routes().find(operation)?;
        Some(Route { service, operation: Some(operation), protocol })
    };
    let route = find().filter(|_| head.method == Method::POST);
    Some(route.ok_or_else(|| {
        let refusal = Refusal { status: 404, ..unknown() };
        Refused { refusal, shape: Shape::Body(protocol, "") }
    }))
}

/// Routes a form to the service that its signature names; the operation stands in the form.
fn form(services: &[Arc<dyn Service>], head: &Parts) -> Option<Result<Route, Refused>> {
    let is_form = essence(&head.headers).eq_ignore_ascii_case(FORM)
        || head.uri.query().is_some_and(|query| query.split('&').any(|f| f.starts_with("Action=")));
    if !is_form || head.uri.path() != "/" || !matches!(head.method, Method::POST | Method::GET) {
        return None;
    }
    let scope = foreign::scope(head);
    let ours = |service: &Arc<dyn Service>| {
        let routes = service.routes();
        let is_named = scope.as_deref().is_none_or(|scope| routes.signing_name == scope);
        is_named && routes.speaks(Protocol::Query)
    };
    let service = services.iter().position(ours)?;
    Some(Ok(Route { service, operation: None, protocol: Protocol::Query }))
}

/// Routes by method and path, among the services that the signature names.
fn rest(services: &[Arc<dyn Service>], head: &Parts) -> Option<Result<Route, Refused>> {
    let scope = foreign::scope(head);
    let protocol = Protocol::RestJson;
    let mut is_named = false;
    for (service, routes) in services.iter().map(|service| service.routes()).enumerate() {
        let named = scope.as_deref().is_none_or(|scope| routes.signing_name == scope);
        if !named || !routes.speaks(protocol) {
            continue;
        }
        if let Some(operation) = routes.find_path(head.method.as_str(), head.uri.path()) {
            return Some(Ok(Route { service, operation: Some(operation), protocol }));
        }
        // One that has other protocols too may be meant in one of them.
        is_named |= scope.is_some() && routes.protocols.len() == 1;
    }
    is_named.then(|| {
        let refusal = Refusal { status: 404, ..unknown() };
        Err(Refused { refusal, shape: Shape::Body(protocol, "") })
    })
}

/// The operation that a form names.
///
/// # Errors
/// `InvalidAction`; the form is packed or larger than the operation takes.
///
/// Source: observed (answers of query services).
pub(crate) fn action(service: &dyn Service, head: &Parts, form: &[u8]) -> Result<usize, Refusal> {
    let action = wire::protocol::action(form).unwrap_or_default();
    let index = service.routes().find(&action).ok_or_else(|| {
        let shown: String = action.chars().take(ACTION_CHARS_MAX).collect();
        Refusal::client("InvalidAction", format!("Could not find operation {shown}"))
    })?;
    let operation = &service.routes().operations[index];
    check_encoding(&head.headers, operation.packs)?;
    match form.len() <= operation.body_bytes_max {
        true => Ok(index),
        false => Err(body::too_large(operation.body_bytes_max)),
    }
}

/// A body is read as it is, unless the model says that the operation takes packed ones.
///
/// Source: ours.
fn check_encoding(headers: &HeaderMap, packs: bool) -> Result<(), Refusal> {
    match text(headers, &CONTENT_ENCODING) {
        None | Some("" | "identity") => Ok(()),
        Some("gzip") if packs => Ok(()),
        Some(encoding) => Err(Refusal::serialization(format!(
            "Content-Encoding '{}' is not supported, send the body as it is",
            encoding.escape_default()
        ))),
    }
}

/// Whether a body is packed, which [`route`] has allowed.
pub(crate) fn is_packed(headers: &HeaderMap) -> bool {
    text(headers, &CONTENT_ENCODING) == Some("gzip")
}

fn with_prefix(services: &[Arc<dyn Service>], prefix: &str) -> Option<usize> {
    services.iter().position(|s| s.routes().target_prefix == prefix)
}

fn find(services: &[Arc<dyn Service>], prefix: &str, operation: &str) -> Option<Target> {
    let service = with_prefix(services, prefix)?;
    let operation = services[service].routes().find(operation)?;
    Some(Target { service, operation })
}

fn content(services: &[Arc<dyn Service>], headers: &HeaderMap) -> Content {
    let essence = essence(headers);
    let is = |known: &str| essence.eq_ignore_ascii_case(known);
    let by_type = [Protocol::Json11, Protocol::Cbor11, Protocol::Json10];
    let spoken = |p: &Protocol| services.iter().any(|service| service.routes().speaks(*p));
    let named = by_type.into_iter().find(|p| is(p.content_type()));
    if let Some(protocol) = named.filter(spoken) {
        Content::Of(protocol)
    } else if is("application/json") {
        Content::PlainJson
    } else {
        Content::Other
    }
}

/// The content type without its parameters.
pub(crate) fn essence(headers: &HeaderMap) -> &str {
    let whole = text(headers, &CONTENT_TYPE).unwrap_or_default();
    whole.split(';').next().unwrap_or_default().trim()
}

/// A header, when it is text.
pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// A body without bytes cannot be what the operation wants.
pub(crate) fn no_body() -> Refusal {
    Refusal::serialization("")
}

fn unknown() -> Refusal {
    Refusal::client("UnknownOperationException", "")
}

/// Source: observed (kinesalite's suite).
fn undetermined() -> Refused {
    let text = "Unable to determine service/operation name to be authorized";
    let refusal = Refusal { status: 403, ..Refusal::client("AccessDeniedException", text) };
    Refused { refusal, shape: Shape::Xml }
}
