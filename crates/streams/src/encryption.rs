//! What both encryption operations share: the key, and the modeled errors of one that cannot be
//! used.

use crate::errors::Result;
use crate::rows::Encryption;
use crate::service::Inner;
use crate::stream::StreamKey;
use crate::texts;
use api::kinesis::EncryptionType;
use kit::KeyTrouble;

/// Changes of a stream's key in 24 hours (model).
pub(crate) const CHANGES_MAX: usize = 25;

/// Both operations take `KMS` only.
///
/// # Errors
/// `InvalidArgument`.
pub(crate) fn check_type(kind: EncryptionType) -> Result<()> {
    match kind {
        EncryptionType::Kms => Ok(()),
        EncryptionType::None => Err(texts::encryption_type_none()),
    }
}

/// The key that a `KeyId` stands for; durable when it resolves, so that what is encrypted under it
/// can be read after any crash.
///
/// # Errors
/// The modeled KMS errors.
pub(crate) async fn resolve(inner: &Inner, stream: &StreamKey, key_id: &str) -> Result<Encryption> {
    let found = inner.keys.resolve(stream.account, &stream.region, key_id).await;
    match found {
        Ok(data_key) => Ok(Encryption { key_id: key_id.to_owned(), data_key }),
        Err(KeyTrouble::NotFound) => Err(texts::key_not_found(key_id)),
        Err(KeyTrouble::Disabled) => Err(texts::key_disabled(key_id)),
        Err(KeyTrouble::Unavailable) => Err(texts::key_unavailable(key_id)),
    }
}
