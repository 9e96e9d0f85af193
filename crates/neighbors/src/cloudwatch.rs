//! CloudWatch: metrics that clients put and the server's own, alarms upon them, dashboards.
//!
//! ```text
//! PutMetricData, own numbers -> series -> points: head, blocks by resolution
//! reading: points of a span -> periods -> statistics -> math -> GetMetricData, alarms
//! alarms: evaluation -> state -> composite alarms, history
//! ```
//!
//! Points are durable before a put is answered, alarms' states when they change.

mod alarm;
mod errors;
mod math;
mod ops;
mod options;
mod own;
mod points;
mod queries;
mod reading;
mod rows;
mod series;
mod service;
mod statistic;
mod texts;
mod upkeep;

pub use alarm::Doers;
pub use options::Options;
pub use service::{CloudWatch, Parts, SERVICE};
