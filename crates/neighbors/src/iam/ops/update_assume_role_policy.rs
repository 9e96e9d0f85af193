//! `UpdateAssumeRolePolicy`.

use crate::iam::documents;
use crate::iam::errors::Result;
use crate::iam::rows::RoleRow;
use crate::iam::service::Iam;
use api::iam::UpdateAssumeRolePolicyRequest;
use base::Cx;

/// Gives a role another policy that says who may take it on.
///
/// # Errors
/// `NoSuchEntity`, `MalformedPolicyDocument`, `LimitExceeded`, `AccessDenied`; what the store says.
pub(super) async fn update_assume_role_policy(
    service: Iam,
    cx: Cx,
    input: UpdateAssumeRolePolicyRequest,
) -> Result<()> {
    let role = service.asked::<RoleRow>(&cx, "UpdateAssumeRolePolicy", &input.role_name)?;
    documents::trust(&input.policy_document)?;
    let trust = input.policy_document.to_string();
    service.update(&cx, &role, |row| row.trust = trust).await
}
