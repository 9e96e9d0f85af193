//! `ListTopics`.

use super::shapes::{PAGE, page};
use crate::sns::errors::Result;
use crate::sns::service::{Sns, authorize};
use api::sns::{ListTopicsInput, ListTopicsResponse, Topic};
use base::Cx;

/// Lists the topics of an account in a region by their names.
///
/// # Errors
/// `InvalidParameter` a token of something else; `AuthorizationError`.
pub(super) fn list_topics(
    service: &Sns,
    cx: &Cx,
    input: &ListTopicsInput,
) -> Result<ListTopicsResponse> {
    authorize(cx, "ListTopics", "*")?;
    let scope = format!("topics/{}/{}", cx.account, cx.region);
    let page = page(service, &scope, input.next_token.as_deref())?;
    let mut topics = service.inner.topics.list(cx.account, &cx.region);
    topics.retain(|topic| page.is_behind(&topic.id.name));
    let next = topics.get(PAGE - 1).filter(|_| topics.len() > PAGE);
    let next_token = next.map(|last| page.next(service, &last.id.name));
    let topics = topics.iter().take(PAGE);
    let topics = topics.map(|topic| Topic { topic_arn: Some(topic.id.arn().into()) }).collect();
    Ok(ListTopicsResponse { topics: Some(topics), next_token })
}
