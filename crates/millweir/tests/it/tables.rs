//! Tables of DynamoDB in the real program.

use crate::support::Running;
use api::dynamodb::{
    AttributeDefinition, AttributeValue, BillingMode, CreateTableInput, DescribeTableInput,
    GetItemInput, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    QueryInput, ScalarAttributeType, UpdateItemInput, ops,
};
use client::{Client, Config, Retry};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Semaphore;
use wire::Protocol;

const LEASES: usize = 20;

fn text(text: &str) -> AttributeValue {
    AttributeValue { s: Some(text.into()), ..AttributeValue::default() }
}

fn lease(number: usize) -> [(api::Text, AttributeValue); 1] {
    [("leaseKey".into(), text(&format!("shard-{number:02}")))]
}

/// A table of leases with the index of KCL 3.
async fn make(client: &Client) {
    let attribute = |name: &str| AttributeDefinition {
        attribute_name: name.into(),
        attribute_type: ScalarAttributeType::S,
    };
    let element = |name: &str, key_type| KeySchemaElement { attribute_name: name.into(), key_type };
    let index = GlobalSecondaryIndex {
        index_name: "byOwner".into(),
        key_schema: vec![element("leaseOwner", KeyType::Hash), element("leaseKey", KeyType::Range)],
        projection: Projection {
            projection_type: Some(ProjectionType::KeysOnly),
            ..Projection::default()
        },
        ..GlobalSecondaryIndex::default()
    };
    let table = CreateTableInput {
        table_name: "app".into(),
        attribute_definitions: Some(vec![attribute("leaseKey"), attribute("leaseOwner")]),
        key_schema: Some(vec![element("leaseKey", KeyType::Hash)]),
        billing_mode: Some(BillingMode::PayPerRequest),
        global_secondary_indexes: Some(vec![index]),
        ..CreateTableInput::default()
    };
    client.call::<ops::CreateTable>(&table).await.unwrap();
}

/// Counts a lease up and gives it to a worker of this number.
fn renewal(number: usize, owner: u64) -> UpdateItemInput {
    let one = AttributeValue { n: Some("1".into()), ..AttributeValue::default() };
    let values = [(":one".into(), one), (":owner".into(), text(&format!("worker-{owner}")))];
    UpdateItemInput {
        table_name: "app".into(),
        key: lease(number).into(),
        update_expression: Some("SET leaseOwner = :owner ADD leaseCounter :one".into()),
        expression_attribute_values: Some(values.into()),
        ..UpdateItemInput::default()
    }
}

/// Every acknowledged renewal is there after `kill -9`, at most one of each lease was not
/// acknowledged, and the index shows who owns what.
#[tokio::test(flavor = "multi_thread")]
async fn leases_outlive_kill_9() {
    let mut server = Running::start(&[]);
    let protocol = Protocol::Json10;
    let once = Config { protocol, retry: Retry::NONE, ..Config::new(server.endpoint()) };
    let client = Arc::new(Client::new(once).unwrap());
    make(&client).await;
    let acked: Arc<Vec<AtomicU64>> = Arc::new((0..LEASES).map(|_| AtomicU64::new(0)).collect());
    let all = Arc::new(Semaphore::new(0));
    let renewers: Vec<_> = (0..LEASES)
        .map(|number| {
            let (client, acked, all) = (client.clone(), acked.clone(), all.clone());
            tokio::spawn(async move {
                let mut owner = 0;
                while client.call::<ops::UpdateItem>(&renewal(number, owner % 3)).await.is_ok() {
                    acked[number].fetch_add(1, Ordering::Relaxed);
                    all.add_permits(1);
                    owner += 1;
                }
            })
        })
        .collect();
    drop(all.acquire_many(500).await.unwrap());
    server.kill();
    for renewer in renewers {
        renewer.await.unwrap();
    }
    server.restart();
    let client = Client::new(Config { protocol, ..Config::new(server.endpoint()) }).unwrap();
    let mut owners = [0; 3];
    for (number, acked) in acked.iter().enumerate() {
        let get = GetItemInput {
            table_name: "app".into(),
            key: lease(number).into(),
            ..GetItemInput::default()
        };
        let item = client.call::<ops::GetItem>(&get).await.unwrap().item.unwrap();
        let count: u64 = item["leaseCounter"].n.as_ref().unwrap().parse().unwrap();
        let acked = acked.load(Ordering::Relaxed);
        assert!(
            acked <= count && count <= acked + 1,
            "lease {number}: {acked} acked, {count} there"
        );
        let owner = item["leaseOwner"].s.as_ref().unwrap();
        owners[owner.strip_prefix("worker-").unwrap().parse::<usize>().unwrap()] += 1;
    }
    for (owner, owned) in owners.into_iter().enumerate() {
        let query = QueryInput {
            table_name: "app".into(),
            index_name: Some("byOwner".into()),
            key_condition_expression: Some("leaseOwner = :owner".into()),
            expression_attribute_values: Some(
                [(":owner".into(), text(&format!("worker-{owner}")))].into(),
            ),
            ..QueryInput::default()
        };
        let found = client.call::<ops::Query>(&query).await.unwrap();
        assert_eq!(found.count, Some(owned), "worker {owner}");
    }
    let describe = DescribeTableInput { table_name: "app".into() };
    let table = client.call::<ops::DescribeTable>(&describe).await.unwrap().table.unwrap();
    assert_eq!(table.item_count, Some(LEASES as i64));
}
