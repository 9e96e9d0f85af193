//! `ListPolicyVersions`.

use super::versions;
use crate::iam::errors::Result;
use crate::iam::paging::{Page, Pager};
use crate::iam::service::Iam;
use api::iam::{ListPolicyVersionsRequest, ListPolicyVersionsResponse};
use base::Cx;

/// Lists the versions of a managed policy, newest first, without their documents.
///
/// # Errors
/// `NoSuchEntity`, `InvalidInput`; `Validation` the marker; `AccessDenied`.
pub(super) fn list_policy_versions(
    service: &Iam,
    cx: &Cx,
    input: &ListPolicyVersionsRequest,
) -> Result<ListPolicyVersionsResponse> {
    let managed = service.seen_policy(cx, "ListPolicyVersions", &input.policy_arn)?;
    let pager = Pager::new(service, "ListPolicyVersions", input.marker.as_ref(), input.max_items)?;
    let newest_first = managed.row.versions.iter().rev();
    let all = newest_first.map(|(number, version)| versions::listed(&managed, *number, version));
    let Page { items, is_truncated, marker } = pager.count(all);
    Ok(ListPolicyVersionsResponse { versions: Some(items), is_truncated, marker })
}
