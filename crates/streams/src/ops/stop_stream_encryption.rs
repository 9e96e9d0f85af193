//! `StopStreamEncryption`.

use crate::encryption::{CHANGES_MAX, check_type};
use crate::errors::Result;
use crate::lifecycle;
use crate::limits::ration;
use crate::rows::Change;
use crate::service::Streams;
use api::kinesis::StopStreamEncryptionInput;
use base::Cx;

/// Stops encrypting a stream's records from when it is `ACTIVE` again; older ones stay encrypted.
///
/// # Errors
/// `ResourceNotFound`; `InvalidArgument` another type than `KMS`; `ResourceInUse` not `ACTIVE`;
/// `LimitExceeded` 25 changes a day.
pub(crate) async fn stop_stream_encryption(
    streams: Streams,
    cx: Cx,
    input: StopStreamEncryptionInput,
) -> Result<()> {
    let inner = &streams.inner;
    let (name, arn) = (input.stream_name.as_ref(), input.stream_arn.as_ref());
    let stream = inner.directory.find(&cx, "StopStreamEncryption", name, arn)?;
    check_type(input.encryption_type)?;
    lifecycle::begin(inner, &cx, &stream, |row| {
        row.change = Some(Change::Encrypt { encryption: None });
        ration(inner, &mut row.rekeyed_ms, CHANGES_MAX, "StopStreamEncryption")
    })
    .await
}
