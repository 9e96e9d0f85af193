//! SNS: topics, and what is published to them on its way to HTTP endpoints.
//!
//! ```text
//! Publish, alarms -> message -> one transaction: the message, a delivery for each subscription
//! deliveries -> outbox: lanes -> deliverer -> envelope, signature -> outgoing::Poster
//! unsigned GET -> pages: confirm, unsubscribe, the certificate of the signatures
//! ```
//!
//! A message is durable, with whom it goes to, before its publisher hears of it; it is delivered at
//! least once, or given up when it is too old. A subscription's messages go out one after another.

mod attributes;
mod deliverer;
mod delivery_policy;
mod envelope;
mod errors;
mod message;
mod metrics;
mod ops;
mod options;
mod outbox;
mod pages;
mod publishing;
mod rows;
mod service;
mod signer;
mod subscriptions;
mod texts;
mod token;
mod topics;
mod upkeep;

pub use options::Options;
pub use pages::Page;
pub use publishing::{AlarmMessage, Trouble};
pub use service::{Parts, SERVICE, Sns};
