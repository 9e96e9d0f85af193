//! Failures of storage, as each service tells its clients of them.

use base::RequestId;
use store::{Error, ErrorKind};

/// Logs a failure of storage, once, and whether it may pass: a client should try again then, and
/// learns no more otherwise than that it failed.
pub fn may_pass(request_id: RequestId, e: &Error) -> bool {
    tracing::error!(%request_id, kind = ?e.kind(), "storage: {e}");
    match e.kind() {
        ErrorKind::Unavailable
        | ErrorKind::Sealed
        | ErrorKind::Removed
        | ErrorKind::Fenced
        | ErrorKind::Full
        | ErrorKind::Conflict => true,
        ErrorKind::Corrupt | ErrorKind::Invalid | ErrorKind::Trimmed | ErrorKind::Internal => false,
    }
}
