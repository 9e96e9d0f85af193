//! `UntagUser`.

use super::holders;
use crate::iam::errors::Result;
use crate::iam::rows::UserRow;
use crate::iam::service::Iam;
use api::iam::UntagUserRequest;
use base::Cx;

/// Removes tags of a user; those that are not there are fine.
///
/// # Errors
/// `NoSuchEntity`, `AccessDenied`; what the store says.
pub(super) async fn untag_user(service: Iam, cx: Cx, input: UntagUserRequest) -> Result<()> {
    let user = service.asked::<UserRow>(&cx, "UntagUser", &input.user_name)?;
    holders::untag(&service, &cx, &user, &input.tag_keys).await
}
