//! `ListInstanceProfilesForRole`.

use crate::iam::errors::Result;
use crate::iam::rows::RoleRow;
use crate::iam::service::Iam;
use api::iam::{ListInstanceProfilesForRoleRequest, ListInstanceProfilesForRoleResponse};
use base::Cx;

/// Lists no instance profiles: there are none here. Terraform asks before it deletes a role.
///
/// # Errors
/// `NoSuchEntity`, `AccessDenied`.
pub(super) fn list_instance_profiles_for_role(
    service: &Iam,
    cx: &Cx,
    input: &ListInstanceProfilesForRoleRequest,
) -> Result<ListInstanceProfilesForRoleResponse> {
    service.asked::<RoleRow>(cx, "ListInstanceProfilesForRole", &input.role_name)?;
    let (instance_profiles, is_truncated) = (Vec::new(), Some(false));
    Ok(ListInstanceProfilesForRoleResponse { instance_profiles, is_truncated, marker: None })
}
