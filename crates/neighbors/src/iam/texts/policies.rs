//! Words about policies and their documents.

use crate::iam::service::SERVICE;
use api::iam::Error;
use base::Cx;
use base::policy::BadPolicy;

/// Source: observed.
pub(in crate::iam) fn policy_is_no_json() -> Error {
    Error::MalformedPolicyDocument("This policy contains invalid Json".into())
}

/// What is wrong is said, too, which AWS does not.
///
/// Source: observed, up to the colon.
pub(in crate::iam) fn syntax_errors(flaw: &BadPolicy) -> Error {
    Error::MalformedPolicyDocument(format!("Syntax errors in policy: {flaw}"))
}

/// Source: observed.
pub(in crate::iam) fn prohibited_field(name: &str) -> Error {
    Error::MalformedPolicyDocument(format!("Has prohibited field {name}"))
}

/// Source: observed, up to the colon.
pub(in crate::iam) fn invalid_principal(flaw: &str) -> Error {
    Error::MalformedPolicyDocument(format!("Invalid principal in policy: {flaw}"))
}

/// Source: observed.
pub(in crate::iam) fn trust_is_for_sts() -> Error {
    Error::MalformedPolicyDocument(
        "AssumeRole policy may only specify STS AssumeRole actions.".into(),
    )
}

/// Source: observed.
pub(in crate::iam) fn invalid_arn(arn: &str) -> Error {
    Error::Validation(format!("ARN {arn} is not valid."))
}

/// Source: observed.
pub(in crate::iam) fn no_such_policy(arn: &str) -> Error {
    Error::NoSuchEntity(format!("Policy {arn} was not found."))
}

/// Source: observed.
pub(in crate::iam) fn no_such_version(arn: &str, version: &str) -> Error {
    Error::NoSuchEntity(format!(
        "Policy {arn} version {version} does not exist or is not attachable."
    ))
}

/// Source: observed.
pub(in crate::iam) fn not_attachable(arn: &str) -> Error {
    Error::NoSuchEntity(format!("Policy {arn} does not exist or is not attachable."))
}

/// Source: observed.
pub(in crate::iam) fn no_such_boundary(arn: &str) -> Error {
    Error::NoSuchEntity(format!("Scope ARN: {arn} does not exist or is not attachable."))
}

/// Source: observed.
pub(in crate::iam) fn policy_exists(name: &str) -> Error {
    Error::EntityAlreadyExists(format!(
        "A policy called {name} already exists. Duplicate names are not allowed."
    ))
}

/// Source: observed.
pub(in crate::iam) fn policy_is_attached() -> Error {
    Error::DeleteConflict("Cannot delete a policy attached to entities.".into())
}

/// Source: observed.
pub(in crate::iam) fn policy_has_versions() -> Error {
    Error::DeleteConflict(
        "This policy has more than one version. Before you delete a policy, you must delete the \
         policy's versions. The default version is deleted with the policy."
            .into(),
    )
}

/// Source: observed.
pub(in crate::iam) fn default_version_stays() -> Error {
    Error::DeleteConflict("Cannot delete the default version of a policy.".into())
}

/// Source: observed.
pub(in crate::iam) fn too_many_versions() -> Error {
    Error::LimitExceeded(
        "A managed policy can have up to 5 versions. Before you create a new version, you must \
         delete an existing version."
            .into(),
    )
}

/// A policy of another account, or one of AWS's that is to be changed.
///
/// Source: observed, the form of it.
pub(in crate::iam) fn of_another_account(cx: &Cx, action: &str, arn: &str) -> Error {
    let caller = &cx.caller_arn;
    Error::AccessDenied(format!(
        "User: {caller} is not authorized to perform: {SERVICE}:{action} on resource: policy {arn}"
    ))
}

/// Source: observed.
pub(in crate::iam) fn must_contain(what: &str) -> Error {
    Error::MalformedPolicyDocument(format!("Policy statement must contain {what}."))
}
