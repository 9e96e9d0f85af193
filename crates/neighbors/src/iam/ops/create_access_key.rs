//! `CreateAccessKey`.

use crate::iam::caller::named_user;
use crate::iam::errors::Result;
use crate::iam::ids;
use crate::iam::rows::{KeyRow, UserRow};
use crate::iam::service::Iam;
use crate::iam::texts;
use api::iam::{AccessKey, CreateAccessKeyRequest, CreateAccessKeyResponse, statusType};
use base::Cx;

/// Most access keys of a user (AWS's quota).
const KEYS_MAX: usize = 2;

/// Makes an access key of a user; its secret is told this once.
///
/// # Errors
/// `NoSuchEntity`, `LimitExceeded`; `Validation` no user is named; `AccessDenied`; what the store
/// says.
pub(super) async fn create_access_key(
    service: Iam,
    cx: Cx,
    input: CreateAccessKeyRequest,
) -> Result<CreateAccessKeyResponse> {
    let name = named_user(&cx, input.user_name.as_ref())?;
    let user = service.asked::<UserRow>(&cx, "CreateAccessKey", name)?;
    if user.row.keys.len() >= KEYS_MAX {
        return Err(texts::quota("AccessKeysPerUser", KEYS_MAX));
    }
    let inner = &service.inner;
    let (id, secret) =
        (ids::new_access_key_id(&*inner.env.rng, "AKIA"), ids::new_secret(&*inner.env.rng));
    let sealed = inner.secrets.seal(&*inner.env.rng, id.as_bytes(), secret.as_bytes());
    let sealed_secret = base64_simd::STANDARD.encode_to_string(sealed);
    let created_ms = service.now_ms();
    let key = KeyRow { sealed_secret, is_active: true, created_ms };
    let key_id = id.clone();
    service.update(&cx, &user, |row| _ = row.keys.insert(key_id, key)).await?;
    let access_key = AccessKey {
        user_name: user.entity().name.as_str().into(),
        access_key_id: id.into(),
        status: statusType::Active,
        secret_access_key: secret.into(),
        create_date: Some(super::shapes::date(created_ms)),
    };
    Ok(CreateAccessKeyResponse { access_key })
}
