//! What is wrong of tables and indexes.

use super::INVALID;
use api::dynamodb::Error;

/// For items.
///
/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn not_found() -> Error {
    Error::ResourceNotFound("Requested resource not found".into())
}

/// For the table itself.
///
/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn table_not_found(name: &str) -> Error {
    Error::ResourceNotFound(format!("Requested resource not found: Table: {name} not found"))
}

/// For its backups.
///
/// Source: observed (moto).
pub(in crate::dynamodb) fn backups_not_found(name: &str) -> Error {
    Error::TableNotFound(format!("Table not found: {name}"))
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn table_exists(name: &str) -> Error {
    Error::ResourceInUse(format!("Table already exists: {name}"))
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn table_deleting(name: &str) -> Error {
    Error::ResourceInUse(format!(
        "Attempt to change a resource which is still in use: Table is being deleted: {name}"
    ))
}

/// Source: observed (moto).
pub(in crate::dynamodb) fn table_protected(arn: &str) -> Error {
    Error::Validation(format!(
        "Resource cannot be deleted as it is currently protected against deletion. Disable deletion \
         protection first. (resource: {arn})"
    ))
}

/// Source: model.
pub(in crate::dynamodb) fn too_many_tables(max: usize) -> Error {
    Error::LimitExceeded(format!("Subscriber limit exceeded: Number of tables exceeds {max}"))
}

/// Source: ours.
pub(in crate::dynamodb) fn invalid_arn(arn: &str) -> Error {
    Error::Validation(format!("{arn} is no ARN of a table of this account and region."))
}

/// Source: observed (ExtendDB's recorded answers).
pub(in crate::dynamodb) fn name_too_short(name: &str) -> Error {
    Error::Validation(format!(
        "1 validation error detected: Value '{name}' at 'tableName' failed to satisfy constraint: \
         Member must have length greater than or equal to 3"
    ))
}

/// Source: observed (moto).
pub(in crate::dynamodb) fn invalid_name() -> Error {
    Error::Validation(
        "Invalid table/index name.  Table/index names must be between 3 and 255 characters long, \
         and may contain only the characters a-z, A-Z, 0-9, '_', '-', and '.'"
            .into(),
    )
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn key_not_defined() -> Error {
    invalid("Some index key attributes are not defined in AttributeDefinitions")
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn definitions_unused(defined: &[String], used: &[String]) -> Error {
    let (defined, used) = (defined.join(", "), used.join(", "));
    invalid(&format!(
        "Some AttributeDefinitions are not used. AttributeDefinitions: [{defined}], keys used: \
         [{used}]"
    ))
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn key_schema_order() -> Error {
    Error::Validation("Invalid KeySchema: The first KeySchemaElement is not a HASH key type".into())
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn key_schema_second() -> Error {
    Error::Validation(
        "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type".into(),
    )
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn key_schema_same() -> Error {
    Error::Validation(
        "Both the Hash Key and the Range Key element in the KeySchema have the same name".into(),
    )
}

/// Source: observed (moto).
pub(in crate::dynamodb) fn throughput_missing() -> Error {
    invalid(
        "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is \
         PROVISIONED",
    )
}

/// Source: observed (moto).
pub(in crate::dynamodb) fn throughput_needless() -> Error {
    invalid(
        "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is \
         PAY_PER_REQUEST",
    )
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn throughput_same(read: i64, write: i64) -> Error {
    Error::Validation(format!(
        "The provisioned throughput for the table will not change. The requested value equals the \
         current value. Current ReadCapacityUnits provisioned for the table: {read}. Requested \
         ReadCapacityUnits: {read}. Current WriteCapacityUnits provisioned for the table: {write}. \
         Requested WriteCapacityUnits: {write}. Refer to the Amazon DynamoDB Developer Guide for \
         current limits and how to request higher limits."
    ))
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn definitions_count() -> Error {
    invalid(
        "Number of attributes in KeySchema does not exactly match number of attributes defined in \
         AttributeDefinitions",
    )
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn indexes_empty() -> Error {
    invalid("List of GlobalSecondaryIndexes is empty")
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn no_index(name: &str) -> Error {
    Error::Validation(format!("The table does not have the specified index: {name}"))
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn index_twice(name: &str) -> Error {
    invalid(&format!("Duplicate index name: {name}"))
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn index_exists(name: &str) -> Error {
    Error::Validation(format!("Attempting to create an index which already exists: {name}"))
}

/// Source: observed (moto).
pub(in crate::dynamodb) fn index_not_found() -> Error {
    Error::ResourceNotFound("Requested resource not found".into())
}

/// Source: model.
pub(in crate::dynamodb) fn too_many_indexes(max: usize) -> Error {
    invalid(&format!("GlobalSecondaryIndex count exceeds the per-table limit of {max}"))
}

/// Source: model.
pub(in crate::dynamodb) fn one_index_at_once() -> Error {
    Error::LimitExceeded(
        "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously \
         per table"
            .into(),
    )
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn projection_unknown() -> Error {
    invalid("Unknown ProjectionType: null")
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn projection_needless(kind: &str) -> Error {
    invalid(&format!("ProjectionType is {kind}, but NonKeyAttributes is specified"))
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn projection_missing() -> Error {
    invalid("ProjectionType is INCLUDE, but NonKeyAttributes is not specified")
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn nothing_to_update() -> Error {
    Error::Validation(
        "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, \
         GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required"
            .into(),
    )
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn attributes_of_index(index: &str) -> Error {
    invalid(&format!(
        "Select type ALL_ATTRIBUTES is not supported for global secondary index {index} because its \
         projection type is not ALL"
    ))
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn projected_without_index() -> Error {
    invalid("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn select_with_projection(select: &str) -> Error {
    Error::Validation(format!(
        "Cannot specify the ProjectionExpression when choosing to get {select}"
    ))
}

/// Source: observed (dynalite's suite).
pub(in crate::dynamodb) fn select_without_projection() -> Error {
    Error::Validation(
        "Must specify the AttributesToGet or ProjectionExpression when choosing to get \
         SPECIFIC_ATTRIBUTES"
            .into(),
    )
}

/// The tags of a resource that is none.
///
/// Source: observed (moto).
pub(in crate::dynamodb) fn tags_of_nothing(arn: &str) -> Error {
    Error::ResourceNotFound(format!("Requested resource not found: ResourcArn: {arn} not found"))
}

/// Source: observed (the words of every service that has tags).
pub(in crate::dynamodb) fn tag_reserved(key: &str) -> Error {
    Error::Validation(format!("Tag key {key} begins with aws:, which is reserved"))
}

/// Source: ours.
pub(in crate::dynamodb) fn too_many_tags() -> Error {
    Error::Validation("A table has at most 50 tags.".into())
}

/// Point-in-time recovery is asked for.
///
/// Source: ours.
pub(in crate::dynamodb) fn no_backups() -> Error {
    Error::ContinuousBackupsUnavailable("This server keeps no continuous backups.".into())
}

fn invalid(why: &str) -> Error {
    Error::Validation(format!("{INVALID}{why}"))
}
