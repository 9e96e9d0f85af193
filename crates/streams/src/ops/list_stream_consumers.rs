//! `ListStreamConsumers`.

use crate::cursor::{Cursor, Listing};
use crate::errors::Result;
use crate::service::Streams;
use crate::shapes;
use crate::texts::{self, stream_not_found};
use api::kinesis::{ListStreamConsumersInput, ListStreamConsumersOutput};
use base::Cx;

/// Most consumers of a page, and their number when the request names none (model).
const PAGE_CONSUMERS: usize = 100;

/// A page of a stream's consumers in order of their names.
///
/// # Errors
/// `ResourceNotFound` no such stream, or not made when `StreamCreationTimestamp` says;
/// `InvalidArgument` a token of another listing, or beside `StreamCreationTimestamp`;
/// `ExpiredNextToken`.
pub(crate) fn list_stream_consumers(
    streams: &Streams,
    cx: &Cx,
    input: &ListStreamConsumersInput,
) -> Result<ListStreamConsumersOutput> {
    let inner = &streams.inner;
    let now_ms = inner.now_ms();
    let arn = Some(&input.stream_arn);
    let stream = inner.directory.find(cx, "ListStreamConsumers", None, arn)?;
    let view = stream.view();
    if input.stream_creation_timestamp.is_some_and(|at| !shapes::is_created_at(&view.row, at)) {
        return Err(stream_not_found(&stream.key));
    }
    let of =
        Listing::Consumers { stream: stream.key.name.to_string(), created_ms: view.row.created_ms };
    let after = match &input.next_token {
        None => String::new(),
        Some(_) if input.stream_creation_timestamp.is_some() => {
            return Err(texts::beside_next_token("StreamCreationTimestamp"));
        }
        Some(token) => {
            let cursor = Cursor::open(inner, token, now_ms)?;
            let again = Cursor::of_stream(of.clone(), &stream.key, cursor.after);
            if (&cursor.of, &cursor.account) != (&again.of, &again.account) {
                return Err(texts::next_token_of_another());
            }
            again.after
        }
    };
    let consumers = stream.consumers.read();
    let limit = input.max_results.map_or(PAGE_CONSUMERS, |max| PAGE_CONSUMERS.min(max as usize));
    let mut page: Vec<_> =
        consumers.values().filter(|c| *c.key.name > *after).take(limit + 1).collect();
    let more = page.len() > limit;
    page.truncate(limit);
    let next_token = page.last().filter(|_| more).map(|last| {
        let cursor = Cursor::of_stream(of, &stream.key, last.key.name.to_string());
        cursor.seal(inner, now_ms)
    });
    let shown = page.iter().map(|consumer| shapes::consumer(consumer)).collect();
    Ok(ListStreamConsumersOutput { consumers: Some(shown), next_token })
}
