//! `SetAlarmState`.

use crate::cloudwatch::alarm::Change;
use crate::cloudwatch::alarm::evaluation::State;
use crate::cloudwatch::errors::{Result, fail};
use crate::cloudwatch::service::{CloudWatch, alarm_arn, authorize};
use crate::cloudwatch::texts;
use api::cloudwatch::{SetAlarmStateInput, StateValue};
use base::Cx;

/// Brings an alarm into a state, until its next evaluation says otherwise.
///
/// # Errors
/// `ResourceNotFound`; `InvalidFormat` the data is no JSON; `AccessDenied`; what the store says.
pub(super) async fn set_alarm_state(
    service: CloudWatch,
    cx: Cx,
    input: SetAlarmStateInput,
) -> Result<()> {
    let name = input.alarm_name.as_str();
    authorize(&cx, "SetAlarmState", &alarm_arn(cx.account, &cx.region, name))?;
    let alarm = service.inner.alarms.get(&cx, name).ok_or_else(texts::no_such_alarm)?;
    let is_json = |data: &str| serde_json::from_str::<serde_json::Value>(data).is_ok();
    if input.state_reason_data.as_ref().is_some_and(|data| !is_json(data)) {
        return Err(texts::reason_data_is_no_json());
    }
    let state = match input.state_value {
        StateValue::Ok => State::Ok,
        StateValue::Alarm => State::Alarm,
        StateValue::InsufficientData => State::InsufficientData,
    };
    let change = Change {
        state,
        reason: input.state_reason.to_string(),
        reason_data: input.state_reason_data.map(|data| data.to_string()),
    };
    service.inner.change_state(&alarm, change).await.map_err(|e| fail(&cx, &e))
}
