//! The local engine under the model: histories with restarts, kills, power losses and failing
//! disks.

use super::*;
use base::metrics::Registry;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};
use store::local::{Durability, KEY_BYTES, KeyRing, Local, LoopThread, Options, relay};
use store::{Logs, Result};
use testkit::{FakeEnv, SimTurns, seeds, simulate};

pub(crate) const DATA: &str = "/data";

/// The engine with bounds so small that a short history spills, seals, checkpoints and recycles.
pub(crate) struct LocalRig {
    pub(crate) world: FakeEnv,
    pub(crate) options: Options,
}

pub(crate) fn small_options() -> Options {
    let keys = KeyRing::default();
    keys.insert("alias/a", &[7; KEY_BYTES]).unwrap();
    keys.insert("alias/b", &[8; KEY_BYTES]).unwrap();
    Options {
        journal_first_bytes: 1 << 20,
        journal_file_bytes_max: 1 << 20,
        journal_files_max: 3,
        commit_bytes_max: 256 << 10,
        batch_bytes_max: 900 << 10,
        cache_bytes_max: 96 << 10,
        spill_bytes: 64 << 10,
        segment_bytes_max: 192 << 10,
        open_segments_max: 2,
        readers: 1,
        keys: Arc::new(keys),
        metrics: Registry::default(),
        ..Options::default()
    }
}

impl LocalRig {
    pub(crate) fn new(seed: u64) -> Self {
        let world = testkit::fake_env(seed);
        let env = world.env();
        env.disk.create_dir_all(Path::new(DATA)).unwrap();
        env.disk.sync_dir(Path::new("/")).unwrap();
        Self { world, options: small_options() }
    }

    /// Lives a history.
    pub(crate) fn live(&self, seed: u64, mix: Mix) {
        println!("seed {seed}");
        Run::new(self, seed, mix).go();
    }

    pub(crate) fn copy(&self) -> Self {
        let disk = self.world.disk.durable_copy(1);
        Self { world: FakeEnv { disk, ..self.world.clone() }, options: self.options.clone() }
    }

    pub(crate) fn open_local(&self) -> Result<Arc<Local>> {
        Local::open(Path::new(DATA), &self.world.env(), self.options.clone())
            .map(|(local, _)| local)
    }
}

impl Rig for LocalRig {
    fn open(&self) -> Result<Arc<dyn Logs>> {
        self.open_local().map(|local| local as Arc<dyn Logs>)
    }
    fn world(&self) -> &FakeEnv {
        &self.world
    }
    fn key_ids(&self) -> &[&str] {
        &["alias/a", "alias/b"]
    }
    fn is_durable(&self) -> bool {
        true
    }
    fn survives_power_loss(&self) -> bool {
        self.options.durability == Durability::Always
    }
}

const MANY: Mix = Mix { steps: 250, logs: 6, flights: 8, faulty: false };

#[test]
fn histories() {
    simulate(40, |seed| LocalRig::new(seed).live(seed, MANY));
}

/// The same where the system says which thread runs, which no seed brings back.
#[test]
fn histories_of_real_threads() {
    for seed in seeds(10) {
        LocalRig::new(seed).live(seed, MANY);
    }
}

/// Where syncing everything at once saves nothing.
fn live_where_each_file_is_synced(seed: u64) -> LocalRig {
    let mut rig = LocalRig::new(seed);
    rig.world.disk.without_sync_all();
    rig.options.open_segments_max = [2, 64][seed as usize % 2];
    rig.live(seed, MANY);
    rig
}

#[test]
fn histories_where_each_file_is_synced() {
    simulate(40, |seed| _ = live_where_each_file_is_synced(seed));
}

#[test]
fn one_busy_log() {
    let mix = Mix { steps: 200, logs: 1, flights: 30, faulty: false };
    simulate(20, |seed| LocalRig::new(seed).live(seed, mix));
}

/// Relaxed durability may lose the last moments to a power loss, but nothing to a kill.
fn live_relaxed(seed: u64) -> LocalRig {
    let mut rig = LocalRig::new(seed);
    rig.options.durability = Durability::Relaxed;
    rig.live(seed, Mix { logs: 4, ..MANY });
    rig
}

#[test]
fn relaxed_histories() {
    simulate(20, |seed| _ = live_relaxed(seed));
}

fn live_faulty(seed: u64) -> LocalRig {
    let rig = LocalRig::new(seed);
    rig.live(seed, Mix { faulty: true, ..MANY });
    rig
}

#[test]
fn a_seed_gives_the_same_bytes_twice() {
    for seed in seeds(8) {
        let live = [live_faulty, live_relaxed, live_where_each_file_is_synced][seed as usize % 3];
        let lived = || SimTurns::new(seed).run(|| live(seed).world.disk.image());
        let (once, again) = (lived(), lived());
        let differ = once.iter().zip(&again).find(|(a, b)| a != b);
        assert_eq!(differ.map(|(a, b)| (&a.0, &b.0)), None, "seed {seed}");
        assert_eq!(once.len(), again.len(), "seed {seed}");
    }
}

/// A loop that may always wait for the disk, and how often it did.
#[derive(Clone, Default)]
struct Alone(Arc<AtomicUsize>);

impl LoopThread for Alone {
    fn may_block(&self) -> bool {
        true
    }
    fn set_blocked(&self, blocked: bool) {
        self.0.fetch_add(usize::from(blocked), Ordering::Relaxed);
    }
}

/// The thread that appends commits.
#[test]
fn histories_of_a_lone_loop() {
    let alone = Alone::default();
    let mut relay = Box::pin(relay(alone.clone()));
    assert!(relay.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    simulate(40, |seed| {
        LocalRig::new(seed).live(seed, Mix { faulty: seed % 2 == 0, ..MANY });
    });
    assert_ne!(alone.0.load(Ordering::Relaxed), 0);
}

#[test]
fn waiters() {
    check_waiters(&LocalRig::new(1));
}
