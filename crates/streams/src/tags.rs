//! Tags of streams and consumers, for both families of operations.

use crate::arn::Resource;
use crate::errors::{Result, fail};
use crate::rows::{self, ConsumerStatus, Status, TagsRow};
use crate::service::{Inner, Streams};
use crate::stream::StreamKey;
use crate::texts::{self, not_tagged_now, resource_not_found};
use api::Text;
use api::kinesis::Tag;
use base::Cx;
use std::collections::BTreeMap;
use store::Transaction;

/// Most tags of one resource (model).
const TAGS_MAX: usize = 50;

/// A stream or a consumer that the caller may reach.
pub(crate) struct Tagged {
    stream: StreamKey,
    consumer: Option<String>,
    /// Whether its tags can be changed now.
    settled: bool,
}

impl Tagged {
    /// What `ResourceARN` names.
    ///
    /// # Errors
    /// `ResourceNotFound` nothing that this server has, or a consumer registered anew since;
    /// `AccessDenied` another account's.
    pub(crate) fn find(streams: &Streams, cx: &Cx, action: &str, arn: &Text) -> Result<Self> {
        let directory = &streams.inner.directory;
        match Resource::parse(arn).ok_or_else(|| resource_not_found(arn))? {
            Resource::Stream(key) => Ok(Self::of_stream(&*directory.reach(cx, action, &key)?)),
            Resource::Consumer(key) => {
                let (_, consumer) = directory.reach_consumer(cx, action, &key)?;
                let settled = consumer.row().status == ConsumerStatus::Active;
                Ok(Self { stream: key.stream, consumer: Some(key.name.to_string()), settled })
            }
        }
    }

    /// A stream.
    pub(crate) fn of_stream(stream: &crate::stream::Stream) -> Self {
        let settled = matches!(stream.view().row.status, Status::Active | Status::Updating);
        Self { stream: stream.key.clone(), consumer: None, settled }
    }

    /// Its tags in order of their keys.
    pub(crate) fn list(&self, inner: &Inner, cx: &Cx) -> Result<Vec<Tag>> {
        let row = self.row(inner, cx)?;
        let tag = |(k, v): (String, String)| Tag { key: k.into(), value: Some(v.into()) };
        Ok(row.0.into_iter().map(tag).collect())
    }

    /// Adds tags, replacing values of keys it has.
    pub(crate) async fn add(
        &self,
        inner: &Inner,
        cx: &Cx,
        tags: BTreeMap<Text, Text>,
    ) -> Result<()> {
        check_keys(tags.keys())?;
        check(
            tags.iter().flat_map(|(k, v)| [k.as_str(), v.as_str()]),
            "add tags to",
            &self.stream,
        )?;
        let mut row = self.row(inner, cx)?;
        self.check_settled()?;
        merge(&mut row, tags, &self.stream)?;
        self.store(inner, cx, &row).await
    }

    /// Removes tags; keys it does not have are fine.
    pub(crate) async fn remove(&self, inner: &Inner, cx: &Cx, keys: &[Text]) -> Result<()> {
        check(keys.iter().map(Text::as_str), "remove tags from", &self.stream)?;
        let mut row = self.row(inner, cx)?;
        self.check_settled()?;
        for key in keys {
            row.0.remove(key.as_str());
        }
        self.store(inner, cx, &row).await
    }

    fn row(&self, inner: &Inner, cx: &Cx) -> Result<TagsRow> {
        let row = rows::get(&inner.store, &self.key()).map_err(|e| fail(cx, &e))?;
        Ok(row.unwrap_or_default())
    }

    async fn store(&self, inner: &Inner, cx: &Cx, row: &TagsRow) -> Result<()> {
        let mut transaction = Transaction::default();
        if row.0.is_empty() {
            transaction.remove(self.key());
        } else {
            rows::put(&mut transaction, self.key(), row);
        }
        inner.commit(cx, transaction).await
    }

    fn key(&self) -> Vec<u8> {
        TagsRow::key(&self.stream, self.consumer.as_deref())
    }

    fn check_settled(&self) -> Result<()> {
        if self.settled { Ok(()) } else { Err(not_tagged_now(&self.stream)) }
    }
}

/// The tags of a resource that is being made.
///
/// # Errors
/// `InvalidArgument` a character that tags must not have, or more than 50.
pub(crate) fn initial(tags: Option<BTreeMap<Text, Text>>, stream: &StreamKey) -> Result<TagsRow> {
    let mut row = TagsRow::default();
    let tags = tags.unwrap_or_default();
    check_keys(tags.keys())?;
    check(tags.iter().flat_map(|(k, v)| [k.as_str(), v.as_str()]), "add tags to", stream)?;
    merge(&mut row, tags, stream)?;
    Ok(row)
}

fn merge(row: &mut TagsRow, tags: BTreeMap<Text, Text>, stream: &StreamKey) -> Result<()> {
    row.0.extend(tags.into_iter().map(|(k, v)| (k.to_string(), v.to_string())));
    if row.0.len() <= TAGS_MAX { Ok(()) } else { Err(texts::too_many_tags(stream)) }
}

/// Keys that begin with `aws:` are AWS's own.
fn check_keys<'a>(mut keys: impl Iterator<Item = &'a Text>) -> Result<()> {
    let is_reserved = |key: &Text| key.get(..4).is_some_and(|k| k.eq_ignore_ascii_case("aws:"));
    match keys.find(|key| is_reserved(key)) {
        Some(key) => Err(texts::tag_key_reserved(key)),
        None => Ok(()),
    }
}

/// AWS takes `%` for a character of tags and then refuses it with a second text (observed).
fn check<'a>(
    mut texts: impl Iterator<Item = &'a str> + Clone,
    what: &str,
    stream: &StreamKey,
) -> Result<()> {
    if !texts.clone().all(|text| text.chars().all(is_legal)) {
        return Err(texts::tags_characters());
    }
    if texts.any(|text| text.contains('%')) {
        return Err(texts::tags_percent(what, stream));
    }
    Ok(())
}

fn is_legal(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || "_./=+-@%: ".contains(c)
        || ('\u{C0}'..='\u{1FFF}').contains(&c)
        || ('\u{2C00}'..='\u{D7FF}').contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(key: &str) -> String {
        let tags = Some(BTreeMap::from([(Text::from(key), Text::from("v"))]));
        match initial(tags, &StreamKey::for_tests("s")) {
            Ok(row) => row.0.into_keys().next().unwrap(),
            Err(e) => e.message().to_owned(),
        }
    }

    #[test]
    fn characters_of_tags() {
        for key in ["a", "Grün 2:_./=+-@", "日本"] {
            assert_eq!(outcome(key), key);
        }
        for key in ["a\n", "a!", "¿", "😀"] {
            assert_eq!(
                outcome(key),
                "Some tags contain invalid characters. Valid characters: Unicode letters, digits, \
                 white space, _ . / = + - % @."
            );
        }
        assert_eq!(
            outcome("a%"),
            "Failed to add tags to stream s under account 000000000000 because some tags contained \
             illegal characters. The allowed characters are Unicode letters, white-spaces, \
             '_',',','/','=','+','-','@'."
        );
    }

    #[test]
    fn fifty_tags_and_no_more() {
        let tags = |n| (0..n).map(|i| (Text::from(format!("k{i}")), Text::default())).collect();
        let stream = StreamKey::for_tests("s");
        assert_eq!(initial(Some(tags(50)), &stream).unwrap().0.len(), 50);
        assert_eq!(
            initial(Some(tags(51)), &stream).unwrap_err().message(),
            "Failed to add tags to stream s under account 000000000000 because a given stream \
             cannot have more than 10 tags associated with it."
        );
    }
}
