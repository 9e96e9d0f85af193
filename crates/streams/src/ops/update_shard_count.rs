//! `UpdateShardCount`.

use crate::errors::Result;
use crate::lifecycle;
use crate::limits::{Quota, ration};
use crate::rows::{Change, Mode, Status};
use crate::service::{Inner, Streams};
use crate::shapes;
use crate::texts::{self, is_on_demand, stream_not_active};
use api::kinesis::{UpdateShardCountInput, UpdateShardCountOutput};
use base::Cx;

/// Updates of a stream's shard count in 24 hours (model).
const UPDATES_MAX: usize = 10;

/// Brings a provisioned stream to a number of open shards of even size. The number it has already
/// is fine and changes nothing.
///
/// # Errors
/// `ResourceNotFound`; `Validation` an on-demand stream; `ResourceInUse` not `ACTIVE`;
/// `LimitExceeded` more than double or less than half the open shards, more than ten updates a day,
/// or the shards of stream or account.
pub(crate) async fn update_shard_count(
    streams: Streams,
    cx: Cx,
    input: UpdateShardCountInput,
) -> Result<UpdateShardCountOutput> {
    let inner = &streams.inner;
    let (name, arn) = (input.stream_name.as_ref(), input.stream_arn.as_ref());
    let stream = inner.directory.find(&cx, "UpdateShardCount", name, arn)?;
    let view = stream.view();
    if view.row.mode == Mode::OnDemand {
        return Err(is_on_demand(&stream.key));
    }
    if view.row.status != Status::Active {
        return Err(stream_not_active(&stream.key, view.row.status));
    }
    let (open, target) = (view.open.len() as u32, input.target_shard_count.cast_unsigned());
    Quota::of(inner, &cx).check_growth(inner, &cx, open, target)?;
    check(inner, open, target)?;
    if target != open {
        lifecycle::begin(inner, &cx, &stream, |row| {
            row.change = Some(Change::Scale { target });
            ration(inner, &mut row.scaled_ms, UPDATES_MAX, "UpdateShardCount")
        })
        .await?;
    }
    Ok(UpdateShardCountOutput {
        stream_name: Some(shapes::text(&stream.key.name)),
        current_shard_count: Some(open.cast_signed()),
        target_shard_count: Some(target.cast_signed()),
        stream_arn: Some(shapes::text(&stream.arn)),
    })
}

fn check(inner: &Inner, open: u32, target: u32) -> Result<()> {
    if inner.options.scaling_limits && target > open.saturating_mul(2) {
        return Err(texts::above_double(open, target));
    }
    if inner.options.scaling_limits && target.saturating_mul(2) < open {
        return Err(texts::below_half(open, target));
    }
    Ok(())
}
