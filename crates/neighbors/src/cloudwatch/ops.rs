//! The operations: one file each, and the table that binds them to the wire.
//!
//! Reads look at what is; changes of alarms, dashboards and tags run one after another and to their
//! end; puts of values wait for their own commit alone.

mod delete_alarms;
mod delete_dashboards;
mod describe_alarm_history;
mod describe_alarms;
mod describe_alarms_for_metric;
mod disable_alarm_actions;
mod enable_alarm_actions;
mod get_dashboard;
mod get_metric_data;
mod get_metric_statistics;
mod list_dashboards;
mod list_metrics;
mod list_tags_for_resource;
mod put_composite_alarm;
mod put_dashboard;
mod put_metric_alarm;
mod put_metric_data;
mod set_alarm_state;
mod shapes;
mod tag_resource;
mod untag_resource;

pub(super) use get_metric_statistics::period;
pub(super) use put_metric_data::metric_name;

use super::errors::Result;
use super::service::CloudWatch;
#[cfg_attr(
    not(test),
    expect(clippy::wildcard_imports, reason = "the table below names every operation's shapes")
)]
use api::cloudwatch::*;
use base::Cx;

macro_rules! reads {
    ($($op:ident($input:ty) -> $output:ty;)*) => {$(
        async fn $op(&self, cx: &Cx, input: $input) -> Result<$output> {
            $op::$op(self, cx, &input)
        }
    )*};
}

macro_rules! changes {
    ($($op:ident($input:ty) -> $output:ty;)*) => {$(
        async fn $op(&self, cx: &Cx, input: $input) -> Result<$output> {
            self.change(cx, input, $op::$op).await
        }
    )*};
}

macro_rules! points {
    ($($op:ident($input:ty) -> $output:ty;)*) => {$(
        async fn $op(&self, cx: &Cx, input: $input) -> Result<$output> {
            $op::$op(self, cx, input).await
        }
    )*};
}

impl api::cloudwatch::CloudWatch for CloudWatch {
    reads! {
        describe_alarm_history(DescribeAlarmHistoryInput) -> DescribeAlarmHistoryOutput;
        describe_alarms(DescribeAlarmsInput) -> DescribeAlarmsOutput;
        describe_alarms_for_metric(DescribeAlarmsForMetricInput) -> DescribeAlarmsForMetricOutput;
        get_dashboard(GetDashboardInput) -> GetDashboardOutput;
        list_dashboards(ListDashboardsInput) -> ListDashboardsOutput;
        list_metrics(ListMetricsInput) -> ListMetricsOutput;
        list_tags_for_resource(ListTagsForResourceInput) -> ListTagsForResourceOutput;
    }

    changes! {
        delete_alarms(DeleteAlarmsInput) -> ();
        delete_dashboards(DeleteDashboardsInput) -> DeleteDashboardsOutput;
        disable_alarm_actions(DisableAlarmActionsInput) -> ();
        enable_alarm_actions(EnableAlarmActionsInput) -> ();
        put_composite_alarm(PutCompositeAlarmInput) -> ();
        put_dashboard(PutDashboardInput) -> PutDashboardOutput;
        put_metric_alarm(PutMetricAlarmInput) -> ();
        set_alarm_state(SetAlarmStateInput) -> ();
        tag_resource(TagResourceInput) -> TagResourceOutput;
        untag_resource(UntagResourceInput) -> UntagResourceOutput;
    }

    points! {
        get_metric_data(GetMetricDataInput) -> GetMetricDataOutput;
        get_metric_statistics(GetMetricStatisticsInput) -> GetMetricStatisticsOutput;
        put_metric_data(PutMetricDataInput) -> ();
    }
}
