//! The protocols that AWS's clients speak, a file each.
//!
//! | | the operation's name | request | answer | the error's name |
//! | --- | --- | --- | --- | --- |
//! | JSON 1.0, 1.1 | `X-Amz-Target` | JSON | JSON | `__type` |
//! | AWS's CBOR | `X-Amz-Target` | CBOR | CBOR | `__type` |
//! | RPC v2 CBOR | path | CBOR | CBOR | `__type` |
//! | REST-JSON | method, path | head, JSON or bytes | headers, JSON or bytes | `x-amzn-ErrorType` |
//! | query | `Action` of the form | form | XML | `Code` |

mod aws_json;
mod query;
mod rest_json;
mod rpc_cbor;

pub use query::action;
pub use rest_json::{InBody, Located, Place, RestInput, finds};
pub use rpc_cbor::named as rpc_named;

pub(crate) use query::{answer as query_answer, begin as query_begin, read as query_read};
pub(crate) use rest_json::read as rest_read;

use crate::{Format, Refusal};
use bytes::Bytes;

/// A way to carry calls over HTTP. A handler never sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protocol {
    /// `awsJson1_0`.
    Json10,
    /// `awsJson1_1`.
    Json11,
    /// AWS's own CBOR, which the Java SDK speaks with Kinesis.
    Cbor11,
    /// `smithy-rpc-v2-cbor`.
    RpcCbor,
    /// `rest-json`.
    RestJson,
    /// `query`: forms in, XML out.
    Query,
}

impl Protocol {
    /// How bodies are written.
    pub const fn format(self) -> Format {
        match self {
            Self::Json10 | Self::Json11 | Self::RestJson => Format::Json,
            Self::Cbor11 => Format::Cbor,
            Self::RpcCbor => Format::RpcCbor,
            Self::Query => Format::Xml,
        }
    }

    /// The content type of an answer's body.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json10 => aws_json::CONTENT_TYPE_1_0,
            Self::Json11 => aws_json::CONTENT_TYPE_1_1,
            Self::Cbor11 => aws_json::CONTENT_TYPE_CBOR,
            Self::RpcCbor => rpc_cbor::CONTENT_TYPE,
            Self::RestJson => rest_json::CONTENT_TYPE,
            Self::Query => query::CONTENT_TYPE,
        }
    }

    /// Headers that each answer has beside its content type.
    pub const fn headers(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::RpcCbor => rpc_cbor::HEADERS,
            _ => &[],
        }
    }

    /// An error's status.
    pub fn error_status(self, refusal: &Refusal) -> u16 {
        match self {
            Self::Query => query::status(refusal),
            _ => refusal.status,
        }
    }

    /// An error's body. `request_id`: as the answer's header tells it; `xml_namespace`: the
    /// service's, empty when none is known. Few protocols tell them.
    ///
    /// An error without a message has no such member at all (observed by kinesalite's tests against
    /// AWS). A message is cut where only a client that wants it long makes it so: it may hold what
    /// the client sent.
    pub fn error_body(self, refusal: &Refusal, request_id: &str, xml_namespace: &str) -> Bytes {
        match self {
            Self::Query => query::error(refusal, request_id, xml_namespace),
            _ => aws_json::error(self.format(), refusal),
        }
    }

    /// Headers that tell an error, beside those of each answer.
    pub fn error_headers(self, refusal: &Refusal) -> Vec<(&'static str, String)> {
        let mut headers = Vec::new();
        if self == Self::RestJson {
            headers.push((rest_json::ERROR_TYPE, refusal.code.to_owned()));
            headers.extend(refusal.extra.iter().flat_map(|extra| extra.headers.clone()));
        }
        if let Some(code) = refusal.extra.as_ref().and_then(|extra| extra.query_code)
            && !matches!(self, Self::Query | Self::RestJson)
        {
            headers.push((query::ERROR, format!("{code};{}", query::fault(refusal))));
        }
        headers
    }
}
