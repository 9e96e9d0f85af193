//! DynamoDB as far as lease tables and functions need it: the leases of the KCL and its like, and
//! items that a function computed.
//!
//! ```text
//! request -> expression -> write: row, condition, one transaction -> index, counts
//!                       -> page: a run of rows -> filter, projection
//! ```
//!
//! Items are rows of the catalog: all in memory, each change durable before its answer, reads
//! always consistent. Indexes are in memory and made again at each start.

mod errors;
mod expression;
mod index;
mod key;
mod number;
mod ops;
mod options;
mod page;
mod rows;
mod service;
mod table;
mod texts;
mod value;
mod write;

pub use options::Options;
pub use service::{DynamoDb, Parts, SERVICE};
