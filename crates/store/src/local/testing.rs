//! What the unit tests of this engine share.

use base::Env;
use base::env::OsDisk;
use std::sync::Arc;

/// The operating system's files, with a clock that stands still and seeded randomness.
pub(crate) fn os_env() -> Env {
    let fake = testkit::fake_env(1);
    Env { disk: Arc::new(OsDisk), ..fake.env() }
}
