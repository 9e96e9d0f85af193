//! `ListTagsOfResource`.

use crate::dynamodb::errors::{Result, fail};
use crate::dynamodb::rows::tags_key;
use crate::dynamodb::service::DynamoDb;
use crate::dynamodb::texts;
use api::dynamodb::{ListTagsOfResourceInput, ListTagsOfResourceOutput, Tag};
use base::Cx;
use kit::{Tags, rows};

/// Lists the tags of a table, all on one page.
///
/// # Errors
/// `ResourceNotFound` no such table.
pub(super) fn list_tags_of_resource(
    db: &DynamoDb,
    cx: &Cx,
    input: &ListTagsOfResourceInput,
) -> Result<ListTagsOfResourceOutput> {
    let arn = &input.resource_arn;
    let table = db.table(cx, "ListTagsOfResource", arn, |_| texts::tags_of_nothing(arn))?;
    let tags: Option<Tags> =
        rows::get(&db.inner.store, &tags_key(&table.key)).map_err(|e| fail(cx, &e))?;
    let tags = tags.unwrap_or_default();
    let tag = |(key, value): (&str, &str)| Tag { key: key.into(), value: value.into() };
    Ok(ListTagsOfResourceOutput { tags: Some(tags.iter().map(tag).collect()), next_token: None })
}
