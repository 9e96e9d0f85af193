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

const KEY: &[u8] = b"counter/log";

impl LogCounter {
    /// Reads the counter.
    pub(crate) fn load(catalog: &dyn Catalog) -> Result<Self> {
        let before = catalog.get(KEY);
        let row = match &before {
            Some(value) => super::decode(KEY, value)?,
            None => CounterRow { next: 1 },
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
        transaction.check(KEY.to_vec(), self.before);
        super::put(transaction, KEY.to_vec(), &self.row);
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
