//! `DeleteRolePermissionsBoundary`.

use crate::iam::errors::Result;
use crate::iam::rows::RoleRow;
use crate::iam::service::Iam;
use api::iam::DeleteRolePermissionsBoundaryRequest;
use base::Cx;

/// Lets a role do all that its policies grant.
///
/// # Errors
/// `NoSuchEntity`, `AccessDenied`; what the store says.
pub(super) async fn delete_role_permissions_boundary(
    service: Iam,
    cx: Cx,
    input: DeleteRolePermissionsBoundaryRequest,
) -> Result<()> {
    let role = service.asked::<RoleRow>(&cx, "DeleteRolePermissionsBoundary", &input.role_name)?;
    service.update(&cx, &role, |row| row.entity.boundary = None).await
}
