//! `SetTopicAttributes`.

use crate::sns::attributes::{Draft, PolicyChange};
use crate::sns::errors::{Result, fail};
use crate::sns::rows::{TopicRow, policy_key};
use crate::sns::service::Sns;
use crate::sns::topics::TopicId;
use api::sns::SetTopicAttributesInput;
use base::Cx;
use kit::{PolicyRow, rows};
use store::Transaction;

/// Sets one attribute of a topic.
///
/// # Errors
/// `NotFound`; `InvalidParameter` there is no such attribute, or it cannot have this value;
/// `AuthorizationError`; what the store says.
pub(super) async fn set_topic_attributes(
    service: Sns,
    cx: Cx,
    input: SetTopicAttributesInput,
) -> Result<()> {
    let inner = &service.inner;
    let topic = inner.topic(&cx, "SetTopicAttributes", &input.topic_arn)?;
    let value = input.attribute_value.as_ref().map_or("", |value| value.as_str());
    let mut draft = Draft::of(TopicRow::clone(&topic.row()));
    draft.set(&topic.id, &input.attribute_name, value)?;
    let TopicId { account, region, name } = &topic.id;
    let mut transaction = Transaction::default();
    rows::put(&mut transaction, TopicRow::key(*account, region, name), &draft.row);
    let key = policy_key(*account, region, name);
    match &draft.policy {
        PolicyChange::Keep => {}
        PolicyChange::Default => drop(transaction.remove(key)),
        PolicyChange::Set(_, text) => rows::put(&mut transaction, key, &PolicyRow(text.clone())),
    }
    inner.store.commit(transaction).await.map_err(|e| fail(cx.request_id, &e))?;
    match draft.policy {
        PolicyChange::Keep => {}
        PolicyChange::Default => topic.policy.replace(None),
        PolicyChange::Set(policy, _) => topic.policy.replace(Some(policy)),
    }
    topic.set_row(draft.row);
    Ok(())
}
