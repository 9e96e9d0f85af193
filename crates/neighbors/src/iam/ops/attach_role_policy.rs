//! `AttachRolePolicy`.

use super::holders;
use crate::iam::errors::Result;
use crate::iam::rows::RoleRow;
use crate::iam::service::Iam;
use api::iam::AttachRolePolicyRequest;
use base::Cx;

/// Lets a managed policy count for a role; one that does already is fine.
///
/// # Errors
/// `NoSuchEntity`, `LimitExceeded` it has ten, `InvalidInput`, `AccessDenied`; what the store says.
pub(super) async fn attach_role_policy(
    service: Iam,
    cx: Cx,
    input: AttachRolePolicyRequest,
) -> Result<()> {
    let role = service.asked::<RoleRow>(&cx, "AttachRolePolicy", &input.role_name)?;
    holders::attach(&service, &cx, &role, &input.policy_arn).await
}
