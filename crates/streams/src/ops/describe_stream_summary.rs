//! `DescribeStreamSummary`.

use crate::errors::Result;
use crate::rows::{Mode, Status};
use crate::service::Streams;
use crate::shapes;
use api::kinesis::{
    DescribeStreamSummaryInput, DescribeStreamSummaryOutput, RecordDistributionStrategy,
    StreamDescriptionSummary,
};
use base::Cx;

/// A stream without its shards.
///
/// # Errors
/// `ResourceNotFound`.
pub(crate) fn describe_stream_summary(
    streams: &Streams,
    cx: &Cx,
    input: &DescribeStreamSummaryInput,
) -> Result<DescribeStreamSummaryOutput> {
    let (name, arn) = (input.stream_name.as_ref(), input.stream_arn.as_ref());
    let stream = streams.inner.directory.find(cx, "DescribeStreamSummary", name, arn)?;
    let view = stream.view();
    let row = &view.row;
    let open = if row.status == Status::Creating { 0 } else { view.open.len() };
    let consumers = stream.consumers.read().len();
    let (encryption_type, key_id) = shapes::encryption(row);
    let strategy = if row.auto_distribution {
        RecordDistributionStrategy::Auto
    } else {
        RecordDistributionStrategy::UserPartitionKey
    };
    let stream_description_summary = StreamDescriptionSummary {
        stream_name: shapes::text(&stream.key.name),
        stream_arn: shapes::text(&stream.arn),
        stream_status: shapes::status(row.status),
        stream_mode_details: Some(shapes::mode(row.mode)),
        retention_period_hours: row.retention_hours.cast_signed(),
        stream_creation_timestamp: shapes::created(row),
        enhanced_monitoring: shapes::monitoring(row),
        encryption_type,
        key_id,
        open_shard_count: open as i32,
        consumer_count: Some(consumers as i32),
        warm_throughput: shapes::warm(row),
        max_record_size_in_kib: Some(row.record_kib_max.cast_signed()),
        channel_count: None,
        // Only on-demand streams show one (model).
        record_distribution_strategy: (row.mode == Mode::OnDemand).then_some(strategy),
        queue_count: None,
    };
    Ok(DescribeStreamSummaryOutput { stream_description_summary })
}
