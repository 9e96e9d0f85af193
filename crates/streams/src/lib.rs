//! Data Streams: shards, admission, iterators, fan-out, resharding.
//!
//! `streams` knows no HTTP and no signatures. One operation, one file in `ops`; one stored key, one
//! file in `rows`.
//!
//! ```text
//! ops::put_records -> directory (name -> Stream) -> view (hash key -> Shard) -> admission -> Log
//! ops::split_shard -> catalog (UPDATING) -> lifecycle -> reshard (seal, one transaction) -> view
//! ```

mod account;
mod admission;
mod append;
mod arn;
mod consumer;
mod cursor;
mod demand;
mod directory;
mod encryption;
mod errors;
mod hash;
mod iterator;
mod lifecycle;
mod limits;
mod metrics;
mod monitoring;
mod ops;
mod options;
mod policies;
mod portion;
mod reshard;
mod retention;
mod rows;
mod sequence;
mod service;
mod shapes;
mod shard;
mod start;
mod stream;
mod subscription;
mod tags;
mod texts;
mod upkeep;

pub use options::{Lifecycle, Limits, Options};
pub use service::{Parts, SERVICE, Streams};
