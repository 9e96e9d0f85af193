//! `MergeShards`.

use crate::errors::Result;
use crate::lifecycle;
use crate::reshard::{find_open, read_shard_id};
use crate::rows::{Change, Mode};
use crate::service::Streams;
use crate::stream::StreamKey;
use crate::texts::{is_on_demand, not_adjacent};
use api::kinesis::MergeShardsInput;
use base::Cx;

/// Merges two open neighbours, the lower one named first; the child appears when the stream is
/// `ACTIVE` again.
///
/// # Errors
/// `ResourceNotFound` no such stream or shard; `InvalidArgument` a shard is closed, or the two are
/// not neighbours in this order; `Validation` an on-demand stream; `ResourceInUse` the stream is
/// not `ACTIVE`.
pub(crate) async fn merge_shards(streams: Streams, cx: Cx, input: MergeShardsInput) -> Result<()> {
    let inner = &streams.inner;
    let (name, arn) = (input.stream_name.as_ref(), input.stream_arn.as_ref());
    let named = StreamKey::named(&cx, name, arn);
    let lower = read_shard_id(&named, &input.shard_to_merge)?;
    let upper = read_shard_id(&named, &input.adjacent_shard_to_merge)?;
    let stream = inner.directory.find(&cx, "MergeShards", name, arn)?;
    let view = stream.view();
    if view.row.mode == Mode::OnDemand {
        return Err(is_on_demand(&stream.key));
    }
    let lower = find_open(&stream.key, &view, lower)?;
    let upper = find_open(&stream.key, &view, upper)?;
    if lower.range().end.checked_add(1) != Some(upper.range().start) {
        return Err(not_adjacent(&stream.key, lower, upper));
    }
    lifecycle::begin(inner, &cx, &stream, |row| {
        row.change = Some(Change::Merge { lower: lower.row.index, upper: upper.row.index });
        Ok(())
    })
    .await
}
