//! Bytes of the wire to shapes and back: JSON, CBOR, event streams, signatures, routes.
//!
//! `wire` knows no socket and no service.

mod error_body;
pub mod event_stream;
mod hidden;
mod long_body;
mod reader;
mod refusal;
pub mod rules;
mod scan;
mod service;
pub mod sigv4;
mod text;
mod violations;
mod writer;

pub use error_body::ErrorBody;
pub use hidden::Hidden;
pub use long_body::LongBody;
pub use reader::{DEPTH_MAX, Read, Reader, check_syntax, decode, decode_lenient};
pub use refusal::Refusal;
pub use service::{Answer, BoxFuture, Call, EventFrames, Operation, Routes, Service};
pub use text::{Text, Timestamp};
pub use violations::{LateViolations, Show, VIOLATIONS_MAX};
pub use writer::{Writer, base64_bytes};

/// How a body is written. A handler never sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// `application/x-amz-json-1.1`.
    Json,
    /// `application/x-amz-cbor-1.1`.
    Cbor,
}

impl Format {
    /// The content type of a body in this format.
    pub const fn content_type(self) -> &'static str {
        match self {
            Format::Json => "application/x-amz-json-1.1",
            Format::Cbor => "application/x-amz-cbor-1.1",
        }
    }
}
