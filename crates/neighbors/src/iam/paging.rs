//! Pages: `MaxItems` of a list behind a `Marker`.

use super::errors::Result;
use super::service::Iam;
use super::texts;
use api::Text;

/// Things on a page when nobody says how many (model's documentation).
const ITEMS: i32 = 100;

/// What of a list is asked for.
pub(super) struct Pager<'a> {
    service: &'a Iam,
    /// The listing that a marker must be of.
    operation: &'static str,
    after: Option<String>,
    items_max: usize,
}

/// A part of a list.
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    pub(super) is_truncated: Option<bool>,
    pub(super) marker: Option<Text>,
}

impl<'a> Pager<'a> {
    /// Reads a marker.
    ///
    /// # Errors
    /// `Validation` it is of another listing, of another server, or an old one.
    pub(super) fn new(
        service: &'a Iam,
        operation: &'static str,
        marker: Option<&Text>,
        max_items: Option<i32>,
    ) -> Result<Self> {
        let after = match marker {
            None => None,
            Some(marker) => {
                let opened =
                    service.inner.tokens.open::<(String, String)>(marker, service.now_ms());
                let (of, after) = opened.map_err(|_| texts::invalid_marker())?;
                if of != operation {
                    return Err(texts::invalid_marker());
                }
                Some(after)
            }
        };
        let items_max = max_items.unwrap_or(ITEMS).max(1) as usize;
        Ok(Self { service, operation, after, items_max })
    }

    /// Cuts a page out of things in order of their places; places are short, since a marker has at
    /// most 320 characters.
    pub(super) fn cut<T>(
        &self,
        things: impl IntoIterator<Item = T>,
        place: impl Fn(&T) -> String,
    ) -> Page<T> {
        let is_past = |thing: &T| self.after.as_ref().is_none_or(|after| place(thing) > *after);
        let mut things = things.into_iter().filter(is_past);
        let items: Vec<T> = things.by_ref().take(self.items_max).collect();
        let is_truncated = things.next().is_some();
        let last = items.last().filter(|_| is_truncated);
        let marker = last.map(|last| {
            let cursor = (self.operation, place(last));
            self.service.inner.tokens.seal(&cursor, self.service.now_ms()).into()
        });
        Page { items, is_truncated: Some(is_truncated), marker }
    }

    /// Cuts a page out of few things by their numbers: their names may be long.
    pub(super) fn count<T>(&self, things: impl IntoIterator<Item = T>) -> Page<T> {
        let numbered = things.into_iter().enumerate();
        let Page { items, is_truncated, marker } =
            self.cut(numbered, |(number, _)| format!("{number:06}"));
        let items = items.into_iter().map(|(_, thing)| thing).collect();
        Page { items, is_truncated, marker }
    }
}
