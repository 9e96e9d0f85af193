//! Topics and their subscriptions, as they are now.

use super::rows::{State, SubscriptionRow, TopicRow, policy_key};
use super::service::SERVICE;
use base::{AccountId, Region};
use kit::{Arn, Directory, PolicySlot, rows};
use parking_lot::RwLock;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{ErrorKind, Part};

/// Which topic, and whose.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) struct TopicId {
    pub(super) account: AccountId,
    pub(super) region: Region,
    pub(super) name: Arc<str>,
}

/// Which subscription, and of which topic.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) struct SubscriptionId {
    pub(super) topic: TopicId,
    /// A UUID.
    pub(super) id: Arc<str>,
}

impl TopicId {
    /// Reads an ARN; `None` for one that is no topic's.
    pub(super) fn parse_arn(arn: &str) -> Option<Self> {
        let Arn { region, account, resource, .. } = Arn::of(SERVICE, arn)?;
        is_topic_name(resource).then(|| Self { account, region, name: resource.into() })
    }

    pub(super) fn arn(&self) -> String {
        let Self { account, region, name } = self;
        Arn { service: SERVICE, region, account: *account, resource: name }.to_string()
    }
}

impl SubscriptionId {
    /// Reads an ARN; `None` for one that is no subscription's.
    pub(super) fn parse_arn(arn: &str) -> Option<Self> {
        let (topic, id) = arn.rsplit_once(':')?;
        Some(Self { topic: TopicId::parse_arn(topic)?, id: id.into() })
    }

    pub(super) fn arn(&self) -> String {
        format!("{}:{}", self.topic.arn(), self.id)
    }

    /// As it is in keys of rows.
    pub(super) fn path(&self) -> String {
        let TopicId { account, region, name } = &self.topic;
        format!("{account}/{region}/{name}/{}", self.id)
    }

    pub(super) fn parse_path(path: &str) -> Option<Self> {
        let mut parts = path.splitn(4, '/');
        let account = AccountId::parse(parts.next()?).ok()?;
        let region = Region::parse(parts.next()?).ok()?;
        let name = parts.next()?.into();
        let topic = TopicId { account, region, name };
        Some(Self { topic, id: parts.next()?.into() })
    }
}

/// Longest name of a topic (model's documentation).
const NAME_CHARACTERS_MAX: usize = 256;

/// Whether a topic that is no FIFO may have this name.
pub(super) fn is_topic_name(name: &str) -> bool {
    let is_inside = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    (1..=NAME_CHARACTERS_MAX).contains(&name.len()) && name.bytes().all(is_inside)
}

/// A topic.
pub(super) struct Topic {
    pub(super) id: TopicId,
    pub(super) policy: PolicySlot,
    row: RwLock<Arc<TopicRow>>,
    subscriptions: RwLock<BTreeMap<Arc<str>, Arc<Subscription>>>,
}

/// A subscription.
pub(super) struct Subscription {
    pub(super) id: SubscriptionId,
    row: RwLock<Arc<SubscriptionRow>>,
}

impl Topic {
    pub(super) fn new(id: TopicId, row: TopicRow, policy: PolicySlot) -> Self {
        let row = RwLock::new(Arc::new(row));
        Self { id, policy, row, subscriptions: RwLock::default() }
    }

    pub(super) fn row(&self) -> Arc<TopicRow> {
        self.row.read().clone()
    }

    pub(super) fn set_row(&self, row: TopicRow) {
        *self.row.write() = Arc::new(row);
    }

    /// All subscriptions in order of their ids, those that nobody sees any more, too.
    pub(super) fn subscriptions(&self) -> Vec<Arc<Subscription>> {
        self.subscriptions.read().values().cloned().collect()
    }

    pub(super) fn subscription(&self, id: &str) -> Option<Arc<Subscription>> {
        self.subscriptions.read().get(id).cloned()
    }

    /// Shows a subscription, after the catalog has it.
    pub(super) fn show(&self, id: SubscriptionId, row: SubscriptionRow) {
        let mut subscriptions = self.subscriptions.write();
        match subscriptions.get(&id.id) {
            Some(known) => *known.row.write() = Arc::new(row),
            None => {
                let key = id.id.clone();
                let row = RwLock::new(Arc::new(row));
                subscriptions.insert(key, Arc::new(Subscription { id, row }));
            }
        }
    }

    /// Takes a subscription out, after the catalog lost it.
    pub(super) fn forget(&self, id: &str) {
        self.subscriptions.write().remove(id);
    }
}

impl Subscription {
    pub(super) fn row(&self) -> Arc<SubscriptionRow> {
        self.row.read().clone()
    }

    pub(super) fn state(&self) -> State {
        self.row.read().state
    }
}

/// All topics.
#[derive(Default)]
pub(super) struct Topics(Directory<Topic>);

impl Topics {
    /// Reads the rows.
    ///
    /// # Errors
    /// `Corrupt` naming the key.
    pub(super) fn open(store: &Part) -> store::Result<Self> {
        let topics = Self::default();
        for (key, row) in rows::scan::<TopicRow>(store, TopicRow::PREFIX)? {
            let (account, region, name) =
                TopicRow::parse_key(&key).ok_or_else(|| unreadable(&key))?;
            let policy = PolicySlot::load(store, &policy_key(account, &region, &name))?;
            let id = TopicId { account, region, name: name.into() };
            topics.insert(Arc::new(Topic::new(id, row, policy)));
        }
        for (key, row) in rows::scan::<SubscriptionRow>(store, SubscriptionRow::PREFIX)? {
            let path = std::str::from_utf8(&key).ok();
            let path = path.and_then(|key| key.strip_prefix(SubscriptionRow::PREFIX));
            let id = path.and_then(SubscriptionId::parse_path).ok_or_else(|| unreadable(&key))?;
            let topic = topics.get(&id.topic).ok_or_else(|| unreadable(&key))?;
            topic.show(id, row);
        }
        Ok(topics)
    }

    pub(super) fn get(&self, id: &TopicId) -> Option<Arc<Topic>> {
        self.0.get(id.account, &id.region, &id.name)
    }

    pub(super) fn subscription(&self, id: &SubscriptionId) -> Option<Arc<Subscription>> {
        self.get(&id.topic)?.subscription(&id.id)
    }

    /// Those of an account and region in order of their names.
    pub(super) fn list(&self, account: AccountId, region: &Region) -> Vec<Arc<Topic>> {
        self.0.list(account, region)
    }

    /// How many count into the quota of an account and region.
    pub(super) fn count(&self, account: AccountId, region: &Region) -> usize {
        self.0.list_quota(account, region).len()
    }

    pub(super) fn all(&self) -> Vec<Arc<Topic>> {
        self.0.all()
    }

    pub(super) fn insert(&self, topic: Arc<Topic>) {
        let TopicId { account, region, name } = topic.id.clone();
        self.0.insert(account, &region, name, topic);
    }

    pub(super) fn remove(&self, id: &TopicId) {
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
    fn names_of_topics_and_subscriptions() {
        let arn = "arn:aws:sns:eu-west-1:123456789012:a-b_c";
        let topic = TopicId::parse_arn(arn).unwrap();
        assert_eq!((topic.arn().as_str(), &*topic.name), (arn, "a-b_c"));
        let arn = format!("{arn}:1-2");
        let subscription = SubscriptionId::parse_arn(&arn).unwrap();
        assert_eq!((subscription.arn(), &*subscription.id), (arn.clone(), "1-2"));
        assert_eq!(subscription.path(), "123456789012/eu-west-1/a-b_c/1-2");
        assert_eq!(SubscriptionId::parse_path(&subscription.path()), Some(subscription));
        for wrong in [
            "",
            "arn:aws:sns:eu-west-1:123456789012:",
            "arn:aws:sns:eu-west-1:123456789012:a.fifo",
            "arn:aws:sns:eu-west-1:123456789012:a/b",
            "arn:aws:sqs:eu-west-1:123456789012:a",
            &arn,
        ] {
            assert_eq!(TopicId::parse_arn(wrong), None, "{wrong}");
        }
    }
}
