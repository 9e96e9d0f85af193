//! What several operations share: tags, pages, the names of subscriptions.

use crate::sns::errors::{Result, fail};
use crate::sns::rows::{policy_key, tags_key};
use crate::sns::service::{SHARED, Sns};
use crate::sns::texts;
use crate::sns::topics::{SubscriptionId, Topic, TopicId};
use api::Text;
use api::sns::Tag;
use base::Cx;
use kit::{PolicyRow, TagTrouble, Tags, rows};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::Transaction;

/// Most things of a page (model's documentation).
pub(super) const PAGE: usize = 100;

/// Where a listing goes on.
#[derive(Serialize, Deserialize)]
pub(super) struct Place {
    /// What is listed.
    scope: String,
    /// The last one that was listed.
    after: String,
}

impl Place {
    pub(super) fn is_behind(&self, name: &str) -> bool {
        *name > *self.after
    }

    /// The token of the page behind this one.
    pub(super) fn next(&self, service: &Sns, last: &str) -> Text {
        let place = Self { scope: self.scope.clone(), after: last.to_owned() };
        service.inner.tokens.seal(&place, service.now_ms()).into()
    }
}

/// Where a page begins.
///
/// # Errors
/// `InvalidParameter` a token of something else.
pub(super) fn page(service: &Sns, scope: &str, token: Option<&str>) -> Result<Place> {
    let Some(token) = token.filter(|token| !token.is_empty()) else {
        return Ok(Place { scope: scope.to_owned(), after: String::new() });
    };
    let opened = service.inner.tokens.open::<Place>(token, service.now_ms()).ok();
    opened.filter(|place| place.scope == scope).ok_or_else(texts::invalid_token)
}

/// Which subscription an ARN means.
///
/// # Errors
/// `InvalidParameter` none of this region.
pub(super) fn subscription_id(cx: &Cx, arn: &str) -> Result<SubscriptionId> {
    if arn.split(':').count() < 6 {
        return Err(texts::short_arn("SubscriptionArn", arn));
    }
    let id = SubscriptionId::parse_arn(arn).filter(|id| id.topic.region == cx.region);
    id.ok_or_else(texts::invalid_subscription_id)
}

/// The text of a topic's policy, when it has one of its own.
///
/// # Errors
/// What the store says.
pub(super) fn policy_of(service: &Sns, cx: &Cx, topic: &Topic) -> Result<Option<String>> {
    let TopicId { account, region, name } = &topic.id;
    let row = rows::get(&service.inner.store, &policy_key(*account, region, name));
    let row: Option<PolicyRow> = row.map_err(|e| fail(cx.request_id, &e))?;
    Ok(row.map(|PolicyRow(text)| text))
}

/// Tags as a request brings them.
///
/// # Errors
/// `InvalidParameter` a key is AWS's own; `TagLimitExceeded`.
pub(super) fn read_tags(tags: &[Tag]) -> Result<Tags> {
    let keys: std::collections::BTreeSet<&str> = tags.iter().map(|tag| tag.key.as_str()).collect();
    if keys.len() < tags.len() {
        return Err(texts::duplicate_tags());
    }
    let sent = Tags::new(tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str())));
    let mut all = Tags::default();
    all.add(sent.map_err(bad_tag)?).map_err(bad_tag)?;
    Ok(all)
}

/// What is wrong with tags.
pub(super) fn bad_tag(trouble: TagTrouble) -> api::sns::Error {
    match trouble {
        TagTrouble::Reserved(key) => texts::reserved_tag(&key),
        TagTrouble::TooMany => texts::too_many_tags(),
    }
}

/// A topic whose tags are asked for, by its owner.
///
/// # Errors
/// `ResourceNotFound`, `InvalidParameter`, `AuthorizationError`.
pub(super) fn tagged(service: &Sns, cx: &Cx, action: &str, arn: &str) -> Result<Arc<Topic>> {
    SHARED.authorize(cx, action, arn).map_err(|denial| texts::denied(cx, action, arn, denial))?;
    let id = TopicId::parse_arn(arn).filter(|id| id.region == cx.region);
    let id = id.ok_or_else(|| texts::invalid("ResourceArn"))?;
    let topic = service.inner.topics.get(&id).filter(|topic| topic.id.account == cx.account);
    topic.ok_or_else(texts::no_such_resource)
}

/// Reads the tags of a topic.
///
/// # Errors
/// What the store says.
pub(super) fn tags_of(service: &Sns, cx: &Cx, topic: &TopicId) -> Result<Tags> {
    let key = tags_key(topic.account, &topic.region, &topic.name);
    let tags: Option<Tags> =
        rows::get(&service.inner.store, &key).map_err(|e| fail(cx.request_id, &e))?;
    Ok(tags.unwrap_or_default())
}

/// Stores the tags of a topic.
///
/// # Errors
/// What the store says.
pub(super) async fn put_tags(service: &Sns, cx: &Cx, topic: &TopicId, tags: &Tags) -> Result<()> {
    let key = tags_key(topic.account, &topic.region, &topic.name);
    let mut transaction = Transaction::default();
    if tags.is_empty() {
        transaction.frees_room().remove(key);
    } else {
        rows::put(&mut transaction, key, tags);
    }
    service.inner.store.commit(transaction).await.map_err(|e| fail(cx.request_id, &e))
}
