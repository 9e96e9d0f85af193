//! What several operations read from requests and show in answers.

use crate::dynamodb::errors::Result;
use crate::dynamodb::expression::{
    self, Condition, Kind, Parameters, Path, Projection, check_one_style,
};
use crate::dynamodb::index::Index;
use crate::dynamodb::key::{KeyAttribute, KeyKind, KeySchema};
use crate::dynamodb::rows::{Billing, IndexRow, Projected, Status};
use crate::dynamodb::table::Table;
use crate::dynamodb::texts;
use crate::dynamodb::value::{Item, show_item};
use crate::dynamodb::write::Refused;
use api::Text;
use api::Timestamp;
use api::dynamodb::{
    self, AttributeDefinition, AttributeValue, BillingMode, BillingModeSummary, Capacity,
    ConditionalOperator, ConsumedCapacity, Error, ExpectedAttributeValue,
    GlobalSecondaryIndexDescription, GlobalSecondaryIndexWarmThroughputDescription, IndexStatus,
    KeySchemaElement, KeyType, ProjectionType, ProvisionedThroughputDescription,
    ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure, ScalarAttributeType,
    TableDescription, TableStatus, TableWarmThroughputDescription,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Units of a table without limits, as AWS shows those of a new table on demand.
const WARM_UNITS: (i64, i64) = (12_000, 4_000);
/// Bytes that a unit reads, consistently, and writes (model's documentation).
const READ_UNIT_BYTES: usize = 4 << 10;
const WRITE_UNIT_BYTES: usize = 1 << 10;

/// What a write asks of the item before it.
pub(super) struct Conditions {
    pub(super) expected: Option<BTreeMap<Text, ExpectedAttributeValue>>,
    pub(super) conditional_operator: Option<ConditionalOperator>,
    pub(super) condition_expression: Option<Text>,
}

impl Conditions {
    /// As a condition, by whichever of the two it is written. Says of both whether they are there.
    ///
    /// # Errors
    /// `Validation`.
    pub(super) fn read(self, parameters: &Parameters) -> Result<Option<Condition>> {
        let Self { expected, conditional_operator, condition_expression } = self;
        let expression = condition_expression
            .map(|text| parameters.condition(Kind::Condition, &text))
            .transpose()?;
        match expression {
            Some(condition) => Ok(Some(condition)),
            None => expression::expected(expected, conditional_operator),
        }
    }

    /// Refuses both styles at once; `update`: those of an update.
    ///
    /// # Errors
    /// `Validation`.
    pub(super) fn check_style(&self, (legacy, expression): (bool, bool)) -> Result<()> {
        check_one_style(
            &[
                ("AttributeUpdates", legacy),
                ("Expected", self.expected.is_some()),
                ("ConditionalOperator", self.conditional_operator.is_some()),
            ],
            &[
                ("UpdateExpression", expression),
                ("ConditionExpression", self.condition_expression.is_some()),
            ],
        )
    }
}

/// Which attributes are asked for, by whichever of the two it is written.
///
/// # Errors
/// `Validation`.
pub(super) fn projection(
    parameters: &Parameters,
    expression: Option<&Text>,
    attributes: Option<Vec<Text>>,
) -> Result<Projection> {
    match (expression, attributes) {
        (Some(text), _) => parameters.projection(text),
        (None, Some(names)) => {
            let mut seen = BTreeSet::new();
            if let Some(twice) = names.iter().find(|name| !seen.insert(name.as_str())) {
                return Err(texts::attribute_twice(twice));
            }
            let paths = names.iter().map(|name| Path::attribute(name.as_str()));
            Ok(Projection::Paths(paths.collect()))
        }
        (None, None) => Ok(Projection::All),
    }
}

/// A refusal as the client hears it; `shows`: whether he wants to see the item.
pub(super) fn refused(
    refused: Refused,
    shows: Option<ReturnValuesOnConditionCheckFailure>,
) -> Error {
    let shows = shows == Some(ReturnValuesOnConditionCheckFailure::AllOld);
    match refused {
        Refused::Condition(old) => texts::condition_failed(old.filter(|_| shows)),
        Refused::Error(error) => error,
    }
}

/// An item, or a part of one, in an answer.
pub(super) fn shown(item: Option<Item>) -> Option<BTreeMap<Text, AttributeValue>> {
    item.map(show_item)
}

/// What a request used.
pub(super) enum Used {
    /// Bytes that were read, and whether consistently.
    Read(usize, bool),
    /// Bytes that were read of an index.
    ReadIndex(usize, String),
    /// Bytes of the greater one of the item before and after, and times the units.
    Write(usize, u32),
}

impl Used {
    /// Bytes that a page of a table, or of an index of it, has read.
    pub(super) fn page(bytes: usize, index: Option<&Text>, is_consistent: bool) -> Self {
        match index {
            Some(index) => Self::ReadIndex(bytes, index.to_string()),
            None => Self::Read(bytes, is_consistent),
        }
    }
}

/// The units that a request used, when it asks for them.
pub(super) fn consumed(
    asked: Option<ReturnConsumedCapacity>,
    table: &Table,
    used: &Used,
) -> Option<ConsumedCapacity> {
    let asked = asked.filter(|asked| *asked != ReturnConsumedCapacity::None)?;
    let read = |bytes: usize| bytes.div_ceil(READ_UNIT_BYTES).max(1) as f64;
    let units = match used {
        Used::Read(bytes, true) => read(*bytes),
        Used::Read(bytes, false) | Used::ReadIndex(bytes, _) => read(*bytes) / 2.0,
        Used::Write(bytes, times) => {
            (bytes.div_ceil(WRITE_UNIT_BYTES).max(1) * *times as usize) as f64
        }
    };
    let capacity = |units| Capacity { capacity_units: Some(units), ..Capacity::default() };
    let mut consumed = ConsumedCapacity {
        table_name: Some(table.key.name.as_ref().into()),
        capacity_units: Some(units),
        ..ConsumedCapacity::default()
    };
    if asked == ReturnConsumedCapacity::Indexes {
        let (of_table, of_indexes) = match used {
            Used::ReadIndex(_, index) => (0.0, Some([(index.as_str().into(), capacity(units))])),
            Used::Read(..) | Used::Write(..) => (units, None),
        };
        consumed.table = Some(capacity(of_table));
        consumed.global_secondary_indexes = of_indexes.map(BTreeMap::from);
    }
    Some(consumed)
}

/// The key attributes of a table or an index.
///
/// # Errors
/// `Validation` not a partition key first and at most a sort key behind it, or one of no type.
pub(super) fn key_schema(
    elements: &[KeySchemaElement],
    definitions: &[AttributeDefinition],
) -> Result<KeySchema> {
    let attribute = |element: &KeySchemaElement| -> Result<KeyAttribute> {
        let name = &element.attribute_name;
        let defined = definitions.iter().find(|defined| defined.attribute_name == *name);
        let kind = match defined.ok_or_else(texts::key_not_defined)?.attribute_type {
            ScalarAttributeType::S => KeyKind::S,
            ScalarAttributeType::N => KeyKind::N,
            ScalarAttributeType::B => KeyKind::B,
        };
        Ok(KeyAttribute { name: name.to_string(), kind })
    };
    let (partition, sort) = match elements {
        [] => return Err(texts::key_schema_order()),
        [partition] => (partition, None),
        [partition, sort] => (partition, Some(sort)),
        [..] => return Err(texts::key_schema_second()),
    };
    if partition.key_type != KeyType::Hash {
        return Err(texts::key_schema_order());
    }
    if sort.is_some_and(|sort| sort.key_type != KeyType::Range) {
        return Err(texts::key_schema_second());
    }
    if sort.is_some_and(|sort| sort.attribute_name == partition.attribute_name) {
        return Err(texts::key_schema_same());
    }
    Ok(KeySchema { partition: attribute(partition)?, sort: sort.map(attribute).transpose()? })
}

/// What an index shows.
///
/// # Errors
/// `Validation` no type of projection, or names that do not go with it.
pub(super) fn projected(projection: dynamodb::Projection) -> Result<Projected> {
    let dynamodb::Projection { projection_type, non_key_attributes } = projection;
    let names =
        non_key_attributes.map(|names| names.iter().map(ToString::to_string).collect::<Vec<_>>());
    match (projection_type, names) {
        (None, _) => Err(texts::projection_unknown()),
        (Some(ProjectionType::Include), None) => Err(texts::projection_missing()),
        (Some(ProjectionType::Include), Some(names)) => Ok(Projected::Include(names)),
        (Some(kind), Some(_)) => Err(texts::projection_needless(kind.as_str())),
        (Some(ProjectionType::All), None) => Ok(Projected::All),
        (Some(ProjectionType::KeysOnly), None) => Ok(Projected::KeysOnly),
    }
}

/// Refuses parts of a request that this server does not have: each by its name, and whether it is
/// there.
///
/// # Errors
/// `Validation` names the first one.
pub(super) fn refuse(parts: &[(&str, bool)]) -> Result<()> {
    match parts.iter().find(|(_, is_there)| *is_there) {
        Some((name, _)) => Err(texts::unsupported(name)),
        None => Ok(()),
    }
}

/// A table as answers describe it; `status`: what it is in, when that is not what its row says.
pub(super) fn describe(table: &Table, status: Option<TableStatus>) -> TableDescription {
    let state = table.state();
    let row = &state.row;
    let of_row = match row.status {
        Status::Active => TableStatus::Active,
        Status::Deleting => TableStatus::Deleting,
    };
    let indexes: Vec<_> = state.indexes.iter().map(|index| describe_index(table, index)).collect();
    let summary = match row.billing {
        Billing::Provisioned { .. } => None,
        Billing::PayPerRequest { since_ms } => Some(BillingModeSummary {
            billing_mode: Some(BillingMode::PayPerRequest),
            last_update_to_pay_per_request_date_time: Some(Timestamp(since_ms)),
        }),
    };
    let units = match row.billing {
        Billing::Provisioned { read_units, write_units } => Some((read_units, write_units)),
        Billing::PayPerRequest { .. } => None,
    };
    let (warm_reads, warm_writes) = units.unwrap_or(WARM_UNITS);
    TableDescription {
        attribute_definitions: Some(definitions(&row.schema, &row.indexes)),
        table_name: Some(table.key.name.as_ref().into()),
        key_schema: Some(elements(&row.schema)),
        table_status: Some(status.unwrap_or(of_row)),
        creation_date_time: Some(Timestamp(row.created_ms)),
        provisioned_throughput: Some(throughput(units)),
        table_size_bytes: Some(table.bytes()),
        item_count: Some(table.items()),
        table_arn: Some(table.arn.as_str().into()),
        table_id: Some(row.id.as_str().into()),
        billing_mode_summary: summary,
        global_secondary_indexes: Some(indexes).filter(|indexes| !indexes.is_empty()),
        deletion_protection_enabled: Some(row.is_protected),
        warm_throughput: Some(TableWarmThroughputDescription {
            read_units_per_second: Some(warm_reads),
            write_units_per_second: Some(warm_writes),
            status: Some(TableStatus::Active),
        }),
        ..TableDescription::default()
    }
}

fn describe_index(table: &Table, index: &Arc<Index>) -> GlobalSecondaryIndexDescription {
    let IndexRow { name, schema, projected, units } = &index.row;
    let (projection_type, names) = match projected {
        Projected::All => (ProjectionType::All, None),
        Projected::KeysOnly => (ProjectionType::KeysOnly, None),
        Projected::Include(names) => (ProjectionType::Include, Some(names)),
    };
    let texts = |names: &Vec<String>| names.iter().map(|name| name.as_str().into()).collect();
    let (warm_reads, warm_writes) = units.unwrap_or(WARM_UNITS);
    GlobalSecondaryIndexDescription {
        index_name: Some(name.as_str().into()),
        key_schema: Some(elements(schema)),
        projection: Some(dynamodb::Projection {
            projection_type: Some(projection_type),
            non_key_attributes: names.map(texts),
        }),
        index_status: Some(IndexStatus::Active),
        provisioned_throughput: Some(throughput(*units)),
        index_size_bytes: Some(0),
        item_count: Some(index.len() as i64),
        index_arn: Some(format!("{}/index/{name}", table.arn).into()),
        warm_throughput: Some(GlobalSecondaryIndexWarmThroughputDescription {
            read_units_per_second: Some(warm_reads),
            write_units_per_second: Some(warm_writes),
            status: Some(IndexStatus::Active),
        }),
        ..GlobalSecondaryIndexDescription::default()
    }
}

fn throughput(units: Option<(i64, i64)>) -> ProvisionedThroughputDescription {
    let (read, write) = units.unwrap_or_default();
    ProvisionedThroughputDescription {
        number_of_decreases_today: Some(0),
        read_capacity_units: Some(read),
        write_capacity_units: Some(write),
        ..ProvisionedThroughputDescription::default()
    }
}

fn elements(schema: &KeySchema) -> Vec<KeySchemaElement> {
    let kinds = [KeyType::Hash, KeyType::Range];
    let element = |(attribute, key_type): (&KeyAttribute, KeyType)| KeySchemaElement {
        attribute_name: attribute.name.as_str().into(),
        key_type,
    };
    schema.attributes().zip(kinds).map(element).collect()
}

/// The types of all keys, in order of the names.
fn definitions(schema: &KeySchema, indexes: &[IndexRow]) -> Vec<AttributeDefinition> {
    let all = std::iter::once(schema).chain(indexes.iter().map(|index| &index.schema));
    let kinds: BTreeMap<&str, KeyKind> = all
        .flat_map(KeySchema::attributes)
        .map(|attribute| (attribute.name.as_str(), attribute.kind))
        .collect();
    let definition = |(name, kind): (&str, KeyKind)| AttributeDefinition {
        attribute_name: name.into(),
        attribute_type: match kind {
            KeyKind::S => ScalarAttributeType::S,
            KeyKind::N => ScalarAttributeType::N,
            KeyKind::B => ScalarAttributeType::B,
        },
    };
    kinds.into_iter().map(definition).collect()
}
