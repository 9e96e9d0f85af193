//! `DescribeAlarmsForMetric`.

use super::put_metric_data::metric_name;
use super::shapes;
use crate::cloudwatch::errors::Result;
use crate::cloudwatch::queries;
use crate::cloudwatch::rows::{Source, StatConfig};
use crate::cloudwatch::service::{CloudWatch, authorize};
use api::cloudwatch::{DescribeAlarmsForMetricInput, DescribeAlarmsForMetricOutput};
use base::Cx;

/// Lists the alarms that watch one metric by itself.
///
/// # Errors
/// `InvalidParameterValue` the metric cannot be; `AccessDenied`.
pub(super) fn describe_alarms_for_metric(
    service: &CloudWatch,
    cx: &Cx,
    input: &DescribeAlarmsForMetricInput,
) -> Result<DescribeAlarmsForMetricOutput> {
    authorize(cx, "DescribeAlarmsForMetric", "*")?;
    let dimensions = input.dimensions.as_deref().unwrap_or_default();
    let wanted = metric_name(&input.namespace, &input.metric_name, dimensions)?;
    let stat = match (&input.statistic, &input.extended_statistic) {
        (Some(statistic), _) => Some(statistic.as_str()),
        (None, extended) => extended.as_ref().map(api::Text::as_str),
    };
    let is_wanted = |of: &StatConfig| {
        let name = metric_name(&of.namespace, &of.name, &queries::dimensions(&of.dimensions));
        name.is_ok_and(|name| name == wanted)
            && stat.is_none_or(|stat| *of.stat == *stat)
            && input.period.is_none_or(|period| i64::from(period) == i64::from(of.period_s))
            && input.unit.is_none_or(|unit| of.unit.as_deref() == Some(unit.as_str()))
    };
    let mut metric_alarms = Vec::new();
    for alarm in service.inner.alarms.directory.list(cx.account, &cx.region) {
        let row = alarm.row();
        if let Source::Metric(metric) = &row.source
            && metric.plain().is_some_and(is_wanted)
        {
            metric_alarms.push(shapes::metric_alarm(&alarm, &row, metric));
        }
    }
    Ok(DescribeAlarmsForMetricOutput { metric_alarms: Some(metric_alarms) })
}
