//! Counters per stream and shard, as `/metrics` shows them.
//!
//! A shard's counters are made at its first record, so that idle shards cost nothing; past
//! `Options::shard_metrics_max` shards of a stream the shard label is left empty and its shards
//! share one counter.

use crate::shard::Shard;
use crate::stream::{Stream, StreamKey};
use base::env::Clock;
use base::metrics::{AwsMetric, Counter, Definition, Gauge, Registry, Summary, WindowMax};
use std::sync::Arc;
use std::time::Duration;

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

/// The numbers of a stream's calls.
#[derive(Clone, Debug)]
pub(crate) struct StreamMetrics {
    pub(crate) put_record: CallMetrics,
    pub(crate) put_records: CallMetrics,
    pub(crate) get_records: CallMetrics,
    /// Of `PutRecords`: records that were sent, and those that failed but for limits.
    pub(crate) total: Summary,
    pub(crate) failed: Summary,
}

/// The numbers of the calls of one operation.
#[derive(Clone, Debug)]
pub(crate) struct CallMetrics {
    latency_us: Summary,
    success: Summary,
    throttled: Summary,
    bytes: Summary,
    records: Summary,
}

/// What a call did.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Done {
    /// How many records, and their bytes, that were written or read.
    pub(crate) records: u64,
    pub(crate) bytes: u64,
    /// How many were over a limit.
    pub(crate) throttled: u64,
}

impl CallMetrics {
    /// Counts a call that took so long; `None` = it did nothing.
    pub(crate) fn count(&self, took: Duration, done: Option<Done>, throttled: bool) {
        let Done { records, bytes, throttled: some } = done.unwrap_or_default();
        self.latency_us.observe(took.as_micros() as u64);
        self.success.observe(done.is_some().into());
        self.throttled.observe(some + u64::from(throttled));
        if done.is_some() {
            self.bytes.observe(bytes);
            self.records.observe(records);
        }
    }
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

/// Whose metrics they are on AWS.
pub(crate) const NAMESPACE: &str = "AWS/Kinesis";

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
    let (namespace, scale, is_enhanced) = (NAMESPACE, 1.0, false);
    AwsMetric { namespace, name, unit, scale, dimensions, only, is_enhanced }
}

/// One of AWS's enhanced metrics, of a shard.
const fn of_shard(
    name: &'static str,
    unit: &'static str,
    only: &'static [(&'static str, &'static str)],
) -> AwsMetric {
    AwsMetric { dimensions: &[STREAM, SHARD], is_enhanced: true, ..of_stream(name, unit, only) }
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
        aws: &[of_shard("IncomingBytes", "Bytes", &[])],
    },
    Definition {
        name: "millweir_kinesis_incoming_records_total",
        help: "Records written to a shard.",
        aws: &[of_shard("IncomingRecords", "Count", &[])],
    },
];
static OUTGOING: [Definition; 2] = [
    Definition {
        name: "millweir_kinesis_outgoing_bytes_total",
        help: "Bytes read from a shard.",
        aws: &[
            of_shard("OutgoingBytes", "Bytes", &[("mode", "poll")]),
            of_consumer("SubscribeToShardEvent.Bytes", "Bytes"),
        ],
    },
    Definition {
        name: "millweir_kinesis_outgoing_records_total",
        help: "Records read from a shard.",
        aws: &[
            of_shard("OutgoingRecords", "Count", &[("mode", "poll")]),
            of_consumer("SubscribeToShardEvent.Records", "Count"),
        ],
    },
];
static THROTTLED: Definition = Definition {
    name: "millweir_kinesis_throttled_total",
    help: "Requests or records over a shard's limit.",
    aws: &[
        of_shard("WriteProvisionedThroughputExceeded", "Count", &[("direction", "write")]),
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
const PUT_RECORD: &[(&str, &str)] = &[("op", "PutRecord")];
const PUT_RECORDS: &[(&str, &str)] = &[("op", "PutRecords")];
const GET_RECORDS: &[(&str, &str)] = &[("op", "GetRecords")];
const SUBSCRIBE: &[(&str, &str)] = &[("op", "SubscribeToShard")];

/// Microseconds here, milliseconds there.
const fn latency(name: &'static str, op: &'static [(&'static str, &'static str)]) -> AwsMetric {
    AwsMetric { scale: 0.001, ..of_stream(name, "Milliseconds", op) }
}

static LATENCY: Definition = Definition {
    name: "millweir_kinesis_call_microseconds",
    help: "How long calls of a stream took.",
    aws: &[
        latency("PutRecord.Latency", PUT_RECORD),
        latency("PutRecords.Latency", PUT_RECORDS),
        latency("GetRecords.Latency", GET_RECORDS),
    ],
};
static SUCCESS: Definition = Definition {
    name: "millweir_kinesis_call_success",
    help: "Calls of a stream, each 1 when it succeeded; PutRecords when one of its records did.",
    aws: &[
        of_stream("PutRecord.Success", "Count", PUT_RECORD),
        of_stream("PutRecords.Success", "Count", PUT_RECORDS),
        of_stream("GetRecords.Success", "Count", GET_RECORDS),
    ],
};
static CALL_BYTES: Definition = Definition {
    name: "millweir_kinesis_call_bytes",
    help: "Bytes of records that successful calls of a stream wrote or read.",
    aws: &[
        of_stream("PutRecord.Bytes", "Bytes", PUT_RECORD),
        of_stream("PutRecords.Bytes", "Bytes", PUT_RECORDS),
        of_stream("IncomingBytes", "Bytes", PUT_RECORD),
        of_stream("IncomingBytes", "Bytes", PUT_RECORDS),
        of_stream("GetRecords.Bytes", "Bytes", GET_RECORDS),
    ],
};
static CALL_RECORDS: Definition = Definition {
    name: "millweir_kinesis_call_records",
    help: "Records that successful calls of a stream wrote or read.",
    aws: &[
        of_stream("IncomingRecords", "Count", PUT_RECORD),
        of_stream("IncomingRecords", "Count", PUT_RECORDS),
        of_stream("PutRecords.SuccessfulRecords", "Count", PUT_RECORDS),
        of_stream("GetRecords.Records", "Count", GET_RECORDS),
    ],
};
static CALL_THROTTLED: Definition = Definition {
    name: "millweir_kinesis_call_throttled",
    help: "Of calls of a stream the records, or the call itself where it reads, over a limit.",
    aws: &[
        of_stream("WriteProvisionedThroughputExceeded", "Count", PUT_RECORD),
        of_stream("WriteProvisionedThroughputExceeded", "Count", PUT_RECORDS),
        of_stream("PutRecords.ThrottledRecords", "Count", PUT_RECORDS),
        of_stream("ReadProvisionedThroughputExceeded", "Count", GET_RECORDS),
    ],
};
static CALL_FAILED: Definition = Definition {
    name: "millweir_kinesis_call_failed",
    help: "Of calls of a stream the records that failed for another reason than a limit.",
    aws: &[of_stream("PutRecords.FailedRecords", "Count", PUT_RECORDS)],
};
static CALL_TOTAL: Definition = Definition {
    name: "millweir_kinesis_call_total_records",
    help: "Records that were sent in calls of a stream.",
    aws: &[of_stream("PutRecords.TotalRecords", "Count", PUT_RECORDS)],
};
static SUBSCRIBED: [Definition; 2] = [
    Definition {
        name: "millweir_kinesis_subscribe_success",
        help: "Subscriptions of a consumer, each 1 when it began.",
        aws: &[AwsMetric { only: SUBSCRIBE, ..of_consumer("SubscribeToShard.Success", "Count") }],
    },
    Definition {
        name: "millweir_kinesis_subscribe_rate_exceeded",
        help: "Subscriptions of a consumer, each 1 when it came too soon.",
        aws: &[AwsMetric {
            only: SUBSCRIBE,
            ..of_consumer("SubscribeToShard.RateExceeded", "Count")
        }],
    },
];
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

    /// The numbers of a stream's calls, made when it has none yet.
    pub(crate) fn stream<'a>(&self, stream: &'a Stream) -> &'a StreamMetrics {
        stream.metrics.get_or_init(|| {
            let call = |op| self.call(&stream.key, op);
            let summary = |definition| {
                self.registry.summary(definition, &with(&stream.key, &[("op", "PutRecords")]))
            };
            StreamMetrics {
                put_record: call("PutRecord"),
                put_records: call("PutRecords"),
                get_records: call("GetRecords"),
                total: summary(&CALL_TOTAL),
                failed: summary(&CALL_FAILED),
            }
        })
    }

    fn call(&self, key: &StreamKey, op: &str) -> CallMetrics {
        let labels = with(key, &[("op", op)]);
        let summary = |definition| self.registry.summary(definition, &labels);
        CallMetrics {
            latency_us: summary(&LATENCY),
            success: summary(&SUCCESS),
            throttled: summary(&CALL_THROTTLED),
            bytes: summary(&CALL_BYTES),
            records: summary(&CALL_RECORDS),
        }
    }

    /// Counts a subscription that began, or that came too soon.
    pub(crate) fn subscribed(&self, key: &StreamKey, consumer: &str, began: bool) {
        let labels = with(key, &[("consumer", consumer), ("op", "SubscribeToShard")]);
        let [success, rate_exceeded] = &SUBSCRIBED;
        self.registry.summary(success, &labels).observe(began.into());
        self.registry.summary(rate_exceeded, &labels).observe((!began).into());
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
