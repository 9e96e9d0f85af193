//! Enhanced monitoring: which metrics of its shards a stream has, for both operations and for
//! CloudWatch.

use crate::errors::Result;
use crate::lifecycle;
use crate::rows::Change;
use crate::service::{Inner, Streams};
use crate::shapes;
use crate::stream::Stream;
use api::kinesis::{EnhancedMonitoringOutput, MetricsName};
use base::metrics::{AwsMetric, Sample};
use base::{AccountId, Cx, Region};
use std::sync::Arc;

/// Whether a stream has this metric of its shards.
pub(crate) fn wants(inner: &Inner, metric: &AwsMetric, sample: &Sample) -> bool {
    let label = |wanted: &str| {
        let mut labels = sample.labels.iter();
        labels.find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
    };
    let stream = || {
        let account = AccountId::parse(label("account")?).ok()?;
        let region = Region::parse(label("region")?).ok()?;
        inner.directory.get(account, &region, label("stream")?)
    };
    let stream = stream();
    stream.is_some_and(|stream| stream.view().row.monitoring.iter().any(|name| name == metric.name))
}

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
