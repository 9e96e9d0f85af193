//! `DeletePolicy`.

use crate::iam::errors::Result;
use crate::iam::service::Iam;
use crate::iam::texts;
use api::iam::DeletePolicyRequest;
use base::Cx;

/// Removes a managed policy that counts for nobody, with its only version.
///
/// # Errors
/// `NoSuchEntity`, `DeleteConflict`, `InvalidInput`, `AccessDenied`; what the store says.
pub(super) async fn delete_policy(service: Iam, cx: Cx, input: DeletePolicyRequest) -> Result<()> {
    let managed = service.own_policy(&cx, "DeletePolicy", &input.policy_arn)?;
    if service.usage(cx.account, &managed.name) != (0, 0) {
        return Err(texts::policy_is_attached());
    }
    if managed.row.versions.len() > 1 {
        return Err(texts::policy_has_versions());
    }
    service.inner.remove_policy(&cx, &managed).await
}
