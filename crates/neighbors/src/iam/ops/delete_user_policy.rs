//! `DeleteUserPolicy`.

use super::holders;
use crate::iam::errors::Result;
use crate::iam::rows::UserRow;
use crate::iam::service::Iam;
use api::iam::DeleteUserPolicyRequest;
use base::Cx;

/// Removes an inline policy.
///
/// # Errors
/// `NoSuchEntity`, `AccessDenied`; what the store says.
pub(super) async fn delete_user_policy(
    service: Iam,
    cx: Cx,
    input: DeleteUserPolicyRequest,
) -> Result<()> {
    let user = service.asked::<UserRow>(&cx, "DeleteUserPolicy", &input.user_name)?;
    holders::delete_inline(&service, &cx, &user, &input.policy_name).await
}
