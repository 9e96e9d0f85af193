//! `GetLogEvents`.

use super::shapes::ROOM_WAIT;
use crate::logs::access::named;
use crate::logs::errors::{Result, fail};
use crate::logs::place::{Place, backward_token, forward_token, parse_token};
use crate::logs::scan::{Found, Query, ROOM_BYTES, scan};
use crate::logs::service::Logs;
use crate::logs::texts;
use api::logs::{GetLogEventsRequest, GetLogEventsResponse, OutputLogEvent};
use base::Cx;

/// Most events of an answer (model).
const EVENTS_MAX: i32 = 10_000;

/// Reads events of a stream in order of their times. Where there is nothing more in a direction the
/// token of that direction stays as it is.
///
/// # Errors
/// `ResourceNotFound`; `InvalidParameter`; `AccessDenied`; what the store says.
pub(super) async fn get_log_events(
    service: &Logs,
    cx: &Cx,
    input: &GetLogEventsRequest,
) -> Result<GetLogEventsResponse> {
    let inner = &service.inner;
    let id = named(cx, input.log_group_name.as_ref(), input.log_group_identifier.as_ref())?;
    let (group, stream) = inner.stream(cx, "GetLogEvents", (&id, &input.log_stream_name))?;
    let token = input.next_token.as_ref();
    let token =
        token.map(|token| parse_token(token).ok_or_else(texts::invalid_token)).transpose()?;
    let is_forward = token.map_or(input.start_from_head == Some(true), |(_, forward)| forward);
    let room = cx.memory.wait(&*inner.env.clock, ROOM_BYTES, ROOM_WAIT).await;
    let _room = room.ok_or_else(texts::no_memory)?;
    let kept_from = group.retention_ms().map_or(0, |kept_ms| inner.now_ms() - kept_ms);
    let streams = [stream];
    let query = Query {
        streams: &streams,
        from_ms: input.start_time.unwrap_or(0).max(kept_from),
        to_ms: input.end_time.unwrap_or(i64::MAX),
        after: token.map(|(place, _)| place),
        newest_first: !is_forward,
        events_max: input.limit.unwrap_or(EVENTS_MAX).unsigned_abs() as usize,
        pattern: None,
    };
    let mut page = scan(&query).await.map_err(|e| fail(cx.request_id, &e))?;
    if query.newest_first {
        page.events.reverse();
    }
    let here = token.map_or(Place::FIRST, |(place, _)| place);
    let of = |event: Option<&Found>| event.map(|event| event.place);
    // A page without events leads on where its scan ended.
    let end = if page.events.is_empty() { page.next.unwrap_or(here) } else { here };
    Ok(GetLogEventsResponse {
        next_forward_token: Some(forward_token(of(page.events.last()).unwrap_or(end)).into()),
        next_backward_token: Some(backward_token(of(page.events.first()).unwrap_or(end)).into()),
        events: Some(page.events.into_iter().map(shown).collect()),
    })
}

fn shown(found: Found) -> OutputLogEvent {
    OutputLogEvent {
        timestamp: Some(found.place.at_ms),
        message: Some(found.message.into()),
        ingestion_time: Some(found.arrival_ms),
    }
}
