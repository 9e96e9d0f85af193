//! `UntagRole`.

use super::holders;
use crate::iam::errors::Result;
use crate::iam::rows::RoleRow;
use crate::iam::service::Iam;
use api::iam::UntagRoleRequest;
use base::Cx;

/// Removes tags of a role; those that are not there are fine.
///
/// # Errors
/// `NoSuchEntity`, `AccessDenied`; what the store says.
pub(super) async fn untag_role(service: Iam, cx: Cx, input: UntagRoleRequest) -> Result<()> {
    let role = service.asked::<RoleRow>(&cx, "UntagRole", &input.role_name)?;
    holders::untag(&service, &cx, &role, &input.tag_keys).await
}
