//! `TagResource`.

use super::shapes;
use crate::cloudwatch::errors::Result;
use crate::cloudwatch::service::CloudWatch;
use api::cloudwatch::{TagResourceInput, TagResourceOutput};
use base::Cx;

/// Adds tags to an alarm or a dashboard, or gives them other values.
///
/// # Errors
/// `ResourceNotFoundException`, `InvalidParameterValue`, `AccessDenied`; what the store says.
pub(super) async fn tag_resource(
    service: CloudWatch,
    cx: Cx,
    input: TagResourceInput,
) -> Result<TagResourceOutput> {
    let arn = &input.resource_arn;
    shapes::tagged(&service, &cx, "TagResource", arn)?;
    let mut tags = shapes::tags_of(&service, &cx, arn)?;
    tags.add(shapes::read_tags(&input.tags)?).map_err(shapes::bad_tag)?;
    shapes::put_tags(&service, &cx, arn, &tags).await?;
    Ok(TagResourceOutput {})
}
