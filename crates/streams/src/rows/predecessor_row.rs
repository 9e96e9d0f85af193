//! `predecessor/<account>/<region>/<name>`: what a deleted stream leaves to one that takes its name
//! before the clock has passed everything that the old one was told by.
//!
//! Sequence numbers tell shards, and ARNs tell consumers, by the second of their creation. A stream
//! that is deleted and made again within that second, or under a clock that was set back, begins
//! behind it. Removed once the clock has passed it.

use crate::stream::StreamKey;
use serde::{Deserialize, Serialize};

/// What is left of a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Predecessor {
    /// The last created second of its shards and consumers.
    pub(crate) last_s: i64,
    /// That of its shards alone; `None` = as above, in rows of before.
    #[serde(default)]
    pub(crate) shard_s: Option<i64>,
}

/// How old the shards of a new stream are: AWS's are some seconds old when they are first seen, so
/// that no record arrives in the second of their making (observed).
pub(crate) const AGE_S: i64 = 3;

impl Predecessor {
    /// Whether a stream made now is told from this one by its second.
    pub(crate) fn is_passed(self, now_ms: i64) -> bool {
        self.last_s + AGE_S < now_ms.div_euclid(1000)
    }

    /// What the keys of all start with.
    pub(crate) const PREFIX: &str = "predecessor/";

    /// The catalog key.
    pub(crate) fn key(stream: &StreamKey) -> Vec<u8> {
        format!("{}{}/{}/{}", Self::PREFIX, stream.account, stream.region, stream.name).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        super::super::check_round_trip(&Predecessor { last_s: 7, shard_s: Some(6) });
        let before: Predecessor = super::super::decode(b"k", b"{\"last_s\":7}").unwrap();
        assert_eq!(before, Predecessor { last_s: 7, shard_s: None });
        let key = Predecessor::key(&StreamKey::for_tests("s"));
        assert_eq!(key, b"predecessor/000000000000/us-east-1/s");
    }
}
