//! The client's surface, against services that answer as a test says.

#![expect(clippy::unwrap_used, reason = "helpers of tests check what happened, too")]

mod bodies;
mod calls;
mod consumer;
mod faults;
mod producer;
mod pushed;
mod script;
mod signing;
mod subscription;
