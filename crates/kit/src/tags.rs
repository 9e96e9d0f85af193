//! Tags of a resource, for both families of operations: those by its name and those by its ARN.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most tags of one resource (model, of every service that has tags).
const TAGS_MAX: usize = 50;

/// The tags of one resource by their keys; as stored, in a row that it has only with tags.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Tags(BTreeMap<String, String>);

/// Why tags cannot be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TagTrouble {
    /// This key begins with `aws:`, which is AWS's own.
    Reserved(String),
    /// The resource would have more than fifty.
    TooMany,
}

impl Tags {
    /// Tags as a request brings them.
    ///
    /// # Errors
    /// `Reserved`.
    pub fn new<T: Into<String>>(
        tags: impl IntoIterator<Item = (T, T)>,
    ) -> Result<Self, TagTrouble> {
        let tags: BTreeMap<_, _> = tags.into_iter().map(|(k, v)| (k.into(), v.into())).collect();
        let is_reserved =
            |key: &&String| key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:"));
        match tags.keys().find(is_reserved) {
            Some(key) => Err(TagTrouble::Reserved(key.clone())),
            None => Ok(Self(tags)),
        }
    }

    /// Adds tags, replacing values of keys that are there.
    ///
    /// # Errors
    /// `TooMany`.
    pub fn add(&mut self, tags: Self) -> Result<(), TagTrouble> {
        self.0.extend(tags.0);
        if self.0.len() <= TAGS_MAX { Ok(()) } else { Err(TagTrouble::TooMany) }
    }

    /// Removes tags; keys that are not there are fine.
    pub fn remove<'a>(&mut self, keys: impl IntoIterator<Item = &'a str>) {
        for key in keys {
            self.0.remove(key);
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keys and values in order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        crate::rows::check_round_trip(&Tags(BTreeMap::from([("k".into(), "v\"".into())])));
    }

    #[test]
    fn fifty_and_no_more() {
        let many = |numbers: std::ops::Range<u32>| {
            Tags::new(numbers.map(|n| (format!("k{n}"), "v".into()))).unwrap()
        };
        let mut tags = Tags::default();
        assert_eq!(tags.add(many(0..50)), Ok(()));
        assert_eq!(tags.add(many(3..4)), Ok(()), "it is there");
        assert_eq!(tags.clone().add(many(50..51)), Err(TagTrouble::TooMany));
        tags.remove(["k7", "none"]);
        assert_eq!(tags.add(many(99..100)), Ok(()));
        assert_eq!(tags.iter().count(), 50);
    }

    #[test]
    fn keys_of_aws_are_refused() {
        for key in ["aws:", "AWS:x", "aws:cloudformation:stack"] {
            assert_eq!(Tags::new([(key, "v")]), Err(TagTrouble::Reserved(key.into())));
        }
        assert!(Tags::new([("aws", "v"), ("é", ""), ("xaws:", "")]).is_ok());
    }
}
