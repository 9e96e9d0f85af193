//! What the server sends to addresses that its users name: HTTP posts, one connection each, kept
//! from reaching what only the server can reach.
//!
//! ```text
//! url -> Target -> names, once -> Guard: which addresses -> TCP, TLS -> POST -> Answer
//! ```
//!
//! A name is resolved once, and the connection goes to an address that was looked at: a name that
//! points elsewhere a moment later (DNS rebinding) gains nothing. Redirects are not followed.
//! Answers are read up to a bound, and all of it within a time.

mod guard;
mod names;
mod options;
mod poster;
mod target;
mod tls;
mod trouble;
mod webhook;

pub use guard::Allowed;
pub use names::{Found, Names, SystemNames};
pub use options::Options;
pub use poster::{Answer, Post, Poster};
pub use tls::system_roots;
pub use trouble::{Trouble, TroubleKind};
pub use webhook::{SIGNATURE_HEADER, signature};
