//! Bytes of the wire to shapes and back: JSON, CBOR, event streams, signatures, routes.
//!
//! `wire` knows no socket and no service.

mod error_body;
pub mod event_stream;
mod hidden;
mod long_body;
pub mod protocol;
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
pub use protocol::Protocol;
pub(crate) use reader::decode_loose;
pub use reader::{DEPTH_MAX, Read, Reader, check_syntax, decode, decode_lenient};
pub use refusal::{Extra, Members, Refusal};
pub use service::{
    Answer, BoxFuture, ByteStream, Call, Content, Head, Operation, Payload, Routes, Service,
};
pub use text::{Text, Timestamp};
pub use violations::{LateViolations, Show, VIOLATIONS_MAX};
pub use writer::{Writer, base64_bytes};

/// The grammar of a body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// JSON; times are seconds.
    Json,
    /// AWS's CBOR; times are milliseconds.
    Cbor,
    /// The CBOR of RPC v2; times are seconds.
    RpcCbor,
    /// XML, which is written only.
    Xml,
}

impl Format {
    /// Whether bytes are written as base64.
    pub(crate) const fn is_text(self) -> bool {
        matches!(self, Self::Json | Self::Xml)
    }
}
