//! `ListStreams`.

use crate::cursor::{Cursor, Listing};
use crate::directory::authorize;
use crate::errors::Result;
use crate::service::Streams;
use crate::shapes;
use crate::texts;
use api::kinesis::{ListStreamsInput, ListStreamsOutput};
use base::Cx;

/// Most streams of a page, and their number when the request names none (model).
const PAGE_STREAMS: usize = 100;

/// A page of the account's streams in this region, in order of their names.
///
/// # Errors
/// `InvalidArgument` a token of another listing; `ExpiredNextToken`; `AccessDenied`.
pub(crate) fn list_streams(
    streams: &Streams,
    cx: &Cx,
    input: &ListStreamsInput,
) -> Result<ListStreamsOutput> {
    authorize(cx, "ListStreams", "*")?;
    let inner = &streams.inner;
    let now_ms = inner.now_ms();
    let after = match &input.next_token {
        Some(token) => Some(after(cx, Cursor::open(inner, token, now_ms)?)?),
        None => input.exclusive_start_stream_name.as_ref().map(ToString::to_string),
    };
    let mut page = inner.directory.list(cx.account, &cx.region);
    page.retain(|stream| after.as_deref().is_none_or(|after| &*stream.key.name > after));
    let limit = input.limit.map_or(PAGE_STREAMS, |limit| PAGE_STREAMS.min(limit as usize));
    let has_more_streams = page.len() > limit;
    page.truncate(limit);
    let next_token = page.last().filter(|_| has_more_streams).map(|last| {
        let after = last.key.name.to_string();
        Cursor::of_stream(Listing::Streams, &last.key, after).seal(inner, now_ms)
    });
    Ok(ListStreamsOutput {
        stream_names: page.iter().map(|stream| shapes::text(&stream.key.name)).collect(),
        has_more_streams,
        next_token,
        stream_summaries: Some(page.iter().map(|s| shapes::stream_summary(s)).collect()),
    })
}

fn after(cx: &Cx, cursor: Cursor) -> Result<String> {
    let mine = cursor.account == cx.account.as_str() && cursor.region == cx.region.as_str();
    if cursor.of == Listing::Streams && mine {
        return Ok(cursor.after);
    }
    Err(texts::next_token_of_another())
}
