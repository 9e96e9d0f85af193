//! The service's numbers, as CloudWatch has them.

use super::groups::GroupId;
use base::metrics::{AwsMetric, Definition, Registry};

const fn of_group(name: &'static str, unit: &'static str) -> AwsMetric {
    AwsMetric {
        namespace: "AWS/Logs",
        name,
        unit,
        scale: 1.0,
        dimensions: &[("group", "LogGroupName")],
        only: &[],
        is_enhanced: false,
    }
}

const fn of_filter(name: &'static str, unit: &'static str) -> AwsMetric {
    AwsMetric {
        dimensions: &[("group", "LogGroupName"), ("filter", "FilterName")],
        ..of_group(name, unit)
    }
}

static EVENTS: Definition = Definition {
    name: "millweir_logs_events_total",
    help: "Log events that were put.",
    aws: &[of_group("IncomingLogEvents", "Count")],
};
static BYTES: Definition = Definition {
    name: "millweir_logs_bytes_total",
    help: "Bytes of log events that were put.",
    aws: &[of_group("IncomingBytes", "Bytes")],
};
static FORWARDED: Definition = Definition {
    name: "millweir_logs_forwarded_total",
    help: "Log events that destinations of subscription filters took.",
    aws: &[of_filter("ForwardedLogEvents", "Count")],
};
static ERRORS: Definition = Definition {
    name: "millweir_logs_delivery_errors_total",
    help: "Log events that were given up, whose destination did not take them in time.",
    aws: &[of_filter("DeliveryErrors", "Count")],
};
static RETRIES: Definition = Definition::ours(
    "millweir_logs_retries_total",
    "Deliveries to destinations of subscription filters that failed and are tried again.",
);
static STORED: Definition =
    Definition::ours("millweir_logs_stored_bytes", "Bytes of all log events that are kept.");

/// Where they are kept.
pub(super) struct Metrics(Registry);

impl Metrics {
    pub(super) fn new(registry: Registry) -> Self {
        Self(registry)
    }

    pub(super) fn put(&self, group: &GroupId, (events, bytes): (usize, usize)) {
        let labels = &labels(group);
        self.0.counter(&EVENTS, labels).add(events as u64);
        self.0.counter(&BYTES, labels).add(bytes as u64);
    }

    pub(super) fn forwarded(&self, group: &GroupId, filter: &str, events: usize) {
        let [account, region, group] = labels(group);
        let labels = [account, region, group, ("filter", filter)];
        self.0.counter(&FORWARDED, &labels).add(events as u64);
    }

    pub(super) fn given_up(&self, group: &GroupId, filter: &str, events: usize) {
        let [account, region, group] = labels(group);
        let labels = [account, region, group, ("filter", filter)];
        self.0.counter(&ERRORS, &labels).add(events as u64);
    }

    pub(super) fn retried(&self) {
        self.0.counter(&RETRIES, &[]).add(1);
    }

    pub(super) fn stored(&self, bytes: u64) {
        self.0.gauge(&STORED, &[]).set(bytes);
    }

    /// A group is gone.
    pub(super) fn forget(&self, group: &GroupId) {
        self.0.forget_all(&labels(group));
    }
}

fn labels(group: &GroupId) -> [(&'static str, &str); 3] {
    [("account", group.account.as_str()), ("region", group.region.as_str()), ("group", &group.name)]
}
