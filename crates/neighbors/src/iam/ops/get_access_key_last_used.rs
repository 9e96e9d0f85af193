//! `GetAccessKeyLastUsed`.

use crate::iam::errors::Result;
use crate::iam::holder::arn_of;
use crate::iam::rows::UserRow;
use crate::iam::service::{Iam, authorize};
use crate::iam::texts;
use api::iam::{AccessKeyLastUsed, GetAccessKeyLastUsedRequest, GetAccessKeyLastUsedResponse};
use base::Cx;

/// Shows whose an access key is. When it was used last is not kept: the answer is that of a key
/// that never was.
///
/// # Errors
/// `NoSuchEntity`, `AccessDenied`.
pub(super) fn get_access_key_last_used(
    service: &Iam,
    cx: &Cx,
    input: &GetAccessKeyLastUsedRequest,
) -> Result<GetAccessKeyLastUsedResponse> {
    let id = input.access_key_id.as_str();
    let known = service.inner.keys.read().get(id).cloned();
    let known = known.filter(|key| key.account == cx.account);
    let user =
        known.as_ref().and_then(|key| service.inner.find::<UserRow>(cx.account, &key.user_name));
    let arn = user.map_or_else(|| arn_of::<UserRow>(cx, "/", "*"), |user| user.arn());
    authorize(cx, "GetAccessKeyLastUsed", &arn)?;
    let known = known.ok_or_else(|| texts::no_such_key(id))?;
    let (service_name, region) = ("N/A".into(), "N/A".into());
    let last_used = AccessKeyLastUsed { last_used_date: None, service_name, region };
    Ok(GetAccessKeyLastUsedResponse {
        user_name: Some(known.user_name.as_str().into()),
        access_key_last_used: Some(last_used),
    })
}
