//! Names, units and the seams to time, randomness and files that every other crate shares.
//!
//! `base` knows no async runtime, no HTTP and no AWS service.

pub mod arn;
pub mod budget;
mod cx;
pub mod date;
pub mod env;
pub mod hex;
pub mod metrics;
pub mod policy;

pub use arn::{AccountId, Region};
pub use cx::{Cx, Origin, RequestId};
pub use env::Env;
