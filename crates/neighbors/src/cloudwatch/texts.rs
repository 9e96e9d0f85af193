//! Everything that this service tells clients in words, each text once.
//!
//! A text's comment ends with its `Source:`, as in `streams`: `model`, `observed` (an answer of the
//! real service, and where it was recorded), `client` or `ours`.

mod alarms;
mod metrics;

pub(super) use alarms::*;
pub(super) use metrics::*;

use super::service::SERVICE;
use api::cloudwatch::Error;
use base::Cx;
use base::policy::Denial;

/// The store cannot take or give anything now; SDKs try again.
///
/// Source: ours.
pub(super) fn unable() -> Error {
    Error::ServiceUnavailable("The service is unable to handle the request now.".into())
}

/// Something of the store is broken; the log says what.
///
/// Source: ours.
pub(super) fn broken() -> Error {
    Error::InternalServiceFault("An internal failure occurred.".into())
}

/// Source: ours.
pub(super) fn stopping() -> Error {
    Error::ServiceUnavailable("The service is stopping.".into())
}

/// Source: ours.
pub(super) fn too_many_changes() -> Error {
    Error::ServiceUnavailable("Too many changes at once, try again.".into())
}

/// Answers on their way take all the memory that the client may have.
///
/// Source: ours.
pub(super) fn no_memory() -> Error {
    Error::ServiceUnavailable("Too many answers are on their way to this client.".into())
}

/// A part of the service that this server does not have.
///
/// Source: ours.
pub(super) fn unsupported(what: &str) -> Error {
    Error::Validation(format!("{what} is not supported by this server."))
}

/// Source: observed, the wording that all services share.
pub(super) fn denied(cx: &Cx, action: &str, arn: &str, denial: Denial) -> Error {
    Error::AccessDenied(kit::denied(cx, (SERVICE, action), arn, denial))
}

/// A token of another listing, of another server, or an old one.
///
/// Source: ours.
pub(super) fn invalid_token() -> Error {
    Error::InvalidNextToken("The token that you specified is invalid.".into())
}
