//! Paging tokens: where a listing goes on, as a text that only this server can make.
//!
//! ```text
//! cursor and time --JSON--> bytes | HMAC-SHA-256 --base64--> text
//! ```
//!
//! A token names the listing with all its parameters, so that the calls after the first need
//! nothing else.

use ring::hmac;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

const TAG_BYTES: usize = 32;

/// What makes and reads tokens.
pub struct TokenKey {
    key: hmac::Key,
    life_ms: i64,
}

/// Why a text is no token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TokenTrouble {
    /// This server did not make it.
    Malformed,
    /// It is older than tokens get.
    Expired,
}

/// What is in a token.
#[derive(Serialize, Deserialize)]
struct Sealed<C> {
    cursor: C,
    /// When it was made, epoch ms.
    issued_ms: i64,
}

impl TokenKey {
    /// From a key for this purpose, see [`crate::Secret::derive`]; a token lives `life_ms`.
    pub fn new(key: &[u8; 32], life_ms: i64) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key), life_ms }
    }

    /// The text of a cursor.
    ///
    /// # Panics
    /// A cursor that is no plain data with text keys.
    pub fn seal<C: Serialize>(&self, cursor: &C, now_ms: i64) -> String {
        let sealed = Sealed { cursor, issued_ms: now_ms };
        let mut token = serde_json::to_vec(&sealed).expect("a cursor is plain data");
        let tag = hmac::sign(&self.key, &token);
        token.extend_from_slice(tag.as_ref());
        base64_simd::STANDARD.encode_to_string(&token)
    }

    /// Reads a text.
    ///
    /// # Errors
    /// [`TokenTrouble`].
    pub fn open<C: DeserializeOwned>(&self, text: &str, now_ms: i64) -> Result<C, TokenTrouble> {
        let sealed: Sealed<C> = self.read(text).ok_or(TokenTrouble::Malformed)?;
        if now_ms.saturating_sub(sealed.issued_ms) > self.life_ms {
            return Err(TokenTrouble::Expired);
        }
        Ok(sealed.cursor)
    }

    fn read<C: DeserializeOwned>(&self, text: &str) -> Option<C> {
        let token = base64_simd::STANDARD.decode_to_vec(text.as_bytes()).ok()?;
        let (body, tag) = token.split_at_checked(token.len().checked_sub(TAG_BYTES)?)?;
        hmac::verify(&self.key, body, tag).ok()?;
        serde_json::from_slice(body).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CURSOR: (&str, i64) = ("shardId-1", -3);

    fn open(key: &TokenKey, text: &str, now_ms: i64) -> Result<(String, i64), TokenTrouble> {
        key.open(text, now_ms)
    }

    #[test]
    fn a_token_lives_its_time() {
        let key = TokenKey::new(&[1; 32], 300_000);
        let text = key.seal(&CURSOR, 1000);
        assert_eq!(open(&key, &text, 301_000), Ok((CURSOR.0.to_owned(), CURSOR.1)));
        assert_eq!(open(&key, &text, 301_001), Err(TokenTrouble::Expired));
    }

    #[test]
    fn forged_tokens_are_refused() {
        let key = TokenKey::new(&[1; 32], 300_000);
        let token = base64_simd::STANDARD.decode_to_vec(key.seal(&CURSOR, 1000)).unwrap();
        for i in 0..token.len() {
            let mut forged = token.clone();
            forged[i] ^= 1;
            let text = base64_simd::STANDARD.encode_to_string(&forged);
            assert_eq!(open(&key, &text, 1000), Err(TokenTrouble::Malformed));
        }
        let foreign = TokenKey::new(&[2; 32], 300_000).seal(&CURSOR, 1000);
        for text in ["", "a", "AAAA", "é", &foreign] {
            assert_eq!(open(&key, text, 1000), Err(TokenTrouble::Malformed));
        }
        let other = key.seal(&"of another shape", 1000);
        assert_eq!(open(&key, &other, 1000), Err(TokenTrouble::Malformed));
    }
}
