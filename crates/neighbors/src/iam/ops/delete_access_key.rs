//! `DeleteAccessKey`.

use crate::iam::caller::named_user;
use crate::iam::errors::Result;
use crate::iam::rows::UserRow;
use crate::iam::service::Iam;
use crate::iam::texts;
use api::iam::DeleteAccessKeyRequest;
use base::Cx;

/// Removes an access key; who signs with it is nobody from then on.
///
/// # Errors
/// `NoSuchEntity`; `Validation` no user is named; `AccessDenied`; what the store says.
pub(super) async fn delete_access_key(
    service: Iam,
    cx: Cx,
    input: DeleteAccessKeyRequest,
) -> Result<()> {
    let name = named_user(&cx, input.user_name.as_ref())?;
    let user = service.asked::<UserRow>(&cx, "DeleteAccessKey", name)?;
    let id = input.access_key_id.as_str();
    if !user.row.keys.contains_key(id) {
        return Err(texts::no_such_key(id));
    }
    service.update(&cx, &user, |row| _ = row.keys.remove(id)).await
}
