//! `StartStreamEncryption`.

use crate::encryption::{CHANGES_MAX, check_type, resolve};
use crate::errors::Result;
use crate::lifecycle;
use crate::limits::ration;
use crate::rows::{Change, Status};
use crate::service::Streams;
use crate::texts::stream_not_active;
use api::kinesis::StartStreamEncryptionInput;
use base::Cx;

/// Encrypts a stream's records under a key from when it is `ACTIVE` again; older ones stay as they
/// are.
///
/// # Errors
/// `ResourceNotFound`; `InvalidArgument` another type than `KMS`; `ResourceInUse` not `ACTIVE`;
/// `LimitExceeded` 25 changes a day; the KMS errors of a key that cannot be used.
pub(crate) async fn start_stream_encryption(
    streams: Streams,
    cx: Cx,
    input: StartStreamEncryptionInput,
) -> Result<()> {
    let inner = &streams.inner;
    let (name, arn) = (input.stream_name.as_ref(), input.stream_arn.as_ref());
    let stream = inner.directory.find(&cx, "StartStreamEncryption", name, arn)?;
    check_type(input.encryption_type)?;
    // First, so that a request that is refused makes no key.
    let status = stream.view().row.status;
    if status != Status::Active {
        return Err(stream_not_active(&stream.key, status));
    }
    let encryption = Some(resolve(inner, &stream.key, &input.key_id).await?);
    lifecycle::begin(inner, &cx, &stream, |row| {
        row.change = Some(Change::Encrypt { encryption });
        ration(inner, &mut row.rekeyed_ms, CHANGES_MAX, "StartStreamEncryption")
    })
    .await
}
