//! `ListUserPolicies`.

use super::holders;
use crate::iam::errors::Result;
use crate::iam::paging::Page;
use crate::iam::rows::UserRow;
use crate::iam::service::Iam;
use api::iam::{ListUserPoliciesRequest, ListUserPoliciesResponse};
use base::Cx;

/// Lists the names of inline policies.
///
/// # Errors
/// `NoSuchEntity`, `Validation` the marker, `AccessDenied`.
pub(super) fn list_user_policies(
    service: &Iam,
    cx: &Cx,
    input: &ListUserPoliciesRequest,
) -> Result<ListUserPoliciesResponse> {
    let user = service.asked::<UserRow>(cx, "ListUserPolicies", &input.user_name)?;
    let asked = (input.marker.as_ref(), input.max_items);
    let Page { items, is_truncated, marker } = holders::inline_names(service, &user, asked)?;
    Ok(ListUserPoliciesResponse { policy_names: items, is_truncated, marker })
}
