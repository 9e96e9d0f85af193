//! What lies in the catalog: one file per stored key, each with its round-trip test.
//!
//! How rows are kept: [`kit::rows`].

mod account_row;
mod attached_row;
mod consumer_row;
mod predecessor_row;
mod shard_row;
mod stream_row;

pub(crate) use account_row::{AccountRow, Commitment};
pub(crate) use attached_row::{policy_key, tags_key};
pub(crate) use consumer_row::{ConsumerRow, ConsumerStatus};
pub(crate) use kit::rows::{get, put, scan};
pub(crate) use predecessor_row::{AGE_S, Predecessor};
pub(crate) use shard_row::{Closed, ShardRow};
pub(crate) use stream_row::{Change, Encryption, Mode, Status, StreamRow};

#[cfg(test)]
use kit::rows::{check_round_trip, decode};
