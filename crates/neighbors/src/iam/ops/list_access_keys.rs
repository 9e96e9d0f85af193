//! `ListAccessKeys`.

use super::shapes;
use crate::iam::caller::named_user;
use crate::iam::errors::Result;
use crate::iam::paging::{Page, Pager};
use crate::iam::rows::UserRow;
use crate::iam::service::Iam;
use api::iam::{AccessKeyMetadata, ListAccessKeysRequest, ListAccessKeysResponse, statusType};
use base::Cx;

/// Lists the access keys of a user, without their secrets.
///
/// # Errors
/// `NoSuchEntity`; `Validation` no user is named, or the marker; `AccessDenied`.
pub(super) fn list_access_keys(
    service: &Iam,
    cx: &Cx,
    input: &ListAccessKeysRequest,
) -> Result<ListAccessKeysResponse> {
    let name = named_user(cx, input.user_name.as_ref())?;
    let user = service.asked::<UserRow>(cx, "ListAccessKeys", name)?;
    let pager = Pager::new(service, "ListAccessKeys", input.marker.as_ref(), input.max_items)?;
    let keys = user.row.keys.iter().map(|(id, key)| AccessKeyMetadata {
        user_name: Some(user.entity().name.as_str().into()),
        access_key_id: Some(id.as_str().into()),
        status: Some(if key.is_active { statusType::Active } else { statusType::Inactive }),
        create_date: Some(shapes::date(key.created_ms)),
    });
    let Page { items, is_truncated, marker } = pager.count(keys);
    Ok(ListAccessKeysResponse { access_key_metadata: items, is_truncated, marker })
}
