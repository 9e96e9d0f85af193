//! The service's numbers, as CloudWatch has them.

use super::topics::TopicId;
use base::metrics::{AwsMetric, Definition, Registry};

/// What comes of a delivery.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    /// The endpoint took it.
    Delivered,
    /// It never will: it may not be reached, or it said so.
    Refused,
    /// It was tried too often, or is too old.
    GivenUp,
}

const fn of_topic(name: &'static str, unit: &'static str) -> AwsMetric {
    AwsMetric {
        namespace: "AWS/SNS",
        name,
        unit,
        scale: 1.0,
        dimensions: &[("topic", "TopicName")],
        only: &[],
        is_enhanced: false,
    }
}

static PUBLISHED: Definition = Definition {
    name: "millweir_sns_published_bytes",
    help: "Messages published, and their bytes.",
    aws: &[of_topic("PublishSize", "Bytes")],
};
static MESSAGES: Definition = Definition {
    name: "millweir_sns_published_total",
    help: "Messages published.",
    aws: &[of_topic("NumberOfMessagesPublished", "Count")],
};
static DELIVERED: Definition = Definition {
    name: "millweir_sns_delivered_total",
    help: "Notifications that their endpoints took.",
    aws: &[of_topic("NumberOfNotificationsDelivered", "Count")],
};
static FAILED: Definition = Definition {
    name: "millweir_sns_failed_total",
    help: "Notifications that were given up, by why.",
    aws: &[of_topic("NumberOfNotificationsFailed", "Count")],
};
static RETRIES: Definition =
    Definition::ours("millweir_sns_retries_total", "Deliveries that failed and are tried again.");
static WAITING: Definition =
    Definition::ours("millweir_sns_waiting", "Deliveries that wait for their endpoints.");

/// Where they are kept.
pub(super) struct Metrics(Registry);

impl Metrics {
    pub(super) fn new(registry: Registry) -> Self {
        Self(registry)
    }

    pub(super) fn published(&self, topic: &TopicId, bytes: usize) {
        let labels = &labels(topic);
        self.0.counter(&MESSAGES, labels).add(1);
        self.0.summary(&PUBLISHED, labels).observe(bytes as u64);
    }

    pub(super) fn over(&self, topic: &TopicId, outcome: Outcome) {
        let [account, region, name] = labels(topic);
        match outcome {
            Outcome::Delivered => self.0.counter(&DELIVERED, &[account, region, name]).add(1),
            Outcome::Refused => {
                self.0.counter(&FAILED, &[account, region, name, ("why", "refused")]).add(1);
            }
            Outcome::GivenUp => {
                self.0.counter(&FAILED, &[account, region, name, ("why", "given_up")]).add(1);
            }
        }
    }

    pub(super) fn retried(&self) {
        self.0.counter(&RETRIES, &[]).add(1);
    }

    pub(super) fn waiting(&self, deliveries: usize) {
        self.0.gauge(&WAITING, &[]).set(deliveries as u64);
    }

    /// A topic is gone.
    pub(super) fn forget(&self, topic: &TopicId) {
        self.0.forget_all(&labels(topic));
    }
}

fn labels(topic: &TopicId) -> [(&'static str, &str); 3] {
    [("account", topic.account.as_str()), ("region", topic.region.as_str()), ("topic", &topic.name)]
}
