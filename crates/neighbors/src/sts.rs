//! STS: who asks, and roles that callers take on for a while.
//!
//! ```text
//! AssumeRole: role's trust, caller's policies -> session, sealed -> token; key id -> secret
//! request: token -> session -> the role as it is now -> its permissions within the session's
//! ```
//!
//! Nothing is stored: a session is in its token, sealed, so it survives a restart. It ends when its
//! time is over, or when its role is gone or another one.

mod ops;
mod service;
mod session;
mod texts;

pub use service::{Parts, SERVICE, Sts};
pub use session::{SessionTrouble, SessionView};
