//! The one place where a storage failure becomes a wire error. The words of all errors are in
//! `texts`.

use super::texts;
use api::sns::Error;
use base::RequestId;
use store::ErrorKind;

/// Shorthand of this service.
pub(super) type Result<T> = std::result::Result<T, Error>;

/// Turns a storage failure into what the client may know; the cause goes to the log, once.
pub(super) fn fail(request_id: RequestId, e: &store::Error) -> Error {
    tracing::error!(%request_id, kind = ?e.kind(), "storage: {e}");
    match e.kind() {
        ErrorKind::Unavailable
        | ErrorKind::Sealed
        | ErrorKind::Removed
        | ErrorKind::Fenced
        | ErrorKind::Full
        | ErrorKind::Conflict => texts::unable(),
        ErrorKind::Corrupt | ErrorKind::Invalid | ErrorKind::Trimmed | ErrorKind::Internal => {
            texts::broken()
        }
    }
}
