//! What is stored under which key, a file each.

mod action_row;
mod alarm_row;
mod block_row;
mod dashboard_row;
mod history_row;
mod metric_row;

pub(super) use action_row::ActionRow;
pub(super) use alarm_row::{
    AlarmRow, Config, MetricConfig, Query, Source, StatConfig, What, tags_key,
};
pub(super) use block_row::{BlockRow, PointsRow};
pub(super) use dashboard_row::DashboardRow;
pub(super) use history_row::HistoryRow;
pub(super) use metric_row::MetricRow;
