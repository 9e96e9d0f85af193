//! `AddTagsToStream`.

use crate::errors::Result;
use crate::service::Streams;
use crate::tags::Tagged;
use api::kinesis::AddTagsToStreamInput;
use base::Cx;

/// Adds tags to a stream, replacing values of keys it has.
///
/// # Errors
/// `ResourceNotFound`; `InvalidArgument` an illegal character or more than 50 tags in all;
/// `ResourceInUse` the stream is being made or deleted.
pub(crate) async fn add_tags_to_stream(
    streams: Streams,
    cx: Cx,
    input: AddTagsToStreamInput,
) -> Result<()> {
    let inner = &streams.inner;
    let (name, arn) = (input.stream_name.as_ref(), input.stream_arn.as_ref());
    let stream = inner.directory.find(&cx, "AddTagsToStream", name, arn)?;
    Tagged::of_stream(&stream).add(inner, &cx, input.tags).await
}
