//! `DisableAlarmActions`.

use super::shapes;
use crate::cloudwatch::errors::Result;
use crate::cloudwatch::service::CloudWatch;
use api::cloudwatch::DisableAlarmActionsInput;
use base::Cx;

/// Disables what alarms do when their states change; names without an alarm are fine.
///
/// # Errors
/// `AccessDenied`; what the store says.
pub(super) async fn disable_alarm_actions(
    service: CloudWatch,
    cx: Cx,
    input: DisableAlarmActionsInput,
) -> Result<()> {
    shapes::switch_actions(&service, &cx, ("DisableAlarmActions", false), &input.alarm_names).await
}
