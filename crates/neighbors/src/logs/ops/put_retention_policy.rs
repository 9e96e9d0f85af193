//! `PutRetentionPolicy`.

use super::shapes;
use crate::logs::errors::Result;
use crate::logs::rows::GroupRow;
use crate::logs::service::Logs;
use crate::logs::texts;
use api::logs::PutRetentionPolicyRequest;
use base::Cx;

/// For how many days events may be kept (AWS's documentation).
const DAYS: [u32; 22] = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
];

/// Says how long the events of a group are kept.
///
/// # Errors
/// `InvalidParameter` not as many days as this; `ResourceNotFound`; `AccessDenied`; what the store
/// says.
pub(super) async fn put_retention_policy(
    service: Logs,
    cx: Cx,
    input: PutRetentionPolicyRequest,
) -> Result<()> {
    let group = service.inner.group(&cx, "PutRetentionPolicy", &input.log_group_name)?;
    let days = u32::try_from(input.retention_in_days).ok().filter(|days| DAYS.contains(days));
    let days = days.ok_or_else(|| texts::invalid_retention(input.retention_in_days, &DAYS))?;
    let row = GroupRow { retention_days: Some(days), ..(*group.row()).clone() };
    shapes::set_row(&service, &cx, &group, row).await
}
