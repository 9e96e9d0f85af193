//! Shard logs: random histories of many logs against a model in memory, the same for every engine.
//!
//! The generator is seeded and of our own, as a power loss is part of a history and must replay.
//! What holds after every history:
//!
//! - every acknowledged record is there, in order, unaltered, until it is trimmed;
//! - an unacknowledged batch is wholly there, after the acknowledged ones, or absent;
//! - ordinals are dense, arrival times never decrease, whatever the clock does;
//! - what a reader has seen is still there after a power loss.

mod crash;
mod flips;
mod local;
mod memory;
mod model;
mod run;

use model::ModelLog;
use run::{Mix, Rig, Run};
