//! `DecreaseStreamRetentionPeriod`.

use crate::errors::Result;
use crate::retention;
use crate::rows::{Status, StreamRow};
use crate::service::Streams;
use crate::texts::{retention_not_shorter, stream_not_active};
use api::kinesis::DecreaseStreamRetentionPeriodInput;
use base::Cx;

/// Keeps records for a shorter time; older ones are gone at once.
///
/// # Errors
/// `ResourceNotFound`; `InvalidArgument` below 24 or above 8,760 hours, or longer than it is;
/// `ResourceInUse` not `ACTIVE`.
pub(crate) async fn decrease_stream_retention_period(
    streams: Streams,
    cx: Cx,
    input: DecreaseStreamRetentionPeriodInput,
) -> Result<()> {
    let inner = &streams.inner;
    let (name, arn) = (input.stream_name.as_ref(), input.stream_arn.as_ref());
    let stream = inner.directory.find(&cx, "DecreaseStreamRetentionPeriod", name, arn)?;
    let row = stream.view().row.clone();
    let hours = retention::check_hours(input.retention_period_hours)?;
    if hours > row.retention_hours {
        return Err(retention_not_shorter(&stream.key, hours, row.retention_hours));
    }
    if row.status != Status::Active {
        return Err(stream_not_active(&stream.key, row.status));
    }
    inner.update(&cx, &stream, StreamRow { retention_hours: hours, ..row }).await?;
    retention::trim(inner, &stream);
    Ok(())
}
