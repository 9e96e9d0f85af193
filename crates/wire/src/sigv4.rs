//! Signature Version 4, both sides: what a client writes and what the server checks.
//!
//! Pure: bytes in, verdict out; no socket, no clock. The flow of a check is
//! [`Claim::read`] (present? well formed?) → scope → time → key → coverage ([`Vouched::read`],
//! which needs no body) → signature ([`Vouched::verify`]), and of a signature [`Parts`] → canonical
//! request → string to sign → HMAC. Both sides share `canonical`.
//!
//! Invariants: secrets never show in `Debug`; signatures and tokens are compared in constant time;
//! a signature that does not cover the host (or `:authority`) and the target is no signature.

mod canonical;
mod claim;
mod date;
mod keyring;
mod sign;
#[cfg(test)]
mod tests;
mod verify;

pub use canonical::payload_hash;
pub use claim::{Claim, Credential};
pub(crate) use date::parse_http as http_date;
pub use keyring::{Issuer, Key, Keyring, Known};
pub use sign::{Credentials, Scope, Signed, Signer, sign};
pub use verify::{Addressee, Principal, Unread, Vouched};

use std::fmt;

/// Value of `x-amz-content-sha256` for a body that the signature leaves out.
pub const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// The parts of a request that a signature covers.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// As `POST`.
    pub method: &'a str,
    /// The path as sent, percent-encoded once; `/` for JSON services.
    pub path: &'a str,
    /// The query as sent, without the question mark.
    pub query: &'a str,
    /// Names in lower case, values as sent. Over HTTP/2 `:authority` stands among them; `host` and
    /// `:authority` are found under each other's name. To sign: exactly the headers to be covered.
    pub headers: &'a [(&'a str, &'a [u8])],
}

impl<'a> Parts<'a> {
    /// The first value of a header that is text.
    pub(crate) fn header(&self, name: &str) -> Option<&'a str> {
        self.values(name).next().and_then(|value| std::str::from_utf8(value).ok())
    }

    /// All values of a header, in the order sent.
    pub(crate) fn values<'n>(&self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        let headers = self.headers;
        let has = |name: &str| headers.iter().any(|(n, _)| *n == name);
        let name = match name {
            "host" if !has("host") => ":authority",
            ":authority" if !has(":authority") => "host",
            other => other,
        };
        headers.iter().filter(move |(n, _)| *n == name).map(|(_, value)| *value)
    }
}

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes the text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one place that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}
