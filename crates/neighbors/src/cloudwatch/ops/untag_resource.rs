//! `UntagResource`.

use super::shapes;
use crate::cloudwatch::errors::Result;
use crate::cloudwatch::service::CloudWatch;
use api::cloudwatch::{UntagResourceInput, UntagResourceOutput};
use base::Cx;

/// Takes tags from an alarm or a dashboard; those that it lacks are fine.
///
/// # Errors
/// `ResourceNotFoundException`, `InvalidParameterValue`, `AccessDenied`; what the store says.
pub(super) async fn untag_resource(
    service: CloudWatch,
    cx: Cx,
    input: UntagResourceInput,
) -> Result<UntagResourceOutput> {
    let arn = &input.resource_arn;
    shapes::tagged(&service, &cx, "UntagResource", arn)?;
    let mut tags = shapes::tags_of(&service, &cx, arn)?;
    tags.remove(input.tag_keys.iter().map(api::Text::as_str));
    shapes::put_tags(&service, &cx, arn, &tags).await?;
    Ok(UntagResourceOutput {})
}
