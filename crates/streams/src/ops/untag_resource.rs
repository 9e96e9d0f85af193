//! `UntagResource`.

use crate::errors::Result;
use crate::service::Streams;
use crate::tags::Tagged;
use api::kinesis::UntagResourceInput;
use base::Cx;

/// Removes tags from a stream or a consumer; keys it does not have are fine.
///
/// # Errors
/// As `RemoveTagsFromStream`.
pub(crate) async fn untag_resource(
    streams: Streams,
    cx: Cx,
    input: UntagResourceInput,
) -> Result<()> {
    let tagged = Tagged::find(&streams, &cx, "UntagResource", &input.resource_arn)?;
    tagged.remove(&streams.inner, &cx, &input.tag_keys).await
}
