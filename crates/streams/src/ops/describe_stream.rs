//! `DescribeStream`.

use crate::errors::Result;
use crate::retention::{horizon_ms, is_expired};
use crate::rows::Status;
use crate::service::Streams;
use crate::shapes;
use crate::shard::{Shard, parse_shard_id};
use crate::stream::{Stream, StreamView};
use crate::texts::shard_not_found;
use api::kinesis::{DescribeStreamInput, DescribeStreamOutput, StreamDescription};
use base::Cx;

/// Most shards of a page, whatever limit the request names (model).
const PAGE_SHARDS: usize = 100;

/// A stream with a page of its shards, closed ones included, none while it is `CREATING`.
///
/// # Errors
/// `ResourceNotFound` no such stream, or `ExclusiveStartShardId` is no id of a shard.
pub(crate) fn describe_stream(
    streams: &Streams,
    cx: &Cx,
    input: &DescribeStreamInput,
) -> Result<DescribeStreamOutput> {
    let inner = &streams.inner;
    let (name, arn) = (input.stream_name.as_ref(), input.stream_arn.as_ref());
    let stream = inner.directory.find(cx, "DescribeStream", name, arn)?;
    let after = match &input.exclusive_start_shard_id {
        Some(id) => Some(parse_shard_id(id).ok_or_else(|| shard_not_found(&stream.key, id))?),
        None => None,
    };
    let view = stream.view();
    let horizon_ms = horizon_ms(&view.row, &inner.guard);
    let limit = input.limit.map_or(PAGE_SHARDS, |limit| PAGE_SHARDS.min(limit as usize));
    let mut page = Vec::new();
    if view.row.status != Status::Creating {
        let wanted = |shard: &&Shard| {
            after.is_none_or(|after| shard.row.index > after) && !is_expired(&shard.row, horizon_ms)
        };
        page.extend(view.shards.iter().map(|shard| &**shard).filter(wanted).take(limit + 1));
    }
    let has_more_shards = page.len() > limit;
    page.truncate(limit);
    let stream_description = description(&stream, &view, &page, has_more_shards);
    Ok(DescribeStreamOutput { stream_description })
}

fn description(
    stream: &Stream,
    view: &StreamView,
    page: &[&Shard],
    has_more_shards: bool,
) -> StreamDescription {
    let row = &view.row;
    let (encryption_type, key_id) = shapes::encryption(row);
    StreamDescription {
        stream_name: shapes::text(&stream.key.name),
        stream_arn: shapes::text(&stream.arn),
        stream_status: shapes::status(row.status),
        stream_mode_details: Some(shapes::mode(row.mode)),
        shards: page.iter().map(|shard| shapes::shard(shard)).collect(),
        has_more_shards,
        retention_period_hours: row.retention_hours.cast_signed(),
        stream_creation_timestamp: shapes::created(row),
        enhanced_monitoring: shapes::monitoring(row),
        encryption_type,
        key_id,
    }
}
