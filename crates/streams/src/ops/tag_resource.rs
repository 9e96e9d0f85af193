//! `TagResource`.

use crate::errors::Result;
use crate::service::Streams;
use crate::tags::Tagged;
use api::kinesis::TagResourceInput;
use base::Cx;

/// Adds tags to a stream or a consumer, replacing values of keys it has.
///
/// # Errors
/// As `AddTagsToStream`.
pub(crate) async fn tag_resource(streams: Streams, cx: Cx, input: TagResourceInput) -> Result<()> {
    let tagged = Tagged::find(&streams, &cx, "TagResource", &input.resource_arn)?;
    tagged.add(&streams.inner, &cx, input.tags).await
}
