//! `DescribeContinuousBackups`.

use crate::dynamodb::errors::Result;
use crate::dynamodb::service::DynamoDb;
use crate::dynamodb::texts;
use api::dynamodb::{
    ContinuousBackupsDescription, ContinuousBackupsStatus, DescribeContinuousBackupsInput,
    DescribeContinuousBackupsOutput, PointInTimeRecoveryDescription, PointInTimeRecoveryStatus,
};
use base::Cx;

/// Says that the table cannot be brought back as it was: no operation here lets it.
///
/// # Errors
/// `TableNotFound` no such table.
pub(super) fn describe_continuous_backups(
    db: &DynamoDb,
    cx: &Cx,
    input: &DescribeContinuousBackupsInput,
) -> Result<DescribeContinuousBackupsOutput> {
    db.table(cx, "DescribeContinuousBackups", &input.table_name, texts::backups_not_found)?;
    Ok(DescribeContinuousBackupsOutput { continuous_backups_description: Some(none()) })
}

/// No backups.
pub(super) fn none() -> ContinuousBackupsDescription {
    ContinuousBackupsDescription {
        continuous_backups_status: ContinuousBackupsStatus::Disabled,
        point_in_time_recovery_description: Some(PointInTimeRecoveryDescription {
            point_in_time_recovery_status: Some(PointInTimeRecoveryStatus::Disabled),
            ..PointInTimeRecoveryDescription::default()
        }),
    }
}
