//! `DeleteTable`.

use super::shapes::describe;
use crate::dynamodb::errors::Result;
use crate::dynamodb::rows::{Status, TableRow};
use crate::dynamodb::service::{DynamoDb, check_active, delete_later};
use crate::dynamodb::texts;
use api::dynamodb::{DeleteTableInput, DeleteTableOutput};
use base::Cx;

/// Deletes a table: `DELETING` at first, then gone with its items, indexes and tags.
///
/// # Errors
/// `ResourceNotFound` no such table; `ResourceInUse` it is being deleted; `Validation` it is
/// protected.
pub(super) async fn delete_table(
    db: DynamoDb,
    cx: Cx,
    input: DeleteTableInput,
) -> Result<DeleteTableOutput> {
    let table = db.table(&cx, "DeleteTable", &input.table_name, texts::table_not_found)?;
    check_active(&table)?;
    let row = table.state().row.clone();
    if row.is_protected {
        return Err(texts::table_protected(&table.arn));
    }
    // Its indexes are of no use any more.
    let row = TableRow { status: Status::Deleting, indexes: Vec::new(), ..row };
    db.inner.update_freeing(&cx, &table, row).await?;
    let described = describe(&table, None);
    delete_later(&db.inner, &table);
    Ok(DeleteTableOutput { table_description: Some(described) })
}
