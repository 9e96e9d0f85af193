//! `UpdateMaxRecordSize`.

use crate::errors::Result;
use crate::lifecycle;
use crate::rows::Change;
use crate::service::Streams;
use crate::texts;
use api::kinesis::UpdateMaxRecordSizeInput;
use base::Cx;

/// Sets how large a stream's records may be; holds for the next record.
///
/// # Errors
/// `ResourceNotFound`; `InvalidArgument` no `StreamARN`; `ResourceInUse` not `ACTIVE`. The bounds
/// are the model's.
pub(crate) async fn update_max_record_size(
    streams: Streams,
    cx: Cx,
    input: UpdateMaxRecordSizeInput,
) -> Result<()> {
    let inner = &streams.inner;
    let arn = input.stream_arn.ok_or_else(texts::no_stream_arn)?;
    let stream = inner.directory.find(&cx, "UpdateMaxRecordSize", None, Some(&arn))?;
    lifecycle::begin(inner, &cx, &stream, |row| {
        row.record_kib_max = input.max_record_size_in_kib.cast_unsigned();
        row.change = Some(Change::Settle);
        Ok(())
    })
    .await
}
