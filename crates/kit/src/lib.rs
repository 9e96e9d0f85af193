//! What every service needs and none owns.
//!
//! ```text
//! request -> PolicySlot: may he -> Changes: one at a time, to its end -> rows, Tags -> the catalog
//! start   -> Secret -> TokenKey; rows -> passing states go on in Tasks
//! ```
//!
//! A service puts its own words to what is refused here: the texts of services differ.

mod arn;
mod changes;
mod data_keys;
mod directory;
mod failure;
pub mod passing;
mod policy;
pub mod rows;
mod secret;
mod tags;
mod tasks;
mod token;

pub use arn::Arn;
pub use changes::{Changes, Undone};
pub use data_keys::{
    DataKeys, GivenKey, KMS, KeySource, KeyTrouble, LocalDataKeys, verify_data_keys,
};
pub use directory::Directory;
pub use failure::may_pass;
pub use policy::{PolicyRow, PolicySlot, Shared, Target, denied};
pub use secret::Secret;
pub use tags::{TagTrouble, Tags};
pub use tasks::Tasks;
pub use token::{TokenKey, TokenTrouble};
