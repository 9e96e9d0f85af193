//! Answers to calls of services that are not served: an error in the protocol that the client
//! speaks, so that its user reads why instead of a status, or takes an empty answer for success.
//!
//! Which service is meant stands in the scope of the signature, which protocol it speaks in the
//! headers. A request that names an operation of ours is never foreign.

use crate::route::{Refused, Shape, TARGET, essence, text};
use base::RequestId;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use http::request::Parts as Head;
use http::{Response, StatusCode};
use std::sync::Arc;
use wire::{Protocol, Refusal, Service};

/// How a service's errors are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Of(Protocol),
    Ec2,
    /// S3's own XML.
    S3,
    RestXml,
}

pub(crate) const SMITHY_PROTOCOL: HeaderName = HeaderName::from_static("smithy-protocol");
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const QUERY_ERROR: HeaderName = HeaderName::from_static("x-amzn-query-error");
/// Longest name of a service that an error repeats.
const NAME_BYTES_MAX: usize = 40;

/// Why a request's service is not served, when it is not.
pub(crate) fn refusal(services: &[Arc<dyn Service>], head: &Head) -> Option<Refused> {
    let mut routes = services.iter().map(|service| service.routes());
    let target = text(&head.headers, &TARGET);
    let prefix = target.and_then(|target| target.split_once('.')).map(|(prefix, _)| prefix);
    // First, since every request of ours is told by it.
    if prefix.is_some_and(|prefix| routes.clone().any(|ours| ours.target_prefix == prefix)) {
        return None;
    }
    let scope = scope(head);
    let scope = scope.as_deref();
    if scope.is_some_and(|scope| routes.any(|ours| ours.signing_name == scope)) {
        return None;
    }
    let told = told(head, target.is_some());
    // Without a signature nothing names the service: what could be meant for one of ours is.
    let ours = |protocol| services.iter().any(|service| service.routes().speaks(protocol));
    let form = match (scope, told) {
        (Some(scope), _) => of_service(scope, told),
        (None, None) => return None,
        (None, Some(Form::Of(protocol))) if ours(protocol) => return None,
        (None, Some(Form::Of(Protocol::RestJson))) if head.uri.path() == "/" => return None,
        (None, Some(told)) => told,
    };
    let refusal = Refusal {
        status: if form.is_rest() { 501 } else { 400 },
        ..Refusal::client(form.code(), message(services, scope))
    };
    Some(Refused { refusal, shape: Shape::Foreign(form) })
}

/// The service in the scope of a signature, as its client wrote it.
pub(crate) fn scope(head: &Head) -> Option<String> {
    let header = text(&head.headers, &AUTHORIZATION);
    // Signature Version 2 has no scope; only S3 ever took it in this header.
    if header.is_some_and(|header| header.starts_with("AWS ")) {
        return Some("s3".to_owned());
    }
    let in_header = header.and_then(|header| header.split_once("Credential="));
    let in_query = || head.uri.query()?.split_once("X-Amz-Credential=");
    let (_, credential) = in_header.or_else(in_query)?;
    let credential = credential.split([',', ' ', '&']).next()?;
    let credential = credential.replace("%2F", "/").replace("%2f", "/");
    // SigV4A has no region, so the place is told from the end.
    credential.rsplit('/').nth(1).filter(|service| !service.is_empty()).map(str::to_owned)
}

/// The protocol that the headers tell.
fn told(head: &Head, has_target: bool) -> Option<Form> {
    let essence = essence(&head.headers);
    let is = |known: &str| essence.eq_ignore_ascii_case(known);
    let by_type = [Protocol::Json10, Protocol::Json11, Protocol::Cbor11];
    let smithy = text(&head.headers, &SMITHY_PROTOCOL);
    let in_query = |name: &str| head.uri.query().is_some_and(|query| query.contains(name));
    if smithy == Some("rpc-v2-cbor") {
        return Some(Form::Of(Protocol::RpcCbor));
    }
    if let Some(protocol) = by_type.into_iter().find(|p| is(p.content_type())) {
        return Some(Form::Of(protocol));
    }
    Some(match () {
        () if has_target => Form::Of(Protocol::Json11),
        () if is("application/x-www-form-urlencoded") || in_query("Action=") => {
            Form::Of(Protocol::Query)
        }
        () if in_query("AWSAccessKeyId=") => Form::S3,
        () if is("application/json") => Form::Of(Protocol::RestJson),
        () => return None,
    })
}

/// How a service that a signature names writes its errors.
fn of_service(scope: &str, told: Option<Form>) -> Form {
    match (scope, told) {
        ("s3" | "s3express" | "s3-outposts", _) => Form::S3,
        ("ec2", Some(Form::Of(Protocol::Query))) => Form::Ec2,
        (_, Some(told @ Form::Of(protocol))) if protocol != Protocol::RestJson => told,
        ("cloudfront" | "route53", _) => Form::RestXml,
        (_, Some(told)) => told,
        (_, None) => Form::Of(Protocol::RestJson),
    }
}

fn message(services: &[Arc<dyn Service>], scope: Option<&str>) -> String {
    // Nothing of it needs quoting in any of the formats.
    let legal = |name: &&str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        name.len() <= NAME_BYTES_MAX && name.bytes().all(plain)
    };
    let asked = scope.filter(legal).unwrap_or("this service");
    let served: Vec<_> = services.iter().map(|service| service.routes().signing_name).collect();
    let served = served.join(", ");
    format!("Millweir does not serve {asked}. What it serves here: {served}.")
}

impl Form {
    /// Whether a client tells the error by its status alone when it reads no body, as of `HEAD`:
    /// 400 and 404 would tell it that something is absent.
    fn is_rest(self) -> bool {
        matches!(self, Self::Of(Protocol::RestJson) | Self::RestXml | Self::S3)
    }

    fn code(self) -> &'static str {
        match self {
            Self::Of(Protocol::Query) | Self::Ec2 => "InvalidAction",
            Self::Of(_) => "UnknownOperationException",
            Self::RestXml | Self::S3 => "NotImplemented",
        }
    }

    /// Writes an error.
    pub(crate) fn error(self, refusal: &Refusal, id: RequestId) -> Response<Bytes> {
        let Refusal { code, message, .. } = refusal;
        let error = format!("<Code>{code}</Code><Message>{message}</Message>");
        let (content_type, body) = match self {
            Self::Of(protocol) => {
                (protocol.content_type(), protocol.error_body(refusal, &id.to_string(), ""))
            }
            Self::RestXml => (
                "text/xml",
                format!(
                    "<ErrorResponse><Error><Type>Sender</Type>{error}</Error>\
                     <RequestId>{id}</RequestId></ErrorResponse>"
                )
                .into(),
            ),
            Self::Ec2 => (
                "text/xml",
                format!(
                    "<Response><Errors><Error>{error}</Error></Errors>\
                     <RequestID>{id}</RequestID></Response>"
                )
                .into(),
            ),
            Self::S3 => (
                "application/xml",
                format!("<Error>{error}<RequestId>{id}</RequestId></Error>").into(),
            ),
        };
        let mut reply = Response::new(body);
        let headers = reply.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        if let Self::Of(protocol) = self {
            for (name, value) in protocol.headers() {
                let name = HeaderName::from_static(name);
                headers.insert(name, HeaderValue::from_static(value));
            }
            if !matches!(protocol, Protocol::RestJson | Protocol::Query) {
                // Clients of services that once spoke the query protocol take the code from here.
                let old = HeaderValue::from_static("UnknownOperationException;Sender");
                headers.insert(QUERY_ERROR, old);
            }
        }
        headers.insert(ERROR_TYPE, HeaderValue::from_static(refusal.code));
        *reply.status_mut() =
            StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
        reply
    }
}
