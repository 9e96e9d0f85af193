//! `PutRolePolicy`.

use super::holders;
use crate::iam::errors::Result;
use crate::iam::rows::RoleRow;
use crate::iam::service::Iam;
use api::iam::PutRolePolicyRequest;
use base::Cx;

/// Puts an inline policy, new or in place of one.
///
/// # Errors
/// `NoSuchEntity`, `MalformedPolicyDocument`, `LimitExceeded`, `AccessDenied`; what the store says.
pub(super) async fn put_role_policy(
    service: Iam,
    cx: Cx,
    input: PutRolePolicyRequest,
) -> Result<()> {
    let role = service.asked::<RoleRow>(&cx, "PutRolePolicy", &input.role_name)?;
    let (name, document) = (&input.policy_name, &input.policy_document);
    holders::put_inline(&service, &cx, &role, (name, document)).await
}
