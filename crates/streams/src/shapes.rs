//! Rows and views as the API shows them. No shape ever carries a `StreamId`.

use crate::consumer::Consumer;
use crate::rows::{ConsumerStatus, Mode, Status, StreamRow};
use crate::sequence::SequenceNumber;
use crate::shard::{Shard, shard_id};
use crate::stream::Stream;
use api::{Text, Timestamp, kinesis};

/// Every shard-level metric; `ALL` stands for them (observed).
pub(crate) const METRICS: [kinesis::MetricsName; 7] = [
    kinesis::MetricsName::IncomingBytes,
    kinesis::MetricsName::IncomingRecords,
    kinesis::MetricsName::OutgoingBytes,
    kinesis::MetricsName::OutgoingRecords,
    kinesis::MetricsName::WriteProvisionedThroughputExceeded,
    kinesis::MetricsName::ReadProvisionedThroughputExceeded,
    kinesis::MetricsName::IteratorAgeMilliseconds,
];

pub(crate) fn text(value: &str) -> Text {
    Text::from(value)
}

/// A stream's status.
pub(crate) fn status(status: Status) -> kinesis::StreamStatus {
    match status {
        Status::Creating => kinesis::StreamStatus::Creating,
        Status::Active => kinesis::StreamStatus::Active,
        Status::Updating => kinesis::StreamStatus::Updating,
        Status::Deleting => kinesis::StreamStatus::Deleting,
    }
}

/// A stream's mode.
pub(crate) fn mode(mode: Mode) -> kinesis::StreamModeDetails {
    let stream_mode = match mode {
        Mode::Provisioned => kinesis::StreamMode::Provisioned,
        Mode::OnDemand => kinesis::StreamMode::OnDemand,
    };
    kinesis::StreamModeDetails { stream_mode }
}

/// When a stream was made, in whole seconds: consumers put the second into names of leases.
pub(crate) fn created(row: &StreamRow) -> Timestamp {
    Timestamp(row.created_ms.div_euclid(1000) * 1000)
}

/// Whether a client's `StreamCreationTimestamp`, which may have lost its fraction, means this
/// stream.
pub(crate) fn is_created_at(row: &StreamRow, at: Timestamp) -> bool {
    at.0.div_euclid(1000) == row.created_ms.div_euclid(1000)
}

/// A stream's encryption: its type and its key.
pub(crate) fn encryption(row: &StreamRow) -> (Option<kinesis::EncryptionType>, Option<Text>) {
    match &row.encryption {
        Some(encryption) => (Some(kinesis::EncryptionType::Kms), Some(text(&encryption.key_id))),
        None => (Some(kinesis::EncryptionType::None), None),
    }
}

/// A stream's enhanced monitoring.
pub(crate) fn monitoring(row: &StreamRow) -> Vec<kinesis::EnhancedMetrics> {
    vec![kinesis::EnhancedMetrics { shard_level_metrics: Some(metrics(&row.monitoring)) }]
}

/// Stored metric names as the API's, in the API's order.
pub(crate) fn metrics(names: &[String]) -> Vec<kinesis::MetricsName> {
    METRICS.into_iter().filter(|m| names.iter().any(|name| name == m.as_str())).collect()
}

/// A stream's warm throughput; `None` when none was ever asked for.
pub(crate) fn warm(row: &StreamRow) -> Option<kinesis::WarmThroughputObject> {
    let target = match row.change {
        Some(crate::rows::Change::Warm { mibps, .. }) => Some(mibps),
        _ => row.warm_mibps,
    };
    let target_mibps = target?.cast_signed();
    let current_mibps = row.warm_mibps.unwrap_or(0).cast_signed();
    Some(kinesis::WarmThroughputObject {
        target_mibps: Some(target_mibps),
        current_mibps: Some(current_mibps),
    })
}

/// A stream in a listing.
pub(crate) fn stream_summary(stream: &Stream) -> kinesis::StreamSummary {
    let view = stream.view();
    kinesis::StreamSummary {
        stream_name: text(&stream.key.name),
        stream_arn: text(&stream.arn),
        stream_status: status(view.row.status),
        stream_mode_details: Some(mode(view.row.mode)),
        stream_creation_timestamp: Some(created(&view.row)),
    }
}

/// A shard.
pub(crate) fn shard(shard: &Shard) -> kinesis::Shard {
    let row = &shard.row;
    let number = |n: SequenceNumber| Text::from(n.to_string());
    let end = |at_ms: i64| SequenceNumber::end(row.index, row.created_s, at_ms.div_euclid(1000));
    kinesis::Shard {
        shard_id: shard.id.clone(),
        parent_shard_id: row.parent.map(shard_id),
        adjacent_parent_shard_id: row.adjacent_parent.map(shard_id),
        hash_key_range: hash_key_range(shard),
        sequence_number_range: kinesis::SequenceNumberRange {
            starting_sequence_number: number(SequenceNumber::start(row.index, row.created_s)),
            ending_sequence_number: row.closed.as_ref().map(|closed| number(end(closed.at_ms))),
        },
    }
}

/// A shard's hash keys.
pub(crate) fn hash_key_range(shard: &Shard) -> kinesis::HashKeyRange {
    kinesis::HashKeyRange {
        starting_hash_key: Text::from(shard.range().start.to_string()),
        ending_hash_key: Text::from(shard.range().end.to_string()),
    }
}

/// A consumer in a listing; its stream's ARN is not shown there (observed).
pub(crate) fn consumer(consumer: &Consumer) -> kinesis::Consumer {
    let row = consumer.row();
    kinesis::Consumer {
        consumer_name: text(&row.name),
        consumer_arn: text(&consumer.arn),
        consumer_status: consumer_status(row.status),
        consumer_creation_timestamp: Timestamp(row.created_s * 1000),
    }
}

/// A consumer's status.
pub(crate) fn consumer_status(status: ConsumerStatus) -> kinesis::ConsumerStatus {
    match status {
        ConsumerStatus::Creating => kinesis::ConsumerStatus::Creating,
        ConsumerStatus::Active => kinesis::ConsumerStatus::Active,
        ConsumerStatus::Deleting => kinesis::ConsumerStatus::Deleting,
    }
}
