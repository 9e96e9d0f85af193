//! Paging tokens: where a listing goes on, as a text that only this server can make.
//!
//! ```text
//! Cursor --JSON--> bytes | HMAC-SHA-256 --base64--> text
//! ```
//!
//! A token names the listing with all its parameters, so that the calls after the first need
//! nothing else, and lives 300 s.

use crate::errors::Result;
use crate::stream::StreamKey;
use crate::texts;
use ring::hmac;
use serde::{Deserialize, Serialize};

/// How long a token lives (model).
const LIFE_MS: i64 = 300_000;
const TAG_BYTES: usize = 32;

/// A listing that goes on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Cursor {
    pub(crate) of: Listing,
    pub(crate) account: String,
    pub(crate) region: String,
    /// Name of the last stream, shard or consumer that was listed.
    pub(crate) after: String,
    /// When the token was made, epoch ms.
    pub(crate) issued_ms: i64,
}

/// What is listed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Listing {
    Streams,
    Shards { stream: String, created_ms: i64, filter: Option<Filter> },
    Consumers { stream: String, created_ms: i64 },
}

/// A `ShardFilter`, resolved when the listing began: its pages show one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Filter {
    AtTrimHorizon,
    /// Open at this moment.
    AtLatest {
        at_ms: i64,
    },
    AtMs(i64),
    FromMs(i64),
}

impl Cursor {
    /// The cursor of a listing of this stream.
    pub(crate) fn of_stream(of: Listing, key: &StreamKey, after: String, issued_ms: i64) -> Self {
        let (account, region) = (key.account.to_string(), key.region.to_string());
        Self { of, account, region, after, issued_ms }
    }
}

/// What makes and reads tokens.
pub(crate) struct TokenKey(hmac::Key);

impl TokenKey {
    /// From the stored key.
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// The text of a cursor.
    pub(crate) fn seal(&self, cursor: &Cursor) -> String {
        let mut token = serde_json::to_vec(cursor).expect("a cursor is plain data");
        let tag = hmac::sign(&self.0, &token);
        token.extend_from_slice(tag.as_ref());
        base64_simd::STANDARD.encode_to_string(&token)
    }

    /// Reads a text.
    ///
    /// # Errors
    /// `InvalidArgument` this server did not make it; `ExpiredNextToken` it is older than 300 s.
    pub(crate) fn open(&self, text: &str, now_ms: i64) -> Result<Cursor> {
        let cursor = self.read(text).ok_or_else(texts::next_token_malformed)?;
        if now_ms.saturating_sub(cursor.issued_ms) > LIFE_MS {
            return Err(texts::next_token_expired());
        }
        Ok(cursor)
    }

    fn read(&self, text: &str) -> Option<Cursor> {
        let token = base64_simd::STANDARD.decode_to_vec(text.as_bytes()).ok()?;
        let (body, tag) = token.split_at_checked(token.len().checked_sub(TAG_BYTES)?)?;
        hmac::verify(&self.0, body, tag).ok()?;
        serde_json::from_slice(body).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor() -> Cursor {
        let filter = Some(Filter::FromMs(-3));
        let of = Listing::Shards { stream: "s".into(), created_ms: 7, filter };
        Cursor::of_stream(of, &StreamKey::for_tests("s"), "shardId-1".into(), 1000)
    }

    #[test]
    fn a_token_lives_five_minutes() {
        let key = TokenKey::new(&[1; 32]);
        let text = key.seal(&cursor());
        assert_eq!(key.open(&text, 301_000).unwrap(), cursor());
        assert_eq!(key.open(&text, 301_001).unwrap_err().code(), "ExpiredNextTokenException");
    }

    #[test]
    fn forged_tokens_are_refused() {
        let key = TokenKey::new(&[1; 32]);
        let token = base64_simd::STANDARD.decode_to_vec(key.seal(&cursor())).unwrap();
        for i in 0..token.len() {
            let mut forged = token.clone();
            forged[i] ^= 1;
            let text = base64_simd::STANDARD.encode_to_string(&forged);
            assert_eq!(key.open(&text, 1000).unwrap_err().code(), "InvalidArgumentException");
        }
        let foreign = TokenKey::new(&[2; 32]).seal(&cursor());
        for text in ["", "a", "AAAA", "é", &foreign] {
            assert_eq!(key.open(text, 1000).unwrap_err().code(), "InvalidArgumentException");
        }
    }
}
