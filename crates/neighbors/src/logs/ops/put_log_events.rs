//! `PutLogEvents`.
//!
//! What it costs: each message is copied once into the record, which is one append and shares its
//! fdatasync with all that wait; an event costs 3 to 8 bytes beside its message, and 26 bytes of
//! count against the batch. A filter of the group looks at each message, and appends what it wants
//! to its own log in the same commit.

use crate::logs::access::own;
use crate::logs::errors::{Result, fail};
use crate::logs::groups::Group;
use crate::logs::record::Event;
use crate::logs::service::{Inner, Logs};
use crate::logs::stream::Stream;
use crate::logs::texts;
use api::logs::{InputLogEvent, PutLogEventsRequest, PutLogEventsResponse, RejectedLogEventsInfo};
use base::Cx;

/// Most bytes of a batch, each event with [`EVENT_BYTES`] (AWS's documentation).
const BATCH_BYTES_MAX: usize = 1_048_576;
const EVENT_BYTES: usize = 26;
/// Longest time between the first and the last event of a batch.
const SPAN_MS: i64 = 24 * 3_600_000;
/// How far an event may be ahead of now, and how old it may be.
const AHEAD_MS: i64 = 2 * 3_600_000;
const OLD_MS: i64 = 14 * 24 * 3_600_000;

/// Keeps events of a stream. Durable when this answers, but those that it says it left out: they
/// are too new or too old. Sequence tokens are taken and mean nothing.
///
/// # Errors
/// `InvalidParameter` a batch that is too large, too long, or out of order; `ResourceNotFound`;
/// `AccessDenied`; what the store says.
pub(super) async fn put_log_events(
    service: &Logs,
    cx: &Cx,
    input: &PutLogEventsRequest,
) -> Result<PutLogEventsResponse> {
    let inner = &service.inner;
    let id = own(cx, &input.log_group_name);
    let (group, stream) = inner.stream(cx, "PutLogEvents", (&id, &input.log_stream_name))?;
    let bytes = check(&input.log_events)?;
    let verdict = Verdict::of(&input.log_events, service.now_ms(), group.retention_ms());
    let events = &input.log_events[verdict.first..verdict.end];
    if !events.is_empty() {
        let events: Vec<Event<'_>> =
            events.iter().map(|event| (event.timestamp, event.message.as_str())).collect();
        let kept = append(inner, (&group, &stream), &events).await;
        kept.map_err(|e| fail(cx.request_id, &e))?;
        inner.came(bytes);
        inner.metrics.put(&group.id, (events.len(), bytes));
    }
    Ok(PutLogEventsResponse {
        next_sequence_token: Some(stream.sequence_token().into()),
        rejected_log_events_info: verdict.rejected,
        rejected_entity_info: None,
    })
}

/// Refuses what no batch may be; its bytes.
fn check(events: &[InputLogEvent]) -> Result<usize> {
    if !events.is_sorted_by_key(|event| event.timestamp) {
        return Err(texts::out_of_order());
    }
    let bytes = events.iter().map(|event| event.message.len() + EVENT_BYTES).sum();
    if bytes > BATCH_BYTES_MAX {
        return Err(texts::batch_too_large(bytes, BATCH_BYTES_MAX));
    }
    let time = |event: Option<&InputLogEvent>| event.map_or(0, |event| event.timestamp);
    if time(events.last()).saturating_sub(time(events.first())) > SPAN_MS {
        return Err(texts::batch_too_long());
    }
    Ok(bytes)
}

/// Which events of a batch are kept.
struct Verdict {
    first: usize,
    end: usize,
    rejected: Option<RejectedLogEventsInfo>,
}

impl Verdict {
    fn of(events: &[InputLogEvent], now_ms: i64, retention_ms: Option<i64>) -> Self {
        let before = |at_ms: i64| events.partition_point(|event| event.timestamp < at_ms);
        let old = before(now_ms.saturating_sub(OLD_MS));
        let expired = retention_ms.map_or(0, |kept_ms| before(now_ms.saturating_sub(kept_ms)));
        let end = before(now_ms.saturating_add(AHEAD_MS + 1));
        let first = old.max(expired).min(end);
        let index = |at: usize, is_set: bool| is_set.then_some(at as i32);
        let rejected = RejectedLogEventsInfo {
            too_new_log_event_start_index: index(end, end < events.len()),
            too_old_log_event_end_index: index(old, old > 0),
            expired_log_event_end_index: index(expired, expired > 0),
        };
        let rejected = (rejected != RejectedLogEventsInfo::default()).then_some(rejected);
        Self { first, end, rejected }
    }
}

/// Appends to the stream, and to the queues of filters that want something of it.
async fn append(
    inner: &Inner,
    (group, stream): (&Group, &Stream),
    events: &[Event<'_>],
) -> store::Result<()> {
    let (ordinal, pending) = stream.append(events, inner.now_ms())?;
    let mut offered = Ok(Vec::new());
    for filter in group.filters() {
        match filter.offer(&stream.name, (stream.log_id, ordinal), events) {
            Ok(queued) => _ = offered.as_mut().map(|offered| offered.extend(queued)),
            // Its filter was deleted at this moment.
            Err(e) if e.kind() == store::ErrorKind::Removed => {}
            Err(e) => offered = Err(e),
        }
    }
    let outcome = pending.await;
    stream.settle(ordinal, outcome.is_ok());
    outcome?;
    for queued in offered? {
        match queued.await {
            Err(e) if e.kind() == store::ErrorKind::Removed => {}
            queued => _ = queued?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out() {
        const NOW_MS: i64 = 100 * OLD_MS;
        const HOUR_MS: i64 = 3_600_000;
        let events = |hours: &[i64]| -> Vec<InputLogEvent> {
            let event = |hour: &i64| InputLogEvent {
                timestamp: NOW_MS + hour * HOUR_MS,
                message: "m".into(),
            };
            hours.iter().map(event).collect()
        };
        let of = |hours: &[i64], days: Option<i64>| {
            let kept = days.map(|days| days * 24 * HOUR_MS);
            let Verdict { first, end, rejected } = Verdict::of(&events(hours), NOW_MS, kept);
            let rejected = rejected.unwrap_or_default();
            let indexes = [
                rejected.too_old_log_event_end_index,
                rejected.expired_log_event_end_index,
                rejected.too_new_log_event_start_index,
            ];
            (first, end, indexes.map(|index| index.unwrap_or(-1)))
        };
        assert_eq!(of(&[-336, 0, 2], None), (0, 3, [-1, -1, -1]));
        assert_eq!(of(&[-337, -336, 2, 3], None), (1, 3, [1, -1, 3]));
        assert_eq!(of(&[-337, -336, -25, -24, 0], Some(1)), (3, 5, [1, 3, -1]));
        assert_eq!(of(&[3, 4], Some(1)), (0, 0, [-1, -1, 0]));
        assert_eq!(of(&[-400], Some(30)), (1, 1, [1, -1, -1]));
    }
}
