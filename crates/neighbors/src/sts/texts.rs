//! Everything that this service tells clients in words, each text once.
//!
//! A text's comment ends with its `Source:`, as in `streams`: `model`, `observed` (an answer of the
//! real service, and where it was recorded), `client` or `ours`.

use super::service::SERVICE;
use api::sts::Error;
use base::Cx;
use base::policy::BadPolicy;

/// The same for a role that is not there: who may not take it on learns nothing of it.
///
/// Source: observed.
pub(super) fn denied(cx: &Cx, action: &str, role_arn: &str) -> Error {
    let caller = &cx.caller_arn;
    Error::AccessDenied(format!(
        "User: {caller} is not authorized to perform: {SERVICE}:{action} on resource: {role_arn}"
    ))
}

/// Source: observed.
pub(super) fn invalid_arn(arn: &str) -> Error {
    Error::Validation(format!("{arn} is invalid"))
}

/// Source: observed.
pub(super) fn longer_than_role() -> Error {
    Error::Validation(
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.".into(),
    )
}

/// Source: observed.
pub(super) fn longer_than_chained() -> Error {
    Error::Validation(
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role \
         chaining."
            .into(),
    )
}

/// Source: observed.
pub(super) fn policy_is_no_json() -> Error {
    Error::MalformedPolicyDocument("This policy contains invalid Json".into())
}

/// What is wrong is said, too, which AWS does not.
///
/// Source: observed, up to the colon.
pub(super) fn syntax_errors(flaw: &BadPolicy) -> Error {
    Error::MalformedPolicyDocument(format!("Syntax errors in policy: {flaw}"))
}

/// Source: observed.
pub(super) fn too_large(percent: usize) -> Error {
    Error::PackedPolicyTooLarge(format!(
        "Packed policy consumes {percent}% of allotted space, please use smaller policy."
    ))
}

/// Source: model, the form that bounds of lists have.
pub(super) fn too_many_arns(count: usize, most: usize) -> Error {
    Error::Validation(format!(
        "1 validation error detected: Value at 'policyArns' failed to satisfy constraint: Member \
         must have length less than or equal to {most}, not {count}"
    ))
}

/// Source: ours.
pub(super) fn no_such_policy(arn: &str) -> Error {
    Error::Validation(format!("Policy {arn} does not exist or is not attachable."))
}

/// A part of the service that this server does not have.
///
/// Source: ours.
pub(super) fn unsupported(what: &str) -> Error {
    Error::Validation(format!("{what} is not supported by this server."))
}
