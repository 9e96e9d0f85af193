//! `UpdateTable`.

use super::create_table::{INDEXES_MAX, billing, units};
use super::shapes::{describe, key_schema, projected, refuse};
use crate::dynamodb::errors::{Result, fail};
use crate::dynamodb::rows::{Billing, IndexRow, TableRow};
use crate::dynamodb::service::{DynamoDb, check_active};
use crate::dynamodb::texts;
use api::dynamodb::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndexUpdate, IndexStatus, TableStatus,
    UpdateTableInput, UpdateTableOutput,
};
use base::Cx;

/// Changes throughput, protection or an index of a table. A new index holds what is there before
/// the answer, which says `UPDATING` and `CREATING` all the same, as clients wait for the rest.
///
/// # Errors
/// `ResourceNotFound` no such table or index; `ResourceInUse` it is being deleted;
/// `LimitExceeded` two indexes at once; `Validation` nothing to do, or a part that this server does
/// not have.
pub(super) async fn update_table(
    db: DynamoDb,
    cx: Cx,
    input: UpdateTableInput,
) -> Result<UpdateTableOutput> {
    let inner = &db.inner;
    let name = &input.table_name;
    let table = db.table(&cx, "UpdateTable", name, texts::table_not_found)?;
    refuse_parts(&input)?;
    check_active(&table)?;
    let mut row = table.state().row.clone();
    let is_same = input.billing_mode.is_none()
        && input.provisioned_throughput.is_none()
        && input.global_secondary_index_updates.is_none()
        && input.deletion_protection_enabled.is_none();
    if is_same {
        return Err(texts::nothing_to_update());
    }
    if input.billing_mode.is_some() || input.provisioned_throughput.is_some() {
        let mode = input.billing_mode.unwrap_or(match row.billing {
            Billing::PayPerRequest { .. } => BillingMode::PayPerRequest,
            Billing::Provisioned { .. } => BillingMode::Provisioned,
        });
        let now_ms = inner.env.clock.now_ms();
        let asked = billing(Some(mode), input.provisioned_throughput.as_ref(), now_ms)?;
        if let Billing::Provisioned { read_units, write_units } = asked
            && asked == row.billing
        {
            return Err(texts::throughput_same(read_units, write_units));
        }
        row.billing = asked;
        for index in &mut row.indexes {
            index.units = match asked {
                Billing::PayPerRequest { .. } => None,
                Billing::Provisioned { read_units, write_units } => {
                    Some(index.units.unwrap_or((read_units, write_units)))
                }
            };
        }
    }
    if let Some(is_protected) = input.deletion_protection_enabled {
        row.is_protected = is_protected;
    }
    let definitions = input.attribute_definitions.unwrap_or_default();
    let created = update_indexes(
        &mut row,
        input.global_secondary_index_updates.unwrap_or_default(),
        &definitions,
    )?;
    inner.update(&cx, &table, row).await?;
    if created.is_some() {
        table.fill_indexes(&inner.store).map_err(|e| fail(&cx, &e))?;
    }
    let mut described = describe(&table, Some(TableStatus::Updating));
    for index in described.global_secondary_indexes.iter_mut().flatten() {
        if index.index_name.as_deref() == created.as_deref() {
            (index.index_status, index.backfilling) = (Some(IndexStatus::Creating), Some(false));
        }
    }
    Ok(UpdateTableOutput { table_description: Some(described) })
}

/// What this server does not have of a table.
fn refuse_parts(refused: &UpdateTableInput) -> Result<()> {
    let has_stream = refused.stream_specification.as_ref().is_some_and(|spec| spec.stream_enabled);
    let has_key = refused.sse_specification.as_ref().is_some_and(|spec| spec.enabled == Some(true));
    let is_rare = refused.table_class.is_some_and(|class| class.as_str() != "STANDARD");
    refuse(&[
        ("StreamSpecification", has_stream),
        ("SSESpecification", has_key),
        ("ReplicaUpdates", refused.replica_updates.is_some()),
        ("TableClass STANDARD_INFREQUENT_ACCESS", is_rare),
        ("MultiRegionConsistency", refused.multi_region_consistency.is_some()),
        ("GlobalTableWitnessUpdates", refused.global_table_witness_updates.is_some()),
        ("OnDemandThroughput", refused.on_demand_throughput.is_some()),
        ("WarmThroughput", refused.warm_throughput.is_some()),
        (
            "GlobalTableSettingsReplicationMode",
            refused.global_table_settings_replication_mode.is_some(),
        ),
        ("DisassociationProtectionEnabled", refused.disassociation_protection_enabled.is_some()),
        ("VectorIndexUpdates", refused.vector_index_updates.is_some()),
    ])
}

/// Puts updates of indexes into a table's row; the name of the one that is new.
fn update_indexes(
    row: &mut TableRow,
    updates: Vec<GlobalSecondaryIndexUpdate>,
    definitions: &[AttributeDefinition],
) -> Result<Option<String>> {
    let mut created = None;
    let online = updates.iter().filter(|update| update.create.is_some() || update.delete.is_some());
    if online.count() > 1 {
        return Err(texts::one_index_at_once());
    }
    for GlobalSecondaryIndexUpdate { update, create, delete } in updates {
        if let Some(create) = create {
            let name = create.index_name.to_string();
            if row.indexes.iter().any(|index| index.name == name) {
                return Err(texts::index_exists(&name));
            }
            if row.indexes.len() >= INDEXES_MAX {
                return Err(texts::too_many_indexes(INDEXES_MAX));
            }
            row.indexes.push(IndexRow {
                name: name.clone(),
                schema: key_schema(&create.key_schema, definitions)?,
                projected: projected(create.projection)?,
                units: units(row.billing, create.provisioned_throughput.as_ref())?,
            });
            created = Some(name);
        }
        if let Some(delete) = delete {
            let before = row.indexes.len();
            row.indexes.retain(|index| index.name != *delete.index_name);
            if row.indexes.len() == before {
                return Err(texts::index_not_found());
            }
        }
        if let Some(update) = update {
            let mut indexes = row.indexes.iter_mut();
            let index = indexes.find(|index| index.name == *update.index_name);
            let index = index.ok_or_else(texts::index_not_found)?;
            index.units = units(row.billing, update.provisioned_throughput.as_ref())?;
        }
    }
    Ok(created)
}
