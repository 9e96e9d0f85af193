//! `PutCompositeAlarm`.

use super::shapes::{self, Actions, texts_of};
use crate::cloudwatch::alarm::{Change, name_of};
use crate::cloudwatch::alarm::{reason, rule::Rule};
use crate::cloudwatch::errors::{Result, fail};
use crate::cloudwatch::rows::{AlarmRow, Source, tags_key};
use crate::cloudwatch::service::{CloudWatch, alarm_arn, authorize};
use crate::cloudwatch::texts;
use api::cloudwatch::PutCompositeAlarmInput;
use base::Cx;
use kit::rows;
use std::collections::BTreeMap;
use store::Transaction;

/// Makes an alarm over other alarms, or gives one another configuration.
///
/// # Errors
/// `Validation` the rule is none, or names an alarm that is not there; `LimitExceeded` there are
/// too many; `AccessDenied`; what the store says.
pub(super) async fn put_composite_alarm(
    service: CloudWatch,
    cx: Cx,
    input: PutCompositeAlarmInput,
) -> Result<()> {
    let name = input.alarm_name.as_str();
    let arn = alarm_arn(cx.account, &cx.region, name);
    authorize(&cx, "PutCompositeAlarm", &arn)?;
    check_refused(&input)?;
    let rule = Rule::parse(&input.alarm_rule).map_err(texts::invalid_rule)?;
    let inner = &service.inner;
    let is_absent =
        |child: &&str| inner.alarms.get(&cx, name_of(cx.account, &cx.region, child)).is_none();
    let absent: Vec<&str> = rule.children().into_iter().filter(is_absent).collect();
    if !absent.is_empty() {
        return Err(texts::no_such_children(&absent));
    }
    let actions = Actions {
        enabled: input.actions_enabled,
        ok: texts_of(input.ok_actions.as_deref()),
        alarm: texts_of(input.alarm_actions.as_deref()),
        insufficient_data: texts_of(input.insufficient_data_actions.as_deref()),
    };
    let description = input.alarm_description.as_ref().map(ToString::to_string);
    let config = shapes::config(description, actions, service.now_ms())?;
    let before = inner.alarms.get(&cx, name).map(|alarm| alarm.row());
    if before.as_ref().is_some_and(|before| !before.is_composite()) {
        return Err(texts::of_other_kind(name));
    }
    let is_new = before.is_none();
    let source = Source::Composite(input.alarm_rule.to_string());
    let mut transaction = Transaction::default();
    let row = match before {
        Some(before) => AlarmRow { config, source, ..AlarmRow::clone(&before) },
        None => {
            shapes::check_room(&service, &cx)?;
            if let Some(tags) = shapes::new_tags(input.tags.as_deref())? {
                rows::put(&mut transaction, tags_key(&arn), &tags);
            }
            shapes::new_row(config, source, reason::INITIAL)
        }
    };
    let known = row.state();
    let alarm = inner.put_alarm(&cx, name, row, transaction).await?;
    let state = inner.state_of_rule((cx.account, &cx.region), &rule, &BTreeMap::new());
    if state == known {
        return Ok(());
    }
    let reason = match is_new {
        true => reason::composite_created(&arn, state),
        false => reason::composite_updated(&arn, state),
    };
    let change = Change { state, reason, reason_data: Some(reason::composite_data(&[])) };
    inner.change_state(&alarm, change).await.map_err(|e| fail(&cx, &e))
}

/// What composite alarms cannot do here.
fn check_refused(refused: &PutCompositeAlarmInput) -> Result<()> {
    let named = [
        ("ActionsSuppressor", refused.actions_suppressor.is_some()),
        ("ActionsSuppressorWaitPeriod", refused.actions_suppressor_wait_period.is_some()),
        ("ActionsSuppressorExtensionPeriod", refused.actions_suppressor_extension_period.is_some()),
        ("ActionConfiguration", refused.action_configuration.is_some()),
    ];
    match named.into_iter().find(|(_, is_there)| *is_there) {
        Some((name, _)) => Err(texts::unsupported(name)),
        None => Ok(()),
    }
}
