//! `TagUser`.

use super::holders;
use crate::iam::errors::Result;
use crate::iam::rows::UserRow;
use crate::iam::service::Iam;
use api::iam::TagUserRequest;
use base::Cx;

/// Adds tags to a user, or gives them other values.
///
/// # Errors
/// `NoSuchEntity`, `InvalidInput`, `LimitExceeded`, `AccessDenied`; what the store says.
pub(super) async fn tag_user(service: Iam, cx: Cx, input: TagUserRequest) -> Result<()> {
    let user = service.asked::<UserRow>(&cx, "TagUser", &input.user_name)?;
    holders::tag(&service, &cx, &user, &input.tags).await
}
