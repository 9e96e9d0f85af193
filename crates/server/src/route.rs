//! Which operation a request's head names, or why it names none.
//!
//! The order of checks is AWS's (observed, recorded by kinesalite's tests): method, body present,
//! content type, known operation; the signature comes after them, in `auth`.

use crate::foreign::{self, Protocol};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName};
use http::{Method, request::Parts};
use std::sync::Arc;
use wire::{Format, Refusal, Service};

/// Names the operation.
pub(crate) const TARGET: HeaderName = HeaderName::from_static("x-amz-target");

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
    /// In the request's format.
    Body(Format),
    /// As small XML-like text: the request has no format.
    Xml,
    /// As AWS wraps errors for `application/json`, under status 200 (observed).
    Wrapped,
    /// As a service does that is not served.
    Foreign(Protocol),
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
    pub(crate) target: Target,
    pub(crate) format: Format,
}

/// What a content type says.
enum Content {
    Of(Format),
    PlainJson,
    Other,
}

/// Reads a request's head.
///
/// # Errors
/// As AWS answers: `AccessDeniedException`, `UnknownOperationException` or
/// `SerializationException`, each in the shape that the content type calls for. For a service that
/// is not served as it would.
pub(crate) fn route(
    services: &[Arc<dyn Service>],
    head: &Parts,
    body_empty: bool,
) -> Result<Route, Refused> {
    if let Some(refused) = foreign::refusal(services, head) {
        return Err(refused);
    }
    if head.method != Method::POST {
        return Err(undetermined());
    }
    let named = text(&head.headers, &TARGET).and_then(|target| target.split_once('.'));
    let target = named.and_then(|(prefix, operation)| find(services, prefix, operation));
    let content = content(&head.headers);
    if body_empty {
        let format = if let Content::Of(format) = content { format } else { Format::Cbor };
        let refusal = if target.is_some() { no_body() } else { unknown() };
        return Err(Refused { refusal, shape: Shape::Body(format) });
    }
    let format = match content {
        Content::Of(format) => format,
        Content::PlainJson => return Err(Refused { refusal: unknown(), shape: Shape::Wrapped }),
        Content::Other if named.is_none() => return Err(undetermined()),
        Content::Other => {
            let refusal = Refusal { status: 404, ..unknown() };
            return Err(Refused { refusal, shape: Shape::Xml });
        }
    };
    let shape = Shape::Body(format);
    check_encoding(&head.headers).map_err(|refusal| Refused { refusal, shape })?;
    let target = target.ok_or_else(|| Refused { refusal: unknown(), shape })?;
    Ok(Route { target, format })
}

/// A body is read as it is: what unpacks it would have to guard against what it unpacks to, and no
/// AWS client packs Kinesis requests.
///
/// Source: ours.
fn check_encoding(headers: &HeaderMap) -> Result<(), Refusal> {
    match text(headers, &CONTENT_ENCODING) {
        None | Some("" | "identity") => Ok(()),
        Some(encoding) => Err(Refusal::serialization(format!(
            "Content-Encoding '{}' is not supported, send the body as it is",
            encoding.escape_default()
        ))),
    }
}

fn find(services: &[Arc<dyn Service>], prefix: &str, operation: &str) -> Option<Target> {
    let service = services.iter().position(|s| s.routes().target_prefix == prefix)?;
    let operation = services[service].routes().find(operation)?;
    Some(Target { service, operation })
}

fn content(headers: &HeaderMap) -> Content {
    let essence = essence(headers);
    let is = |known: &str| essence.eq_ignore_ascii_case(known);
    if is(Format::Json.content_type()) {
        Content::Of(Format::Json)
    } else if is(Format::Cbor.content_type()) {
        Content::Of(Format::Cbor)
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
