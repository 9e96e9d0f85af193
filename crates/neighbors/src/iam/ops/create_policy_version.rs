//! `CreatePolicyVersion`.

use super::versions;
use crate::iam::errors::Result;
use crate::iam::rows::VersionRow;
use crate::iam::service::Iam;
use crate::iam::{documents, texts};
use api::iam::{CreatePolicyVersionRequest, CreatePolicyVersionResponse};
use base::Cx;

/// Most versions of a policy (AWS's quota).
const VERSIONS_MAX: usize = 5;

/// Adds a version to a managed policy, which may count from now on.
///
/// # Errors
/// `NoSuchEntity`, `MalformedPolicyDocument`, `LimitExceeded`, `InvalidInput`, `AccessDenied`; what
/// the store says.
pub(super) async fn create_policy_version(
    service: Iam,
    cx: Cx,
    input: CreatePolicyVersionRequest,
) -> Result<CreatePolicyVersionResponse> {
    let managed = service.own_policy(&cx, "CreatePolicyVersion", &input.policy_arn)?;
    documents::managed(&input.policy_document)?;
    if managed.row.versions.len() >= VERSIONS_MAX {
        return Err(texts::too_many_versions());
    }
    let now_ms = service.now_ms();
    let mut row = managed.row.clone();
    let number = row.next;
    let version = VersionRow { document: input.policy_document.to_string(), created_ms: now_ms };
    row.versions.insert(number, version);
    row.next += 1;
    row.updated_ms = now_ms;
    if input.set_as_default == Some(true) {
        row.default = number;
    }
    service.inner.put_policy(&cx, row).await?;
    let policy_version = service.inner.managed(&managed.name).and_then(|managed| {
        let version = managed.row.versions.get(&number)?;
        Some(versions::listed(&managed, number, version))
    });
    Ok(CreatePolicyVersionResponse { policy_version })
}
