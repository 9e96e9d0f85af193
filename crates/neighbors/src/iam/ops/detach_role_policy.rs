//! `DetachRolePolicy`.

use super::holders;
use crate::iam::errors::Result;
use crate::iam::rows::RoleRow;
use crate::iam::service::Iam;
use api::iam::DetachRolePolicyRequest;
use base::Cx;

/// Lets a managed policy no longer count for a role.
///
/// # Errors
/// `NoSuchEntity`, also for a policy that it does not have; `InvalidInput`, `AccessDenied`; what
/// the store says.
pub(super) async fn detach_role_policy(
    service: Iam,
    cx: Cx,
    input: DetachRolePolicyRequest,
) -> Result<()> {
    let role = service.asked::<RoleRow>(&cx, "DetachRolePolicy", &input.role_name)?;
    holders::detach(&service, &cx, &role, &input.policy_arn).await
}
