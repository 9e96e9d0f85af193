//! `EnableEnhancedMonitoring`.

use crate::errors::Result;
use crate::monitoring;
use crate::service::Streams;
use api::kinesis::{EnableEnhancedMonitoringInput, EnhancedMonitoringOutput};
use base::Cx;

/// Adds shard-level metrics to those a stream is watched by.
///
/// # Errors
/// `ResourceNotFound`; `ResourceInUse` not `ACTIVE`.
pub(crate) async fn enable_enhanced_monitoring(
    streams: Streams,
    cx: Cx,
    input: EnableEnhancedMonitoringInput,
) -> Result<EnhancedMonitoringOutput> {
    let (name, arn) = (input.stream_name.as_ref(), input.stream_arn.as_ref());
    let stream = streams.inner.directory.find(&cx, "EnableEnhancedMonitoring", name, arn)?;
    monitoring::update(&streams, &cx, &stream, &input.shard_level_metrics, |had, named| {
        had || named
    })
    .await
}
