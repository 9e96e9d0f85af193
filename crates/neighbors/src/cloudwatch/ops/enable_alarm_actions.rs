//! `EnableAlarmActions`.

use super::shapes;
use crate::cloudwatch::errors::Result;
use crate::cloudwatch::service::CloudWatch;
use api::cloudwatch::EnableAlarmActionsInput;
use base::Cx;

/// Enables what alarms do when their states change; names without an alarm are fine.
///
/// # Errors
/// `AccessDenied`; what the store says.
pub(super) async fn enable_alarm_actions(
    service: CloudWatch,
    cx: Cx,
    input: EnableAlarmActionsInput,
) -> Result<()> {
    shapes::switch_actions(&service, &cx, ("EnableAlarmActions", true), &input.alarm_names).await
}
