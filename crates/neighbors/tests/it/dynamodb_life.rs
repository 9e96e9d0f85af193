//! What happens at the same time, and over restarts.

use crate::house::{House, run_with};
use api::dynamodb::DynamoDB as _;
use futures_util::future::join_all;
use neighbors::dynamodb::{DynamoDb, Options};
use testkit::script::Stage as _;

const APP: &str = "CreateTable TableName=app BillingMode=PAY_PER_REQUEST \
                   AttributeDefinitions=[{AttributeName=k AttributeType=S}] \
                   KeySchema=[{AttributeName=k KeyType=HASH}]";

/// Adds one to the number `n` of an item.
async fn add(house: &House<DynamoDb>, key: &str) -> Result<(), api::dynamodb::Error> {
    use api::dynamodb::{AttributeValue, UpdateItemInput};
    let text = |text: &str| AttributeValue { s: Some(text.into()), ..Default::default() };
    let one = AttributeValue { n: Some("1".into()), ..Default::default() };
    let input = UpdateItemInput {
        table_name: "app".into(),
        key: [("k".into(), text(key))].into(),
        update_expression: Some("ADD n :one".into()),
        expression_attribute_values: Some([(":one".into(), one)].into()),
        ..Default::default()
    };
    house.tenant.update_item(&house.cx(), input).await.map(drop)
}

#[test]
fn changes_of_one_item_at_once_all_count() {
    run_with::<DynamoDb, _>(Options::default(), async |house| {
        house.check(APP).await;
        let all = join_all((0..100).map(|_| add(house, "a"))).await;
        assert!(all.iter().all(Result::is_ok), "{all:?}");
        house.check("GetItem TableName=app Key={k={S=a}} = Item.n.N='100'").await;
        house.check("DescribeTable TableName=app = Table.ItemCount=1").await;
    });
}

/// A table that goes takes what is written meanwhile along, and leaves nothing to its successor.
#[test]
fn a_table_is_deleted_under_its_writers() {
    run_with::<DynamoDb, _>(Options::default(), async |house| {
        house.check(APP).await;
        house.check("3000x PutItem TableName=app Item={k={S='k$i'}}").await;
        house.check("DeleteTable TableName=app = TableDescription.TableStatus=DELETING").await;
        let late = add(house, "late").await.unwrap_err();
        assert_eq!(late.code(), "ResourceNotFoundException");
        house.check("restart \n settle \n rows item/ = 0").await;
        house.check(APP).await;
        house.check("Scan TableName=app = Count=0 \n DescribeTable TableName=app").await;
    });
}
