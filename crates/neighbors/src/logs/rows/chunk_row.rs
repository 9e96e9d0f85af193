//! A chunk: records of a stream's log that follow each other, and what times are in them.

use serde::{Deserialize, Serialize};

/// As stored under the number of the log and its first record.
///
/// A stream whose last chunk went keeps an empty one, which says where the next one begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::logs) struct ChunkRow {
    pub(in crate::logs) first_ordinal: u64,
    /// The record behind its last one.
    pub(in crate::logs) next_ordinal: u64,
    /// Times of its oldest and of its newest event.
    pub(in crate::logs) first_ms: i64,
    pub(in crate::logs) last_ms: i64,
    /// When its last record came, by the store's clock.
    pub(in crate::logs) arrival_ms: i64,
    pub(in crate::logs) events: u64,
    /// Bytes of its records.
    pub(in crate::logs) bytes: u64,
}

impl ChunkRow {
    pub(in crate::logs) const PREFIX: &str = "chunk/";

    pub(in crate::logs) fn key(log: u64, first_ordinal: u64) -> Vec<u8> {
        format!("{}{log:020}/{first_ordinal:020}", Self::PREFIX).into_bytes()
    }

    /// What the keys of a log's chunks begin with.
    pub(in crate::logs) fn prefix(log: u64) -> Vec<u8> {
        format!("{}{log:020}/", Self::PREFIX).into_bytes()
    }

    /// The number of the log in a key.
    pub(in crate::logs) fn parse_key(key: &[u8]) -> Option<u64> {
        let rest = std::str::from_utf8(key).ok()?.strip_prefix(Self::PREFIX)?;
        rest.split_once('/')?.0.parse().ok()
    }

    /// One that has nothing, from this record on.
    pub(in crate::logs) fn empty(first_ordinal: u64) -> Self {
        let next_ordinal = first_ordinal;
        let (first_ms, last_ms, arrival_ms) = (0, 0, 0);
        Self { first_ordinal, next_ordinal, first_ms, last_ms, arrival_ms, events: 0, bytes: 0 }
    }

    /// Takes in a record behind its last one.
    pub(in crate::logs) fn add(&mut self, record: &ChunkRow) {
        let is_empty = self.events == 0;
        self.next_ordinal = record.next_ordinal;
        self.first_ms = if is_empty { record.first_ms } else { self.first_ms.min(record.first_ms) };
        self.last_ms = self.last_ms.max(record.last_ms);
        self.arrival_ms = self.arrival_ms.max(record.arrival_ms);
        self.events += record.events;
        self.bytes += record.bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        let mut row = ChunkRow::empty(7);
        kit::rows::check_round_trip(&row);
        let record = |ordinal, first_ms, last_ms| ChunkRow {
            first_ordinal: ordinal,
            next_ordinal: ordinal + 1,
            first_ms,
            last_ms,
            arrival_ms: last_ms,
            events: 2,
            bytes: 10,
        };
        row.add(&record(7, 50, 60));
        row.add(&record(8, 40, 45));
        let want = ChunkRow {
            first_ordinal: 7,
            next_ordinal: 9,
            first_ms: 40,
            last_ms: 60,
            arrival_ms: 60,
            events: 4,
            bytes: 20,
        };
        assert_eq!(row, want);
        kit::rows::check_round_trip(&row);
        assert_eq!(ChunkRow::parse_key(&ChunkRow::key(u64::MAX, 3)), Some(u64::MAX));
    }
}
