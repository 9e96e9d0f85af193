//! `DeleteRetentionPolicy`.

use super::shapes;
use crate::logs::errors::Result;
use crate::logs::rows::GroupRow;
use crate::logs::service::Logs;
use api::logs::DeleteRetentionPolicyRequest;
use base::Cx;

/// Lets a group keep its events as long as there is room.
///
/// # Errors
/// `ResourceNotFound`; `AccessDenied`; what the store says.
pub(super) async fn delete_retention_policy(
    service: Logs,
    cx: Cx,
    input: DeleteRetentionPolicyRequest,
) -> Result<()> {
    let group = service.inner.group(&cx, "DeleteRetentionPolicy", &input.log_group_name)?;
    let row = GroupRow { retention_days: None, ..(*group.row()).clone() };
    shapes::set_row(&service, &cx, &group, row).await
}
