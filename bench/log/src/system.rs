//! The real world behind the seams.

use base::Env;

/// The operating system's clock, randomness and files.
#[expect(clippy::disallowed_methods, reason = "this is what is behind the `Clock` seam")]
pub(crate) fn env() -> Env {
    Env::system(|duration| Box::pin(tokio::time::sleep(duration)))
}
