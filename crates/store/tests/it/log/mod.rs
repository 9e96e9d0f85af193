//! Logs: random histories of many logs against a model in memory, the same for every engine.
//!
//! The generator is seeded and of our own, as a power loss is part of a history and must replay.
//! What holds after every history:
//!
//! - every acknowledged record is there, in order, unaltered, until it is trimmed;
//! - an unacknowledged batch is wholly there, after the acknowledged ones, or absent;
//! - ordinals are dense, arrival times never decrease, whatever the clock does;
//! - what a reader has seen is still there after a power loss.

mod crash;
mod faults;
mod flips;
mod local;
mod memory;
mod model;
mod run;

use model::ModelLog;
use run::{Mix, Rig, Run};
use std::sync::Arc;
use store::{BatchBuilder, LogId};
use testkit::block_on;

/// Waiters wake on a durable append, a seal and a removal, however many there are.
fn check_waiters(rig: &dyn Rig) {
    let engine = rig.open().unwrap();
    let log = block_on(engine.open(LogId(1))).unwrap();
    let wait = |beyond: u64| {
        let log = Arc::clone(&log);
        move || block_on(log.wait_beyond(beyond)).map(|()| log.tail())
    };
    let put = || {
        let mut batch = BatchBuilder::default();
        batch.push(b"k", b"v");
        block_on(log.append(batch, None).unwrap()).unwrap();
    };
    std::thread::scope(|scope| {
        let first: Vec<_> = (0..4).map(|_| scope.spawn(wait(0))).collect();
        let second = scope.spawn(wait(1));
        put();
        for waiter in first {
            assert!(waiter.join().unwrap().unwrap().next_ordinal > 0);
        }
        put();
        assert!(second.join().unwrap().unwrap().next_ordinal > 1);
        let sealed = scope.spawn(wait(99));
        block_on(log.seal()).unwrap();
        assert!(sealed.join().unwrap().unwrap().sealed);
    });
    let log = block_on(engine.open(LogId(2))).unwrap();
    std::thread::scope(|scope| {
        let removed = scope.spawn(|| block_on(log.wait_beyond(7)));
        block_on(engine.remove(&[LogId(2)])).unwrap();
        removed.join().unwrap().unwrap();
    });
}
