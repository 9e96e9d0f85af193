//! `CreateTopic`.

use super::shapes;
use crate::sns::attributes::{self, Draft, PolicyChange};
use crate::sns::errors::{Result, fail};
use crate::sns::rows::{TopicRow, policy_key, tags_key};
use crate::sns::service::{Sns, authorize};
use crate::sns::texts;
use crate::sns::topics::{Topic, TopicId, is_topic_name};
use api::sns::{CreateTopicInput, CreateTopicResponse};
use base::Cx;
use kit::{PolicyRow, PolicySlot, Tags, rows};
use std::sync::Arc;
use store::Transaction;

/// What names of FIFO topics end with.
const FIFO: &str = ".fifo";

/// Makes a topic; one that is there with the same attributes and tags is found.
///
/// # Errors
/// `InvalidParameter`; `TopicLimitExceeded`, `TagLimitExceeded` there are too many;
/// `AuthorizationError`; what the store says.
pub(super) async fn create_topic(
    service: Sns,
    cx: Cx,
    input: CreateTopicInput,
) -> Result<CreateTopicResponse> {
    let name = input.name.as_str();
    let id = TopicId { account: cx.account, region: cx.region.clone(), name: name.into() };
    let arn = id.arn();
    authorize(&cx, "CreateTopic", &arn)?;
    if name.strip_suffix(FIFO).is_some_and(is_topic_name) {
        return Err(texts::no_fifo());
    }
    if !is_topic_name(name) {
        return Err(texts::invalid_topic_name());
    }
    if input.data_protection_policy.as_ref().is_some_and(|policy| !policy.is_empty()) {
        return Err(texts::unsupported_attribute("DataProtectionPolicy"));
    }
    let tags = shapes::read_tags(input.tags.as_deref().unwrap_or_default())?;
    let row = TopicRow { created_ms: service.now_ms(), ..TopicRow::default() };
    let mut draft = Draft::of(row);
    for (attribute, value) in input.attributes.iter().flatten() {
        draft.set(&id, attribute, value)?;
    }
    match service.inner.topics.get(&id) {
        Some(topic) => check_same(&service, &cx, &topic, (&input, &tags))?,
        None => make(&service, &cx, id, (draft, tags)).await?,
    }
    Ok(CreateTopicResponse { topic_arn: Some(arn.into()) })
}

/// Whether a topic that is there is what was asked for.
fn check_same(
    service: &Sns,
    cx: &Cx,
    topic: &Topic,
    (input, tags): (&CreateTopicInput, &Tags),
) -> Result<()> {
    let delivery = service.inner.delivery_policy(&topic.id);
    let shown = attributes::shown(topic, shapes::policy_of(service, cx, topic)?, &delivery);
    for (name, value) in input.attributes.iter().flatten() {
        let is_same = shown.get(name.as_str()).map_or("", |shown| shown.as_str()) == value.as_str();
        let is_none = name == "FifoTopic" || value.is_empty();
        if !is_same && !is_none {
            return Err(texts::other_attributes());
        }
    }
    let known = shapes::tags_of(service, cx, &topic.id)?;
    if !tags.is_empty() && !tags.iter().all(|tag| known.iter().any(|known| known == tag)) {
        return Err(texts::other_tags());
    }
    Ok(())
}

async fn make(service: &Sns, cx: &Cx, id: TopicId, (draft, tags): (Draft, Tags)) -> Result<()> {
    let inner = &service.inner;
    let most = inner.options.topics_max;
    if inner.topics.count(id.account, &id.region) >= most {
        return Err(texts::too_many_topics(most));
    }
    let TopicId { account, region, name } = &id;
    let mut transaction = Transaction::default();
    rows::put(&mut transaction, TopicRow::key(*account, region, name), &draft.row);
    if !tags.is_empty() {
        rows::put(&mut transaction, tags_key(*account, region, name), &tags);
    }
    let policy = PolicySlot::default();
    if let PolicyChange::Set(read, text) = draft.policy {
        rows::put(&mut transaction, policy_key(*account, region, name), &PolicyRow(text));
        policy.replace(Some(read));
    }
    inner.store.commit(transaction).await.map_err(|e| fail(cx.request_id, &e))?;
    inner.topics.insert(Arc::new(Topic::new(id, draft.row, policy)));
    Ok(())
}
