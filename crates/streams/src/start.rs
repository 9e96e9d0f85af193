//! Where a reader starts: the five types that `GetShardIterator` and `SubscribeToShard` share.

use crate::errors::{Result, fail};
use crate::sequence::{SequenceNumber, Used};
use crate::shard::Shard;
use crate::stream::Stream;
use crate::texts;
use api::kinesis::ShardIteratorType;
use api::{Text, Timestamp};
use base::Cx;

/// A starting position as a client gives it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start<'a> {
    /// AWS's name of the operation, for the texts of refusals.
    pub(crate) operation: &'static str,
    pub(crate) kind: ShardIteratorType,
    pub(crate) sequence_number: Option<&'a Text>,
    pub(crate) timestamp: Option<Timestamp>,
}

impl Start<'_> {
    /// Ordinal of the first record to read, never older than the oldest kept one and never beyond
    /// the tip: a number that the shard has not reached yet means the tip, so that nothing is
    /// skipped.
    ///
    /// # Errors
    /// `InvalidArgument` in AWS's words: a type with what it does not take or without what it
    /// needs, a number of another shard or stream, a time in the future.
    pub(crate) async fn ordinal(
        &self,
        cx: &Cx,
        stream: &Stream,
        shard: &Shard,
        latest_ms: i64,
    ) -> Result<u64> {
        let tail = shard.log.tail();
        let number = |text| self.number(stream, shard, text);
        let wanted = match (self.kind, self.sequence_number) {
            (ShardIteratorType::AtSequenceNumber, Some(text)) => number(text)?.ordinal_at(),
            (ShardIteratorType::AfterSequenceNumber, Some(text)) => number(text)?.ordinal_after(),
            (
                ShardIteratorType::AtSequenceNumber | ShardIteratorType::AfterSequenceNumber,
                None,
            ) => {
                return Err(texts::number_missing(self.kind));
            }
            (_, Some(_)) => return Err(texts::number_beside(self.kind)),
            (ShardIteratorType::TrimHorizon, None) => tail.first_ordinal,
            (ShardIteratorType::Latest, None) => tail.next_ordinal,
            (ShardIteratorType::AtTimestamp, None) => {
                // After a clock was set back the newest records are from its future, and so are
                // the first ones of a shard whose own second has not come.
                let shown_ms = tail.last_arrival_ms.max(shard.created_ms());
                let has_any = tail.next_ordinal > 0;
                let newest_ms = if has_any { latest_ms.max(shown_ms) } else { latest_ms };
                let at_ms = self.time(newest_ms, latest_ms)?;
                if at_ms <= shard.created_ms() {
                    tail.first_ordinal
                } else {
                    shard.log.find_arrival(at_ms).await.map_err(|e| fail(cx, &e))?
                }
            }
        };
        // The tail again: what arrived meanwhile may be what the search found.
        let tail = shard.log.tail();
        Ok(wanted.min(tail.next_ordinal).max(tail.first_ordinal))
    }

    fn number(&self, stream: &Stream, shard: &Shard, text: &str) -> Result<SequenceNumber> {
        let used = Used {
            shard_index: shard.row.index,
            created_s: shard.row.created_s,
            shard_id: shard.id.as_str(),
            stream: &stream.key.name,
            account: stream.key.account.as_str(),
        };
        used.resolve(self.operation, text)
    }

    fn time(&self, newest_ms: i64, now_ms: i64) -> Result<i64> {
        let Some(Timestamp(at_ms)) = self.timestamp else {
            return Err(texts::no_timestamp());
        };
        if at_ms > newest_ms {
            return Err(texts::timestamp_ahead(at_ms, now_ms));
        }
        Ok(at_ms)
    }
}
