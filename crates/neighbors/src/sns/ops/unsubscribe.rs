//! `Unsubscribe`.

use super::shapes::subscription_id;
use crate::sns::errors::Result;
use crate::sns::service::{Sns, authorize};
use crate::sns::texts;
use api::sns::UnsubscribeInput;
use base::Cx;

/// Ends a subscription; one that is not there is fine. When the topic's owner ends another
/// account's, its endpoint is told and may take it back.
///
/// # Errors
/// `InvalidParameter`; `AuthorizationError` it is neither's; what the store says.
pub(super) async fn unsubscribe(service: Sns, cx: Cx, input: UnsubscribeInput) -> Result<()> {
    let inner = &service.inner;
    let id = subscription_id(&cx, &input.subscription_arn)?;
    authorize(&cx, "Unsubscribe", &input.subscription_arn)?;
    let Some(topic) = inner.topics.get(&id.topic) else { return Ok(()) };
    let Some(subscription) = topic.subscription(&id.id) else { return Ok(()) };
    if *subscription.row().owner == *cx.account.as_str() {
        return inner.remove_subscription(cx.request_id, &topic, &subscription).await;
    }
    if id.topic.account != cx.account {
        return Err(texts::foreign_subscription());
    }
    inner.end(cx.request_id, &topic, &subscription).await
}
