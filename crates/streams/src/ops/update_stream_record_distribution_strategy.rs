//! `UpdateStreamRecordDistributionStrategy`.

use crate::errors::Result;
use crate::rows::{Mode, Status, StreamRow};
use crate::service::Streams;
use crate::texts::{only_on_demand, stream_not_active};
use api::kinesis::{RecordDistributionStrategy, UpdateStreamRecordDistributionStrategyInput};
use base::Cx;

/// Chooses whether an on-demand stream distributes records by itself; holds for the next record.
///
/// # Errors
/// `ResourceNotFound`; `InvalidArgument` a provisioned stream; `ResourceInUse` not `ACTIVE`.
pub(crate) async fn update_stream_record_distribution_strategy(
    streams: Streams,
    cx: Cx,
    input: UpdateStreamRecordDistributionStrategyInput,
) -> Result<()> {
    const ACTION: &str = "UpdateStreamRecordDistributionStrategy";
    let inner = &streams.inner;
    let stream = inner.directory.find(&cx, ACTION, None, Some(&input.stream_arn))?;
    let row = stream.view().row.clone();
    if row.mode == Mode::Provisioned {
        return Err(only_on_demand("RecordDistributionStrategy"));
    }
    if row.status != Status::Active {
        return Err(stream_not_active(&stream.key, row.status));
    }
    let auto_distribution = input.record_distribution_strategy == RecordDistributionStrategy::Auto;
    inner.update(&cx, &stream, StreamRow { auto_distribution, ..row }).await
}
