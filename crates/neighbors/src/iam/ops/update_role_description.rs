//! `UpdateRoleDescription`.

use super::shapes;
use crate::iam::errors::Result;
use crate::iam::rows::RoleRow;
use crate::iam::service::Iam;
use api::iam::{UpdateRoleDescriptionRequest, UpdateRoleDescriptionResponse};
use base::Cx;

/// Gives a role another description.
///
/// # Errors
/// `NoSuchEntity`, `AccessDenied`; what the store says.
pub(super) async fn update_role_description(
    service: Iam,
    cx: Cx,
    input: UpdateRoleDescriptionRequest,
) -> Result<UpdateRoleDescriptionResponse> {
    let role = service.asked::<RoleRow>(&cx, "UpdateRoleDescription", &input.role_name)?;
    let description = Some(input.description.to_string());
    service.update(&cx, &role, |row| row.description = description).await?;
    let role = service.inner.find::<RoleRow>(cx.account, &input.role_name);
    let role = role.map(|role| shapes::listed_role(&role));
    Ok(UpdateRoleDescriptionResponse { role })
}
