//! Whose the logs are.

use crate::{Catalog, Error, ErrorKind, LogId, Result, Transaction};
use bytes::Bytes;
use std::collections::HashSet;
use std::fmt;

/// The first number of a log that was never reserved.
pub(super) const NEXT_LOG: &[u8] = b"store/next-log";
/// Logs that somebody owns; the number follows.
const OWNED: &str = "store/log/";
/// Logs on their way out; the number follows.
pub(super) const REMOVALS: &str = "store/removal/";
/// The first number that is given.
const FIRST_LOG: u64 = 1;

fn key(prefix: &str, log: LogId) -> Vec<u8> {
    format!("{prefix}{:020}", log.0).into_bytes()
}

/// The key of a log on its way out.
pub(super) fn removal_key(log: LogId) -> Vec<u8> {
    key(REMOVALS, log)
}

/// A log's number in a key behind `prefix`; none when it is another key.
pub(super) fn parse_key(prefix: &str, key: &[u8]) -> Result<Option<LogId>> {
    let Some(number) = key.strip_prefix(prefix.as_bytes()) else { return Ok(None) };
    parse(number).map(|number| Some(LogId(number))).ok_or_else(|| unreadable(key))
}

fn parse(number: &[u8]) -> Option<u64> {
    std::str::from_utf8(number).ok()?.parse().ok()
}

fn unreadable(key: &[u8]) -> Error {
    Error::new(ErrorKind::Corrupt, format!("catalog row `{}` is unreadable", key.escape_ascii()))
}

/// The row of numbers says one behind which none is left.
pub(super) fn no_number() -> Error {
    unreadable(NEXT_LOG)
}

/// What the row of numbers says.
///
/// # Errors
/// `Corrupt` it cannot be read.
pub(super) fn next_log(value: Option<&[u8]>) -> Result<u64> {
    value.map_or(Ok(FIRST_LOG), |value| parse(value).ok_or_else(|| unreadable(NEXT_LOG)))
}

/// Makes a log that is nobody's a service's.
pub(crate) fn own(transaction: &mut Transaction, log: LogId, service: &str) {
    transaction.check(key(OWNED, log), None).put(key(OWNED, log), service.into());
}

/// Makes a log of a service nobody's, to be removed.
pub(crate) fn give_up(transaction: &mut Transaction, log: LogId, service: &'static str) {
    let owner = Bytes::from_static(service.as_bytes());
    transaction.check(key(OWNED, log), Some(owner));
    transaction.remove(key(OWNED, log)).put(removal_key(log), Vec::new());
}

/// A log with records that nobody owns.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Stranger {
    log: LogId,
    /// The catalog has never reserved a number so high.
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
    let (mut named, mut next) = (HashSet::new(), FIRST_LOG);
    for (key, value) in rows {
        if key == NEXT_LOG {
            next = next_log(Some(value))?;
        }
        for prefix in [OWNED, REMOVALS] {
            named.extend(parse_key(prefix, key)?);
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
/// `Corrupt` naming the first such log; a row of the store cannot be read.
pub(super) fn check(catalog: &dyn Catalog, logs: &[LogId], forgive: bool) -> Result<()> {
    let strangers = strangers(&catalog.scan(b"store/", None, usize::MAX), logs)?;
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
    use crate::catalog::{MemoryCatalog, Scope};

    /// A catalog with log 1, a removal of log 2, and three numbers given.
    fn catalog() -> std::sync::Arc<MemoryCatalog> {
        let catalog = MemoryCatalog::new();
        let mut transaction = Transaction::default();
        transaction.put(NEXT_LOG.to_vec(), b"4".to_vec());
        testkit::block_on(catalog.commit(transaction)).unwrap();
        let mut transaction = Transaction::default();
        transaction.own(LogId(1)).own(LogId(2));
        let scope = Scope::new(catalog.clone(), "kinesis");
        testkit::block_on(scope.commit_with_logs(transaction)).unwrap();
        let mut transaction = Transaction::default();
        transaction.give_up(LogId(2));
        testkit::block_on(scope.commit_with_logs(transaction)).unwrap();
        catalog
    }

    #[test]
    fn a_log_is_somebodys_or_on_its_way_out() {
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

    #[test]
    fn a_row_that_cannot_be_read_is_told() {
        for key in ["store/log/x", "store/removal/", "store/removal/-1"] {
            let catalog = MemoryCatalog::new();
            let mut transaction = Transaction::default();
            transaction.put(key.into(), Vec::new());
            testkit::block_on(catalog.commit(transaction)).unwrap();
            let refused = check(&*catalog, &[], false).unwrap_err();
            assert_eq!(refused.to_string(), format!("catalog row `{key}` is unreadable"));
        }
    }

    #[test]
    fn a_log_has_one_owner() {
        let check = |service, change: fn(&mut Transaction), want: Option<ErrorKind>| {
            let mut transaction = Transaction::default();
            change(&mut transaction);
            let scope = Scope::new(catalog(), service);
            let outcome = testkit::block_on(scope.commit_with_logs(transaction));
            assert_eq!(outcome.err().map(|e| e.kind()), want);
        };
        check("kinesis", |t| _ = t.give_up(LogId(1)), None);
        check("firehose", |t| _ = t.give_up(LogId(1)), Some(ErrorKind::Conflict));
        check("firehose", |t| _ = t.own(LogId(1)), Some(ErrorKind::Conflict));
        check("firehose", |t| _ = t.own(LogId(3)), None);
        check("kinesis", |t| _ = t.give_up(LogId(3)), Some(ErrorKind::Conflict));
        let mut past_the_part = Transaction::default();
        past_the_part.own(LogId(3));
        let scope = Scope::new(catalog(), "kinesis");
        let refused = testkit::block_on(scope.commit(past_the_part.clone())).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Invalid);
        let refused = testkit::block_on(catalog().commit(past_the_part)).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Invalid);
    }

    #[test]
    fn rows_are_those_of_the_table() {
        let rows = catalog().scan(b"", None, 9);
        let rows = rows.iter().map(|(k, v)| [k, v].map(|b| b.escape_ascii().to_string()));
        let want = [
            ["store/log/00000000000000000001", "kinesis"],
            ["store/next-log", "4"],
            ["store/removal/00000000000000000002", ""],
        ];
        assert_eq!(rows.collect::<Vec<_>>(), want.map(|row| row.map(String::from)));
    }
}
