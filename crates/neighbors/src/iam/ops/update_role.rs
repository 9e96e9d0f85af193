//! `UpdateRole`.

use crate::iam::errors::Result;
use crate::iam::rows::RoleRow;
use crate::iam::service::Iam;
use api::iam::{UpdateRoleRequest, UpdateRoleResponse};
use base::Cx;

/// Gives a role another description, or sessions of another length.
///
/// # Errors
/// `NoSuchEntity`, `AccessDenied`; what the store says.
pub(super) async fn update_role(
    service: Iam,
    cx: Cx,
    input: UpdateRoleRequest,
) -> Result<UpdateRoleResponse> {
    let role = service.asked::<RoleRow>(&cx, "UpdateRole", &input.role_name)?;
    let change = |row: &mut RoleRow| {
        if let Some(description) = &input.description {
            row.description = Some(description.to_string());
        }
        if let Some(seconds) = input.max_session_duration {
            row.session_seconds_max = seconds;
        }
    };
    service.update(&cx, &role, change).await?;
    Ok(UpdateRoleResponse {})
}
