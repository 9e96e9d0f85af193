//! `IncreaseStreamRetentionPeriod`.

use crate::errors::Result;
use crate::retention;
use crate::rows::{Status, StreamRow};
use crate::service::Streams;
use crate::texts::{retention_not_longer, stream_not_active};
use api::kinesis::IncreaseStreamRetentionPeriodInput;
use base::Cx;

/// Keeps records longer. The period there is already is fine: Terraform always asks for it.
///
/// # Errors
/// `ResourceNotFound`; `InvalidArgument` below 24 or above 8,760 hours, or shorter than it is;
/// `ResourceInUse` not `ACTIVE`.
pub(crate) async fn increase_stream_retention_period(
    streams: Streams,
    cx: Cx,
    input: IncreaseStreamRetentionPeriodInput,
) -> Result<()> {
    let inner = &streams.inner;
    let (name, arn) = (input.stream_name.as_ref(), input.stream_arn.as_ref());
    let stream = inner.directory.find(&cx, "IncreaseStreamRetentionPeriod", name, arn)?;
    let row = stream.view().row.clone();
    let hours = retention::check_hours(input.retention_period_hours)?;
    if hours < row.retention_hours {
        return Err(retention_not_longer(&stream.key, hours, row.retention_hours));
    }
    if row.status != Status::Active {
        return Err(stream_not_active(&stream.key, row.status));
    }
    if hours == row.retention_hours {
        return Ok(());
    }
    // What has expired stays gone (model), also after a restart of an engine that still has it.
    let trimmed_ms = retention::horizon_ms(&row, &inner.guard);
    let row = StreamRow { retention_hours: hours, trimmed_ms, ..row };
    inner.update(&cx, &stream, row).await
}
