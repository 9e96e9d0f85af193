//! `TagRole`.

use super::holders;
use crate::iam::errors::Result;
use crate::iam::rows::RoleRow;
use crate::iam::service::Iam;
use api::iam::TagRoleRequest;
use base::Cx;

/// Adds tags to a role, or gives them other values.
///
/// # Errors
/// `NoSuchEntity`, `InvalidInput`, `LimitExceeded`, `AccessDenied`; what the store says.
pub(super) async fn tag_role(service: Iam, cx: Cx, input: TagRoleRequest) -> Result<()> {
    let role = service.asked::<RoleRow>(&cx, "TagRole", &input.role_name)?;
    holders::tag(&service, &cx, &role, &input.tags).await
}
