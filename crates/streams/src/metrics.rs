//! Counters per stream and shard, as `/metrics` shows them.
//!
//! A shard's counters are made at its first record, so that idle shards cost nothing; past
//! `Options::shard_metrics_max` shards of a stream the shard label is left empty and its shards
//! share one counter.

use crate::shard::Shard;
use crate::stream::{Stream, StreamKey};
use base::env::Clock;
use base::metrics::{AwsMetric, Counter, Definition, Gauge, Registry, WindowMax};
use std::sync::Arc;

/// Where the service's numbers are kept.
#[derive(Clone)]
pub(crate) struct Metrics {
    registry: Registry,
    clock: Arc<dyn Clock>,
    shard_labels_max: usize,
    pub(crate) clock_in_doubt: Gauge,
}

/// The counters of one shard.
#[derive(Clone, Debug)]
pub(crate) struct ShardMetrics {
    pub(crate) put_record: Traffic,
    pub(crate) put_records: Traffic,
    /// What `GetRecords` read.
    pub(crate) polled: Traffic,
    pub(crate) write_throttled_bytes: Counter,
    pub(crate) write_throttled_records: Counter,
    pub(crate) read_throttled_bytes: Counter,
    pub(crate) read_throttled_calls: Counter,
    /// Age of the last record of each `GetRecords`; zero at the tip.
    pub(crate) iterator_age: WindowMax,
}

/// The counters of one consumer's subscription to one shard.
#[derive(Clone, Debug)]
pub(crate) struct PushMetrics {
    pub(crate) pushed: Traffic,
    /// How far it is behind the shard's tip.
    pub(crate) behind: Gauge,
}

type Labels<'a> = [(&'a str, &'a str)];

/// Records and their bytes.
#[derive(Clone, Debug)]
pub(crate) struct Traffic {
    pub(crate) bytes: Counter,
    pub(crate) records: Counter,
}

impl Traffic {
    /// Counts records of this many payload bytes together.
    pub(crate) fn add(&self, records: u64, bytes: u64) {
        self.records.add(records);
        self.bytes.add(bytes);
    }
}

const STREAM: (&str, &str) = ("stream", "StreamName");
const SHARD: (&str, &str) = ("shard", "ShardId");
const CONSUMER: (&str, &str) = ("consumer", "ConsumerName");

/// A metric of AWS's of a stream's cells with these labels.
const fn of_stream(
    name: &'static str,
    unit: &'static str,
    only: &'static [(&'static str, &'static str)],
) -> AwsMetric {
    let dimensions = &[STREAM];
    AwsMetric { namespace: "AWS/Kinesis", name, unit, scale: 1.0, dimensions, only }
}

/// One of AWS's enhanced metrics, of a shard.
const fn of_shard(
    name: &'static str,
    unit: &'static str,
    only: &'static [(&'static str, &'static str)],
) -> AwsMetric {
    AwsMetric { dimensions: &[STREAM, SHARD], ..of_stream(name, unit, only) }
}

/// One of a consumer.
const fn of_consumer(name: &'static str, unit: &'static str) -> AwsMetric {
    let only = &[("mode", "push")];
    AwsMetric { dimensions: &[STREAM, CONSUMER], ..of_stream(name, unit, only) }
}

/// Seconds here, milliseconds there.
const fn in_ms(metric: AwsMetric) -> AwsMetric {
    AwsMetric { unit: "Milliseconds", scale: 1000.0, ..metric }
}

static INCOMING: [Definition; 2] = [
    Definition {
        name: "millweir_kinesis_incoming_bytes_total",
        help: "Bytes written to a shard.",
        aws: &[
            of_stream("IncomingBytes", "Bytes", &[]),
            of_shard("IncomingBytes", "Bytes", &[]),
            of_stream("PutRecord.Bytes", "Bytes", &[("op", "PutRecord")]),
            of_stream("PutRecords.Bytes", "Bytes", &[("op", "PutRecords")]),
        ],
    },
    Definition {
        name: "millweir_kinesis_incoming_records_total",
        help: "Records written to a shard.",
        aws: &[
            of_stream("IncomingRecords", "Count", &[]),
            of_shard("IncomingRecords", "Count", &[]),
            of_stream("PutRecords.SuccessfulRecords", "Count", &[("op", "PutRecords")]),
        ],
    },
];
static OUTGOING: [Definition; 2] = [
    Definition {
        name: "millweir_kinesis_outgoing_bytes_total",
        help: "Bytes read from a shard.",
        aws: &[
            of_shard("OutgoingBytes", "Bytes", &[("mode", "poll")]),
            of_stream("GetRecords.Bytes", "Bytes", &[("mode", "poll")]),
            of_consumer("SubscribeToShardEvent.Bytes", "Bytes"),
        ],
    },
    Definition {
        name: "millweir_kinesis_outgoing_records_total",
        help: "Records read from a shard.",
        aws: &[
            of_shard("OutgoingRecords", "Count", &[("mode", "poll")]),
            of_stream("GetRecords.Records", "Count", &[("mode", "poll")]),
            of_consumer("SubscribeToShardEvent.Records", "Count"),
        ],
    },
];
static THROTTLED: Definition = Definition {
    name: "millweir_kinesis_throttled_total",
    help: "Requests or records over a shard's limit.",
    aws: &[
        of_stream("WriteProvisionedThroughputExceeded", "Count", &[("direction", "write")]),
        of_shard("WriteProvisionedThroughputExceeded", "Count", &[("direction", "write")]),
        of_stream("ReadProvisionedThroughputExceeded", "Count", &[("direction", "read")]),
        of_shard("ReadProvisionedThroughputExceeded", "Count", &[("direction", "read")]),
    ],
};
static ITERATOR_AGE: Definition = Definition {
    name: "millweir_kinesis_iterator_age_seconds",
    help: "Age of the last record read by polling, the greatest of this minute and the one before.",
    aws: &[
        in_ms(of_stream("GetRecords.IteratorAgeMilliseconds", "", &[])),
        in_ms(of_shard("IteratorAgeMilliseconds", "", &[])),
    ],
};
static BEHIND: Definition = Definition {
    name: "millweir_kinesis_consumer_behind_seconds",
    help: "How far a fan-out consumer is behind the shard's tip.",
    aws: &[in_ms(AwsMetric {
        only: &[],
        ..of_consumer("SubscribeToShardEvent.MillisBehindLatest", "")
    })],
};
static CLOCK_IN_DOUBT: Definition =
    Definition::ours("millweir_clock_in_doubt", "1 while the wall clock jumped and is not used.");

impl Metrics {
    /// Keeps numbers in this registry.
    pub(crate) fn new(registry: Registry, clock: Arc<dyn Clock>, shard_labels_max: usize) -> Self {
        let clock_in_doubt = registry.gauge(&CLOCK_IN_DOUBT, &[]);
        Self { registry, clock, shard_labels_max, clock_in_doubt }
    }

    /// The counters of a shard, made when it has none yet.
    pub(crate) fn shard<'a>(&self, stream: &Stream, shard: &'a Shard) -> &'a ShardMetrics {
        shard.metrics.get_or_init(|| self.make(&stream.key, self.label(stream, shard)))
    }

    /// The counters of a subscription.
    pub(crate) fn push(&self, stream: &Stream, consumer: &str, shard: &Shard) -> PushMetrics {
        let (consumer, shard) = (("consumer", consumer), ("shard", self.label(stream, shard)));
        let behind = with(&stream.key, &[consumer, shard]);
        let labels = with(&stream.key, &[shard, ("mode", "push"), consumer]);
        PushMetrics {
            pushed: self.traffic(&OUTGOING, &labels),
            behind: self.registry.gauge(&BEHIND, &behind),
        }
    }

    fn traffic(&self, [bytes, records]: &'static [Definition; 2], labels: &Labels<'_>) -> Traffic {
        let counter = |definition| self.registry.counter(definition, labels);
        Traffic { bytes: counter(bytes), records: counter(records) }
    }

    fn label<'a>(&self, stream: &Stream, shard: &'a Shard) -> &'a str {
        let many = stream.view().shards.len() > self.shard_labels_max;
        if many { "" } else { shard.id.as_str() }
    }

    /// Forgets a shard that expired.
    pub(crate) fn forget_shard(&self, key: &StreamKey, shard: &Shard) {
        self.registry.forget_all(&with(key, &[("shard", shard.id.as_str())]));
    }

    /// Forgets a deleted stream.
    pub(crate) fn forget_stream(&self, key: &StreamKey) {
        self.registry.forget_all(&with(key, &[]));
    }

    /// Forgets a deregistered consumer.
    pub(crate) fn forget_consumer(&self, key: &StreamKey, consumer: &str) {
        self.registry.forget_all(&with(key, &[("consumer", consumer)]));
    }

    fn make(&self, key: &StreamKey, shard: &str) -> ShardMetrics {
        let incoming = |op| self.traffic(&INCOMING, &with(key, &[("shard", shard), ("op", op)]));
        let polled = with(key, &[("shard", shard), ("mode", "poll"), ("consumer", "")]);
        let throttled = |direction, limit| {
            let labels = with(key, &[("shard", shard), ("direction", direction), ("limit", limit)]);
            self.registry.counter(&THROTTLED, &labels)
        };
        ShardMetrics {
            put_record: incoming("PutRecord"),
            put_records: incoming("PutRecords"),
            polled: self.traffic(&OUTGOING, &polled),
            write_throttled_bytes: throttled("write", "bytes"),
            write_throttled_records: throttled("write", "records"),
            read_throttled_bytes: throttled("read", "bytes"),
            read_throttled_calls: throttled("read", "calls"),
            iterator_age: self.registry.window_max(
                &ITERATOR_AGE,
                &with(key, &[("shard", shard)]),
                &self.clock,
            ),
        }
    }
}

/// The labels that tell a stream from those of the same name elsewhere, then `more`.
fn with<'a>(key: &'a StreamKey, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut labels = vec![
        ("account", key.account.as_str()),
        ("region", key.region.as_str()),
        ("stream", &*key.name),
    ];
    labels.extend_from_slice(more);
    labels
}
