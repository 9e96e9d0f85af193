//! `DeleteItem`.

use super::shapes::{Conditions, Used, consumed, refused, shown};
use crate::dynamodb::errors::Result;
use crate::dynamodb::expression::Parameters;
use crate::dynamodb::service::DynamoDb;
use crate::dynamodb::texts;
use crate::dynamodb::value::{item_bytes, read_item};
use crate::dynamodb::write::{Change, Write, make};
use api::dynamodb::{DeleteItemInput, DeleteItemOutput, ReturnValue};
use base::Cx;

/// Deletes the item of a key, if its condition is true of it; one that is not there is fine.
///
/// # Errors
/// As `PutItem`.
pub(super) async fn delete_item(
    db: &DynamoDb,
    cx: &Cx,
    input: DeleteItemInput,
) -> Result<DeleteItemOutput> {
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
    let key = read_item(input.key)?;
    let condition = conditions.read(&parameters)?;
    parameters.check_used()?;
    let table = db.live_table(cx, "DeleteItem", &input.table_name)?;
    let write = Write { table, key, condition, change: Change::Delete };
    let made = make(&db.inner, cx, &write).await;
    let made = made.map_err(|why| refused(why, input.return_values_on_condition_check_failure))?;
    let used = Used::Write(made.old.as_ref().map_or(0, item_bytes), 1);
    let shows = input.return_values == Some(ReturnValue::AllOld);
    Ok(DeleteItemOutput {
        attributes: shown(made.old.filter(|_| shows)),
        consumed_capacity: consumed(input.return_consumed_capacity, &write.table, &used),
        item_collection_metrics: None,
    })
}
