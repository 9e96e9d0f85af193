//! `ListTagsForResource`.

use super::shapes;
use crate::cloudwatch::errors::Result;
use crate::cloudwatch::service::CloudWatch;
use api::cloudwatch::{ListTagsForResourceInput, ListTagsForResourceOutput, Tag};
use base::Cx;

/// Lists the tags of an alarm or a dashboard.
///
/// # Errors
/// `ResourceNotFoundException`, `InvalidParameterValue`, `AccessDenied`; what the store says.
pub(super) fn list_tags_for_resource(
    service: &CloudWatch,
    cx: &Cx,
    input: &ListTagsForResourceInput,
) -> Result<ListTagsForResourceOutput> {
    let arn = &input.resource_arn;
    shapes::tagged(service, cx, "ListTagsForResource", arn)?;
    let tag = |(key, value): (&str, &str)| Tag { key: key.into(), value: value.into() };
    let tags = shapes::tags_of(service, cx, arn)?.iter().map(tag).collect();
    Ok(ListTagsForResourceOutput { tags: Some(tags) })
}
