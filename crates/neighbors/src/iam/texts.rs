//! Everything that this service tells clients in words, each text once.
//!
//! A text's comment ends with its `Source:`, as in `streams`: `model`, `observed` (an answer of the
//! real service, and where it was recorded), `client` or `ours`.

mod holders;
mod policies;

pub(super) use holders::*;
pub(super) use policies::*;

use super::service::SERVICE;
use api::iam::Error;
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
    Error::ServiceFailure("An internal failure occurred.".into())
}

/// Source: ours.
pub(super) fn stopping() -> Error {
    Error::ServiceUnavailable("The service is stopping.".into())
}

/// Source: ours.
pub(super) fn too_many_changes() -> Error {
    Error::ServiceUnavailable("Too many changes at once, try again.".into())
}

/// Source: observed, the wording that all services share.
pub(super) fn denied(cx: &Cx, action: &str, arn: &str, denial: Denial) -> Error {
    Error::AccessDenied(kit::denied(cx, (SERVICE, action), arn, denial))
}

/// Source: observed, the form of all quotas.
pub(super) fn quota(name: &str, most: usize) -> Error {
    Error::LimitExceeded(format!("Cannot exceed quota for {name}: {most}"))
}

/// A marker of another listing, of another server, or an old one.
///
/// Source: ours.
pub(super) fn invalid_marker() -> Error {
    Error::Validation("Invalid Marker.".into())
}

/// Source: observed, as other implementations recorded it.
pub(super) fn reserved_tag() -> Error {
    Error::InvalidInput("System tags cannot be added/updated/deleted".into())
}

/// Source: observed, the form of all quotas.
pub(super) fn too_many_tags(kind: &str) -> Error {
    quota(&format!("TagsPer{kind}"), 50)
}

/// Source: observed, as other implementations recorded it.
pub(super) fn duplicate_tag() -> Error {
    Error::InvalidInput(
        "Duplicate tag keys found. Please note that Tag keys are case insensitive.".into(),
    )
}
