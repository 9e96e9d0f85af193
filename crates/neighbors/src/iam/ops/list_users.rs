//! `ListUsers`.

use super::shapes;
use crate::iam::errors::Result;
use crate::iam::holder::arn_of;
use crate::iam::paging::{Page, Pager};
use crate::iam::rows::UserRow;
use crate::iam::service::{Iam, authorize};
use api::iam::{ListUsersRequest, ListUsersResponse};
use base::Cx;

/// Lists the users of the account under a path, in order of their names.
///
/// # Errors
/// `Validation` the marker, `AccessDenied`.
pub(super) fn list_users(
    service: &Iam,
    cx: &Cx,
    input: &ListUsersRequest,
) -> Result<ListUsersResponse> {
    let prefix = input.path_prefix.as_deref().unwrap_or("/");
    authorize(cx, "ListUsers", &arn_of::<UserRow>(cx, prefix, ""))?;
    let pager = Pager::new(service, "ListUsers", input.marker.as_ref(), input.max_items)?;
    let all = service.inner.list::<UserRow>(cx.account);
    let under = all.into_iter().filter(|user| user.entity().path.starts_with(prefix));
    let page = pager.cut(under, |user| user.entity().name.to_ascii_lowercase());
    let Page { items, is_truncated, marker } = page;
    let users = items.iter().map(|user| shapes::listed_user(user)).collect();
    Ok(ListUsersResponse { users, is_truncated, marker })
}
