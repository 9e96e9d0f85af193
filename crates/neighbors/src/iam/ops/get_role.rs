//! `GetRole`.

use super::shapes;
use crate::iam::errors::Result;
use crate::iam::rows::RoleRow;
use crate::iam::service::Iam;
use api::iam::{GetRoleRequest, GetRoleResponse};
use base::Cx;

/// Shows a role.
///
/// # Errors
/// `NoSuchEntity`, `AccessDenied`.
pub(super) fn get_role(service: &Iam, cx: &Cx, input: &GetRoleRequest) -> Result<GetRoleResponse> {
    let role = service.asked::<RoleRow>(cx, "GetRole", &input.role_name)?;
    Ok(GetRoleResponse { role: shapes::role(&role) })
}
