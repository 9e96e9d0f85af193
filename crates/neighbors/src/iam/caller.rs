//! The caller himself, where an operation is about him.

use super::errors::Result;
use super::holder::Live;
use super::rows::UserRow;
use super::service::Iam;
use super::texts;
use api::Text;
use base::Cx;
use std::sync::Arc;

impl Iam {
    /// The IAM user who asks, when it is one.
    pub(super) fn calling_user(&self, cx: &Cx) -> Option<Arc<Live<UserRow>>> {
        let of_key = cx.access_key.as_deref().and_then(|id| {
            let keys = self.inner.keys.read();
            keys.get(id).filter(|key| key.account == cx.account).cloned()
        });
        let name = match &of_key {
            Some(key) => &key.user_name,
            None => cx.user_name()?,
        };
        self.inner.find::<UserRow>(cx.account, name)
    }
}

/// The name of the user that an operation is about: the caller when it names nobody.
///
/// # Errors
/// `Validation` it must name one, since the caller is none.
pub(super) fn named_user<'a>(cx: &'a Cx, name: Option<&'a Text>) -> Result<&'a str> {
    let name = name.map(Text::as_str).or_else(|| cx.user_name());
    name.ok_or_else(texts::name_a_user)
}
