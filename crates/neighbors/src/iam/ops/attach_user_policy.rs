//! `AttachUserPolicy`.

use super::holders;
use crate::iam::errors::Result;
use crate::iam::rows::UserRow;
use crate::iam::service::Iam;
use api::iam::AttachUserPolicyRequest;
use base::Cx;

/// Lets a managed policy count for a user; one that does already is fine.
///
/// # Errors
/// `NoSuchEntity`, `LimitExceeded` it has ten, `InvalidInput`, `AccessDenied`; what the store says.
pub(super) async fn attach_user_policy(
    service: Iam,
    cx: Cx,
    input: AttachUserPolicyRequest,
) -> Result<()> {
    let user = service.asked::<UserRow>(&cx, "AttachUserPolicy", &input.user_name)?;
    holders::attach(&service, &cx, &user, &input.policy_arn).await
}
