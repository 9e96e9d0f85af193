//! `PutDashboard`.

use super::shapes;
use crate::cloudwatch::errors::{Result, fail};
use crate::cloudwatch::rows::{DashboardRow, tags_key};
use crate::cloudwatch::service::{CloudWatch, authorize, dashboard_arn};
use crate::cloudwatch::texts;
use api::cloudwatch::{PutDashboardInput, PutDashboardOutput};
use base::Cx;
use kit::rows;
use store::Transaction;

/// Longest name (model's documentation).
const NAME_CHARACTERS_MAX: usize = 255;

/// Keeps a dashboard as it is, or replaces it.
///
/// # Errors
/// `DashboardInvalidInputError` the body is no JSON object; `InvalidParameterValue` the name; the
/// account's dashboards have no room; `AccessDenied`; what the store says.
pub(super) async fn put_dashboard(
    service: CloudWatch,
    cx: Cx,
    input: PutDashboardInput,
) -> Result<PutDashboardOutput> {
    let name = input.dashboard_name.as_str();
    let arn = dashboard_arn(&cx, name);
    authorize(&cx, "PutDashboard", &arn)?;
    let is_inside = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if name.is_empty() || name.len() > NAME_CHARACTERS_MAX || !name.bytes().all(is_inside) {
        return Err(texts::invalid_dashboard_name(name));
    }
    let body = input.dashboard_body.to_string();
    match serde_json::from_str::<serde_json::Value>(&body) {
        Ok(serde_json::Value::Object(body)) => {
            if body.get("widgets").is_some_and(|widgets| !widgets.is_array()) {
                return Err(texts::widgets_are_no_list());
            }
        }
        Ok(_) => return Err(texts::dashboard_is_no_object()),
        Err(e) => return Err(texts::dashboard_is_no_json(&e.to_string())),
    }
    let key = DashboardRow::key(cx.account, name);
    let store = &service.inner.store;
    let stored = rows::scan::<DashboardRow>(store, &DashboardRow::prefix(cx.account));
    let stored = stored.map_err(|e| fail(&cx, &e))?;
    let others = stored.iter().filter(|(known, _)| *known != key);
    let bytes: usize = others.map(|(_, row)| row.body.len()).sum();
    if bytes + body.len() > service.inner.options.dashboards_bytes_max {
        return Err(texts::no_room_for_dashboards());
    }
    let is_new = store.get(&key).is_none();
    let mut transaction = Transaction::default();
    let row = DashboardRow { body, modified_ms: service.now_ms() };
    rows::put(&mut transaction, key, &row);
    if let Some(tags) = shapes::new_tags(input.tags.as_deref())?.filter(|_| is_new) {
        rows::put(&mut transaction, tags_key(&arn), &tags);
    }
    store.commit(transaction).await.map_err(|e| fail(&cx, &e))?;
    Ok(PutDashboardOutput { dashboard_validation_messages: Some(Vec::new()) })
}
