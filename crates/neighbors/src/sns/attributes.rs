//! The attributes of topics: what may be set, and what is shown.

use super::delivery_policy::DeliveryPolicy;
use super::errors::Result;
use super::rows::{State, TopicRow};
use super::signer::Version;
use super::texts;
use super::topics::{Topic, TopicId};
use api::Text;
use base::policy::Policy;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Longest name that is shown with messages (model's documentation).
const DISPLAY_NAME_CHARACTERS_MAX: usize = 100;
/// What a topic's policy may be about.
const ACTIONS: &str = "sns:";

/// Attributes of the service that this server does not have: what they ask for would not be done.
const UNSUPPORTED: [&str; 6] = [
    "KmsMasterKeyId",
    "ArchivePolicy",
    "ContentBasedDeduplication",
    "FifoThroughputScope",
    "DataProtectionPolicy",
    "BeginningArchiveTime",
];
/// What attributes about the log of deliveries end with.
const FEEDBACK: [&str; 3] =
    ["SuccessFeedbackRoleArn", "SuccessFeedbackSampleRate", "FailureFeedbackRoleArn"];

/// A topic's attributes as they are to be.
pub(super) struct Draft {
    pub(super) row: TopicRow,
    pub(super) policy: PolicyChange,
}

/// What becomes of a topic's policy.
pub(super) enum PolicyChange {
    Keep,
    /// That which every new topic has: its account may do all.
    Default,
    /// Another one, and its text.
    Set(Policy, String),
}

impl Draft {
    pub(super) fn of(row: TopicRow) -> Self {
        Self { row, policy: PolicyChange::Keep }
    }

    /// Sets an attribute.
    ///
    /// # Errors
    /// `InvalidParameter` there is none of this name, or it cannot have this value.
    pub(super) fn set(&mut self, topic: &TopicId, name: &str, value: &str) -> Result<()> {
        match name {
            "DisplayName" => {
                if value.chars().count() > DISPLAY_NAME_CHARACTERS_MAX {
                    let why = "Display Name must be at most 100 characters long";
                    return Err(texts::invalid_attribute(name, why));
                }
                value.clone_into(&mut self.row.display_name);
            }
            "Policy" => self.policy = policy(topic, value)?,
            "DeliveryPolicy" => self.row.delivery_policy = delivery_policy(value)?,
            "SignatureVersion" => {
                if Version::parse(value).is_none() {
                    return Err(texts::invalid_attribute(name, "it must be 1 or 2"));
                }
                self.row.signature_version = Some(value.into());
            }
            "TracingConfig" => match value {
                "PassThrough" => self.row.tracing_config = Some(value.into()),
                "Active" => return Err(texts::unsupported_attribute("TracingConfig Active")),
                _ => {
                    let why = "it must be PassThrough or Active";
                    return Err(texts::invalid_attribute(name, why));
                }
            },
            "FifoTopic" if value.eq_ignore_ascii_case("false") => {}
            "FifoTopic" => return Err(texts::no_fifo()),
            _ if is_unsupported(name) => {
                // Who takes away what is not there may have it so.
                if !value.is_empty() && !value.eq_ignore_ascii_case("false") {
                    return Err(texts::unsupported_attribute(name));
                }
            }
            _ => return Err(texts::unknown_attribute()),
        }
        Ok(())
    }
}

fn is_unsupported(name: &str) -> bool {
    let is_of = |name: &str| ["HTTP", "Firehose", "Lambda", "Application", "SQS"].contains(&name);
    UNSUPPORTED.contains(&name)
        || FEEDBACK.iter().any(|end| name.strip_suffix(end).is_some_and(is_of))
}

fn policy(topic: &TopicId, text: &str) -> Result<PolicyChange> {
    let is_default = |value: Value| value == default_policy(topic);
    if text.is_empty() || serde_json::from_str(text).is_ok_and(is_default) {
        return Ok(PolicyChange::Default);
    }
    let policy = Policy::parse(text).map_err(|e| texts::invalid_policy(&e.to_string()))?;
    let is_ours = |action: &str| {
        let start = action.get(..ACTIONS.len());
        action == "*" || start.is_some_and(|start| start.eq_ignore_ascii_case(ACTIONS))
    };
    if !policy.actions().all(is_ours) {
        return Err(texts::foreign_action());
    }
    if !policy.concerns(&topic.arn()) {
        return Err(texts::invalid_policy("a statement is about another resource"));
    }
    Ok(PolicyChange::Set(policy, text.to_owned()))
}

fn delivery_policy(text: &str) -> Result<Option<String>> {
    if text.is_empty() {
        return Ok(None);
    }
    let read = DeliveryPolicy::parse(text);
    read.map_err(|why| texts::invalid_attribute("DeliveryPolicy", &why))?;
    Ok(Some(text.to_owned()))
}

/// The policy of a topic that nobody gave one: its account may do all.
fn default_policy(topic: &TopicId) -> Value {
    let actions = [
        "GetTopicAttributes",
        "SetTopicAttributes",
        "AddPermission",
        "RemovePermission",
        "DeleteTopic",
        "Subscribe",
        "ListSubscriptionsByTopic",
        "Publish",
    ];
    json!({
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [{
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Principal": { "AWS": "*" },
            "Action": actions.map(|action| format!("SNS:{action}")),
            "Resource": topic.arn(),
            "Condition": { "StringEquals": { "AWS:SourceOwner": topic.account.as_str() } }
        }]
    })
}

/// Everything that is shown of a topic. `policy`: its own, when it has one; `delivery`: how it
/// delivers.
pub(super) fn shown(
    topic: &Topic,
    policy: Option<String>,
    delivery: &DeliveryPolicy,
) -> BTreeMap<Text, Text> {
    let (id, row) = (&topic.id, topic.row());
    let subscriptions = topic.subscriptions();
    let count = |state| subscriptions.iter().filter(|one| one.state() == state).count().to_string();
    let policy = policy.unwrap_or_else(|| default_policy(id).to_string());
    let mut all = vec![
        ("TopicArn", id.arn()),
        ("Owner", id.account.to_string()),
        ("Policy", policy),
        ("DisplayName", row.display_name.clone()),
        ("SubscriptionsConfirmed", count(State::Confirmed)),
        ("SubscriptionsPending", count(State::Pending)),
        ("SubscriptionsDeleted", count(State::Ended)),
        ("EffectiveDeliveryPolicy", delivery.shown().to_string()),
    ];
    let set = [
        ("DeliveryPolicy", row.delivery_policy.as_deref()),
        ("SignatureVersion", row.signature_version.as_deref()),
        ("TracingConfig", row.tracing_config.as_deref()),
    ];
    for (name, value) in set {
        all.extend(value.map(|value| (name, value.to_owned())));
    }
    all.into_iter().map(|(name, value)| (Text::from_static(name), value.into())).collect()
}
