//! `DeleteUser`.

use super::holders;
use crate::iam::errors::Result;
use crate::iam::holder::Change;
use crate::iam::rows::UserRow;
use crate::iam::service::Iam;
use crate::iam::texts;
use api::iam::DeleteUserRequest;
use base::Cx;

/// Removes a user that has nothing any more.
///
/// # Errors
/// `NoSuchEntity`, `DeleteConflict`, `AccessDenied`; what the store says.
pub(super) async fn delete_user(service: Iam, cx: Cx, input: DeleteUserRequest) -> Result<()> {
    let user = service.asked::<UserRow>(&cx, "DeleteUser", &input.user_name)?;
    holders::check_bare(user.entity())?;
    if !user.row.keys.is_empty() {
        return Err(texts::must_delete_keys());
    }
    let change = Change { account: cx.account, before: Some(&user.row), after: None };
    service.inner.change(&cx, change).await
}
