//! `DeleteTopic`.

use crate::sns::errors::{Result, fail};
use crate::sns::rows::{SubscriptionRow, TopicRow, policy_key, tags_key};
use crate::sns::service::{Sns, topic_id};
use crate::sns::topics::TopicId;
use api::sns::DeleteTopicInput;
use base::Cx;
use store::Transaction;

/// Removes a topic with its subscriptions, its policy and its tags; one that is not there is fine.
/// What waits for its endpoints is given up.
///
/// # Errors
/// `InvalidParameter`; `AuthorizationError`; what the store says.
pub(super) async fn delete_topic(service: Sns, cx: Cx, input: DeleteTopicInput) -> Result<()> {
    let inner = &service.inner;
    let id = topic_id(&cx, &input.topic_arn)?;
    let Some(topic) = inner.find_topic(&cx, "DeleteTopic", &id)? else { return Ok(()) };
    let TopicId { account, region, name } = &id;
    let mut transaction = Transaction::default();
    transaction.frees_room();
    transaction.remove(TopicRow::key(*account, region, name));
    transaction.remove(policy_key(*account, region, name));
    transaction.remove(tags_key(*account, region, name));
    for subscription in topic.subscriptions() {
        transaction.remove(SubscriptionRow::key(&subscription.id.path()));
    }
    inner.store.commit(transaction).await.map_err(|e| fail(cx.request_id, &e))?;
    inner.topics.remove(&id);
    inner.metrics.forget(&id);
    Ok(())
}
