//! What several operations share: tags, pages, rows of groups.

use crate::logs::errors::{Result, fail};
use crate::logs::groups::{Group, GroupId};
use crate::logs::rows::{CursorRow, FilterRow, GroupRow, StreamRow, tags_key};
use crate::logs::service::Logs;
use crate::logs::stream::Stream;
use crate::logs::texts;
use api::Text;
use base::Cx;
use kit::{TagTrouble, Tags, rows};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;
use store::{LogId, Transaction};

/// Most things of a page that says nothing else (model).
const PAGE: i32 = 50;

/// How long a read waits for its client's memory.
pub(super) const ROOM_WAIT: Duration = Duration::from_secs(1);

/// Where a listing goes on.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Place<K> {
    /// What is listed.
    scope: String,
    /// The last one that was listed.
    after: Option<K>,
}

/// A listing of things that are in order of a key.
///
/// # Errors
/// `InvalidParameter` a token of something else.
pub(super) fn page<T, K>(
    (service, scope): (&Logs, String),
    (token, limit): (Option<&Text>, Option<i32>),
    mut things: Vec<T>,
    key: impl Fn(&T) -> K,
) -> Result<(Vec<T>, Option<Text>)>
where
    K: Ord + Serialize + for<'a> Deserialize<'a>,
{
    let place = match token {
        None => Place { scope, after: None },
        Some(token) => {
            let opened = service.inner.tokens.open::<Place<K>>(token, service.now_ms()).ok();
            opened.filter(|place| place.scope == scope).ok_or_else(texts::invalid_token)?
        }
    };
    if let Some(after) = &place.after {
        things.retain(|thing| key(thing) > *after);
    }
    let most = limit.unwrap_or(PAGE).unsigned_abs() as usize;
    let is_more = things.len() > most;
    things.truncate(most);
    let last = things.last().filter(|_| is_more).map(key);
    let next = last.map(|last| Place { scope: place.scope, after: Some(last) });
    let next = next.map(|next| service.inner.tokens.seal(&next, service.now_ms()).into());
    Ok((things, next))
}

/// Tags as a request brings them.
///
/// # Errors
/// `InvalidParameter` a key is AWS's own.
pub(super) fn read_tags(tags: &BTreeMap<Text, Text>) -> Result<Tags> {
    Tags::new(tags.iter().map(|(key, value)| (key.as_str(), value.as_str()))).map_err(bad_tag)
}

/// What is wrong with tags.
pub(super) fn bad_tag(trouble: TagTrouble) -> api::logs::Error {
    match trouble {
        TagTrouble::Reserved(key) => texts::reserved_tag(&key),
        TagTrouble::TooMany => texts::too_many_tags(),
    }
}

/// Tags as answers have them.
///
/// # Errors
/// What the store says.
pub(super) fn shown_tags(service: &Logs, cx: &Cx, id: &GroupId) -> Result<BTreeMap<Text, Text>> {
    let tags = tags_of(service, cx, id)?;
    Ok(tags.iter().map(|(key, value)| (key.into(), value.into())).collect())
}

fn tags_of(service: &Logs, cx: &Cx, id: &GroupId) -> Result<Tags> {
    let key = tags_key(id.account, &id.region, &id.name);
    let tags: Option<Tags> =
        rows::get(&service.inner.store, &key).map_err(|e| fail(cx.request_id, &e))?;
    Ok(tags.unwrap_or_default())
}

/// Changes the tags of a group.
///
/// # Errors
/// What `change` refuses; what the store says.
pub(super) async fn change_tags(
    service: &Logs,
    cx: &Cx,
    id: &GroupId,
    change: impl FnOnce(&mut Tags) -> Result<()>,
) -> Result<()> {
    let mut tags = tags_of(service, cx, id)?;
    change(&mut tags)?;
    let key = tags_key(id.account, &id.region, &id.name);
    let mut transaction = Transaction::default();
    if tags.is_empty() {
        transaction.frees_room().remove(key);
    } else {
        rows::put(&mut transaction, key, &tags);
    }
    service.inner.store.commit(transaction).await.map_err(|e| fail(cx.request_id, &e))
}

/// Gives a group another row.
///
/// # Errors
/// What the store says.
pub(super) async fn set_row(service: &Logs, cx: &Cx, group: &Group, row: GroupRow) -> Result<()> {
    let GroupId { account, region, name } = &group.id;
    let mut transaction = Transaction::default();
    rows::put(&mut transaction, GroupRow::key(*account, region, name), &row);
    service.inner.store.commit(transaction).await.map_err(|e| fail(cx.request_id, &e))?;
    group.set_row(row);
    Ok(())
}

/// Removes the rows of a stream, and gives its log up.
pub(super) fn remove_stream(transaction: &mut Transaction, service: &Logs, stream: &Stream) {
    transaction.remove(StreamRow::key(stream.log_id.0));
    for key in stream.chunk_keys(&service.inner.store) {
        transaction.remove(key);
    }
    transaction.give_up(stream.log_id);
}

/// Removes the rows of a filter, and gives its queue up.
pub(super) fn remove_filter(transaction: &mut Transaction, queue: LogId) {
    transaction.remove(FilterRow::key(queue.0));
    transaction.remove(CursorRow::key(queue.0));
    transaction.give_up(queue);
}
