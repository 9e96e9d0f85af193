//! `GetItem`.

use super::shapes::{Used, consumed, projection, shown};
use crate::dynamodb::errors::{Result, fail};
use crate::dynamodb::expression::{Parameters, check_one_style};
use crate::dynamodb::service::DynamoDb;
use crate::dynamodb::value::{item_bytes, read_item};
use api::dynamodb::{GetItemInput, GetItemOutput};
use base::Cx;

/// Gives the item of a key, or a part of it; every read is consistent.
///
/// # Errors
/// `ResourceNotFound` no such table; `Validation` a key that is none, a wrong projection.
pub(super) async fn get_item(db: &DynamoDb, cx: &Cx, input: GetItemInput) -> Result<GetItemOutput> {
    check_one_style(
        &[("AttributesToGet", input.attributes_to_get.is_some())],
        &[("ProjectionExpression", input.projection_expression.is_some())],
    )?;
    let missing = input.projection_expression.is_none().then_some("");
    let parameters = Parameters::new(input.expression_attribute_names, None, missing)?;
    let expression = input.projection_expression.as_ref();
    let projection = projection(&parameters, expression, input.attributes_to_get)?;
    parameters.check_used()?;
    let key = read_item(input.key)?;
    let table = db.live_table(cx, "GetItem", &input.table_name)?;
    let state = table.state();
    let key = state.row.schema.of_given(&key)?;
    let item = state.item(&db.inner.store, &key).map_err(|e| fail(cx, &e))?;
    let bytes = item.as_ref().map_or(0, item_bytes);
    let used = Used::Read(bytes, input.consistent_read == Some(true));
    Ok(GetItemOutput {
        item: shown(item.map(|item| projection.of(item))),
        consumed_capacity: consumed(input.return_consumed_capacity, &table, &used),
    })
}
