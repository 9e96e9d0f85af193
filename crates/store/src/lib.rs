//! Durable state behind three doors: logs, a catalog of named things, and (later) blobs. A
//! [`Store`] is all of a data directory, a [`Part`] what one service has of it.
//!
//! `store` knows no AWS names and no HTTP. A log is named by a [`LogId`] that is given once; a
//! record by its ordinal in its log: dense, from 0.
//!
//! Invariants: a [`Pending`] resolves only after the batch is durable; readers and watchers see
//! durable records only; the ordinals a log assigned survive any crash or are never seen.

pub mod catalog;
pub mod data_dir;
mod error;
pub mod local;
mod log;
pub mod memory;
mod overdue;
mod part;

pub use catalog::{Catalog, Keys, Order, Scope, Transaction};
pub use error::{Damage, Error, ErrorKind, Result};
pub use log::{Appended, BatchBuilder, Job, Log, LogId, Logs, Pending, Record, RecordBatch, Tail};
pub use part::{Part, Store, Stranger, strangers};
