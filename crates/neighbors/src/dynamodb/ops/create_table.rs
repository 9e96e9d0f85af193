//! `CreateTable`.

use super::shapes::{describe, key_schema, projected, refuse};
use crate::dynamodb::errors::{Result, fail};
use crate::dynamodb::key::KeySchema;
use crate::dynamodb::rows::{Billing, IndexRow, Status, TableRow, tags_key};
use crate::dynamodb::service::{DynamoDb, authorize, check_active, table_key};
use crate::dynamodb::table::Table;
use crate::dynamodb::texts;
use api::dynamodb::{
    AttributeDefinition, BillingMode, CreateTableInput, CreateTableOutput, GlobalSecondaryIndex,
    ProvisionedThroughput, TableStatus, Tag,
};
use base::{Cx, RequestId};
use kit::{TagTrouble, Tags, rows};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::Transaction;

/// Most tables of an account and region (model's documentation).
const TABLES_MAX: usize = 2500;
/// Most indexes of a table (model's documentation).
pub(super) const INDEXES_MAX: usize = 20;

/// Makes a table. It is active at once; the answer says `CREATING`, as clients wait for the rest.
///
/// # Errors
/// `ResourceInUse` there is one of this name; `LimitExceeded` too many tables; `Validation` keys
/// without a type, throughput that does not go with the billing, or a part that this server does
/// not have.
pub(super) async fn create_table(
    db: DynamoDb,
    cx: Cx,
    input: CreateTableInput,
) -> Result<CreateTableOutput> {
    let inner = &db.inner;
    let key = table_key(&cx, &input.table_name)?;
    authorize(&cx, "CreateTable", &key.arn())?;
    if key.account != cx.account {
        return Err(texts::invalid_arn(&input.table_name));
    }
    refuse_parts(&input)?;
    if let Some(table) = inner.get(&key) {
        check_active(&table)?;
        return Err(texts::table_exists(&key.name));
    }
    if inner.directory.list_quota(cx.account, &cx.region).len() >= TABLES_MAX {
        return Err(texts::too_many_tables(TABLES_MAX));
    }
    let now_ms = inner.env.clock.now_ms();
    let tags = tags(input.tags.unwrap_or_default())?;
    let definitions = input.attribute_definitions.unwrap_or_default();
    let schema = key_schema(&input.key_schema.unwrap_or_default(), &definitions)?;
    let billing = billing(input.billing_mode, input.provisioned_throughput.as_ref(), now_ms)?;
    let mut indexes = Vec::new();
    if input.global_secondary_indexes.as_ref().is_some_and(Vec::is_empty) {
        return Err(texts::indexes_empty());
    }
    for GlobalSecondaryIndex {
        index_name, key_schema, projection, provisioned_throughput, ..
    } in input.global_secondary_indexes.unwrap_or_default()
    {
        let units = units(billing, provisioned_throughput.as_ref())?;
        let name = index_name.to_string();
        if indexes.iter().any(|index: &IndexRow| index.name == name) {
            return Err(texts::index_twice(&name));
        }
        let schema = super::shapes::key_schema(&key_schema, &definitions)?;
        indexes.push(IndexRow { name, schema, projected: projected(projection)?, units });
    }
    if indexes.len() > INDEXES_MAX {
        return Err(texts::too_many_indexes(INDEXES_MAX));
    }
    check_definitions(&definitions, &schema, &indexes)?;
    let random = inner.env.rng.bytes16();
    let (number, _) = random.split_first_chunk().expect("16 bytes hold 8");
    let row = TableRow {
        id: RequestId::from_random(random).to_string(),
        number: u64::from_be_bytes(*number),
        created_ms: now_ms,
        status: Status::Active,
        schema,
        billing,
        indexes,
        is_protected: input.deletion_protection_enabled == Some(true),
    };
    let mut transaction = Transaction::default();
    rows::put(&mut transaction, TableRow::key(&key), &row);
    if !tags.is_empty() {
        rows::put(&mut transaction, tags_key(&key), &tags);
    }
    inner.store.commit(transaction).await.map_err(|e| fail(&cx, &e))?;
    let table = Arc::new(Table::new(key, row));
    inner.insert(&table);
    let described = describe(&table, Some(TableStatus::Creating));
    Ok(CreateTableOutput { table_description: Some(described) })
}

/// What this server does not have of a table.
fn refuse_parts(refused: &CreateTableInput) -> Result<()> {
    let has_stream = refused.stream_specification.as_ref().is_some_and(|spec| spec.stream_enabled);
    let has_key = refused.sse_specification.as_ref().is_some_and(|spec| spec.enabled == Some(true));
    let is_rare = refused.table_class.is_some_and(|class| class.as_str() != "STANDARD");
    let has_local = refused.local_secondary_indexes.as_ref().is_some_and(|all| !all.is_empty());
    refuse(&[
        ("LocalSecondaryIndexes", has_local),
        ("StreamSpecification", has_stream),
        ("SSESpecification", has_key),
        ("TableClass STANDARD_INFREQUENT_ACCESS", is_rare),
        ("WarmThroughput", refused.warm_throughput.is_some()),
        ("ResourcePolicy", refused.resource_policy.is_some()),
        ("OnDemandThroughput", refused.on_demand_throughput.is_some()),
        ("GlobalTableSourceArn", refused.global_table_source_arn.is_some()),
        (
            "GlobalTableSettingsReplicationMode",
            refused.global_table_settings_replication_mode.is_some(),
        ),
        ("VectorIndexes", refused.vector_indexes.is_some()),
    ])
}

/// How a table is billed, if its throughput goes with that.
///
/// # Errors
/// `Validation` it does not.
pub(super) fn billing(
    mode: Option<BillingMode>,
    throughput: Option<&ProvisionedThroughput>,
    now_ms: i64,
) -> Result<Billing> {
    match (mode.unwrap_or(BillingMode::Provisioned), throughput) {
        (BillingMode::PayPerRequest, None) => Ok(Billing::PayPerRequest { since_ms: now_ms }),
        (BillingMode::PayPerRequest, Some(_)) => Err(texts::throughput_needless()),
        (BillingMode::Provisioned, None) => Err(texts::throughput_missing()),
        (BillingMode::Provisioned, Some(units)) => Ok(Billing::Provisioned {
            read_units: units.read_capacity_units,
            write_units: units.write_capacity_units,
        }),
    }
}

/// The units of an index of a table that is billed so.
///
/// # Errors
/// `Validation` units without provisioned throughput, or none with it.
pub(super) fn units(
    billing: Billing,
    throughput: Option<&ProvisionedThroughput>,
) -> Result<Option<(i64, i64)>> {
    match (billing, throughput) {
        (Billing::PayPerRequest { .. }, None) => Ok(None),
        (Billing::PayPerRequest { .. }, Some(_)) => Err(texts::throughput_needless()),
        (Billing::Provisioned { .. }, Some(units)) => {
            Ok(Some((units.read_capacity_units, units.write_capacity_units)))
        }
        (Billing::Provisioned { .. }, None) => Err(texts::throughput_missing()),
    }
}

/// Every definition is of a key.
fn check_definitions(
    definitions: &[AttributeDefinition],
    schema: &KeySchema,
    indexes: &[IndexRow],
) -> Result<()> {
    let all = std::iter::once(schema).chain(indexes.iter().map(|index| &index.schema));
    let used: BTreeSet<_> = all.flat_map(KeySchema::attributes).map(|a| a.name.clone()).collect();
    let defined: BTreeSet<_> = definitions.iter().map(|d| d.attribute_name.to_string()).collect();
    if defined == used && defined.len() == definitions.len() {
        return Ok(());
    }
    if indexes.is_empty() {
        return Err(texts::definitions_count());
    }
    let (defined, used): (Vec<_>, Vec<_>) =
        (defined.into_iter().collect(), used.into_iter().collect());
    Err(texts::definitions_unused(&defined, &used))
}

fn tags(tags: Vec<Tag>) -> Result<Tags> {
    let pairs = tags.into_iter().map(|tag| (tag.key.to_string(), tag.value.to_string()));
    let given = Tags::new(pairs).and_then(|given| {
        let mut tags = Tags::default();
        tags.add(given).map(|()| tags)
    });
    given.map_err(|trouble| match trouble {
        TagTrouble::Reserved(key) => texts::tag_reserved(&key),
        TagTrouble::TooMany => texts::too_many_tags(),
    })
}
