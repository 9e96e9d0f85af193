//! Operations from the client's side.

use crate::Boxed;
use bytes::Bytes;
use wire::{Format, Refusal};

/// An operation as a client names it.
pub trait Operation {
    /// AWS's name, as in `X-Amz-Target` behind the dot.
    const NAME: &'static str;
    /// What stands before the dot in `X-Amz-Target`.
    const TARGET_PREFIX: &'static str;
    /// Name of the service in a signature's scope.
    const SIGNING_NAME: &'static str;
    /// What is sent.
    type Input: 'static;
    /// What comes back; nothing for operations that answer with an event stream.
    type Output: 'static;
    /// The request's body.
    fn encode(format: Format, input: &Self::Input) -> Bytes;
    /// A copy for a service in this process; none when the input can be read only once.
    fn boxed(input: &Self::Input) -> Option<Boxed>;
    /// Reads a successful answer's body, checking no constraint.
    ///
    /// # Errors
    /// `SerializationException` when the body is no such output.
    fn decode(format: Format, body: Bytes) -> Result<Self::Output, Refusal>;
}

/// Bytes that a body without blobs mostly fits in.
pub(crate) const BODY_BYTES_HINT: usize = 512;

/// About how many bytes a shape takes: its own hint, or the usual one.
macro_rules! bytes_hint {
    ($value:expr) => {
        $crate::client::BODY_BYTES_HINT
    };
    ($value:expr, hint) => {
        $value.bytes_hint()
    };
}

/// Implements [`Operation`] for a unit type of a service's `ops`.
macro_rules! operation {
    ($name:ident, $input:ident $($hint:ident)?) => {
        operation!(@ $name, $input, ($($hint)?), (), |_format, _body| Ok(()), operation!(copy));
    };
    ($name:ident, $input:ident $($hint:ident)? => $output:ident) => {
        operation!(@ $name, $input, ($($hint)?), $output, |format, body| {
            wire::decode_lenient(format, body, $output::read)
        }, operation!(copy));
    };
    // Its input can be read once.
    (once $name:ident, $input:ident $($hint:ident)? => $output:ident) => {
        operation!(@ $name, $input, ($($hint)?), $output, |format, body| {
            wire::decode_lenient(format, body, $output::read)
        }, |_input| None);
    };
    (copy) => {
        |input| Some(Box::new(Clone::clone(input)))
    };
    (@ $name:ident, $input:ident, ($($hint:ident)?), $output:ty, $decode:expr, $copy:expr) => {
        impl $crate::Operation for $name {
            const NAME: &'static str = stringify!($name);
            const TARGET_PREFIX: &'static str = TARGET_PREFIX;
            const SIGNING_NAME: &'static str = SIGNING_NAME;
            type Input = $input;
            type Output = $output;
            fn encode(format: wire::Format, input: &$input) -> bytes::Bytes {
                let mut w = wire::Writer::new(format, bytes_hint!(input $(, $hint)?));
                input.write(&mut w);
                w.finish()
            }
            fn boxed(input: &$input) -> Option<$crate::Boxed> {
                let copy: fn(&$input) -> Option<$crate::Boxed> = $copy;
                copy(input)
            }
            fn decode(
                format: wire::Format,
                body: bytes::Bytes,
            ) -> Result<$output, wire::Refusal> {
                let decode: fn(wire::Format, bytes::Bytes) -> _ = $decode;
                decode(format, body)
            }
        }
    };
}
