//! `GetUser`.

use super::shapes;
use crate::iam::errors::Result;
use crate::iam::holder::arn_of;
use crate::iam::rows::UserRow;
use crate::iam::service::{Iam, authorize};
use crate::iam::texts;
use api::Timestamp;
use api::iam::{GetUserRequest, GetUserResponse, User};
use base::Cx;

/// Shows a user; without a name the caller himself, be he the root or a user of the configuration.
///
/// # Errors
/// `NoSuchEntity`; `Validation` a session names nobody; `AccessDenied`.
pub(super) fn get_user(service: &Iam, cx: &Cx, input: &GetUserRequest) -> Result<GetUserResponse> {
    if let Some(name) = &input.user_name {
        let user = service.asked::<UserRow>(cx, "GetUser", name)?;
        return Ok(GetUserResponse { user: shapes::user(&user) });
    }
    if cx.role_arn.is_some() {
        return Err(texts::name_a_user());
    }
    if let Some(user) = service.calling_user(cx) {
        authorize(cx, "GetUser", &user.arn())?;
        return Ok(GetUserResponse { user: shapes::user(&user) });
    }
    let name = cx.user_name().unwrap_or("root");
    authorize(cx, "GetUser", &arn_of::<UserRow>(cx, "/", name))?;
    let user = User {
        path: "/".into(),
        user_name: name.into(),
        user_id: cx.user_id().into(),
        arn: (&*cx.caller_arn).into(),
        // Nobody made him: he is there since the server is.
        create_date: Timestamp(0),
        ..User::default()
    };
    Ok(GetUserResponse { user })
}
