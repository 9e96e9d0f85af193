//! `UntagPolicy`.

use crate::iam::errors::Result;
use crate::iam::service::Iam;
use api::Text;
use api::iam::UntagPolicyRequest;
use base::Cx;

/// Removes tags of a managed policy; those that are not there are fine.
///
/// # Errors
/// `NoSuchEntity`, `InvalidInput`, `AccessDenied`; what the store says.
pub(super) async fn untag_policy(service: Iam, cx: Cx, input: UntagPolicyRequest) -> Result<()> {
    let managed = service.own_policy(&cx, "UntagPolicy", &input.policy_arn)?;
    let mut row = managed.row.clone();
    row.tags.remove(input.tag_keys.iter().map(Text::as_str));
    service.inner.put_policy(&cx, row).await
}
