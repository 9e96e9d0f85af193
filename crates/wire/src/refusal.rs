//! A request that is not done, as the client is told.

use std::borrow::Cow;

/// An error answer before it is written in the request's format.
///
/// JSON and CBOR bodies are `{"__type": code, "message": message}`; `SerializationException` spells
/// the second key `Message` (observed on AWS).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status: 400 unless the server is at fault.
    pub status: u16,
    /// Name of the error, as SDKs match it.
    pub code: &'static str,
    /// What the client should change.
    pub message: Cow<'static, str>,
}

impl Refusal {
    /// The client's mistake: status 400.
    pub fn client(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status: 400, code, message: message.into() }
    }

    /// A body of the wrong types.
    pub fn serialization(message: impl Into<Cow<'static, str>>) -> Self {
        Self::client("SerializationException", message)
    }

    /// A body whose values break the model's constraints.
    pub fn validation(message: impl Into<Cow<'static, str>>) -> Self {
        Self::client("ValidationException", message)
    }

    /// The server's mistake: status 500; the cause is in the log only.
    pub fn internal() -> Self {
        Self { status: 500, code: "InternalFailureException", message: Cow::Borrowed("") }
    }

    /// The server is full or stopping: status 503, SDKs try again.
    pub fn unavailable(message: impl Into<Cow<'static, str>>) -> Self {
        Self { status: 503, code: "ServiceUnavailableException", message: message.into() }
    }
}
