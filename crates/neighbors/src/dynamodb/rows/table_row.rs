//! `table/<account>/<region>/<name>`: a table; `tags/..`: its [`kit::Tags`].

use crate::dynamodb::key::KeySchema;
use crate::dynamodb::table::TableKey;
use serde::{Deserialize, Serialize};

/// A table as stored.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(in crate::dynamodb) struct TableRow {
    /// AWS's `TableId`, a UUID.
    pub(in crate::dynamodb) id: String,
    /// What the keys of its items start with.
    pub(in crate::dynamodb) number: u64,
    pub(in crate::dynamodb) created_ms: i64,
    pub(in crate::dynamodb) status: Status,
    pub(in crate::dynamodb) schema: KeySchema,
    pub(in crate::dynamodb) billing: Billing,
    pub(in crate::dynamodb) indexes: Vec<IndexRow>,
    pub(in crate::dynamodb) is_protected: bool,
}

/// What a table is in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(in crate::dynamodb) enum Status {
    Active,
    Deleting,
}

/// Throughput as it was asked for; this server has no such limits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(in crate::dynamodb) enum Billing {
    PayPerRequest { since_ms: i64 },
    Provisioned { read_units: i64, write_units: i64 },
}

/// A global secondary index.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(in crate::dynamodb) struct IndexRow {
    pub(in crate::dynamodb) name: String,
    pub(in crate::dynamodb) schema: KeySchema,
    pub(in crate::dynamodb) projected: Projected,
    /// Units of reading and writing, of a table with provisioned throughput.
    pub(in crate::dynamodb) units: Option<(i64, i64)>,
}

/// What an index shows of an item.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(in crate::dynamodb) enum Projected {
    All,
    KeysOnly,
    Include(Vec<String>),
}

impl TableRow {
    /// What the keys of all tables start with.
    pub(in crate::dynamodb) const PREFIX: &str = "table/";

    /// The catalog key.
    pub(in crate::dynamodb) fn key(table: &TableKey) -> Vec<u8> {
        key("table", table)
    }

    /// What a catalog key names.
    pub(in crate::dynamodb) fn parse_key(key: &[u8]) -> Option<TableKey> {
        let text = std::str::from_utf8(key).ok()?.strip_prefix(Self::PREFIX)?;
        let mut parts = text.splitn(3, '/');
        let mut part = || parts.next();
        let account = base::AccountId::parse(part()?).ok()?;
        let region = base::Region::parse(part()?).ok()?;
        Some(TableKey { account, region, name: part()?.into() })
    }
}

/// The catalog key of a table's tags.
pub(in crate::dynamodb) fn tags_key(table: &TableKey) -> Vec<u8> {
    key("tags", table)
}

fn key(family: &str, TableKey { account, region, name }: &TableKey) -> Vec<u8> {
    format!("{family}/{account}/{region}/{name}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamodb::key::{KeyAttribute, KeyKind};
    use base::{AccountId, Region};

    #[test]
    fn round_trip() {
        let attribute = |name: &str, kind| KeyAttribute { name: name.into(), kind };
        let schema = KeySchema { partition: attribute("leaseKey", KeyKind::S), sort: None };
        let index = IndexRow {
            name: "i".into(),
            schema: KeySchema {
                partition: attribute("n", KeyKind::N),
                sort: Some(attribute("b", KeyKind::B)),
            },
            projected: Projected::Include(vec!["a".into()]),
            units: Some((1, 2)),
        };
        kit::rows::check_round_trip(&TableRow {
            id: "0-1".into(),
            number: u64::MAX,
            created_ms: 1,
            status: Status::Deleting,
            schema,
            billing: Billing::PayPerRequest { since_ms: 2 },
            indexes: vec![index],
            is_protected: true,
        });
        let (account, region) = (AccountId::DEFAULT, Region::default());
        let table = TableKey { account, region, name: "app.a-b_c".into() };
        assert_eq!(TableRow::key(&table), b"table/000000000000/us-east-1/app.a-b_c");
        assert_eq!(TableRow::parse_key(&TableRow::key(&table)), Some(table.clone()));
        assert_eq!(tags_key(&table), b"tags/000000000000/us-east-1/app.a-b_c");
    }
}
