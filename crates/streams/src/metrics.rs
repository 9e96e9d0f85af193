//! Counters per stream and shard, as `/metrics` shows them.
//!
//! A shard's counters are made at its first record, so that idle shards cost nothing; past
//! `Options::shard_metrics_max` shards of a stream the shard label is left empty and its shards
//! share one counter.

use crate::shard::Shard;
use crate::stream::{Stream, StreamKey};
use base::env::Clock;
use base::metrics::{Counter, Gauge, Registry, WindowMax};
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

const INCOMING: [(&str, &str); 2] = [
    ("millweir_stream_incoming_bytes_total", "Bytes written to a shard."),
    ("millweir_stream_incoming_records_total", "Records written to a shard."),
];
const OUTGOING: [(&str, &str); 2] = [
    ("millweir_stream_outgoing_bytes_total", "Bytes read from a shard."),
    ("millweir_stream_outgoing_records_total", "Records read from a shard."),
];
const THROTTLED: (&str, &str) =
    ("millweir_stream_throttled_total", "Requests or records over a shard's limit.");
const ITERATOR_AGE: (&str, &str) = (
    "millweir_stream_iterator_age_seconds",
    "Age of the last record read by polling, the greatest of this minute and the one before.",
);
const BEHIND: (&str, &str) =
    ("millweir_consumer_behind_seconds", "How far a fan-out consumer is behind the shard's tip.");

impl Metrics {
    /// Keeps numbers in this registry.
    pub(crate) fn new(registry: Registry, clock: Arc<dyn Clock>, shard_labels_max: usize) -> Self {
        let clock_in_doubt = registry.gauge(
            "millweir_clock_in_doubt",
            "1 while the wall clock jumped and is not used.",
            &[],
        );
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
            pushed: self.traffic(OUTGOING, &labels),
            behind: self.registry.gauge(BEHIND.0, BEHIND.1, &behind),
        }
    }

    fn traffic(&self, families: [(&'static str, &'static str); 2], labels: &Labels<'_>) -> Traffic {
        let [bytes, records] =
            families.map(|(name, help)| self.registry.counter(name, help, labels));
        Traffic { bytes, records }
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
        let incoming = |op| self.traffic(INCOMING, &with(key, &[("shard", shard), ("op", op)]));
        let polled = with(key, &[("shard", shard), ("mode", "poll"), ("consumer", "")]);
        let throttled = |direction, limit| {
            let labels = with(key, &[("shard", shard), ("direction", direction), ("limit", limit)]);
            self.registry.counter(THROTTLED.0, THROTTLED.1, &labels)
        };
        ShardMetrics {
            put_record: incoming("PutRecord"),
            put_records: incoming("PutRecords"),
            polled: self.traffic(OUTGOING, &polled),
            write_throttled_bytes: throttled("write", "bytes"),
            write_throttled_records: throttled("write", "records"),
            read_throttled_bytes: throttled("read", "bytes"),
            read_throttled_calls: throttled("read", "calls"),
            iterator_age: self.registry.window_max(
                ITERATOR_AGE.0,
                ITERATOR_AGE.1,
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
