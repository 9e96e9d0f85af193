//! `DeleteDashboards`.

use crate::cloudwatch::errors::{Result, fail};
use crate::cloudwatch::rows::{DashboardRow, tags_key};
use crate::cloudwatch::service::{CloudWatch, authorize, dashboard_arn};
use crate::cloudwatch::texts;
use api::cloudwatch::{DeleteDashboardsInput, DeleteDashboardsOutput};
use base::Cx;
use store::Transaction;

/// Removes dashboards, all or none.
///
/// # Errors
/// `DashboardNotFoundError` one of them is not there; `AccessDenied`; what the store says.
pub(super) async fn delete_dashboards(
    service: CloudWatch,
    cx: Cx,
    input: DeleteDashboardsInput,
) -> Result<DeleteDashboardsOutput> {
    if input.dashboard_names.is_empty() {
        return Err(texts::no_dashboard_named());
    }
    let store = &service.inner.store;
    let mut transaction = Transaction::default();
    transaction.frees_room();
    for name in &input.dashboard_names {
        let arn = dashboard_arn(&cx, name);
        authorize(&cx, "DeleteDashboards", &arn)?;
        let key = DashboardRow::key(cx.account, name);
        if store.get(&key).is_none() {
            return Err(texts::no_such_dashboard(name));
        }
        transaction.remove(key).remove(tags_key(&arn));
    }
    store.commit(transaction).await.map_err(|e| fail(&cx, &e))?;
    Ok(DeleteDashboardsOutput {})
}
