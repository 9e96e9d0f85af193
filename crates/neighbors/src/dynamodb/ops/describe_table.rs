//! `DescribeTable`.

use super::shapes::describe;
use crate::dynamodb::errors::Result;
use crate::dynamodb::service::DynamoDb;
use crate::dynamodb::texts;
use api::dynamodb::{DescribeTableInput, DescribeTableOutput};
use base::Cx;

/// Describes a table.
///
/// # Errors
/// `ResourceNotFound` no such table.
pub(super) fn describe_table(
    db: &DynamoDb,
    cx: &Cx,
    input: &DescribeTableInput,
) -> Result<DescribeTableOutput> {
    let table = db.table(cx, "DescribeTable", &input.table_name, texts::table_not_found)?;
    Ok(DescribeTableOutput { table: Some(describe(&table, None)) })
}
