//! Everything that this service tells clients in words, each text once.
//!
//! A text's comment ends with its `Source:`, as in `streams`: `model`, `observed` (an answer of the
//! real service, and where it was recorded), `client` or `ours`.

mod expressions;
mod items;
mod legacy;
mod tables;

pub(super) use expressions::*;
pub(super) use items::*;
pub(super) use legacy::*;
pub(super) use tables::*;

use api::dynamodb::Error;
use base::Cx;
use base::policy::Denial;

/// What most texts of parameters begin with.
const INVALID: &str = "One or more parameter values were invalid: ";

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
    Error::InternalServerError("An internal failure occurred.".into())
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
    Error::Throttling("Too many answers are on their way to this client.".into())
}

/// A part of the service that this server does not have.
///
/// Source: ours.
pub(super) fn unsupported(what: &str) -> Error {
    Error::Validation(format!("{what} is not supported by this server."))
}

/// The policies of the caller do not let him.
///
/// Source: observed (the words of every service that asks IAM).
pub(super) fn denied(cx: &Cx, action: &str, arn: &str, denial: Denial) -> Error {
    Error::AccessDenied(kit::denied(cx, ("dynamodb", action), arn, denial))
}
