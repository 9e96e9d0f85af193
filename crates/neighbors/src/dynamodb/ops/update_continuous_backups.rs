//! `UpdateContinuousBackups`.

use super::describe_continuous_backups::none;
use crate::dynamodb::errors::Result;
use crate::dynamodb::service::DynamoDb;
use crate::dynamodb::texts;
use api::dynamodb::{UpdateContinuousBackupsInput, UpdateContinuousBackupsOutput};
use base::Cx;

/// Switches point-in-time recovery off, which it always is.
///
/// # Errors
/// `ContinuousBackupsUnavailable` it is to be switched on; `TableNotFound` no such table.
pub(super) fn update_continuous_backups(
    db: &DynamoDb,
    cx: &Cx,
    input: &UpdateContinuousBackupsInput,
) -> Result<UpdateContinuousBackupsOutput> {
    db.table(cx, "UpdateContinuousBackups", &input.table_name, texts::backups_not_found)?;
    if input.point_in_time_recovery_specification.point_in_time_recovery_enabled {
        return Err(texts::no_backups());
    }
    Ok(UpdateContinuousBackupsOutput { continuous_backups_description: Some(none()) })
}
