//! The memory engine under the model, and what only it promises.

use super::*;
use std::sync::Arc;
use store::memory::{MemoryLog, MemoryOptions};
use store::{BatchBuilder, ErrorKind, LogId, Logs, Result};
use testkit::{FakeEnv, block_on, fake_env, seeds};

struct Memory(FakeEnv);

impl Rig for Memory {
    fn open(&self) -> Result<Arc<dyn Logs>> {
        Ok(MemoryLog::new(self.0.env(), MemoryOptions::default()))
    }
    fn world(&self) -> &FakeEnv {
        &self.0
    }
    fn key_ids(&self) -> &[&str] {
        &["alias/a"]
    }
    fn is_durable(&self) -> bool {
        false
    }
}

#[test]
fn histories() {
    for seed in seeds(40) {
        println!("seed {seed}");
        let rig = Memory(fake_env(seed));
        Run::new(&rig, seed, Mix { steps: 300, logs: 6, flights: 8, faulty: false }).go();
    }
}

fn batch(bytes: usize) -> BatchBuilder {
    let mut batch = BatchBuilder::with_capacity(bytes);
    batch.push(b"k", &vec![1; bytes]);
    batch
}

#[test]
fn a_full_engine_refuses_until_a_trim_frees() {
    let world = fake_env(1);
    let options = MemoryOptions { bytes_max: 10_000, batch_bytes_max: 5_000 };
    let engine = MemoryLog::new(world.env(), options);
    let log = block_on(engine.open(LogId(1))).unwrap();
    assert_eq!(log.append(batch(5_000), None).err().unwrap().kind(), ErrorKind::Invalid);
    for _ in 0..2 {
        block_on(log.append(batch(4_800), None).unwrap()).unwrap();
    }
    let refused = log.append(batch(4_800), None).err().unwrap();
    assert_eq!(refused.kind(), ErrorKind::Full);
    assert_eq!(log.tail().next_ordinal, 2, "a refused batch takes no ordinal");
    world.clock.advance_ms(10);
    log.trim(world.env().clock.now_ms());
    assert_eq!(engine.used_bytes(), 0);
    let placed = block_on(log.append(batch(4_800), None).unwrap()).unwrap();
    assert_eq!(placed.first_ordinal, 2);
    block_on(engine.remove(&[LogId(1)])).unwrap();
    assert_eq!(engine.used_bytes(), 0);
}

#[test]
fn closing_refuses_appends() {
    let engine = MemoryLog::new(fake_env(1).env(), MemoryOptions::default());
    let log = block_on(engine.open(LogId(1))).unwrap();
    block_on(engine.close()).unwrap();
    assert_eq!(log.append(batch(1), None).err().unwrap().kind(), ErrorKind::Unavailable);
    assert!(engine.trouble().is_some());
}

#[test]
fn waiters() {
    check_waiters(&Memory(fake_env(1)));
}
