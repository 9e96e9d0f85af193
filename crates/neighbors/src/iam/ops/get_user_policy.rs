//! `GetUserPolicy`.

use super::holders;
use crate::iam::errors::Result;
use crate::iam::rows::UserRow;
use crate::iam::service::Iam;
use api::iam::{GetUserPolicyRequest, GetUserPolicyResponse};
use base::Cx;

/// Shows an inline policy.
///
/// # Errors
/// `NoSuchEntity`, `AccessDenied`.
pub(super) fn get_user_policy(
    service: &Iam,
    cx: &Cx,
    input: &GetUserPolicyRequest,
) -> Result<GetUserPolicyResponse> {
    let user = service.asked::<UserRow>(cx, "GetUserPolicy", &input.user_name)?;
    let policy_document = holders::inline(&user, &input.policy_name)?;
    let (user_name, policy_name) = (input.user_name.clone(), input.policy_name.clone());
    Ok(GetUserPolicyResponse { user_name, policy_name, policy_document })
}
