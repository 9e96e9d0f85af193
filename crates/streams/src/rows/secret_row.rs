//! `secret/tokens`: the random key under which shard iterators and paging tokens are sealed. Kept,
//! so that both survive a restart.

use serde::{Deserialize, Serialize};

/// Thirty-two random bytes; their debug form shows none.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Secret(pub(crate) [u8; 32]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// The catalog key.
    pub(crate) const KEY: &[u8] = b"secret/tokens";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        super::super::check_round_trip(&Secret([9; 32]));
        assert_eq!(format!("{:?}", Secret([9; 32])), "Secret");
    }
}
