//! What `server` sees of a service: a route table and one boxed call.

use crate::protocol::{self, Protocol, RestInput};
use crate::{LongBody, Read, Reader, Refusal, Writer};
use base::Cx;
use bytes::Bytes;
use futures_core::Stream;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

/// A boxed future that may borrow.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Bytes that come, or go out, piece by piece; an error is the last item. Dropping it ends it.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes, Refusal>> + Send>>;

/// One operation of a service.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// AWS's name, as in `X-Amz-Target` behind the dot.
    pub name: &'static str,
    /// Largest request body accepted, in bytes; of a streaming one there is no end.
    pub body_bytes_max: usize,
    /// Its method in REST-JSON.
    pub method: &'static str,
    /// Its path in REST-JSON, with labels as `/functions/{Name}`.
    pub path: &'static str,
    /// HTTP status of its answer in REST-JSON.
    pub status: u16,
    /// Headers that members travel in, in lower case; those that begin so where it ends in `*`.
    pub headers: &'static [&'static str],
    /// Whether its body is handed on as it comes, where the protocol carries it alone.
    pub streams: bool,
    /// Whether its body may come packed.
    pub packs: bool,
}

impl Operation {
    /// A call whose body is all of it.
    pub const fn new(name: &'static str, body_bytes_max: usize) -> Self {
        let (method, path, status) = ("POST", "/", 200);
        let (headers, streams, packs) = (&[], false, false);
        Self { name, body_bytes_max, method, path, status, headers, streams, packs }
    }

    /// With its method, path and status.
    #[must_use]
    pub const fn at(self, method: &'static str, path: &'static str, status: u16) -> Self {
        Self { method, path, status, ..self }
    }

    /// With members in these headers.
    #[must_use]
    pub const fn reading(self, headers: &'static [&'static str]) -> Self {
        Self { headers, ..self }
    }

    /// With a body that is handed on as it comes.
    #[must_use]
    pub const fn streaming(self) -> Self {
        Self { streams: true, ..self }
    }

    /// With a body that may come packed.
    #[must_use]
    pub const fn packing(self) -> Self {
        Self { packs: true, ..self }
    }
}

/// The operations of one service; indexes into `operations` name an operation.
#[derive(Debug)]
pub struct Routes {
    /// AWS's name for the service in settings of its clients, as `Kinesis Video`.
    pub service_id: &'static str,
    /// Name in a signature's scope, as `kinesis`.
    pub signing_name: &'static str,
    /// What stands before the dot in `X-Amz-Target`, as `Kinesis_20131202`; the service's name in
    /// RPC v2's paths.
    pub target_prefix: &'static str,
    /// Name space of its XML.
    pub xml_namespace: &'static str,
    /// How its clients speak.
    pub protocols: &'static [Protocol],
    /// Sorted by name.
    pub operations: &'static [Operation],
}

impl Routes {
    /// Index of the operation of this name.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.operations.binary_search_by(|op| op.name.cmp(name)).ok()
    }

    /// Index of the operation that has this method and path in REST-JSON. Words stand before
    /// labels: of two patterns that fit, the one with fewer labels is meant.
    pub fn find_path(&self, method: &str, path: &str) -> Option<usize> {
        let all = self.operations.iter().enumerate();
        let fitting = all.filter(|(_, op)| op.method == method && protocol::finds(op.path, path));
        fitting.min_by_key(|(_, op)| op.path.matches('{').count()).map(|(index, _)| index)
    }

    /// The environment variable that points its clients to an endpoint.
    pub fn endpoint_variable(&self) -> String {
        format!("AWS_ENDPOINT_URL_{}", self.service_id.to_uppercase().replace(' ', "_"))
    }

    /// Whether its clients speak this protocol.
    pub fn speaks(&self, protocol: Protocol) -> bool {
        self.protocols.contains(&protocol)
    }
}

/// What a request's head says, where members travel in it.
#[derive(Clone, Debug, Default)]
pub struct Head {
    /// As it came, percent signs and all.
    pub path: String,
    /// As it came, without its question mark.
    pub query: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
}

/// A request's body, or a member that is one.
#[derive(Default)]
pub enum Payload {
    /// None.
    #[default]
    Empty,
    /// All of it.
    Whole(Bytes),
    /// What is still to come.
    Stream(ByteStream),
}

impl Payload {
    /// All of it.
    ///
    /// # Errors
    /// It streams, and nobody has read it.
    pub fn whole(self) -> Result<Bytes, Refusal> {
        match self {
            Self::Empty => Ok(Bytes::new()),
            Self::Whole(bytes) => Ok(bytes),
            Self::Stream(_) => Err(Refusal::internal()),
        }
    }

    /// It as a stream.
    pub fn into_stream(self) -> ByteStream {
        match self {
            Self::Stream(stream) => stream,
            Self::Empty => Box::pin(Once(None)),
            Self::Whole(bytes) => Box::pin(Once(Some(bytes))),
        }
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("[empty]"),
            Self::Whole(bytes) => crate::Hidden::bytes(bytes.len()).fmt(f),
            Self::Stream(_) => f.write_str("[stream]"),
        }
    }
}

/// A stream of one piece.
struct Once(Option<Bytes>);

impl Stream for Once {
    type Item = Result<Bytes, Refusal>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.0.take().map(Ok))
    }
}

/// A request whose signature has been checked.
#[derive(Debug)]
pub struct Call {
    /// Who asks.
    pub cx: Cx,
    /// Index into [`Routes::operations`].
    pub operation: usize,
    /// How the request is written and the answer will be.
    pub protocol: Protocol,
    /// Of REST-JSON alone.
    pub head: Option<Box<Head>>,
    /// The body.
    pub body: Payload,
}

impl Call {
    /// Reads and checks the input; `read` as of [`crate::decode`].
    ///
    /// # Errors
    /// Those of [`crate::decode`].
    pub fn input<T>(
        &mut self,
        read: impl FnOnce(&mut Reader) -> Read<Option<T>>,
    ) -> Result<T, Refusal> {
        let mut body = std::mem::take(&mut self.body).whole()?;
        if body.is_empty() {
            // A structure of which nothing is set.
            body = match self.protocol {
                Protocol::RestJson => Bytes::from_static(b"{}"),
                Protocol::RpcCbor => Bytes::from_static(b"\xbf\xff"),
                _ => body,
            };
        }
        match self.protocol {
            Protocol::Query => protocol::query_read(&body, read),
            protocol => crate::decode(protocol.format(), body, read),
        }
    }

    /// As [`Call::input`] for members that travel as `input` says in REST-JSON. Gives the body too
    /// where that is a member itself.
    ///
    /// # Errors
    /// Those of [`crate::decode`].
    pub fn rest_input<T>(
        &mut self,
        routes: &Routes,
        input: RestInput,
        read: impl FnOnce(&mut Reader) -> Read<Option<T>>,
    ) -> Result<(T, Option<Payload>), Refusal> {
        let Some(head) = self.head.take().filter(|_| self.protocol == Protocol::RestJson) else {
            return self.input(read).map(|input| (input, None));
        };
        let pattern = routes.operations.get(self.operation).map_or("", |op| op.path);
        let body = std::mem::take(&mut self.body);
        let (value, body) = protocol::rest_read((pattern, &head), input, body, read)?;
        let is_blob = matches!(input.body, protocol::InBody::Blob);
        Ok((value, is_blob.then_some(body)))
    }

    /// Begins the answer; `bytes_hint` is about how long it will be.
    pub fn writer(&self, routes: &Routes, bytes_hint: usize) -> Writer {
        match self.protocol {
            Protocol::Query => protocol::query_begin(routes, self.name(routes), bytes_hint),
            protocol => Writer::answer(protocol.format(), bytes_hint),
        }
    }

    /// The answer that was written.
    pub fn answer(&self, routes: &Routes, written: Writer) -> Answer {
        match self.protocol {
            Protocol::Query => {
                let id = self.cx.request_id.to_string();
                protocol::query_answer(routes, self.name(routes), Some(written), &id)
            }
            _ => self.with_status(routes, written.finish_answer()),
        }
    }

    /// An answer whose body is bytes as they are.
    pub fn rest_answer(&self, routes: &Routes, content: Content) -> Answer {
        let mut answer = self.with_status(routes, content);
        answer.header("content-type", "application/octet-stream");
        answer
    }

    /// An answer that streams events.
    pub fn event_answer(&self, routes: &Routes, events: ByteStream) -> Answer {
        let mut answer = self.with_status(routes, Content::Stream(events));
        answer.header("content-type", crate::event_stream::CONTENT_TYPE);
        answer
    }

    fn with_status(&self, routes: &Routes, content: Content) -> Answer {
        let mut answer = Answer::of(content);
        if self.protocol == Protocol::RestJson {
            let operation = routes.operations.get(self.operation);
            answer.status = operation.map_or(answer.status, |operation| operation.status);
        }
        answer
    }

    /// The answer of an operation without output members: AWS sends an empty body, not `{}`.
    pub fn nothing(&self, routes: &Routes) -> Answer {
        match self.protocol {
            Protocol::Query => {
                let id = self.cx.request_id.to_string();
                protocol::query_answer(routes, self.name(routes), None, &id)
            }
            _ => self.with_status(routes, Content::Whole(Bytes::new())),
        }
    }

    fn name(&self, routes: &Routes) -> &'static str {
        routes.operations.get(self.operation).map_or("", |operation| operation.name)
    }
}

/// What a service says to a call that succeeded.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers beside those of every answer; names in lower case. A `content-type` stands for the
    /// protocol's.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub content: Content,
}

/// An answer's body.
pub enum Content {
    /// All of it.
    Whole(Bytes),
    /// A long one, never empty.
    Long(LongBody),
    /// One without an end that is known.
    Stream(ByteStream),
}

impl Answer {
    /// A plain one.
    pub fn of(content: Content) -> Self {
        Self { status: 200, headers: Vec::new(), content }
    }

    /// A plain one whose body is there.
    pub fn whole(body: Bytes) -> Self {
        Self::of(Content::Whole(body))
    }

    /// With a header; a value that no header can have is left out.
    pub fn header(&mut self, name: &'static str, value: impl Into<String>) {
        self.headers.push((name, value.into()));
    }
}

impl From<Payload> for Content {
    fn from(payload: Payload) -> Self {
        match payload {
            Payload::Empty => Self::Whole(Bytes::new()),
            Payload::Whole(bytes) => Self::Whole(bytes),
            Payload::Stream(stream) => Self::Stream(stream),
        }
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(bytes) => write!(f, "[{} bytes]", bytes.len()),
            Self::Long(long) => write!(f, "[{} bytes]", long.bytes_left()),
            Self::Stream(_) => f.write_str("[stream]"),
        }
    }
}

/// A service behind the AWS port. Object safe, so that `server` never recompiles with a service.
pub trait Service: Send + Sync + 'static {
    /// The operations.
    fn routes(&self) -> &'static Routes;
    /// Decodes, does and encodes one operation.
    fn call(&self, call: Call) -> BoxFuture<'_, Result<Answer, Refusal>>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::{AccountId, Region};

    #[test]
    fn nothing_is_a_structure_where_bodies_may_be_left_out() {
        let read = |protocol| {
            let cx = Cx::of_service(AccountId::DEFAULT, Region::default());
            let (operation, head, body) = (0, None, Payload::Empty);
            let mut call = Call { cx, operation, protocol, head, body };
            let read = call.input(|r| {
                let is_there = r.structure(&[])?;
                while r.member()?.is_some() {}
                r.end();
                Ok(is_there.then_some(()))
            });
            read.map_err(|refusal| refusal.code)
        };
        assert_eq!(read(Protocol::RestJson), Ok(()));
        assert_eq!(read(Protocol::RpcCbor), Ok(()));
        assert_eq!(read(Protocol::Query), Ok(()));
        assert_eq!(read(Protocol::Json11), Err("SerializationException"));
    }
}
