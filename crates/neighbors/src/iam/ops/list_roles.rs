//! `ListRoles`.

use super::shapes;
use crate::iam::errors::Result;
use crate::iam::holder::arn_of;
use crate::iam::paging::{Page, Pager};
use crate::iam::rows::RoleRow;
use crate::iam::service::{Iam, authorize};
use api::iam::{ListRolesRequest, ListRolesResponse};
use base::Cx;

/// Lists the roles of the account under a path, in order of their names.
///
/// # Errors
/// `Validation` the marker, `AccessDenied`.
pub(super) fn list_roles(
    service: &Iam,
    cx: &Cx,
    input: &ListRolesRequest,
) -> Result<ListRolesResponse> {
    let prefix = input.path_prefix.as_deref().unwrap_or("/");
    authorize(cx, "ListRoles", &arn_of::<RoleRow>(cx, prefix, ""))?;
    let pager = Pager::new(service, "ListRoles", input.marker.as_ref(), input.max_items)?;
    let all = service.inner.list::<RoleRow>(cx.account);
    let under = all.into_iter().filter(|role| role.entity().path.starts_with(prefix));
    let page = pager.cut(under, |role| role.entity().name.to_ascii_lowercase());
    let Page { items, is_truncated, marker } = page;
    let roles = items.iter().map(|role| shapes::listed_role(role)).collect();
    Ok(ListRolesResponse { roles, is_truncated, marker })
}
