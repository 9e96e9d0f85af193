//! Groups with their streams and filters, as they are now.

use super::filters::Filter;
use super::rows::GroupRow;
use super::service::SERVICE;
use super::stream::Stream;
use base::{AccountId, Region};
use kit::{Arn, Directory};
use parking_lot::RwLock;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::ErrorKind;

/// What stands before the name in a group's ARN.
const GROUP: &str = "log-group:";

/// Which group, and whose.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct GroupId {
    pub(super) account: AccountId,
    pub(super) region: Region,
    pub(super) name: Arc<str>,
}

impl GroupId {
    /// Reads an ARN, with `:*` at the end or without; `None` for one that is no group's.
    pub(super) fn parse_arn(arn: &str) -> Option<Self> {
        let Arn { region, account, resource, .. } = Arn::of(SERVICE, arn)?;
        let name = resource.strip_prefix(GROUP)?;
        let name = name.strip_suffix(":*").unwrap_or(name);
        is_group_name(name).then(|| Self { account, region, name: name.into() })
    }

    /// Without `:*` at the end.
    pub(super) fn arn(&self) -> String {
        let Self { account, region, name } = self;
        let resource = format!("{GROUP}{name}");
        Arn { service: SERVICE, region, account: *account, resource: &resource }.to_string()
    }

    pub(super) fn stream_arn(&self, stream: &str) -> String {
        format!("{}:log-stream:{stream}", self.arn())
    }
}

/// Whether a group may have this name (model).
fn is_group_name(name: &str) -> bool {
    let is_inside = |b: u8| b.is_ascii_alphanumeric() || b".-_/#".contains(&b);
    (1..=512).contains(&name.len()) && name.bytes().all(is_inside)
}

/// A group.
pub(super) struct Group {
    pub(super) id: GroupId,
    row: RwLock<Arc<GroupRow>>,
    streams: RwLock<BTreeMap<Arc<str>, Arc<Stream>>>,
    filters: RwLock<BTreeMap<Arc<str>, Arc<Filter>>>,
}

impl Group {
    pub(super) fn new(id: GroupId, row: GroupRow) -> Self {
        let row = RwLock::new(Arc::new(row));
        Self { id, row, streams: RwLock::default(), filters: RwLock::default() }
    }

    pub(super) fn row(&self) -> Arc<GroupRow> {
        self.row.read().clone()
    }

    pub(super) fn set_row(&self, row: GroupRow) {
        *self.row.write() = Arc::new(row);
    }

    /// How long events are kept, in ms; none: as long as there is room.
    pub(super) fn retention_ms(&self) -> Option<i64> {
        self.row.read().retention_days.map(|days| i64::from(days) * 86_400_000)
    }

    pub(super) fn stream(&self, name: &str) -> Option<Arc<Stream>> {
        self.streams.read().get(name).cloned()
    }

    /// In order of their names.
    pub(super) fn streams(&self) -> Vec<Arc<Stream>> {
        self.streams.read().values().cloned().collect()
    }

    pub(super) fn stream_count(&self) -> usize {
        self.streams.read().len()
    }

    /// Shows a stream, after the catalog has it.
    pub(super) fn show(&self, stream: Arc<Stream>) {
        self.streams.write().insert(stream.name.clone(), stream);
    }

    /// Takes a stream out, after the catalog lost it.
    pub(super) fn forget(&self, stream: &str) {
        self.streams.write().remove(stream);
    }

    pub(super) fn filter(&self, name: &str) -> Option<Arc<Filter>> {
        self.filters.read().get(name).cloned()
    }

    /// In order of their names.
    pub(super) fn filters(&self) -> Vec<Arc<Filter>> {
        self.filters.read().values().cloned().collect()
    }

    /// Shows a filter, after the catalog has it.
    pub(super) fn show_filter(&self, filter: Arc<Filter>) {
        self.filters.write().insert(filter.name.clone(), filter);
    }

    /// Takes a filter out, after the catalog lost it.
    pub(super) fn forget_filter(&self, name: &str) {
        self.filters.write().remove(name);
    }

    /// Bytes of all its events.
    pub(super) fn bytes(&self) -> u64 {
        self.streams.read().values().map(|stream| stream.bytes()).sum()
    }
}

/// All groups.
#[derive(Default)]
pub(super) struct Groups(Directory<Group>);

impl Groups {
    pub(super) fn get(&self, id: &GroupId) -> Option<Arc<Group>> {
        self.0.get(id.account, &id.region, &id.name)
    }

    /// Those of an account and region in order of their names.
    pub(super) fn list(&self, account: AccountId, region: &Region) -> Vec<Arc<Group>> {
        self.0.list(account, region)
    }

    /// How many count into the quota of an account and region.
    pub(super) fn count(&self, account: AccountId, region: &Region) -> usize {
        self.0.list_quota(account, region).len()
    }

    pub(super) fn all(&self) -> Vec<Arc<Group>> {
        self.0.all()
    }

    pub(super) fn insert(&self, group: Arc<Group>) {
        let GroupId { account, region, name } = group.id.clone();
        self.0.insert(account, &region, name, group);
    }

    pub(super) fn remove(&self, id: &GroupId) {
        self.0.remove(id.account, &id.region, &id.name);
    }
}

/// A key that this service did not write.
pub(super) fn unreadable(key: &[u8]) -> store::Error {
    let key = String::from_utf8_lossy(key);
    store::Error::new(ErrorKind::Corrupt, format!("catalog row `{key}`: its key is none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_groups() {
        let arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/a_b.c#1";
        let group = GroupId::parse_arn(arn).unwrap();
        assert_eq!((group.arn().as_str(), &*group.name), (arn, "/aws/lambda/a_b.c#1"));
        assert_eq!(GroupId::parse_arn(&format!("{arn}:*")), Some(group.clone()));
        assert_eq!(group.stream_arn("s"), format!("{arn}:log-stream:s"));
        for wrong in [
            "",
            "arn:aws:logs:eu-west-1:123456789012:log-group:",
            "arn:aws:logs:eu-west-1:123456789012:log-group:a:log-stream:b",
            "arn:aws:logs:eu-west-1:123456789012:a",
            "arn:aws:kinesis:eu-west-1:123456789012:log-group:a",
        ] {
            assert_eq!(GroupId::parse_arn(wrong), None, "{wrong}");
        }
    }
}
