//! `DescribeAlarmHistory`.

use super::shapes;
use crate::cloudwatch::errors::{Result, fail};
use crate::cloudwatch::rows::HistoryRow;
use crate::cloudwatch::service::{CloudWatch, alarm_arn, authorize};
use crate::cloudwatch::texts;
use api::Timestamp;
use api::cloudwatch::{
    AlarmHistoryItem, AlarmType, DescribeAlarmHistoryInput, DescribeAlarmHistoryOutput,
    HistoryItemType, ScanBy,
};
use base::Cx;
use kit::rows;
use store::{Keys, Order};

/// Most items of a page (model's documentation).
const PAGE_ITEMS: i32 = 100;
/// Rows that are read at once.
const ROWS_AT_ONCE: usize = 256;

/// Lists what happened to alarms, the newest first; alarms that are gone included.
///
/// # Errors
/// `InvalidNextToken`; `AccessDenied`; what the store says.
pub(super) fn describe_alarm_history(
    service: &CloudWatch,
    cx: &Cx,
    input: &DescribeAlarmHistoryInput,
) -> Result<DescribeAlarmHistoryOutput> {
    authorize(cx, "DescribeAlarmHistory", &alarm_arn(cx.account, &cx.region, "*"))?;
    let most = shapes::page_size(input.max_records, PAGE_ITEMS)?;
    let inner = &service.inner;
    let now_ms = service.now_ms();
    let is_ascending = input.scan_by == Some(ScanBy::TimestampAscending);
    let order = if is_ascending { Order::Forward } else { Order::Backward };
    let mut keys = Keys::starting_with(HistoryRow::prefix(cx.account, &cx.region).as_bytes());
    if let Some(token) = &input.next_token {
        let opened = inner.tokens.open::<Vec<u8>>(token, now_ms);
        keys = beyond(keys, &opened.map_err(|_| texts::invalid_token())?, order);
    }
    let mut items = Vec::new();
    let mut last: Option<Vec<u8>> = None;
    loop {
        let page = inner.store.range(&keys, order, ROWS_AT_ONCE);
        let is_end = page.len() < ROWS_AT_ONCE;
        for (key, value) in &page {
            let row: HistoryRow = rows::decode(key, value).map_err(|e| fail(cx, &e))?;
            if !wants(input, &row) {
                continue;
            }
            if items.len() == most {
                let last = last.map(|last| inner.tokens.seal(&last, now_ms).into());
                let alarm_history_items = Some(items);
                return Ok(DescribeAlarmHistoryOutput { alarm_history_items, next_token: last });
            }
            items.push(item(row));
            last = Some(key.to_vec());
        }
        match page.last().filter(|_| !is_end) {
            Some((key, _)) => keys = beyond(keys, key, order),
            None => break,
        }
    }
    Ok(DescribeAlarmHistoryOutput { alarm_history_items: Some(items), next_token: None })
}

/// The keys that come after one.
fn beyond(keys: Keys, key: &[u8], order: Order) -> Keys {
    match order {
        Order::Forward => keys.after(key),
        Order::Backward => keys.before(key),
    }
}

fn wants(input: &DescribeAlarmHistoryInput, row: &HistoryRow) -> bool {
    // Metric alarms alone, unless others are asked for (model's documentation).
    let types = input.alarm_types.as_deref().filter(|types| !types.is_empty());
    let types = types.unwrap_or(&[AlarmType::MetricAlarm]);
    let kind = if row.is_composite { AlarmType::CompositeAlarm } else { AlarmType::MetricAlarm };
    types.contains(&kind)
        && input.alarm_name.as_ref().is_none_or(|name| *name == *row.alarm)
        && input.history_item_type.is_none_or(|item| *row.item == *item.as_str())
        && input.start_date.is_none_or(|start| row.at_ms >= start.0)
        && input.end_date.is_none_or(|end| row.at_ms <= end.0)
}

fn item(row: HistoryRow) -> AlarmHistoryItem {
    let kind = if row.is_composite { AlarmType::CompositeAlarm } else { AlarmType::MetricAlarm };
    let item = HistoryItemType::ALL.iter().copied().find(|item| *row.item == *item.as_str());
    AlarmHistoryItem {
        alarm_name: Some((*row.alarm).into()),
        alarm_contributor_id: None,
        alarm_type: Some(kind),
        timestamp: Some(Timestamp(row.at_ms)),
        history_item_type: item,
        history_summary: Some(row.summary.into()),
        history_data: Some(row.data.into()),
        alarm_contributor_attributes: None,
    }
}
