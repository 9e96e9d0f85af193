//! `ListTagsForStream`.

use crate::errors::Result;
use crate::service::Streams;
use crate::tags::Tagged;
use api::kinesis::{ListTagsForStreamInput, ListTagsForStreamOutput};
use base::Cx;

/// A stream's tags in order of their keys, those after `ExclusiveStartTagKey`.
///
/// # Errors
/// `ResourceNotFound`.
pub(crate) fn list_tags_for_stream(
    streams: &Streams,
    cx: &Cx,
    input: &ListTagsForStreamInput,
) -> Result<ListTagsForStreamOutput> {
    let inner = &streams.inner;
    let (name, arn) = (input.stream_name.as_ref(), input.stream_arn.as_ref());
    let stream = inner.directory.find(cx, "ListTagsForStream", name, arn)?;
    let mut tags = Tagged::of_stream(&stream).list(inner, cx)?;
    if let Some(start) = &input.exclusive_start_tag_key {
        tags.retain(|tag| tag.key.as_str() > start.as_str());
    }
    let limit = input.limit.map_or(usize::MAX, |limit| limit as usize);
    let has_more_tags = tags.len() > limit;
    tags.truncate(limit);
    Ok(ListTagsForStreamOutput { tags, has_more_tags })
}
