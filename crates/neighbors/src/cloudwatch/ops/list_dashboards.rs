//! `ListDashboards`.

use crate::cloudwatch::errors::{Result, fail};
use crate::cloudwatch::rows::DashboardRow;
use crate::cloudwatch::service::{CloudWatch, authorize, dashboard_arn};
use crate::cloudwatch::texts;
use api::Timestamp;
use api::cloudwatch::{DashboardEntry, ListDashboardsInput, ListDashboardsOutput};
use base::Cx;
use kit::rows;

/// Most dashboards of a page (model's documentation).
const PAGE_DASHBOARDS: usize = 1000;

/// Lists dashboards by name.
///
/// # Errors
/// `InvalidParameterValue` a token of something else; `AccessDenied`; what the store says.
pub(super) fn list_dashboards(
    service: &CloudWatch,
    cx: &Cx,
    input: &ListDashboardsInput,
) -> Result<ListDashboardsOutput> {
    authorize(cx, "ListDashboards", "*")?;
    let inner = &service.inner;
    let now_ms = service.now_ms();
    let after = match &input.next_token {
        None => None,
        Some(token) => {
            let opened = inner.tokens.open::<String>(token, now_ms);
            Some(opened.map_err(|_| texts::invalid_list_token())?)
        }
    };
    let prefix = DashboardRow::prefix(cx.account);
    let stored = rows::scan::<DashboardRow>(&inner.store, &prefix).map_err(|e| fail(cx, &e))?;
    let starts = input.dashboard_name_prefix.as_ref().map_or("", |prefix| prefix.as_str());
    let (mut entries, mut last) = (Vec::new(), None);
    for (key, row) in stored {
        let name = String::from_utf8_lossy(&key[prefix.len()..]).into_owned();
        if !name.starts_with(starts) || after.as_ref().is_some_and(|after| *after >= name) {
            continue;
        }
        if entries.len() == PAGE_DASHBOARDS {
            let next_token = last.map(|last: String| inner.tokens.seal(&last, now_ms).into());
            return Ok(ListDashboardsOutput { dashboard_entries: Some(entries), next_token });
        }
        entries.push(DashboardEntry {
            dashboard_name: Some(name.as_str().into()),
            dashboard_arn: Some(dashboard_arn(cx, &name).into()),
            last_modified: Some(Timestamp(row.modified_ms)),
            size: Some(row.body.len() as i64),
        });
        last = Some(name);
    }
    Ok(ListDashboardsOutput { dashboard_entries: Some(entries), next_token: None })
}
