//! `CreateUser`.

use super::{holders, shapes};
use crate::iam::errors::Result;
use crate::iam::holder::Change;
use crate::iam::rows::UserRow;
use crate::iam::service::Iam;
use api::iam::{CreateUserRequest, CreateUserResponse};
use base::Cx;
use std::collections::BTreeMap;

/// Makes a user, without access keys.
///
/// # Errors
/// `EntityAlreadyExists`, `NoSuchEntity` the boundary, `LimitExceeded`, `InvalidInput`,
/// `AccessDenied`; what the store says.
pub(super) async fn create_user(
    service: Iam,
    cx: Cx,
    input: CreateUserRequest,
) -> Result<CreateUserResponse> {
    let asked = holders::Asked {
        action: "CreateUser",
        id_prefix: "AIDA",
        most: service.inner.options.users_max,
        name: &input.user_name,
        path: input.path.as_deref(),
        boundary: input.permissions_boundary.as_deref(),
        tags: input.tags.as_deref(),
    };
    let entity = holders::new_entity::<UserRow>(&service, &cx, &asked)?;
    let row = UserRow { entity, keys: BTreeMap::new() };
    let change = Change { account: cx.account, before: None, after: Some(&row) };
    service.inner.change(&cx, change).await?;
    let user = service.asked::<UserRow>(&cx, "CreateUser", &input.user_name)?;
    Ok(CreateUserResponse { user: Some(shapes::user(&user)) })
}
