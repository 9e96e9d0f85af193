//! `ListAttachedUserPolicies`.

use super::holders;
use crate::iam::errors::Result;
use crate::iam::paging::Page;
use crate::iam::rows::UserRow;
use crate::iam::service::Iam;
use api::iam::{ListAttachedUserPoliciesRequest, ListAttachedUserPoliciesResponse};
use base::Cx;

/// Lists the managed policies that count for it.
///
/// # Errors
/// `NoSuchEntity`, `Validation` the marker, `AccessDenied`.
pub(super) fn list_attached_user_policies(
    service: &Iam,
    cx: &Cx,
    input: &ListAttachedUserPoliciesRequest,
) -> Result<ListAttachedUserPoliciesResponse> {
    let user = service.asked::<UserRow>(cx, "ListAttachedUserPolicies", &input.user_name)?;
    let asked = (input.marker.as_ref(), input.max_items);
    let prefix = input.path_prefix.as_deref();
    let page = holders::attached(service, &user, prefix, asked)?;
    let Page { items, is_truncated, marker } = page;
    Ok(ListAttachedUserPoliciesResponse { attached_policies: Some(items), is_truncated, marker })
}
