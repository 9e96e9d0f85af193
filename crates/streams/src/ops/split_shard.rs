//! `SplitShard`.

use crate::errors::Result;
use crate::hash::HashKey;
use crate::lifecycle;
use crate::limits::Quota;
use crate::reshard::{find_open, read_shard_id};
use crate::rows::{Change, Mode, Status};
use crate::service::Streams;
use crate::stream::StreamKey;
use crate::texts::{is_on_demand, split_outside, stream_not_active};
use api::kinesis::SplitShardInput;
use base::Cx;

/// Splits an open shard in two; the children appear when the stream is `ACTIVE` again.
///
/// # Errors
/// `ResourceNotFound` no such stream or shard; `InvalidArgument` the shard is closed, or the new
/// hash key is not well inside it; `LimitExceeded` the account's shards; `Validation` an on-demand
/// stream; `ResourceInUse` the stream is not `ACTIVE`.
pub(crate) async fn split_shard(streams: Streams, cx: Cx, input: SplitShardInput) -> Result<()> {
    let inner = &streams.inner;
    let (name, arn) = (input.stream_name.as_ref(), input.stream_arn.as_ref());
    let index = read_shard_id(&StreamKey::named(&cx, name, arn), &input.shard_to_split)?;
    let stream = inner.directory.find(&cx, "SplitShard", name, arn)?;
    let view = stream.view();
    if view.row.mode == Mode::OnDemand {
        return Err(is_on_demand(&stream.key));
    }
    let shard = find_open(&stream.key, &view, index)?;
    let at = HashKey::parse(&input.new_starting_hash_key)
        .filter(|at| {
            // One hash key more below than a split needs, as AWS has it (observed).
            shard.range().start.checked_add(1).is_some_and(|low| low < at.0)
                && at.0 < shard.range().end
        })
        .ok_or_else(|| split_outside(&stream.key, shard, &input.new_starting_hash_key))?;
    if view.row.status != Status::Active {
        return Err(stream_not_active(&stream.key, view.row.status));
    }
    let open = view.open.len() as u32;
    Quota::of(inner, &cx).check_growth(inner, &cx, open, open + 1)?;
    lifecycle::begin(inner, &cx, &stream, |row| {
        row.change = Some(Change::Split { shard: shard.row.index, at: at.0 });
        Ok(())
    })
    .await
}
