//! Failing syncs, failed snapshots, full disks, kills and power losses in any order: an acknowledged
//! transaction is never lost, a shown one never vanishes, and no start is refused by its own doing.

use super::*;
use testkit::sim_disk::{Fault, Op};
use testkit::{SimTurns, seeds, simulate};

const LIVES: usize = 8;

struct History {
    world: FakeEnv,
    rng: SeededRng,
    /// What was acknowledged or shown.
    model: Model,
    /// The same with a transaction whose outcome nobody knows.
    maybe: Model,
}

impl History {
    /// Plans what will go wrong in the next life; whether anything can.
    fn plan(&self) -> bool {
        let (disk, rng) = (&self.world.disk, &self.rng);
        let ops = [Op::Sync, Op::Write, Op::SyncDir, Op::Rename, Op::Create, Op::Remove];
        let parts = ["log-", "snapshot-", "journal", ""];
        let count = rng.below(4);
        for _ in 0..count {
            let op = ops[rng.index(ops.len())];
            let fault = if rng.chance(50) { Fault::io(op) } else { Fault::no_space(op) };
            let after = if rng.chance(50) { 0 } else { rng.below(12) };
            let fault = fault.on(parts[rng.index(parts.len())]).after(after);
            disk.fail(fault.times(1 + rng.below(3)));
        }
        let is_off = rng.chance(30);
        if is_off {
            disk.power_off_after(rng.below(40));
        }
        let is_small = rng.chance(20);
        disk.set_space(if is_small { disk.used_bytes() + rng.below(64 << 10) } else { 1 << 30 });
        count > 0 || is_off || is_small
    }

    fn open(&mut self, may_fail: bool) -> Option<Arc<LocalCatalog>> {
        match open(&self.world) {
            Ok(catalog) => {
                let found = rows(catalog.as_ref());
                assert!(found == self.model || found == self.maybe, "rows are neither");
                (self.model, self.maybe) = (found.clone(), found);
                Some(catalog)
            }
            Err(e) => {
                assert!(may_fail && e.kind() != ErrorKind::Corrupt, "{e}");
                None
            }
        }
    }

    fn live(&mut self) {
        let may_fail = self.plan();
        if let Some(catalog) = self.open(may_fail) {
            for _ in 0..self.rng.below(12) {
                let (model, maybe) = (&mut self.model, &mut self.maybe);
                let done = step(catalog.as_ref(), &self.rng, model, maybe);
                assert_eq!(rows(catalog.as_ref()), self.model, "what is shown is acknowledged");
                let trouble = catalog.trouble().unwrap_or_default();
                if !done && trouble.contains("until a restart") {
                    break;
                }
                // Refused for now: it is not there.
                self.maybe.clone_from(&self.model);
            }
        }
        if self.rng.chance(50) && !self.world.disk.is_off() {
            self.world.disk.kill();
        } else {
            self.world.disk.crash(self.rng.next_u64());
        }
    }
}

/// Lives the history of a seed.
fn live(seed: u64) -> FakeEnv {
    let (world, rng) = (world(seed), SeededRng::new(seed));
    let mut history = History { world, rng, model: Model::new(), maybe: Model::new() };
    for _ in 0..LIVES {
        history.live();
    }
    history.world.disk.set_space(1 << 30);
    for _ in 0..2 {
        let catalog = history.open(false).unwrap();
        assert!(step(catalog.as_ref(), &history.rng, &mut history.model, &mut history.maybe));
        history.maybe.clone_from(&history.model);
        history.world.disk.crash(seed);
    }
    history.world
}

#[test]
fn anything_may_fail_in_any_order() {
    simulate(300, |seed| _ = live(seed));
}

#[test]
fn a_seed_gives_the_same_bytes_twice() {
    for seed in seeds(20) {
        let lived = || SimTurns::new(seed).run(|| live(seed).disk.image());
        assert!(lived() == lived(), "seed {seed}");
    }
}
