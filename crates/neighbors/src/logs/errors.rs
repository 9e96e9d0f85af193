//! The one place where a storage failure becomes a wire error. The words of all errors are in
//! `texts`.

use super::texts;
use api::logs::Error;
use base::RequestId;
use store::ErrorKind;

/// Shorthand of this service.
pub(super) type Result<T> = std::result::Result<T, Error>;

/// Turns a storage failure into what the client may know; the cause goes to the log, once.
pub(super) fn fail(request_id: RequestId, e: &store::Error) -> Error {
    // A log that is gone belonged to a stream that was deleted meanwhile.
    if e.kind() == ErrorKind::Removed {
        return texts::no_such_stream();
    }
    if kit::may_pass(request_id, e) { texts::unable() } else { texts::broken() }
}
