//! `DeleteStream`.

use crate::errors::Result;
use crate::lifecycle;
use crate::rows::Status;
use crate::service::Streams;
use crate::texts;
use api::kinesis::DeleteStreamInput;
use base::Cx;

/// Deletes a stream: `DELETING` at first, then gone with its shards, records, consumers, tags and
/// policies. A stream that is being deleted already is fine.
///
/// # Errors
/// `ResourceNotFound`; `ResourceInUse` it has consumers and `EnforceConsumerDeletion` is not set.
pub(crate) async fn delete_stream(
    streams: Streams,
    cx: Cx,
    input: DeleteStreamInput,
) -> Result<()> {
    let inner = &streams.inner;
    let (name, arn) = (input.stream_name.as_ref(), input.stream_arn.as_ref());
    let stream = inner.directory.find(&cx, "DeleteStream", name, arn)?;
    if stream.view().row.status == Status::Deleting {
        return Ok(());
    }
    if input.enforce_consumer_deletion != Some(true) && !stream.consumers.read().is_empty() {
        return Err(texts::stream_has_consumers(&stream.key));
    }
    lifecycle::begin_delete(inner, &cx, &stream).await
}
