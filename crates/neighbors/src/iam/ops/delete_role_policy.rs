//! `DeleteRolePolicy`.

use super::holders;
use crate::iam::errors::Result;
use crate::iam::rows::RoleRow;
use crate::iam::service::Iam;
use api::iam::DeleteRolePolicyRequest;
use base::Cx;

/// Removes an inline policy.
///
/// # Errors
/// `NoSuchEntity`, `AccessDenied`; what the store says.
pub(super) async fn delete_role_policy(
    service: Iam,
    cx: Cx,
    input: DeleteRolePolicyRequest,
) -> Result<()> {
    let role = service.asked::<RoleRow>(&cx, "DeleteRolePolicy", &input.role_name)?;
    holders::delete_inline(&service, &cx, &role, &input.policy_name).await
}
