//! Numbers of logs: reserved by the thousand, so that most logs are made without a commit of their
//! own, and given once. A crash loses what was reserved and not given.

use super::owners;
use crate::{Catalog, ErrorKind, LogId, Result, Transaction};
use parking_lot::Mutex;
use std::ops::Range;
use std::sync::Arc;

/// Numbers reserved at once; more when more are asked for.
const RESERVED: usize = 1024;

/// See the module.
pub(super) struct LogIds {
    catalog: Arc<dyn Catalog>,
    reserved: Mutex<Range<u64>>,
}

impl LogIds {
    pub(super) fn new(catalog: Arc<dyn Catalog>) -> Self {
        Self { catalog, reserved: Mutex::default() }
    }

    /// As [`super::Part::take_logs`].
    pub(super) async fn take(&self, count: usize) -> Result<Vec<LogId>> {
        loop {
            if let Some(taken) = self.take_reserved(count as u64) {
                return Ok(taken.map(LogId).collect());
            }
            self.reserve(count.max(RESERVED) as u64).await?;
        }
    }

    fn take_reserved(&self, count: u64) -> Option<Range<u64>> {
        let mut reserved = self.reserved.lock();
        let end = reserved.start.checked_add(count)?;
        (end <= reserved.end).then(|| std::mem::replace(&mut reserved.start, end)..end)
    }

    async fn reserve(&self, count: u64) -> Result<()> {
        let before = self.catalog.get(owners::NEXT_LOG);
        let start = owners::next_log(before.as_deref())?;
        let end = start.checked_add(count).ok_or_else(owners::no_number)?;
        let mut transaction = Transaction::default();
        transaction.check(owners::NEXT_LOG.to_vec(), before);
        transaction.put(owners::NEXT_LOG.to_vec(), end.to_string().into_bytes());
        match self.catalog.commit(transaction).await {
            Ok(()) => {}
            // Somebody else reserved some meanwhile, perhaps enough for both.
            Err(e) if e.kind() == ErrorKind::Conflict => return Ok(()),
            Err(e) => return Err(e),
        }
        let mut reserved = self.reserved.lock();
        // What is left of another reservation is given up, unless this one follows it.
        let first = if reserved.end == start { reserved.start } else { start };
        *reserved = first..end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::MemoryCatalog;
    use crate::{Job, Keys, Order};
    use bytes::Bytes;
    use std::future::Future as _;
    use std::task::Poll;
    use testkit::block_on;

    fn take(ids: &LogIds, count: usize) -> Vec<u64> {
        block_on(ids.take(count)).unwrap().iter().map(|id| id.0).collect()
    }

    #[test]
    fn no_number_is_given_twice() {
        let catalog = MemoryCatalog::new();
        let ids = LogIds::new(catalog.clone());
        assert_eq!(take(&ids, 0), [0; 0]);
        assert_eq!(catalog.get(owners::NEXT_LOG), None, "nothing was needed");
        assert_eq!(take(&ids, 2), [1, 2]);
        assert_eq!(take(&ids, 1), [3]);
        assert_eq!(catalog.get(owners::NEXT_LOG).unwrap(), "1025");
        let many = take(&ids, 3000);
        assert_eq!((many[0], many[2999], many.len()), (4, 3003, 3000));
        // The next life knows what was reserved, not what was given.
        let next = owners::next_log(catalog.get(owners::NEXT_LOG).as_deref()).unwrap();
        assert!(next > 3003);
        assert_eq!(take(&LogIds::new(catalog), 1), [next]);
    }

    /// A catalog whose commits resolve when they are polled a second time.
    struct Late(Arc<MemoryCatalog>);

    impl Catalog for Late {
        fn get(&self, key: &[u8]) -> Option<Bytes> {
            self.0.get(key)
        }

        fn range(&self, keys: &Keys, order: Order, rows_max: usize) -> Vec<(Bytes, Bytes)> {
            self.0.range(keys, order, rows_max)
        }

        fn commit(&self, transaction: Transaction) -> Job<'_, ()> {
            let mut polled = false;
            Box::pin(async move {
                std::future::poll_fn(|cx| {
                    cx.waker().wake_by_ref();
                    if std::mem::replace(&mut polled, true) {
                        Poll::Ready(())
                    } else {
                        Poll::Pending
                    }
                })
                .await;
                self.0.commit(transaction).await
            })
        }

        fn close(&self) -> Job<'_, ()> {
            self.0.close()
        }

        fn trouble(&self) -> Option<String> {
            self.0.trouble()
        }
    }

    /// Both read the row before either commits, so one of the commits conflicts.
    #[test]
    fn two_that_ask_at_once_share_nothing() {
        for (first, second) in [(1, 1), (1000, 1000), (1, 3000), (3000, 1)] {
            let catalog = MemoryCatalog::new();
            let ids = LogIds::new(Arc::new(Late(catalog)));
            let (mut one, mut other) = (Box::pin(ids.take(first)), Box::pin(ids.take(second)));
            let (mut all, mut left) = (Vec::new(), 2);
            block_on(std::future::poll_fn(|cx| {
                for asked in [&mut one, &mut other] {
                    if let Poll::Ready(taken) = asked.as_mut().poll(cx) {
                        all.extend(taken.unwrap());
                        *asked = Box::pin(ids.take(0));
                        left -= 1;
                    }
                }
                if left <= 0 { Poll::Ready(()) } else { Poll::Pending }
            }));
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), first + second);
        }
    }

    #[test]
    fn a_damaged_row_is_told() {
        let catalog = MemoryCatalog::new();
        let mut transaction = Transaction::default();
        for number in ["1x", "", "18446744073709551615"] {
            transaction.put(owners::NEXT_LOG.to_vec(), number.into());
            block_on(catalog.commit(transaction.clone())).unwrap();
            let refused = block_on(LogIds::new(catalog.clone()).take(1)).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::Corrupt, "{number}");
        }
    }
}
