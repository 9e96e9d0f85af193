//! `GetPolicy`.

use super::shapes;
use crate::iam::errors::Result;
use crate::iam::service::Iam;
use api::iam::{GetPolicyRequest, GetPolicyResponse};
use base::Cx;

/// Shows a managed policy, not its document.
///
/// # Errors
/// `NoSuchEntity`, `InvalidInput`, `AccessDenied`.
pub(super) fn get_policy(
    service: &Iam,
    cx: &Cx,
    input: &GetPolicyRequest,
) -> Result<GetPolicyResponse> {
    let managed = service.seen_policy(cx, "GetPolicy", &input.policy_arn)?;
    let usage = service.usage(cx.account, &managed.name);
    Ok(GetPolicyResponse { policy: Some(shapes::policy(cx, &managed, usage)) })
}
