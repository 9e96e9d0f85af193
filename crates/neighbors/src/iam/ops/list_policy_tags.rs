//! `ListPolicyTags`.

use super::shapes;
use crate::iam::errors::Result;
use crate::iam::paging::{Page, Pager};
use crate::iam::service::Iam;
use api::iam::{ListPolicyTagsRequest, ListPolicyTagsResponse};
use base::Cx;

/// Lists the tags of a managed policy.
///
/// # Errors
/// `NoSuchEntity`, `InvalidInput`; `Validation` the marker; `AccessDenied`.
pub(super) fn list_policy_tags(
    service: &Iam,
    cx: &Cx,
    input: &ListPolicyTagsRequest,
) -> Result<ListPolicyTagsResponse> {
    let managed = service.seen_policy(cx, "ListPolicyTags", &input.policy_arn)?;
    let pager = Pager::new(service, "ListPolicyTags", input.marker.as_ref(), input.max_items)?;
    let Page { items, is_truncated, marker } = pager.count(shapes::tags(&managed.row.tags));
    Ok(ListPolicyTagsResponse { tags: items, is_truncated, marker })
}
