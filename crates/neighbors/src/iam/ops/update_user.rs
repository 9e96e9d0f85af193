//! `UpdateUser`.

use crate::iam::errors::Result;
use crate::iam::holder::{Kind, arn_in};
use crate::iam::rows::UserRow;
use crate::iam::service::{Iam, authorize};
use crate::iam::texts;
use api::iam::UpdateUserRequest;
use base::Cx;

/// Gives a user another name or another path; he keeps his id, his keys and his policies.
///
/// # Errors
/// `NoSuchEntity`, `EntityAlreadyExists`, `AccessDenied`; what the store says.
pub(super) async fn update_user(service: Iam, cx: Cx, input: UpdateUserRequest) -> Result<()> {
    let user = service.asked::<UserRow>(&cx, "UpdateUser", &input.user_name)?;
    let mut entity = user.entity().clone();
    if let Some(path) = &input.new_path {
        entity.path = path.to_string();
    }
    if let Some(name) = &input.new_user_name {
        let is_same = name.eq_ignore_ascii_case(&entity.name);
        if !is_same && service.inner.is_taken::<UserRow>(cx.account, name) {
            return Err(texts::holder_exists(Kind::User, name));
        }
        entity.name = name.to_string();
    }
    // He must be let do it with both: with what he was and with what he becomes.
    let becomes = (entity.path.as_str(), entity.name.as_str());
    authorize(&cx, "UpdateUser", &arn_in::<UserRow>(&entity.partition, cx.account, becomes))?;
    service.update(&cx, &user, |row| row.entity = entity).await
}
