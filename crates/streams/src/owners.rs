//! Whose the logs of the store are.
//!
//! A log gets its first record after the catalog has the shard that owns it, and is named in a
//! removal until nothing is left of it. So records that nobody owns are of a catalog that is older
//! than they are; served, it would hand their log to another stream.

use crate::rows::{self, LogCounter, Removal, ShardRow};
use bytes::Bytes;
use std::collections::HashSet;
use std::fmt;
use store::{Catalog, Error, ErrorKind, LogId, Result};

/// A log with records that no row of the catalog names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Stranger {
    log: LogId,
    /// The catalog has never given a number so high.
    is_ahead: bool,
}

impl fmt::Display for Stranger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.log.0;
        write!(f, "log {id} holds records and no row of the catalog names it")?;
        if self.is_ahead {
            write!(f, "; the catalog has not given this number yet")?;
        }
        Ok(())
    }
}

/// Those of `logs` that no row of a whole catalog names, in order.
///
/// # Errors
/// `Corrupt` a row cannot be read.
pub fn strangers(rows: &[(Bytes, Bytes)], logs: &[LogId]) -> Result<Vec<Stranger>> {
    let (mut named, mut next) = (HashSet::new(), LogCounter::FIRST);
    for (key, value) in rows {
        if key.starts_with(ShardRow::PREFIX.as_bytes()) {
            named.insert(rows::decode::<ShardRow>(key, value)?.log());
        } else if key.starts_with(Removal::PREFIX.as_bytes()) {
            named.insert(rows::decode::<Removal>(key, value)?.log());
        } else if key.as_ref() == LogCounter::KEY {
            next = LogCounter::parse_next(value)?;
        }
    }
    let strangers = logs.iter().filter(|log| log.0 >= next || !named.contains(log));
    let mut strangers: Vec<_> =
        strangers.map(|log| Stranger { log: *log, is_ahead: log.0 >= next }).collect();
    strangers.sort();
    Ok(strangers)
}

/// Refuses records that nobody owns; nothing of them is touched.
///
/// `forgive`: those whose removal may have been given up with a part of the journal are left alone.
///
/// # Errors
/// `Corrupt` naming the first such log.
pub(crate) fn check(catalog: &dyn Catalog, logs: &[LogId], forgive: bool) -> Result<()> {
    if logs.is_empty() {
        return Ok(());
    }
    let strangers = strangers(&catalog.scan(b"", None, usize::MAX), logs)?;
    for stranger in &strangers {
        if stranger.is_ahead || !forgive {
            let others = match strangers.len() {
                1 => String::new(),
                more => format!(" (and {} more)", more - 1),
            };
            let message = format!(
                "{stranger}{others}: the catalog is older than the records; put back the newest \
                 copy of it, or the whole data directory from one copy"
            );
            return Err(Error::new(ErrorKind::Corrupt, message));
        }
        tracing::error!("{stranger}: it is left alone, as a damaged journal was to be cut");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::HashRange;
    use crate::stream::StreamKey;
    use store::Transaction;
    use store::catalog::MemoryCatalog;

    /// A catalog with one shard, whose log is 1, a removal of log 2, and 3 numbers given.
    fn catalog() -> std::sync::Arc<MemoryCatalog> {
        let catalog = MemoryCatalog::new();
        let mut transaction = Transaction::default();
        let mut counter = LogCounter::load(&*catalog).unwrap();
        let ids = [(); 3].map(|()| counter.take());
        let row = ShardRow {
            index: 0,
            log_id: ids[0].0,
            range: HashRange { start: 0, end: u128::MAX },
            created_s: 1,
            opened_ms: 1,
            parent: None,
            adjacent_parent: None,
            closed: None,
        };
        rows::put(&mut transaction, ShardRow::key(&StreamKey::for_tests("s"), 0), &row);
        let removal = Removal::of(ids[1]);
        rows::put(&mut transaction, removal.key(), &removal);
        counter.save(&mut transaction);
        testkit::block_on(catalog.commit(transaction)).unwrap();
        catalog
    }

    #[test]
    fn a_log_is_its_shards_or_on_its_way_out() {
        let check = |log: u64, forgive, want: Option<&str>| {
            let refused = check(&*catalog(), &[LogId(log)], forgive).err();
            assert_eq!(refused.as_ref().map(Error::kind), want.map(|_| ErrorKind::Corrupt));
            let text = refused.map(|e| e.to_string()).unwrap_or_default();
            assert!(text.starts_with(want.unwrap_or_default()), "{text}");
        };
        check(1, false, None);
        check(2, false, None);
        check(3, false, Some("log 3 holds records and no row of the catalog names it: "));
        check(3, true, None);
        let ahead = "log 4 holds records and no row of the catalog names it; the catalog has not";
        check(4, false, Some(ahead));
        check(4, true, Some(ahead));
    }
}
