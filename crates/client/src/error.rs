//! Why a call was not done.

use std::fmt;

/// What kind of failure it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorKind {
    /// The server answered with an error; `code` and `status` are its words.
    Refused,
    /// No connection could be made: nothing was done.
    Unreachable,
    /// The connection broke or the time ran out: whether it was done is unknown.
    Broken,
    /// The answer cannot be read.
    Malformed,
    /// The client's own configuration is wrong.
    Config,
}

/// A failed call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Error {
    kind: ErrorKind,
    status: u16,
    code: String,
    message: String,
    /// Whether an earlier attempt of the same call ended `Broken`.
    after_broken: bool,
}

impl Error {
    /// An error of this side.
    pub(crate) fn local(kind: ErrorKind, message: impl Into<String>) -> Self {
        let code = match kind {
            ErrorKind::Refused => "Refused",
            ErrorKind::Unreachable => "Unreachable",
            ErrorKind::Broken => "Broken",
            ErrorKind::Malformed => "Malformed",
            ErrorKind::Config => "Config",
        };
        let (code, message) = (code.into(), message.into());
        Self { kind, status: 0, code, message, after_broken: false }
    }

    /// An error that the server answered with.
    pub(crate) fn refused(
        status: u16,
        code: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        let (code, message) = (code.into(), message.into());
        Self { kind: ErrorKind::Refused, status, code, message, after_broken: false }
    }

    /// As `refused`, of an error that came without a status: in a frame or for one entry.
    pub(crate) fn coded(code: &str, message: &str) -> Self {
        Self::refused(status_of(code), code, message)
    }

    /// The same failure in other words.
    pub(crate) fn reworded(self, message: impl Into<String>) -> Self {
        Self { message: message.into(), ..self }
    }

    /// The failure of an attempt of which an earlier one may have ended `Broken`.
    pub(crate) fn after(self, broken: bool) -> Self {
        Self { after_broken: broken, ..self }
    }

    /// The kind.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// HTTP status of the answer; 0 when there was none.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// AWS's name of the error, as `ResourceNotFoundException`; for other kinds the kind's name.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The server's message, or what happened.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether the server said "slow down".
    pub fn is_throttling(&self) -> bool {
        let by_code = matches!(
            self.code.as_str(),
            "ProvisionedThroughputExceededException"
                | "LimitExceededException"
                | "ThrottlingException"
                | "KMSThrottlingException"
                | "RequestLimitExceeded"
        );
        by_code || self.status == 429
    }

    /// Whether this refusal tells that an earlier attempt of the same call, whose connection broke,
    /// was done. `code` is how the server refuses to do it twice: `ResourceInUseException` when it
    /// makes something, `ResourceNotFoundException` when it takes something away.
    pub fn tells_done(&self, code: &str) -> bool {
        self.after_broken && self.code == code
    }

    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        match self.kind {
            ErrorKind::Refused => {
                self.status.max(status_of(&self.code)) >= 500 || self.is_throttling()
            }
            ErrorKind::Unreachable | ErrorKind::Broken => true,
            ErrorKind::Malformed | ErrorKind::Config => false,
        }
    }
}

/// The status that belongs to a code, as far as it tells whose fault it is.
fn status_of(code: &str) -> u16 {
    match code {
        _ if code.starts_with("Internal") => 500,
        _ if code.starts_with("ServiceUnavailable") => 503,
        _ => 400,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind, self.message.is_empty()) {
            (ErrorKind::Refused, true) => f.write_str(&self.code),
            (ErrorKind::Refused, false) => write!(f, "{}: {}", self.code, self.message),
            _ => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_tried_again() {
        let refused = |status, code: &str| Error::refused(status, code, "").is_transient();
        assert!(refused(500, "InternalFailureException"));
        assert!(refused(503, "ServiceUnavailableException"));
        assert!(refused(400, "ProvisionedThroughputExceededException"));
        assert!(refused(400, "ServiceUnavailableException"));
        assert!(refused(429, "Http429"));
        assert!(!refused(400, "ValidationException"));
        assert!(Error::local(ErrorKind::Broken, "").is_transient());
        assert!(!Error::local(ErrorKind::Malformed, "").is_transient());
    }
}
