//! `TagPolicy`.

use super::holders;
use crate::iam::errors::Result;
use crate::iam::service::Iam;
use api::iam::TagPolicyRequest;
use base::Cx;

/// Adds tags to a managed policy, or gives them other values.
///
/// # Errors
/// `NoSuchEntity`, `InvalidInput`, `LimitExceeded`, `AccessDenied`; what the store says.
pub(super) async fn tag_policy(service: Iam, cx: Cx, input: TagPolicyRequest) -> Result<()> {
    let managed = service.own_policy(&cx, "TagPolicy", &input.policy_arn)?;
    let mut row = managed.row.clone();
    holders::add_tags("Policy", &mut row.tags, &input.tags)?;
    service.inner.put_policy(&cx, row).await
}
