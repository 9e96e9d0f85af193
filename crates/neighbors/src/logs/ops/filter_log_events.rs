//! `FilterLogEvents`.

use super::shapes::ROOM_WAIT;
use crate::logs::errors::{Result, fail};
use crate::logs::groups::Group;
use crate::logs::pattern::Pattern;
use crate::logs::place::Place;
use crate::logs::scan::{Found, Query, ROOM_BYTES, scan};
use crate::logs::service::Logs;
use crate::logs::stream::Stream;
use crate::logs::texts;
use api::logs::{FilterLogEventsRequest, FilterLogEventsResponse, FilteredLogEvent};
use base::Cx;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Most events of an answer (model).
const EVENTS_MAX: i32 = 10_000;

/// Where a search goes on.
#[derive(Serialize, Deserialize)]
struct Cursor {
    group: String,
    after: Place,
}

/// Searches the streams of a group for events, in order of their times. A page may be empty and
/// lead on.
///
/// # Errors
/// `ResourceNotFound`; `InvalidParameter`; `AccessDenied`; what the store says.
pub(super) async fn filter_log_events(
    service: &Logs,
    cx: &Cx,
    input: &FilterLogEventsRequest,
) -> Result<FilterLogEventsResponse> {
    let inner = &service.inner;
    let names = (input.log_group_name.as_ref(), input.log_group_identifier.as_ref());
    let group = inner.named_group(cx, "FilterLogEvents", names)?;
    let pattern = match &input.filter_pattern {
        Some(text) => Some(Pattern::parse(text).ok_or_else(texts::invalid_pattern)?),
        None => None,
    };
    let streams = streams(&group, input)?;
    let after = after(service, &group, input)?;
    let room = cx.memory.wait(&*inner.env.clock, ROOM_BYTES, ROOM_WAIT).await;
    let _room = room.ok_or_else(texts::no_memory)?;
    let kept_from = group.retention_ms().map_or(0, |kept_ms| inner.now_ms() - kept_ms);
    let query = Query {
        streams: &streams,
        from_ms: input.start_time.unwrap_or(0).max(kept_from),
        // The last ms is one of them (model's documentation).
        to_ms: input.end_time.map_or(i64::MAX, |end_ms| end_ms.saturating_add(1)),
        after,
        newest_first: input.start_from_head == Some(false),
        events_max: input.limit.unwrap_or(EVENTS_MAX).unsigned_abs() as usize,
        pattern: pattern.as_ref(),
    };
    let page = scan(&query).await.map_err(|e| fail(cx.request_id, &e))?;
    let next = page.next.map(|after| Cursor { group: group.id.arn(), after });
    Ok(FilterLogEventsResponse {
        events: Some(page.events.into_iter().map(shown).collect()),
        searched_log_streams: Some(Vec::new()),
        next_token: next.map(|next| inner.tokens.seal(&next, service.now_ms()).into()),
    })
}

/// The streams that are searched.
fn streams(group: &Group, input: &FilterLogEventsRequest) -> Result<Vec<Arc<Stream>>> {
    match (&input.log_stream_names, &input.log_stream_name_prefix) {
        (Some(_), Some(_)) => Err(texts::names_and_prefix()),
        (Some(names), None) => {
            let mut streams = Vec::with_capacity(names.len());
            for name in names {
                let stream = group.stream(name).ok_or_else(texts::no_such_stream)?;
                if !streams.iter().any(|known| Arc::ptr_eq(known, &stream)) {
                    streams.push(stream);
                }
            }
            Ok(streams)
        }
        (None, prefix) => {
            let mut streams = group.streams();
            if let Some(prefix) = prefix {
                streams.retain(|stream| stream.name.starts_with(prefix.as_str()));
            }
            Ok(streams)
        }
    }
}

fn after(service: &Logs, group: &Group, input: &FilterLogEventsRequest) -> Result<Option<Place>> {
    let Some(token) = &input.next_token else { return Ok(None) };
    let opened = service.inner.tokens.open::<Cursor>(token, service.now_ms()).ok();
    let cursor = opened.filter(|cursor| cursor.group == group.id.arn());
    cursor.map(|cursor| Some(cursor.after)).ok_or_else(texts::invalid_token)
}

fn shown(found: Found) -> FilteredLogEvent {
    FilteredLogEvent {
        log_stream_name: Some((*found.stream).into()),
        timestamp: Some(found.place.at_ms),
        event_id: Some(found.place.id().into()),
        message: Some(found.message.into()),
        ingestion_time: Some(found.arrival_ms),
    }
}
