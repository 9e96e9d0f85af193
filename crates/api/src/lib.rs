//! Shapes, checks, errors and service traits of the AWS APIs, generated from `model/`.
//!
//! `cargo xtask api gen` writes everything below a service's module; what is here by hand is what
//! the services share. One feature a service.

#[macro_use]
mod client;
mod events;
#[macro_use]
mod handle;
#[macro_use]
mod serve;

#[cfg(feature = "cloudwatch")]
pub mod cloudwatch;
#[cfg(feature = "dynamodb")]
pub mod dynamodb;
#[cfg(feature = "iam")]
pub mod iam;
#[cfg(feature = "kinesis")]
pub mod kinesis;
pub mod limits;
#[cfg(feature = "logs")]
pub mod logs;
#[cfg(feature = "sns")]
pub mod sns;
#[cfg(feature = "sts")]
pub mod sts;
#[cfg(feature = "toy")]
pub mod toy;

pub use client::Operation;
pub use events::{EventShape, EventStream, frames};
pub use handle::{Boxed, Handle};
pub use wire::{LateViolations, Text, Timestamp};
