//! A managed policy with its versions.

use base::AccountId;
use kit::Tags;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// As stored under its account and name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::iam) struct PolicyRow {
    /// As it was given, in its case.
    pub(in crate::iam) name: String,
    /// Begins and ends with a slash.
    pub(in crate::iam) path: String,
    pub(in crate::iam) id: String,
    /// Of the region that it was made through.
    pub(in crate::iam) partition: String,
    pub(in crate::iam) description: Option<String>,
    pub(in crate::iam) tags: Tags,
    pub(in crate::iam) created_ms: i64,
    /// When a version came, went or became the default one last.
    pub(in crate::iam) updated_ms: i64,
    /// Versions by their numbers.
    pub(in crate::iam) versions: BTreeMap<u32, VersionRow>,
    /// The version that counts.
    pub(in crate::iam) default: u32,
    /// Number of the next version; none is given twice.
    pub(in crate::iam) next: u32,
}

/// A version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::iam) struct VersionRow {
    /// As it was sent.
    pub(in crate::iam) document: String,
    pub(in crate::iam) created_ms: i64,
}

impl PolicyRow {
    /// What all keys begin with.
    pub(in crate::iam) const PREFIX: &str = "policy/";

    pub(in crate::iam) fn key(account: AccountId, name: &str) -> Vec<u8> {
        format!("{}{account}/{}", Self::PREFIX, name.to_ascii_lowercase()).into_bytes()
    }

    /// The document that counts; empty only in a row that nobody wrote.
    pub(in crate::iam) fn document(&self) -> &str {
        self.versions.get(&self.default).map_or("", |version| &version.document)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        let version = VersionRow { document: "{}".into(), created_ms: 1 };
        let row = PolicyRow {
            name: "P".into(),
            path: "/".into(),
            id: "ANPAABCDEFGHIJKLMNOPQ".into(),
            partition: "aws".into(),
            description: Some("d".into()),
            tags: Tags::default(),
            created_ms: 1,
            updated_ms: 2,
            versions: BTreeMap::from([(3, version)]),
            default: 3,
            next: 4,
        };
        kit::rows::check_round_trip(&row);
        assert_eq!(row.document(), "{}");
        assert_eq!(PolicyRow { default: 9, ..row }.document(), "");
        assert_eq!(PolicyRow::key(AccountId::DEFAULT, "aB"), b"policy/000000000000/ab");
    }
}
