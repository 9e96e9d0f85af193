//! Name to thing: everything of one kind that a service has, by account, region and name.

use base::{AccountId, Region};
use parking_lot::RwLock;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The things of one account and region, by name.
type Space<T> = BTreeMap<Arc<str>, Arc<T>>;

/// All things of one kind.
pub struct Directory<T> {
    spaces: RwLock<HashMap<(AccountId, Region), Space<T>>>,
}

impl<T> Default for Directory<T> {
    fn default() -> Self {
        Self { spaces: RwLock::default() }
    }
}

impl<T> Directory<T> {
    /// The thing of this name, in whatever state.
    pub fn get(&self, account: AccountId, region: &Region, name: &str) -> Option<Arc<T>> {
        self.spaces.read().get(&(account, region.clone()))?.get(name).cloned()
    }

    /// Everything of an account and region in order of the names.
    pub fn list(&self, account: AccountId, region: &Region) -> Vec<Arc<T>> {
        let spaces = self.spaces.read();
        let space = spaces.get(&(account, region.clone()));
        space.map_or_else(Vec::new, |space| space.values().cloned().collect())
    }

    /// What of an account counts into one quota with that of this region, see
    /// [`Region::quota_name`].
    pub fn list_quota(&self, account: AccountId, region: &Region) -> Vec<Arc<T>> {
        if region.is_known() {
            return self.list(account, region);
        }
        let spaces = self.spaces.read();
        let counted = |key: &(AccountId, Region)| key.0 == account && !key.1.is_known();
        let spaces = spaces.iter().filter(|(key, _)| counted(key));
        spaces.flat_map(|(_, space)| space.values().cloned()).collect()
    }

    /// Everything there is.
    pub fn all(&self) -> Vec<Arc<T>> {
        self.spaces.read().values().flat_map(|space| space.values().cloned()).collect()
    }

    /// Adds a thing, after the catalog has it.
    pub fn insert(&self, account: AccountId, region: &Region, name: Arc<str>, thing: Arc<T>) {
        let space = (account, region.clone());
        self.spaces.write().entry(space).or_default().insert(name, thing);
    }

    /// Takes a thing out, after the catalog lost it.
    pub fn remove(&self, account: AccountId, region: &Region, name: &str) {
        let space = (account, region.clone());
        let mut spaces = self.spaces.write();
        if let Some(things) = spaces.get_mut(&space) {
            things.remove(name);
            if things.is_empty() {
                spaces.remove(&space);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_are_apart() {
        let directory = Directory::default();
        let account = AccountId::DEFAULT;
        let regions = ["us-east-1", "x1", "elsewhere"].map(|name| Region::parse(name).unwrap());
        let [known, made_up, other] = &regions;
        for (region, thing) in [(known, 1), (made_up, 2), (other, 3)] {
            directory.insert(account, region, "a".into(), Arc::new(thing));
        }
        assert_eq!(directory.get(account, made_up, "a").as_deref(), Some(&2));
        assert_eq!(directory.get(account, known, "b"), None);
        assert_eq!(directory.list(account, known), [Arc::new(1)]);
        assert_eq!(directory.list_quota(account, known).len(), 1);
        assert_eq!(directory.list_quota(account, other).len(), 2);
        directory.remove(account, known, "a");
        directory.remove(account, known, "a");
        assert_eq!((directory.list(account, known).len(), directory.all().len()), (0, 2));
    }
}
