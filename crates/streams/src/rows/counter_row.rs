//! `counter/log`: the next log id. Ids are taken in the transaction that stores the shard which
//! owns the log, so an id is never given twice and never lost sight of.

use serde::{Deserialize, Serialize};
use store::{Catalog, LogId, Result, Transaction};

/// Log ids taken so far, as read; `save` puts what was taken into a transaction.
#[derive(Debug)]
pub(crate) struct LogCounter {
    before: Option<bytes::Bytes>,
    row: CounterRow,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct CounterRow {
    next: u64,
}

impl LogCounter {
    /// The catalog key.
    pub(crate) const KEY: &[u8] = b"counter/log";

    /// The first id that is given.
    pub(crate) const FIRST: u64 = 1;

    /// The next id that a stored counter gives.
    pub(crate) fn parse_next(value: &[u8]) -> Result<u64> {
        super::decode::<CounterRow>(Self::KEY, value).map(|row| row.next)
    }

    /// Reads the counter.
    pub(crate) fn load(catalog: &dyn Catalog) -> Result<Self> {
        let before = catalog.get(Self::KEY);
        let row = match &before {
            Some(value) => super::decode(Self::KEY, value)?,
            None => CounterRow { next: Self::FIRST },
        };
        Ok(Self { before, row })
    }

    /// The next id.
    pub(crate) fn take(&mut self) -> LogId {
        let id = LogId(self.row.next);
        self.row.next += 1;
        id
    }

    /// Makes the ids taken part of a transaction, which fails when somebody else took some.
    pub(crate) fn save(self, transaction: &mut Transaction) {
        transaction.check(Self::KEY.to_vec(), self.before);
        super::put(transaction, Self::KEY.to_vec(), &self.row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        super::super::check_round_trip(&CounterRow { next: u64::MAX });
    }
}
