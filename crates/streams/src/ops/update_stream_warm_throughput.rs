//! `UpdateStreamWarmThroughput`.

use crate::errors::Result;
use crate::lifecycle;
use crate::limits::{self, Quota};
use crate::reshard::warm_shards;
use crate::rows::{Change, Status};
use crate::service::Streams;
use crate::shapes;
use crate::texts::stream_not_active;
use api::kinesis::{UpdateStreamWarmThroughputInput, UpdateStreamWarmThroughputOutput};
use base::Cx;

/// Scales an on-demand stream to take this much at once.
///
/// # Errors
/// `ResourceNotFound`; `InvalidArgument` a provisioned stream, or above 10 GiB/s; `Validation` the
/// account made no commitment; `LimitExceeded` the shards of stream or account; `ResourceInUse` not
/// `ACTIVE`.
pub(crate) async fn update_stream_warm_throughput(
    streams: Streams,
    cx: Cx,
    input: UpdateStreamWarmThroughputInput,
) -> Result<UpdateStreamWarmThroughputOutput> {
    let inner = &streams.inner;
    let (name, arn) = (input.stream_name.as_ref(), input.stream_arn.as_ref());
    let stream = inner.directory.find(&cx, "UpdateStreamWarmThroughput", name, arn)?;
    let (mode, status) = (stream.view().row.mode, stream.view().row.status);
    let mibps = limits::warm(inner, &cx, mode, input.warm_throughput_mibps)?;
    if status != Status::Active {
        return Err(stream_not_active(&stream.key, status));
    }
    let (open, target) = (stream.view().open.len() as u32, warm_shards(mibps));
    Quota::of(inner, &cx).check_growth(inner, &cx, open, target)?;
    lifecycle::begin(inner, &cx, &stream, |row| {
        row.change = Some(Change::Warm { mibps, target });
        Ok(())
    })
    .await?;
    Ok(UpdateStreamWarmThroughputOutput {
        stream_arn: Some(shapes::text(&stream.arn)),
        stream_name: Some(shapes::text(&stream.key.name)),
        warm_throughput: shapes::warm(&stream.view().row),
    })
}
