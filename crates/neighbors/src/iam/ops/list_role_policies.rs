//! `ListRolePolicies`.

use super::holders;
use crate::iam::errors::Result;
use crate::iam::paging::Page;
use crate::iam::rows::RoleRow;
use crate::iam::service::Iam;
use api::iam::{ListRolePoliciesRequest, ListRolePoliciesResponse};
use base::Cx;

/// Lists the names of inline policies.
///
/// # Errors
/// `NoSuchEntity`, `Validation` the marker, `AccessDenied`.
pub(super) fn list_role_policies(
    service: &Iam,
    cx: &Cx,
    input: &ListRolePoliciesRequest,
) -> Result<ListRolePoliciesResponse> {
    let role = service.asked::<RoleRow>(cx, "ListRolePolicies", &input.role_name)?;
    let asked = (input.marker.as_ref(), input.max_items);
    let Page { items, is_truncated, marker } = holders::inline_names(service, &role, asked)?;
    Ok(ListRolePoliciesResponse { policy_names: items, is_truncated, marker })
}
