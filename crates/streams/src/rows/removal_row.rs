//! `removal/<log id>`: a log that no shard owns any more and whose bytes may still lie in the
//! store.
//!
//! Written by the transaction that removes the shard, removed when the store has nothing left of
//! the log: so a crash between the two forgets no bytes.

use serde::{Deserialize, Serialize};
use store::LogId;

/// A log to be removed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Removal {
    log_id: u64,
}

impl Removal {
    /// What the keys of all removals start with.
    pub(crate) const PREFIX: &str = "removal/";

    /// Of this log.
    pub(crate) fn of(log: LogId) -> Self {
        Self { log_id: log.0 }
    }

    /// The catalog key.
    pub(crate) fn key(self) -> Vec<u8> {
        format!("{}{:020}", Self::PREFIX, self.log_id).into_bytes()
    }

    /// The log.
    pub(crate) fn log(self) -> LogId {
        LogId(self.log_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        let row = Removal::of(LogId(7));
        super::super::check_round_trip(&row);
        assert_eq!(row.key(), b"removal/00000000000000000007");
    }
}
