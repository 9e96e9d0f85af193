//! Test support: a world whose time, randomness and files a test controls, so that a seed replays
//! a failure.

pub mod env;
#[cfg(feature = "script")]
pub mod script;
pub mod sim_disk;
#[cfg(feature = "services")]
pub mod toy;
mod turns;
#[cfg(feature = "vectors")]
pub mod vectors;

pub use env::{FakeClock, FakeEnv, SeededRng, block_on, eventually, fake_env, seeds};
pub use sim_disk::SimDisk;
pub use turns::{SimTurns, simulate};
