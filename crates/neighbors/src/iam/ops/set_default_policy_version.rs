//! `SetDefaultPolicyVersion`.

use super::versions;
use crate::iam::errors::Result;
use crate::iam::service::Iam;
use crate::iam::texts;
use api::iam::SetDefaultPolicyVersionRequest;
use base::Cx;

/// Lets another version of a managed policy count.
///
/// # Errors
/// `NoSuchEntity`, `InvalidInput`, `AccessDenied`; what the store says.
pub(super) async fn set_default_policy_version(
    service: Iam,
    cx: Cx,
    input: SetDefaultPolicyVersionRequest,
) -> Result<()> {
    let (arn, version) = (&input.policy_arn, &input.version_id);
    let managed = service.own_policy(&cx, "SetDefaultPolicyVersion", arn)?;
    let found = versions::find(&managed, version);
    let (number, _) = found.ok_or_else(|| texts::no_such_version(arn, version))?;
    let mut row = managed.row.clone();
    row.default = number;
    row.updated_ms = service.now_ms();
    service.inner.put_policy(&cx, row).await
}
