//! The operations: one file each, and the table that binds them to the wire.
//!
//! Reads look at tables and rows. Changes of tables run one after another and to their end; changes
//! of items rest on the row that they saw.

mod create_table;
mod delete_item;
mod delete_table;
mod describe_continuous_backups;
mod describe_table;
mod describe_time_to_live;
mod get_item;
mod list_tags_of_resource;
mod put_item;
mod query;
mod scan;
mod shapes;
mod transact_write_items;
mod update_continuous_backups;
mod update_item;
mod update_table;

use super::errors::Result;
use super::service::DynamoDb;
#[cfg_attr(
    not(test),
    expect(clippy::wildcard_imports, reason = "the table below names every operation's shapes")
)]
use api::dynamodb::*;
use base::Cx;

macro_rules! reads {
    ($($op:ident($input:ty) -> $output:ty;)*) => {$(
        async fn $op(&self, cx: &Cx, input: $input) -> Result<$output> {
            $op::$op(self, cx, &input)
        }
    )*};
}

macro_rules! changes {
    ($($op:ident($input:ty) -> $output:ty;)*) => {$(
        async fn $op(&self, cx: &Cx, input: $input) -> Result<$output> {
            self.change(cx, input, $op::$op).await
        }
    )*};
}

macro_rules! items {
    ($($op:ident($input:ty) -> $output:ty;)*) => {$(
        async fn $op(&self, cx: &Cx, input: $input) -> Result<$output> {
            $op::$op(self, cx, input).await
        }
    )*};
}

impl DynamoDB for DynamoDb {
    reads! {
        describe_continuous_backups(DescribeContinuousBackupsInput)
            -> DescribeContinuousBackupsOutput;
        describe_table(DescribeTableInput) -> DescribeTableOutput;
        describe_time_to_live(DescribeTimeToLiveInput) -> DescribeTimeToLiveOutput;
        list_tags_of_resource(ListTagsOfResourceInput) -> ListTagsOfResourceOutput;
        update_continuous_backups(UpdateContinuousBackupsInput) -> UpdateContinuousBackupsOutput;
    }

    changes! {
        create_table(CreateTableInput) -> CreateTableOutput;
        delete_table(DeleteTableInput) -> DeleteTableOutput;
        update_table(UpdateTableInput) -> UpdateTableOutput;
    }

    items! {
        delete_item(DeleteItemInput) -> DeleteItemOutput;
        get_item(GetItemInput) -> GetItemOutput;
        put_item(PutItemInput) -> PutItemOutput;
        query(QueryInput) -> QueryOutput;
        scan(ScanInput) -> ScanOutput;
        transact_write_items(TransactWriteItemsInput) -> TransactWriteItemsOutput;
        update_item(UpdateItemInput) -> UpdateItemOutput;
    }
}
