//! `ListGroupsForUser`.

use crate::iam::errors::Result;
use crate::iam::rows::UserRow;
use crate::iam::service::Iam;
use api::iam::{ListGroupsForUserRequest, ListGroupsForUserResponse};
use base::Cx;

/// Lists no groups: there are none here.
///
/// # Errors
/// `NoSuchEntity`, `AccessDenied`.
pub(super) fn list_groups_for_user(
    service: &Iam,
    cx: &Cx,
    input: &ListGroupsForUserRequest,
) -> Result<ListGroupsForUserResponse> {
    service.asked::<UserRow>(cx, "ListGroupsForUser", &input.user_name)?;
    let is_truncated = Some(false);
    Ok(ListGroupsForUserResponse { groups: Vec::new(), is_truncated, marker: None })
}
