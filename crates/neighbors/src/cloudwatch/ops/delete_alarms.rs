//! `DeleteAlarms`.

use crate::cloudwatch::alarm::name_of;
use crate::cloudwatch::errors::Result;
use crate::cloudwatch::service::{CloudWatch, alarm_arn, authorize};
use crate::cloudwatch::texts;
use api::cloudwatch::DeleteAlarmsInput;
use base::Cx;
use std::collections::BTreeMap;

/// Removes alarms, all or none; those that are not there are fine.
///
/// # Errors
/// `Validation` a composite alarm that stays has one of them in its rule, or more than one
/// composite alarm is named; `AccessDenied`; what the store says.
pub(super) async fn delete_alarms(
    service: CloudWatch,
    cx: Cx,
    input: DeleteAlarmsInput,
) -> Result<()> {
    let inner = &service.inner;
    let mut alarms = BTreeMap::new();
    for name in &input.alarm_names {
        authorize(&cx, "DeleteAlarms", &alarm_arn(cx.account, &cx.region, name))?;
        if let Some(alarm) = inner.alarms.get(&cx, name) {
            alarms.insert(alarm.name.clone(), alarm);
        }
    }
    let composites = alarms.values().filter(|alarm| alarm.row().is_composite()).count();
    if composites > 1 || (composites == 1 && alarms.len() > 1) {
        return Err(texts::one_composite_alone());
    }
    for parent in inner.alarms.directory.list(cx.account, &cx.region) {
        let Some(rule) = parent.rule() else { continue };
        if alarms.contains_key(&parent.name) {
            continue;
        }
        let mut children = rule.children().into_iter();
        let used = children.find_map(|child| alarms.get(name_of(cx.account, &cx.region, child)));
        if let Some(used) = used {
            return Err(texts::alarm_in_rule(&used.name));
        }
    }
    if alarms.is_empty() {
        return Ok(());
    }
    let alarms: Vec<_> = alarms.into_values().collect();
    inner.remove_alarms(&cx, &alarms).await
}
