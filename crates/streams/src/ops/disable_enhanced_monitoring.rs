//! `DisableEnhancedMonitoring`.

use crate::errors::Result;
use crate::monitoring;
use crate::service::Streams;
use api::kinesis::{DisableEnhancedMonitoringInput, EnhancedMonitoringOutput};
use base::Cx;

/// Takes shard-level metrics from those a stream is watched by.
///
/// # Errors
/// `ResourceNotFound`; `ResourceInUse` not `ACTIVE`.
pub(crate) async fn disable_enhanced_monitoring(
    streams: Streams,
    cx: Cx,
    input: DisableEnhancedMonitoringInput,
) -> Result<EnhancedMonitoringOutput> {
    let (name, arn) = (input.stream_name.as_ref(), input.stream_arn.as_ref());
    let stream = streams.inner.directory.find(&cx, "DisableEnhancedMonitoring", name, arn)?;
    monitoring::update(&streams, &cx, &stream, &input.shard_level_metrics, |had, named| {
        had && !named
    })
    .await
}
