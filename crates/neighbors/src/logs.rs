//! CloudWatch Logs: groups of streams of events, read and searched, and filters that tell others.
//!
//! ```text
//! PutLogEvents -> limits -> stream: a record of its log -> durable -> its chunks
//!              -> subscription filters: what matches, in a queue of each -> durable
//! GetLogEvents, FilterLogEvents -> scan: chunks of a time -> pattern -> a page in order of time
//! queues -> deliverer -> envelope -> Kinesis
//! every minute: chunks -> rows; what is too old, or too much -> gone
//! ```
//!
//! An event is durable, and in the queue of each filter that it matches, before its put is
//! answered. A filter's destination gets it at least once, or it is given up when it is too old.

mod access;
mod deliverer;
mod envelope;
mod errors;
mod filters;
mod groups;
mod metrics;
mod ops;
mod options;
mod pattern;
mod place;
mod record;
mod rows;
mod scan;
mod service;
mod stream;
mod texts;
mod upkeep;

pub use options::Options;
pub use service::{Destinations, Logs, Parts, SERVICE};
