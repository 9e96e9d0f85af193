//! Enhanced monitoring levels: kept and shown, for both operations.

use crate::errors::Result;
use crate::lifecycle;
use crate::rows::Change;
use crate::service::Streams;
use crate::shapes;
use crate::stream::Stream;
use api::kinesis::{EnhancedMonitoringOutput, MetricsName};
use base::Cx;
use std::sync::Arc;

/// Changes the metrics of a stream: `change` sees each metric's presence and whether it was named.
///
/// `ALL` names every metric (observed).
///
/// # Errors
/// `ResourceInUse` not `ACTIVE`.
pub(crate) async fn update(
    streams: &Streams,
    cx: &Cx,
    stream: &Arc<Stream>,
    named: &[MetricsName],
    change: impl Fn(bool, bool) -> bool,
) -> Result<EnhancedMonitoringOutput> {
    let current = shapes::metrics(&stream.view().row.monitoring);
    let all = named.contains(&MetricsName::All);
    let mut desired = shapes::METRICS.to_vec();
    desired.retain(|m| change(current.contains(m), all || named.contains(m)));
    lifecycle::begin(&streams.inner, cx, stream, |row| {
        row.monitoring = desired.iter().map(|m| m.as_str().to_owned()).collect();
        row.change = Some(Change::Settle);
        Ok(())
    })
    .await?;
    Ok(EnhancedMonitoringOutput {
        stream_name: Some(shapes::text(&stream.key.name)),
        current_shard_level_metrics: Some(current),
        desired_shard_level_metrics: Some(desired),
        stream_arn: Some(shapes::text(&stream.arn)),
    })
}
