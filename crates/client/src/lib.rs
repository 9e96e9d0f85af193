//! A signed, typed client of the services that `api` describes, over HTTP/1.1 with kept
//! connections.
//!
//! ```text
//! Client::call    encode -> sign -> send -> decode; bounded retries between
//! Client::subscribe    the same, then event-stream frames as they come
//! Client::of_service    both of a service in this process, without any of that
//! Producer        records -> lanes by key -> PutRecords, failed entries again
//! Consumer        all shards of a stream, parents before children
//! ```
//!
//! `client` knows no service crate and no store.

mod config;
mod consumer;
mod error;
mod producer;
mod retry;
mod subscription;
mod transport;

mod calls;

pub use calls::Client;
pub use config::{Config, Retry};
pub use consumer::{Consumer, ConsumerOptions, From, Mode, Received};
pub use error::{Error, ErrorKind};
pub use producer::{Entry, Placed, Producer, ProducerOptions, Receipt};
pub use subscription::Subscription;
pub use wire::sigv4::{Credentials, Secret};

/// Real time, with sleeps by tokio's timer, randomness and files.
#[expect(clippy::disallowed_methods, reason = "this is what is behind the `Clock` seam")]
pub fn system_env() -> base::Env {
    base::Env::system(|duration| Box::pin(tokio::time::sleep(duration)))
}
