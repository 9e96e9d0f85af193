//! `GetPolicyVersion`.

use super::versions;
use crate::iam::errors::Result;
use crate::iam::service::Iam;
use crate::iam::texts;
use api::iam::{Error, GetPolicyVersionRequest, GetPolicyVersionResponse};
use base::Cx;

/// Shows a version of a managed policy with its document.
///
/// # Errors
/// `NoSuchEntity`, `InvalidInput`, `AccessDenied`.
pub(super) fn get_policy_version(
    service: &Iam,
    cx: &Cx,
    input: &GetPolicyVersionRequest,
) -> Result<GetPolicyVersionResponse> {
    let (arn, version) = (&input.policy_arn, &input.version_id);
    let managed = service.seen_policy(cx, "GetPolicyVersion", arn).map_err(|e| match e {
        // Observed: here AWS speaks of the version even where there is no policy.
        Error::NoSuchEntity(_) => texts::no_such_version(arn, version),
        other => other,
    })?;
    let found = versions::find(&managed, version);
    let (number, version) = found.ok_or_else(|| texts::no_such_version(arn, version))?;
    let policy_version = Some(versions::whole(&managed, number, version));
    Ok(GetPolicyVersionResponse { policy_version })
}
