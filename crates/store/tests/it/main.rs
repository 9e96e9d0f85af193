//! The store's doors against models: seeded histories with power losses, failing disks and rot.
//!
//! A failure names its seed; `MILLWEIR_SEED=n` replays only that one, `MILLWEIR_SEEDS=n` runs more.

#![expect(clippy::print_stdout, reason = "a failing seed tells its history")]
#![expect(clippy::unwrap_used, reason = "helpers of tests check what happened, too")]

mod catalog;
mod log;
