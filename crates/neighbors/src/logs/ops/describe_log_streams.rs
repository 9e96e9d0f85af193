//! `DescribeLogStreams`.

use super::shapes;
use crate::logs::errors::Result;
use crate::logs::groups::Group;
use crate::logs::service::Logs;
use crate::logs::stream::{Extent, Stream};
use crate::logs::texts;
use api::logs::{DescribeLogStreamsRequest, DescribeLogStreamsResponse, LogStream, OrderBy};
use base::Cx;
use std::cmp::Reverse;
use std::sync::Arc;

/// A stream and what is known of its events.
type Listed = (Arc<Stream>, Option<Extent>);

/// Describes the streams of a group, by their names or by their newest events.
///
/// # Errors
/// `ResourceNotFound`; `InvalidParameter`; `AccessDenied`.
pub(super) fn describe_log_streams(
    service: &Logs,
    cx: &Cx,
    input: &DescribeLogStreamsRequest,
) -> Result<DescribeLogStreamsResponse> {
    let names = (input.log_group_name.as_ref(), input.log_group_identifier.as_ref());
    let group = service.inner.named_group(cx, "DescribeLogStreams", names)?;
    let is_by_time = input.order_by == Some(OrderBy::LastEventTime);
    let mut streams = group.streams();
    if let Some(prefix) = &input.log_stream_name_prefix {
        if is_by_time {
            return Err(texts::order_and_prefix());
        }
        streams.retain(|stream| stream.name.starts_with(prefix.as_str()));
    }
    let mut listed: Vec<Listed> =
        streams.into_iter().map(|stream| (stream.clone(), stream.extent())).collect();
    let is_descending = input.descending == Some(true);
    let scope = format!("streams/{}/{is_by_time}/{is_descending}", group.id.arn());
    let token = (input.next_token.as_ref(), input.limit);
    // Streams without events are the oldest ones.
    let time = |(_, extent): &Listed| extent.map_or(0, |extent| extent.last_ms);
    let name = |(stream, _): &Listed| stream.name.to_string();
    let (listed, next_token) = match (is_by_time, is_descending) {
        (true, _) => {
            let sign = if is_descending { -1 } else { 1 };
            let key = |one: &Listed| (sign * time(one), name(one));
            listed.sort_by_key(key);
            shapes::page((service, scope), token, listed, key)?
        }
        (false, true) => {
            listed.reverse();
            shapes::page((service, scope), token, listed, |one| Reverse(name(one)))?
        }
        (false, false) => shapes::page((service, scope), token, listed, name)?,
    };
    let log_streams = Some(listed.iter().map(|one| described(&group, one)).collect());
    Ok(DescribeLogStreamsResponse { log_streams, next_token })
}

fn described(group: &Group, (stream, extent): &Listed) -> LogStream {
    LogStream {
        log_stream_name: Some((*stream.name).into()),
        creation_time: Some(stream.created_ms),
        first_event_timestamp: extent.map(|extent| extent.first_ms),
        last_event_timestamp: extent.map(|extent| extent.last_ms),
        last_ingestion_time: extent.map(|extent| extent.arrival_ms),
        upload_sequence_token: Some(stream.sequence_token().into()),
        arn: Some(group.id.stream_arn(&stream.name).into()),
        // So AWS says of each stream.
        stored_bytes: Some(0),
    }
}
