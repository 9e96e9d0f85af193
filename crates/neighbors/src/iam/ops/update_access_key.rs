//! `UpdateAccessKey`.

use crate::iam::caller::named_user;
use crate::iam::errors::Result;
use crate::iam::rows::UserRow;
use crate::iam::service::Iam;
use crate::iam::texts;
use api::iam::{UpdateAccessKeyRequest, statusType};
use base::Cx;

/// Lets an access key count, or not.
///
/// # Errors
/// `NoSuchEntity`; `Validation` no user is named, or the status is none to choose; `AccessDenied`;
/// what the store says.
pub(super) async fn update_access_key(
    service: Iam,
    cx: Cx,
    input: UpdateAccessKeyRequest,
) -> Result<()> {
    let name = named_user(&cx, input.user_name.as_ref())?;
    let user = service.asked::<UserRow>(&cx, "UpdateAccessKey", name)?;
    let id = input.access_key_id.as_str();
    if !user.row.keys.contains_key(id) {
        return Err(texts::no_such_key(id));
    }
    let is_active = match input.status {
        statusType::Active => true,
        statusType::Inactive => false,
        statusType::Expired => return Err(texts::expired_is_no_choice()),
    };
    let change = |row: &mut UserRow| {
        if let Some(key) = row.keys.get_mut(id) {
            key.is_active = is_active;
        }
    };
    service.update(&cx, &user, change).await
}
