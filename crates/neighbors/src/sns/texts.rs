//! Everything that this service tells clients in words, each text once.
//!
//! A text's comment ends with its `Source:`, as in `streams`: `model`, `observed` (an answer of the
//! real service, and where it was recorded), `client` or `ours`.

mod publishing;
mod subscriptions;
mod topics;

pub(super) use publishing::*;
pub(super) use subscriptions::*;
pub(super) use topics::*;

use api::sns::Error;
use base::Cx;
use base::policy::Denial;

/// AWS's name of the service in what it tells of actions, unlike that in policies of callers.
const TOLD: &str = "SNS";

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
    Error::InternalError("An internal failure occurred.".into())
}

/// Source: ours.
pub(super) fn stopping() -> Error {
    Error::ServiceUnavailable("The service is stopping.".into())
}

/// Source: ours.
pub(super) fn too_many_changes() -> Error {
    Error::ServiceUnavailable("Too many changes at once, try again.".into())
}

/// Source: observed, the wording that all services share, as other implementations recorded it.
pub(super) fn denied(cx: &Cx, action: &str, arn: &str, denial: Denial) -> Error {
    Error::AuthorizationError(kit::denied(cx, (TOLD, action), arn, denial))
}

/// Source: observed, as other implementations recorded it.
pub(super) fn short_arn(parameter: &str, arn: &str) -> Error {
    let parts = arn.split(':').count();
    invalid(&format!("{parameter} Reason: An ARN must have at least 6 elements, not {parts}"))
}

/// A parameter that cannot be, with nothing said about why.
///
/// Source: observed, as other implementations recorded it.
pub(super) fn invalid(what: &str) -> Error {
    Error::InvalidParameter(format!("Invalid parameter: {what}"))
}

/// A token of another listing, of another server, or an old one.
///
/// Source: ours, in the form that the service has for parameters.
pub(super) fn invalid_token() -> Error {
    invalid("NextToken")
}

/// Source: observed, as other implementations recorded it.
pub(super) fn no_such_resource() -> Error {
    Error::ResourceNotFound("Resource does not exist".into())
}

/// Source: ours.
pub(super) fn reserved_tag(key: &str) -> Error {
    invalid(&format!("Tags Reason: The key {key} begins with aws:, which is reserved"))
}

/// Source: observed, as other implementations recorded it.
pub(super) fn too_many_tags() -> Error {
    Error::TagLimitExceeded("Could not complete request: tag quota of per resource exceeded".into())
}

/// Source: observed.
pub(super) fn duplicate_tags() -> Error {
    Error::InvalidParameter("Invalid parameter: Duplicated keys are not allowed.".into())
}
