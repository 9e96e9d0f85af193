//! Tags of streams and consumers, for both families of operations.

use crate::arn::Resource;
use crate::errors::{Result, fail};
use crate::rows::{self, ConsumerStatus, Status, tags_key};
use crate::service::{Inner, Streams};
use crate::stream::StreamKey;
use crate::texts::{self, not_tagged_now, resource_not_found};
use api::Text;
use api::kinesis::{Error, Tag};
use base::Cx;
use kit::{TagTrouble, Tags};
use std::collections::BTreeMap;
use store::Transaction;

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
        let tag = |(k, v): (&str, &str)| Tag { key: k.into(), value: Some(v.into()) };
        Ok(self.stored(inner, cx)?.iter().map(tag).collect())
    }

    /// Adds tags, replacing values of keys it has.
    pub(crate) async fn add(
        &self,
        inner: &Inner,
        cx: &Cx,
        tags: BTreeMap<Text, Text>,
    ) -> Result<()> {
        let new = legal(tags, &self.stream)?;
        let mut tags = self.stored(inner, cx)?;
        self.check_settled()?;
        tags.add(new).map_err(|trouble| refused(trouble, &self.stream))?;
        self.store(inner, cx, &tags).await
    }

    /// Removes tags; keys it does not have are fine.
    pub(crate) async fn remove(&self, inner: &Inner, cx: &Cx, keys: &[Text]) -> Result<()> {
        check(keys.iter().map(Text::as_str), "remove tags from", &self.stream)?;
        let mut tags = self.stored(inner, cx)?;
        self.check_settled()?;
        tags.remove(keys.iter().map(Text::as_str));
        self.store(inner, cx, &tags).await
    }

    fn stored(&self, inner: &Inner, cx: &Cx) -> Result<Tags> {
        let row = rows::get(&inner.store, &self.key()).map_err(|e| fail(cx, &e))?;
        Ok(row.unwrap_or_default())
    }

    async fn store(&self, inner: &Inner, cx: &Cx, tags: &Tags) -> Result<()> {
        let mut transaction = Transaction::default();
        if tags.is_empty() {
            transaction.remove(self.key());
        } else {
            rows::put(&mut transaction, self.key(), tags);
        }
        inner.commit(cx, transaction).await
    }

    fn key(&self) -> Vec<u8> {
        tags_key(&self.stream, self.consumer.as_deref())
    }

    fn check_settled(&self) -> Result<()> {
        if self.settled { Ok(()) } else { Err(not_tagged_now(&self.stream)) }
    }
}

/// The tags of a resource that is being made.
///
/// # Errors
/// `InvalidArgument` a character that tags must not have, or more than 50.
pub(crate) fn initial(tags: Option<BTreeMap<Text, Text>>, stream: &StreamKey) -> Result<Tags> {
    let mut row = Tags::default();
    row.add(legal(tags.unwrap_or_default(), stream)?).map_err(|why| refused(why, stream))?;
    Ok(row)
}

/// Tags of a request, when each may be one.
fn legal(tags: BTreeMap<Text, Text>, stream: &StreamKey) -> Result<Tags> {
    let tags = Tags::new(tags.into_iter().map(|(k, v)| (k.to_string(), v.to_string())));
    let tags = tags.map_err(|why| refused(why, stream))?;
    check(tags.iter().flat_map(|(k, v)| [k, v]), "add tags to", stream)?;
    Ok(tags)
}

fn refused(trouble: TagTrouble, stream: &StreamKey) -> Error {
    match trouble {
        TagTrouble::Reserved(key) => texts::tag_key_reserved(&key),
        TagTrouble::TooMany => texts::too_many_tags(stream),
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
            Ok(row) => row.iter().next().unwrap().0.to_owned(),
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
        assert_eq!(initial(Some(tags(50)), &stream).unwrap().iter().count(), 50);
        assert_eq!(
            initial(Some(tags(51)), &stream).unwrap_err().message(),
            "Failed to add tags to stream s under account 000000000000 because a given stream \
             cannot have more than 10 tags associated with it."
        );
    }
}
