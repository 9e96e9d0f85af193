//! `GetRolePolicy`.

use super::holders;
use crate::iam::errors::Result;
use crate::iam::rows::RoleRow;
use crate::iam::service::Iam;
use api::iam::{GetRolePolicyRequest, GetRolePolicyResponse};
use base::Cx;

/// Shows an inline policy.
///
/// # Errors
/// `NoSuchEntity`, `AccessDenied`.
pub(super) fn get_role_policy(
    service: &Iam,
    cx: &Cx,
    input: &GetRolePolicyRequest,
) -> Result<GetRolePolicyResponse> {
    let role = service.asked::<RoleRow>(cx, "GetRolePolicy", &input.role_name)?;
    let policy_document = holders::inline(&role, &input.policy_name)?;
    let (role_name, policy_name) = (input.role_name.clone(), input.policy_name.clone());
    Ok(GetRolePolicyResponse { role_name, policy_name, policy_document })
}
