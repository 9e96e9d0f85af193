//! Words about roles, users and access keys.

use crate::iam::holder::Kind;
use api::iam::Error;

/// Source: observed.
pub(in crate::iam) fn no_such_holder(kind: Kind, name: &str) -> Error {
    Error::NoSuchEntity(format!("The {} with name {name} cannot be found.", kind.word()))
}

/// Source: observed.
pub(in crate::iam) fn holder_exists(kind: Kind, name: &str) -> Error {
    Error::EntityAlreadyExists(format!("{} with name {name} already exists.", kind.title()))
}

/// Source: observed.
pub(in crate::iam) fn must_detach() -> Error {
    Error::DeleteConflict("Cannot delete entity, must detach all policies first.".into())
}

/// Source: observed.
pub(in crate::iam) fn must_delete_inline() -> Error {
    Error::DeleteConflict("Cannot delete entity, must delete policies first.".into())
}

/// Source: observed.
pub(in crate::iam) fn must_delete_keys() -> Error {
    Error::DeleteConflict("Cannot delete entity, must delete access keys first.".into())
}

/// Source: observed.
pub(in crate::iam) fn no_such_inline(kind: Kind, name: &str) -> Error {
    Error::NoSuchEntity(format!("The {} policy with name {name} cannot be found.", kind.word()))
}

/// Source: observed.
pub(in crate::iam) fn inline_too_long(kind: Kind, name: &str) -> Error {
    let most = kind.inline_characters_max();
    let kind = kind.word();
    Error::LimitExceeded(format!("Maximum policy size of {most} bytes exceeded for {kind} {name}"))
}

/// Source: observed.
pub(in crate::iam) fn no_such_key(id: &str) -> Error {
    Error::NoSuchEntity(format!("The Access Key with id {id} cannot be found."))
}

/// An operation about the caller himself, who is no user.
///
/// Source: observed.
pub(in crate::iam) fn name_a_user() -> Error {
    Error::Validation("Must specify userName when calling with non-User credentials".into())
}

/// Source: ours.
pub(in crate::iam) fn expired_is_no_choice() -> Error {
    Error::Validation("Status must be Active or Inactive.".into())
}
