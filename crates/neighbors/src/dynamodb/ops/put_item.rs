//! `PutItem`.

use super::shapes::{Conditions, Used, consumed, refused, shown};
use crate::dynamodb::errors::Result;
use crate::dynamodb::expression::Parameters;
use crate::dynamodb::service::DynamoDb;
use crate::dynamodb::texts;
use crate::dynamodb::value::{Item, item_bytes, read_item};
use crate::dynamodb::write::{Change, ITEM_BYTES_MAX, Write, make};
use api::dynamodb::{PutItemInput, PutItemOutput, ReturnValue};
use base::Cx;

/// Stores an item in place of the one that has its key, if its condition is true of that.
///
/// # Errors
/// `ConditionalCheckFailed`, with the item when asked for; `ResourceNotFound` no such table;
/// `Validation`; `RequestLimitExceeded` no room for items is left; `TransactionConflict` others
/// changed the item again and again.
pub(super) async fn put_item(db: &DynamoDb, cx: &Cx, input: PutItemInput) -> Result<PutItemOutput> {
    let conditions = Conditions {
        expected: input.expected,
        conditional_operator: input.conditional_operator,
        condition_expression: input.condition_expression,
    };
    conditions.check_style((false, false))?;
    if !matches!(input.return_values, None | Some(ReturnValue::None | ReturnValue::AllOld)) {
        return Err(texts::return_values());
    }
    let missing = conditions.condition_expression.is_none();
    let missing = missing.then_some("ConditionExpression is null");
    let (names, values) = (input.expression_attribute_names, input.expression_attribute_values);
    let parameters = Parameters::new(names, values, missing)?;
    let item = read_item(input.item)?;
    check_size(&item)?;
    let condition = conditions.read(&parameters)?;
    parameters.check_used()?;
    let table = db.live_table(cx, "PutItem", &input.table_name)?;
    let write = Write { table, key: Item::new(), condition, change: Change::Put(item) };
    let made = make(&db.inner, cx, &write).await;
    let made = made.map_err(|why| refused(why, input.return_values_on_condition_check_failure))?;
    let bytes = made.old.iter().chain(&made.new).map(item_bytes).max().unwrap_or(0);
    let shows = input.return_values == Some(ReturnValue::AllOld);
    Ok(PutItemOutput {
        attributes: shown(made.old.filter(|_| shows)),
        consumed_capacity: consumed(
            input.return_consumed_capacity,
            &write.table,
            &Used::Write(bytes, 1),
        ),
        item_collection_metrics: None,
    })
}

/// Refuses an item that is too large.
///
/// # Errors
/// `Validation`.
pub(super) fn check_size(item: &Item) -> Result<()> {
    if item_bytes(item) > ITEM_BYTES_MAX { Err(texts::item_too_large()) } else { Ok(()) }
}
