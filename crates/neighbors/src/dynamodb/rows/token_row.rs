//! `token/<account>/<region>/<hash of the token>`: a transaction that was made under a
//! `ClientRequestToken`, so that a retry of it is not made again.

use base::{AccountId, Region};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

/// How long a token is remembered (model's documentation).
pub(in crate::dynamodb) const TOKEN_LIFE_MS: i64 = 600_000;

/// A transaction that was made.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(in crate::dynamodb) struct TokenRow {
    /// SHA-256 of what was asked for, in hex.
    pub(in crate::dynamodb) request: String,
    pub(in crate::dynamodb) made_ms: i64,
}

impl TokenRow {
    /// What the keys of an account's tokens in a region start with.
    pub(in crate::dynamodb) fn prefix(account: AccountId, region: &Region) -> String {
        format!("token/{account}/{region}/")
    }

    /// The catalog key.
    pub(in crate::dynamodb) fn key(account: AccountId, region: &Region, token: &str) -> Vec<u8> {
        let token = base::hex::encode(digest(&SHA256, token.as_bytes()).as_ref());
        format!("{}{token}", Self::prefix(account, region)).into_bytes()
    }

    /// Whether a retry may still come.
    pub(in crate::dynamodb) fn lives(&self, now_ms: i64) -> bool {
        now_ms.saturating_sub(self.made_ms) < TOKEN_LIFE_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        let row = TokenRow { request: "00ff".into(), made_ms: 5 };
        kit::rows::check_round_trip(&row);
        assert!(row.lives(TOKEN_LIFE_MS + 4) && !row.lives(TOKEN_LIFE_MS + 5));
        let key = TokenRow::key(AccountId::DEFAULT, &Region::default(), "a/b");
        assert!(key.starts_with(b"token/000000000000/us-east-1/c14cddc033f64b9dea80ea675cf280a0"));
    }
}
