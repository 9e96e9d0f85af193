//! `DescribeTimeToLive`.

use crate::dynamodb::errors::Result;
use crate::dynamodb::service::DynamoDb;
use crate::dynamodb::texts;
use api::dynamodb::{
    DescribeTimeToLiveInput, DescribeTimeToLiveOutput, TimeToLiveDescription, TimeToLiveStatus,
};
use base::Cx;

/// Says that items of the table do not expire: no operation here lets them.
///
/// # Errors
/// `ResourceNotFound` no such table.
pub(super) fn describe_time_to_live(
    db: &DynamoDb,
    cx: &Cx,
    input: &DescribeTimeToLiveInput,
) -> Result<DescribeTimeToLiveOutput> {
    db.table(cx, "DescribeTimeToLive", &input.table_name, texts::table_not_found)?;
    let time_to_live_status = Some(TimeToLiveStatus::Disabled);
    let description = TimeToLiveDescription { time_to_live_status, attribute_name: None };
    Ok(DescribeTimeToLiveOutput { time_to_live_description: Some(description) })
}
