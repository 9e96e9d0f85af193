//! `PutRolePermissionsBoundary`.

use crate::iam::errors::Result;
use crate::iam::rows::RoleRow;
use crate::iam::service::Iam;
use crate::iam::texts;
use api::iam::PutRolePermissionsBoundaryRequest;
use base::Cx;

/// Bounds what a role may do by a managed policy.
///
/// # Errors
/// `NoSuchEntity`, `InvalidInput`, `AccessDenied`; what the store says.
pub(super) async fn put_role_permissions_boundary(
    service: Iam,
    cx: Cx,
    input: PutRolePermissionsBoundaryRequest,
) -> Result<()> {
    let role = service.asked::<RoleRow>(&cx, "PutRolePermissionsBoundary", &input.role_name)?;
    let arn = &input.permissions_boundary;
    let boundary = service.attachable(cx.account, arn, texts::no_such_boundary)?;
    service.update(&cx, &role, |row| row.entity.boundary = Some(boundary)).await
}
