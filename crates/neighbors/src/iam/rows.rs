//! What is stored under which key, a file each. Names in keys are in lower case: IAM keeps the case
//! of a name, but has no two that differ in nothing else.

mod entity;
mod policy_row;
mod role_row;
mod user_row;

pub(super) use entity::Entity;
pub(super) use policy_row::{PolicyRow, VersionRow};
pub(super) use role_row::RoleRow;
pub(super) use user_row::{KeyRow, UserRow};
