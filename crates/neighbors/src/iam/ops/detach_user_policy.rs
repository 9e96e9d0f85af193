//! `DetachUserPolicy`.

use super::holders;
use crate::iam::errors::Result;
use crate::iam::rows::UserRow;
use crate::iam::service::Iam;
use api::iam::DetachUserPolicyRequest;
use base::Cx;

/// Lets a managed policy no longer count for a user.
///
/// # Errors
/// `NoSuchEntity`, also for a policy that it does not have; `InvalidInput`, `AccessDenied`; what
/// the store says.
pub(super) async fn detach_user_policy(
    service: Iam,
    cx: Cx,
    input: DetachUserPolicyRequest,
) -> Result<()> {
    let user = service.asked::<UserRow>(&cx, "DetachUserPolicy", &input.user_name)?;
    holders::detach(&service, &cx, &user, &input.policy_arn).await
}
