//! `RemoveTagsFromStream`.

use crate::errors::Result;
use crate::service::Streams;
use crate::tags::Tagged;
use api::kinesis::RemoveTagsFromStreamInput;
use base::Cx;

/// Removes tags from a stream; keys it does not have are fine.
///
/// # Errors
/// `ResourceNotFound`; `InvalidArgument` an illegal character; `ResourceInUse` the stream is being
/// made or deleted.
pub(crate) async fn remove_tags_from_stream(
    streams: Streams,
    cx: Cx,
    input: RemoveTagsFromStreamInput,
) -> Result<()> {
    let inner = &streams.inner;
    let (name, arn) = (input.stream_name.as_ref(), input.stream_arn.as_ref());
    let stream = inner.directory.find(&cx, "RemoveTagsFromStream", name, arn)?;
    Tagged::of_stream(&stream).remove(inner, &cx, &input.tag_keys).await
}
