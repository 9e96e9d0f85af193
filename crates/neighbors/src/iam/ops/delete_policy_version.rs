//! `DeletePolicyVersion`.

use super::versions;
use crate::iam::errors::Result;
use crate::iam::service::Iam;
use crate::iam::texts;
use api::iam::DeletePolicyVersionRequest;
use base::Cx;

/// Removes a version that does not count.
///
/// # Errors
/// `NoSuchEntity`, `DeleteConflict`, `InvalidInput`, `AccessDenied`; what the store says.
pub(super) async fn delete_policy_version(
    service: Iam,
    cx: Cx,
    input: DeletePolicyVersionRequest,
) -> Result<()> {
    let (arn, version) = (&input.policy_arn, &input.version_id);
    let managed = service.own_policy(&cx, "DeletePolicyVersion", arn)?;
    let found = versions::find(&managed, version);
    let (number, _) = found.ok_or_else(|| texts::no_such_version(arn, version))?;
    if number == managed.row.default {
        return Err(texts::default_version_stays());
    }
    let mut row = managed.row.clone();
    row.versions.remove(&number);
    row.updated_ms = service.now_ms();
    service.inner.put_policy(&cx, row).await
}
