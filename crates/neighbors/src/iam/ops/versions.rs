//! How versions of managed policies are named and shown.

use super::shapes;
use crate::iam::documents;
use crate::iam::managed::Managed;
use crate::iam::rows::VersionRow;
use api::iam::PolicyVersion;

/// The name of a version.
pub(super) fn name(number: u32) -> String {
    format!("v{number}")
}

/// A version of this name.
pub(super) fn find<'a>(managed: &'a Managed, name: &str) -> Option<(u32, &'a VersionRow)> {
    let number = name.strip_prefix('v')?.parse().ok()?;
    managed.row.versions.get(&number).map(|version| (number, version))
}

/// A version without its document, as lists have it.
pub(super) fn listed(managed: &Managed, number: u32, version: &VersionRow) -> PolicyVersion {
    PolicyVersion {
        document: None,
        version_id: Some(name(number).into()),
        is_default_version: Some(managed.row.default == number),
        create_date: Some(shapes::date(version.created_ms)),
    }
}

/// A version with its document.
pub(super) fn whole(managed: &Managed, number: u32, version: &VersionRow) -> PolicyVersion {
    let document = Some(documents::encoded(&version.document));
    PolicyVersion { document, ..listed(managed, number, version) }
}
