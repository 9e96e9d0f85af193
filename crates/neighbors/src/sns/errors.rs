//! The one place where a storage failure becomes a wire error. The words of all errors are in
//! `texts`.

use super::texts;
use api::sns::Error;
use base::RequestId;

/// Shorthand of this service.
pub(super) type Result<T> = std::result::Result<T, Error>;

/// Turns a storage failure into what the client may know; the cause goes to the log, once.
pub(super) fn fail(request_id: RequestId, e: &store::Error) -> Error {
    if kit::may_pass(request_id, e) { texts::unable() } else { texts::broken() }
}
