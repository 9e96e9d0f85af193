//! `PutUserPolicy`.

use super::holders;
use crate::iam::errors::Result;
use crate::iam::rows::UserRow;
use crate::iam::service::Iam;
use api::iam::PutUserPolicyRequest;
use base::Cx;

/// Puts an inline policy, new or in place of one.
///
/// # Errors
/// `NoSuchEntity`, `MalformedPolicyDocument`, `LimitExceeded`, `AccessDenied`; what the store says.
pub(super) async fn put_user_policy(
    service: Iam,
    cx: Cx,
    input: PutUserPolicyRequest,
) -> Result<()> {
    let user = service.asked::<UserRow>(&cx, "PutUserPolicy", &input.user_name)?;
    let (name, document) = (&input.policy_name, &input.policy_document);
    holders::put_inline(&service, &cx, &user, (name, document)).await
}
