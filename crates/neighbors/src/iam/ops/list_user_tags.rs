//! `ListUserTags`.

use super::holders;
use crate::iam::errors::Result;
use crate::iam::paging::Page;
use crate::iam::rows::UserRow;
use crate::iam::service::Iam;
use api::iam::{ListUserTagsRequest, ListUserTagsResponse};
use base::Cx;

/// Lists the tags.
///
/// # Errors
/// `NoSuchEntity`, `Validation` the marker, `AccessDenied`.
pub(super) fn list_user_tags(
    service: &Iam,
    cx: &Cx,
    input: &ListUserTagsRequest,
) -> Result<ListUserTagsResponse> {
    let user = service.asked::<UserRow>(cx, "ListUserTags", &input.user_name)?;
    let asked = (input.marker.as_ref(), input.max_items);
    let Page { items, is_truncated, marker } = holders::tags(service, &user, asked)?;
    Ok(ListUserTagsResponse { tags: items, is_truncated, marker })
}
