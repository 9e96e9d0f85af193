//! What a request's head must be before anything is asked of a service.
//!
//! Web pages are the one kind of client that works for somebody else than its user: a page may post
//! to this machine, and one whose own name was made to point here may read the answer. Where any
//! signature is believed nothing else would stop it, so there the `Host` must be a name of ours and
//! the headers that only browsers send must be missing.

use crate::admin;
use crate::host;
use crate::options::AuthMode;
use crate::route::{Refused, Shape};
use crate::shared::Shared;
use http::Version;
use http::header::{HOST, HeaderName, HeaderValue, ORIGIN, TRANSFER_ENCODING};
use http::request::Parts as Head;
use wire::Refusal;

/// Headers of one request; HTTP/1.1 has this bound in hyper. The bytes of a list of headers do not
/// bound what it takes in memory, where an empty header weighs as much as a hundred bytes.
const HEADERS_MAX: usize = 100;

/// Checks what holds for every request, those for pages too.
///
/// # Errors
/// Status 431 too many headers; 400 the head can be read in two ways, which `is_sound` tells;
/// 400 `Host` is missing in HTTP/1.1, there are two, or it holds no name; 400 or 501 the body is
/// coded in another way than `chunked`.
///
/// Source: ours.
pub(crate) fn check_form(head: &Head, is_sound: bool) -> Result<(), Refused> {
    let refused = |status, text| {
        let refusal = Refusal { status, ..Refusal::client("InvalidRequestException", text) };
        Err(Refused { refusal, shape: Shape::Xml })
    };
    if head.headers.len() > HEADERS_MAX {
        return refused(431, "more than 100 headers");
    }
    if !is_sound {
        return refused(400, "a bare line feed, or a length beside a transfer coding");
    }
    let mut hosts = head.headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (_, Some(_)) => refused(400, "more than one `Host` header"),
        (None, None) if head.version == Version::HTTP_11 => refused(400, "no `Host` header"),
        (host, None) if !host.is_none_or(is_host) || !has_name(head) => {
            refused(400, "the host is no name and no address")
        }
        _ => match check_coding(head) {
            Ok(()) => Ok(()),
            Err((status, text)) => refused(status, text),
        },
    }
}

fn is_host(value: &HeaderValue) -> bool {
    value.to_str().is_ok_and(|host| host::name_of(host).is_some())
}

/// Whether the request's target names a host, when it names one.
fn has_name(head: &Head) -> bool {
    head.uri.authority().is_none_or(|authority| host::name_of(authority.as_str()).is_some())
}

/// Checks that a body comes as it is, or in chunks. hyper has seen to it that chunks come last.
fn check_coding(head: &Head) -> Result<(), (u16, &'static str)> {
    let values = head.headers.get_all(TRANSFER_ENCODING).iter();
    let mut codings = values.flat_map(|value| value.as_bytes().split(|b| *b == b','));
    let is_chunked = |coding: &[u8]| coding.trim_ascii().eq_ignore_ascii_case(b"chunked");
    match (codings.next(), codings.next()) {
        (None, _) => Ok(()),
        (Some(one), None) if is_chunked(one) => Ok(()),
        (Some(one), _) if is_chunked(one) => Err((400, "the body is in chunks twice")),
        _ => Err((501, "no transfer coding but `chunked` is implemented")),
    }
}

/// Checks that no web page asks, where only that protects.
///
/// # Errors
/// Status 403.
///
/// Source: ours.
pub(crate) fn check_client(shared: &Shared, head: &Head) -> Result<(), Refusal> {
    if shared.auth.mode() == AuthMode::Required {
        return Ok(());
    }
    let denied = |text| Err(Refusal { status: 403, ..Refusal::client(DENIED, text) });
    if head.headers.contains_key(ORIGIN) || head.headers.contains_key(SEC_FETCH_SITE) {
        return denied("web pages are refused where any signature is believed");
    }
    if !admin::host_allowed(&shared.admin, head) {
        return denied(
            "the `Host` is no name of this server: use localhost or an address, or add the name to \
             `server.host_names`",
        );
    }
    Ok(())
}

const DENIED: &str = "AccessDeniedException";
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
