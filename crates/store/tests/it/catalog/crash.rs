//! Kills and power losses at every single operation on the disk.

use super::*;
use testkit::simulate;

const STEPS: usize = 40;

/// What is acknowledged, and what may be there beside it.
#[derive(Default)]
struct Expect {
    model: Model,
    maybe: Model,
}

impl Expect {
    /// Works until the history ends or the power does.
    fn work(&mut self, catalog: &dyn Catalog, rng: &SeededRng, steps: usize) {
        for _ in 0..steps {
            if !step(catalog, rng, &mut self.model, &mut self.maybe) {
                return;
            }
        }
        self.maybe.clone_from(&self.model);
    }

    /// Opens and settles on what is there, which must be one of the two.
    fn open(&mut self, world: &FakeEnv, what: &str) -> Arc<LocalCatalog> {
        let catalog = open(world).unwrap_or_else(|e| panic!("{what}: {e}"));
        let found = rows(catalog.as_ref());
        assert!(found == self.model || found == self.maybe, "{what}: rows are neither");
        self.model = found;
        catalog
    }
}

fn changes_of_a_whole_run(seed: u64) -> u64 {
    let (world, rng) = (world(seed), SeededRng::new(seed));
    let before = world.disk.changes();
    let catalog = open(&world).unwrap();
    Expect::default().work(catalog.as_ref(), &rng, STEPS);
    drop(catalog);
    world.disk.changes() - before
}

/// One history whose power goes, or that is killed, after `at` changes; then the power goes `again`
/// changes into the restart; then it must be whole.
fn crash_at(seed: u64, at: u64, again: Option<u64>) {
    let killed = again.is_some_and(|again| again % 2 == 0);
    let what = format!("seed {seed}, ended after {at} changes, killed {killed}, then {again:?}");
    let (world, rng, mut expect) = (world(seed), SeededRng::new(seed), Expect::default());
    world.disk.power_off_after(at);
    if let Ok(catalog) = open(&world) {
        expect.work(catalog.as_ref(), &rng, STEPS);
    }
    if killed {
        world.disk.kill();
    } else {
        world.disk.crash(seed ^ at);
    }
    if let Some(again) = again {
        world.disk.power_off_after(again / 2);
        drop(open(&world));
        world.disk.crash(seed ^ at ^ again);
    }
    let catalog = expect.open(&world, &what);
    expect.work(catalog.as_ref(), &rng, 4);
    drop(catalog);
    world.disk.crash(at);
    drop(expect.open(&world, &what));
}

#[test]
fn at_every_change() {
    simulate(6, |seed| {
        let changes = changes_of_a_whole_run(seed);
        assert!(changes > 60, "a history rotates its logs: {changes} changes");
        for at in 0..=changes {
            crash_at(seed, at, None);
        }
    });
}

/// A killed program's unsynced frame is served by the next one: it must be durable by then.
#[test]
fn what_a_restart_serves_after_a_kill_survives_a_power_loss() {
    simulate(6, |seed| {
        let changes = changes_of_a_whole_run(seed);
        for at in 0..changes {
            let what = format!("seed {seed}, killed after {at} changes");
            let (world, rng, mut expect) = (world(seed), SeededRng::new(seed), Expect::default());
            world.disk.power_off_after(at);
            if let Ok(catalog) = open(&world) {
                expect.work(catalog.as_ref(), &rng, STEPS);
            }
            world.disk.kill();
            let catalog = expect.open(&world, &what);
            world.disk.crash(at);
            drop(catalog);
            expect.maybe.clone_from(&expect.model);
            drop(expect.open(&world, &what));
        }
    });
}

#[test]
fn at_every_change_of_the_restart() {
    simulate(3, |seed| {
        let changes = changes_of_a_whole_run(seed);
        for at in (seed % 5..changes).step_by(5) {
            for again in 0..28 {
                crash_at(seed, at, Some(again));
            }
        }
    });
}
