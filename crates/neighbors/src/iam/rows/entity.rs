//! What a role and a user have in common; a part of the rows of both.

use crate::iam::policy_name::PolicyName;
use kit::Tags;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Who he is, and what he may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::iam) struct Entity {
    /// As it was given, in its case.
    pub(in crate::iam) name: String,
    /// Begins and ends with a slash.
    pub(in crate::iam) path: String,
    /// Tells him from a former one of his name.
    pub(in crate::iam) id: String,
    /// Of the region that he was made through; his ARN stays the same.
    pub(in crate::iam) partition: String,
    pub(in crate::iam) created_ms: i64,
    /// The permissions boundary.
    pub(in crate::iam) boundary: Option<PolicyName>,
    pub(in crate::iam) tags: Tags,
    /// Inline policies as they were sent, by their names.
    pub(in crate::iam) inline: BTreeMap<String, String>,
    /// Managed policies.
    pub(in crate::iam) attached: BTreeSet<PolicyName>,
}

#[cfg(test)]
impl Entity {
    /// One with something everywhere.
    pub(in crate::iam) fn sample() -> Self {
        Self {
            name: "Name".into(),
            path: "/a/".into(),
            id: "AROAABCDEFGHIJKLMNOPQ".into(),
            partition: "aws".into(),
            created_ms: -1,
            boundary: Some(PolicyName::of_aws("/", "A")),
            tags: Tags::new([("k", "v")]).unwrap(),
            inline: BTreeMap::from([("p".into(), "{\"a\": \"%3A\"}".into())]),
            attached: BTreeSet::from([PolicyName::of_aws("/service-role/", "B")]),
        }
    }
}
