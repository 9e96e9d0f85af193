//! `MergeShards`.

use crate::errors::Result;
use crate::lifecycle;
use crate::reshard::check_open;
use crate::rows::{Change, Mode};
use crate::service::Streams;
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
    let stream = inner.directory.find(&cx, "MergeShards", name, arn)?;
    let view = stream.view();
    if view.row.mode == Mode::OnDemand {
        return Err(is_on_demand(&stream.key));
    }
    let lower = view.find_shard(&stream.key, &input.shard_to_merge)?;
    let upper = view.find_shard(&stream.key, &input.adjacent_shard_to_merge)?;
    check_open(&stream.key, lower)?;
    check_open(&stream.key, upper)?;
    if lower.range().end.checked_add(1) != Some(upper.range().start) {
        return Err(not_adjacent(&stream.key, lower, upper));
    }
    lifecycle::begin(inner, &cx, &stream, |row| {
        row.change = Some(Change::Merge { lower: lower.row.index, upper: upper.row.index });
        Ok(())
    })
    .await
}
