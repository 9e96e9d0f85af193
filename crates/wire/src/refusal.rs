//! A request that is not done, as the client is told.

use crate::Writer;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// Longest message; ten violations of usual values take some kilobytes.
const MESSAGE_BYTES_MAX: usize = 64 << 10;

/// An error answer before it is written in the request's protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status: 400 unless the server is at fault.
    pub status: u16,
    /// Name of the error, as SDKs match it.
    pub code: &'static str,
    /// What the client should change.
    pub message: Cow<'static, str>,
    /// What few errors have.
    pub extra: Option<Box<Extra>>,
}

/// What the model gives an error beside its name and a `message`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extra {
    /// How the message's member is spelled.
    pub message_key: Option<&'static str>,
    /// The error's name in the query protocol, and for clients that match by it.
    pub query_code: Option<&'static str>,
    /// Further members.
    pub members: Option<Members>,
    /// Headers in REST-JSON; names in lower case.
    pub headers: Vec<(&'static str, String)>,
}

/// Members of an error that only its service can write.
#[derive(Clone)]
pub struct Members(Arc<dyn Fn(&mut Writer) + Send + Sync>);

impl Members {
    /// What `write` writes, each member with its key.
    pub fn new(write: impl Fn(&mut Writer) + Send + Sync + 'static) -> Self {
        Self(Arc::new(write))
    }

    pub(crate) fn write(&self, w: &mut Writer) {
        (self.0)(w);
    }

    /// All of them as a structure in JSON.
    fn text(&self) -> bytes::Bytes {
        let mut w = Writer::new(crate::Format::Json, 256);
        w.begin();
        self.write(&mut w);
        w.end();
        w.finish()
    }
}

impl fmt::Debug for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.text()))
    }
}

impl PartialEq for Members {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl Eq for Members {}

impl Refusal {
    /// The client's mistake: status 400.
    pub fn client(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status: 400, code, message: message.into(), extra: None }
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
        Self { status: 500, ..Self::client("InternalFailureException", "") }
    }

    /// The server is full or stopping: status 503, SDKs try again.
    pub fn unavailable(message: impl Into<Cow<'static, str>>) -> Self {
        Self { status: 503, ..Self::client("ServiceUnavailableException", message) }
    }

    /// The name of the message's member: `SerializationException` spells it with a capital
    /// (observed by kinesalite's tests against AWS).
    pub fn message_key(&self) -> &'static str {
        let modeled = self.extra.as_ref().and_then(|extra| extra.message_key);
        modeled.unwrap_or(if self.code == "SerializationException" { "Message" } else { "message" })
    }

    /// The message, as far as an answer holds it.
    pub(crate) fn bounded_message(&self) -> &str {
        let end = self.message.floor_char_boundary(MESSAGE_BYTES_MAX);
        self.message.get(..end).unwrap_or_default()
    }
}
