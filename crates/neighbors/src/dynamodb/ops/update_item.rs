//! `UpdateItem`.

use super::shapes::{Conditions, Used, consumed, refused, shown};
use crate::dynamodb::errors::Result;
use crate::dynamodb::expression::{Parameters, Projection, Update, attribute_updates};
use crate::dynamodb::service::DynamoDb;
use crate::dynamodb::texts;
use crate::dynamodb::value::{Item, item_bytes, read_item};
use crate::dynamodb::write::{Change, Write, make};
use api::dynamodb::{ReturnValue, UpdateItemInput, UpdateItemOutput};
use base::Cx;

/// Changes the item of a key, or makes it, if its condition is true of it.
///
/// # Errors
/// As `PutItem`; `Validation` also for an update of a key attribute.
pub(super) async fn update_item(
    db: &DynamoDb,
    cx: &Cx,
    input: UpdateItemInput,
) -> Result<UpdateItemOutput> {
    let conditions = Conditions {
        expected: input.expected,
        conditional_operator: input.conditional_operator,
        condition_expression: input.condition_expression,
    };
    conditions
        .check_style((input.attribute_updates.is_some(), input.update_expression.is_some()))?;
    let has_none = conditions.condition_expression.is_none() && input.update_expression.is_none();
    let missing = has_none.then_some("UpdateExpression and ConditionExpression are null");
    let (names, values) = (input.expression_attribute_names, input.expression_attribute_values);
    let parameters = Parameters::new(names, values, missing)?;
    let key = read_item(input.key)?;
    let update = match (input.update_expression, input.attribute_updates) {
        (Some(text), _) => parameters.update(&text)?,
        (None, Some(updates)) => attribute_updates(updates)?,
        (None, None) => Update::default(),
    };
    let condition = conditions.read(&parameters)?;
    parameters.check_used()?;
    let table = db.live_table(cx, "UpdateItem", &input.table_name)?;
    check_keys(&update, &table.state().row.schema)?;
    let updated = update.projection();
    let write = Write { table, key, condition, change: Change::Update(update) };
    let made = make(&db.inner, cx, &write).await;
    let made = made.map_err(|why| refused(why, input.return_values_on_condition_check_failure))?;
    let bytes = made.old.iter().chain(&made.new).map(item_bytes).max().unwrap_or(0);
    let used = Used::Write(bytes, 1);
    Ok(UpdateItemOutput {
        attributes: shown(returned(input.return_values, made.old, made.new, &updated)),
        consumed_capacity: consumed(input.return_consumed_capacity, &write.table, &used),
        item_collection_metrics: None,
    })
}

/// Refuses an update of a key attribute.
///
/// # Errors
/// `Validation`.
pub(super) fn check_keys(update: &Update, schema: &crate::dynamodb::key::KeySchema) -> Result<()> {
    match schema.attributes().find(|attribute| update.touches(&attribute.name)) {
        Some(attribute) => Err(texts::key_updated(&attribute.name)),
        None => Ok(()),
    }
}

/// What `ReturnValues` asks for; none when that is nothing.
fn returned(
    asked: Option<ReturnValue>,
    old: Option<Item>,
    new: Option<Item>,
    updated: &Projection,
) -> Option<Item> {
    let part =
        |item: Option<Item>| item.map(|item| updated.of(item)).filter(|part| !part.is_empty());
    match asked.unwrap_or(ReturnValue::None) {
        ReturnValue::None => None,
        ReturnValue::AllOld => old,
        ReturnValue::AllNew => new,
        ReturnValue::UpdatedOld => part(old),
        ReturnValue::UpdatedNew => part(new),
    }
}
