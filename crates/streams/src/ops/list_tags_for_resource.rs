//! `ListTagsForResource`.

use crate::errors::Result;
use crate::service::Streams;
use crate::tags::Tagged;
use api::kinesis::{ListTagsForResourceInput, ListTagsForResourceOutput};
use base::Cx;

/// The tags of a stream or a consumer in order of their keys.
///
/// # Errors
/// `ResourceNotFound`.
pub(crate) fn list_tags_for_resource(
    streams: &Streams,
    cx: &Cx,
    input: &ListTagsForResourceInput,
) -> Result<ListTagsForResourceOutput> {
    let tagged = Tagged::find(streams, cx, "ListTagsForResource", &input.resource_arn)?;
    Ok(ListTagsForResourceOutput { tags: Some(tagged.list(&streams.inner, cx)?) })
}
