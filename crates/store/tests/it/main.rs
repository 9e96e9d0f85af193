//! The store's doors against models: seeded histories with power losses, failing disks and rot.
//!
//! A failure names its seed; `MILLWEIR_SEED=n` replays only that one, `MILLWEIR_SEEDS=n` runs more.

mod catalog;
