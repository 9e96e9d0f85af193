//! `ListRoleTags`.

use super::holders;
use crate::iam::errors::Result;
use crate::iam::paging::Page;
use crate::iam::rows::RoleRow;
use crate::iam::service::Iam;
use api::iam::{ListRoleTagsRequest, ListRoleTagsResponse};
use base::Cx;

/// Lists the tags.
///
/// # Errors
/// `NoSuchEntity`, `Validation` the marker, `AccessDenied`.
pub(super) fn list_role_tags(
    service: &Iam,
    cx: &Cx,
    input: &ListRoleTagsRequest,
) -> Result<ListRoleTagsResponse> {
    let role = service.asked::<RoleRow>(cx, "ListRoleTags", &input.role_name)?;
    let asked = (input.marker.as_ref(), input.max_items);
    let Page { items, is_truncated, marker } = holders::tags(service, &role, asked)?;
    Ok(ListRoleTagsResponse { tags: items, is_truncated, marker })
}
