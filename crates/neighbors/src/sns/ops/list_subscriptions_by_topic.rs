//! `ListSubscriptionsByTopic`.

use super::shapes::{PAGE, page};
use crate::sns::errors::Result;
use crate::sns::rows::State;
use crate::sns::service::Sns;
use crate::sns::texts;
use crate::sns::topics;
use api::sns::{ListSubscriptionsByTopicInput, ListSubscriptionsByTopicResponse, Subscription};
use base::Cx;

/// Lists the subscriptions of a topic.
///
/// # Errors
/// `NotFound`, `InvalidParameter`, `AuthorizationError`.
pub(super) fn list_subscriptions_by_topic(
    service: &Sns,
    cx: &Cx,
    input: &ListSubscriptionsByTopicInput,
) -> Result<ListSubscriptionsByTopicResponse> {
    let topic = service.inner.topic(cx, "ListSubscriptionsByTopic", &input.topic_arn)?;
    let scope = format!("subscriptions/{}", topic.id.arn());
    let page = page(service, &scope, input.next_token.as_deref())?;
    let mut all = topic.subscriptions();
    all.retain(|one| one.state() != State::Ended && page.is_behind(&one.id.id));
    let next = all.get(PAGE - 1).filter(|_| all.len() > PAGE);
    let next_token = next.map(|last| page.next(service, &last.id.id));
    let subscriptions = all.iter().take(PAGE).map(|one| shown(one)).collect();
    Ok(ListSubscriptionsByTopicResponse { subscriptions: Some(subscriptions), next_token })
}

fn shown(subscription: &topics::Subscription) -> Subscription {
    let (id, row) = (&subscription.id, subscription.row());
    let arn = match row.state {
        State::Pending => texts::PENDING_IN_LISTS.to_owned(),
        State::Confirmed | State::Ended => id.arn(),
    };
    Subscription {
        subscription_arn: Some(arn.into()),
        owner: Some((*row.owner).into()),
        protocol: Some(row.protocol().into()),
        endpoint: Some((*row.endpoint).into()),
        topic_arn: Some(id.topic.arn().into()),
    }
}
