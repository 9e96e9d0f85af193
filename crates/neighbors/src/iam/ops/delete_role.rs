//! `DeleteRole`.

use super::holders;
use crate::iam::errors::Result;
use crate::iam::holder::Change;
use crate::iam::rows::RoleRow;
use crate::iam::service::Iam;
use api::iam::DeleteRoleRequest;
use base::Cx;

/// Removes a role that has nothing any more.
///
/// # Errors
/// `NoSuchEntity`, `DeleteConflict`, `AccessDenied`; what the store says.
pub(super) async fn delete_role(service: Iam, cx: Cx, input: DeleteRoleRequest) -> Result<()> {
    let role = service.asked::<RoleRow>(&cx, "DeleteRole", &input.role_name)?;
    holders::check_bare(role.entity())?;
    let change = Change { account: cx.account, before: Some(&role.row), after: None };
    service.inner.change(&cx, change).await
}
