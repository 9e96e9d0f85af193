//! IAM: roles and users with their policies, managed policies, access keys.
//!
//! ```text
//! change: lock of changes -> one catalog transaction -> memory -> a new epoch
//! request: access key -> user, session -> role -> all its policies, worked out once an epoch
//! ```
//!
//! All of it is an account's, whatever the region. A role, a user with its keys and a managed
//! policy with its versions are a row each. Policies are read when they are stored; a document that
//! this server does not understand is refused, and one of an older server lets nobody in.

mod built_in;
mod caller;
mod documents;
mod errors;
mod handle;
mod holder;
mod ids;
mod managed;
mod ops;
mod options;
mod paging;
mod policy_name;
mod rows;
mod service;
mod texts;

pub use handle::{IamKey, RoleView};
pub use ids::derived_user_id;
pub(crate) use ids::{SECRET_BYTES, new_access_key_id, secret_of};
pub use options::Options;
pub use service::{Iam, Parts, SERVICE};
