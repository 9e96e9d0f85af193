//! `GetDashboard`.

use crate::cloudwatch::errors::{Result, fail};
use crate::cloudwatch::rows::DashboardRow;
use crate::cloudwatch::service::{CloudWatch, authorize, dashboard_arn};
use crate::cloudwatch::texts;
use api::cloudwatch::{GetDashboardInput, GetDashboardOutput};
use base::Cx;
use kit::rows;

/// Gives a dashboard back as it was put.
///
/// # Errors
/// `DashboardNotFoundError`, `AccessDenied`; what the store says.
pub(super) fn get_dashboard(
    service: &CloudWatch,
    cx: &Cx,
    input: &GetDashboardInput,
) -> Result<GetDashboardOutput> {
    let name = input.dashboard_name.as_str();
    let arn = dashboard_arn(cx, name);
    authorize(cx, "GetDashboard", &arn)?;
    let key = DashboardRow::key(cx.account, name);
    let row = rows::get::<DashboardRow>(&service.inner.store, &key).map_err(|e| fail(cx, &e))?;
    let row = row.ok_or_else(|| texts::no_such_dashboard(name))?;
    Ok(GetDashboardOutput {
        dashboard_arn: Some(arn.into()),
        dashboard_body: Some(row.body.into()),
        dashboard_name: Some(name.into()),
    })
}
