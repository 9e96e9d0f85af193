//! The one place where a storage failure becomes a wire error. The words of all errors are in
//! `texts`.

use crate::texts;
use api::kinesis::Error;
use base::Cx;

/// Shorthand of this crate.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// Turns a storage failure into what the client may know; the cause goes to the log, once.
pub(crate) fn fail(cx: &Cx, e: &store::Error) -> Error {
    if kit::may_pass(cx.request_id, e) { texts::unable() } else { texts::broken() }
}
