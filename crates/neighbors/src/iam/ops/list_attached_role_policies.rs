//! `ListAttachedRolePolicies`.

use super::holders;
use crate::iam::errors::Result;
use crate::iam::paging::Page;
use crate::iam::rows::RoleRow;
use crate::iam::service::Iam;
use api::iam::{ListAttachedRolePoliciesRequest, ListAttachedRolePoliciesResponse};
use base::Cx;

/// Lists the managed policies that count for it.
///
/// # Errors
/// `NoSuchEntity`, `Validation` the marker, `AccessDenied`.
pub(super) fn list_attached_role_policies(
    service: &Iam,
    cx: &Cx,
    input: &ListAttachedRolePoliciesRequest,
) -> Result<ListAttachedRolePoliciesResponse> {
    let role = service.asked::<RoleRow>(cx, "ListAttachedRolePolicies", &input.role_name)?;
    let asked = (input.marker.as_ref(), input.max_items);
    let prefix = input.path_prefix.as_deref();
    let page = holders::attached(service, &role, prefix, asked)?;
    let Page { items, is_truncated, marker } = page;
    Ok(ListAttachedRolePoliciesResponse { attached_policies: Some(items), is_truncated, marker })
}
