//! Sockets, TLS, HTTP/1.1 and HTTP/2, signatures, dispatch, access log, sites.
//!
//! `server` sees a service only as a [`wire::Service`]: a route table and a boxed call. The flow:
//! `listen` (accept, permit) → `connection` (TLS or plain, HTTP version, time-outs) → `request`
//! (checks, the signature as far as the head tells, body, signature, call, answer).
//!
//! Invariants: every queue, body and wait has a bound; nothing that a client sends can end the
//! process; no request reaches a service without a signature; no answer of an operation lacks its
//! request id.

mod admin;
mod answer;
mod auth;
mod body;
pub mod connection;
mod cross;
mod crowd;
mod foreign;
mod gate;
mod host;
mod ids;
mod io;
mod listen;
mod loops;
mod meters;
mod open_files;
mod options;
mod packed;
mod process;
mod request;
mod route;
mod shared;
mod site;
mod stall;
mod strict;
pub mod tls;
mod unsent;

pub use admin::{Notes, Readiness};
pub use listen::{Error, Port, Renewal, Server};
pub use loops::{LoopThread, Loops};
pub use open_files::raise_open_files;
pub use options::{AuthMode, Limits, Options};
pub use site::{Site, Visit, text};

/// The real world: system clocks, with sleeps by tokio's timer, randomness and files.
#[expect(clippy::disallowed_methods, reason = "this is what is behind the `Clock` seam")]
pub fn system_env() -> base::Env {
    base::Env::system(|duration| Box::pin(tokio::time::sleep(duration)))
}
