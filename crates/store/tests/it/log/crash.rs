//! Kills and power losses at every single change of a disk under the local engine.

use super::local::LocalRig;
use super::model::{Batch, Written};
use super::*;
use store::{Log, LogId, Logs};
use testkit::{SeededRng, block_on, simulate};

const LOGS: u64 = 3;
const ROUNDS: u64 = 24;

/// Models of the logs 1 ..= `LOGS`.
type Models = Vec<ModelLog>;

fn models() -> Models {
    (0..LOGS).map(|_| ModelLog::default()).collect()
}

fn batch(stamp: u64, rng: &SeededRng) -> Batch {
    let len = if rng.chance(30) { 30_000 + rng.index(60_000) } else { rng.index(900) };
    let data = stamp.to_le_bytes().repeat(len / 8 + 1);
    let record = |n: u8| Written { key: vec![n; 3], data: data.clone() };
    Batch {
        records: (0..=(stamp % 3) as u8).map(record).collect(),
        encrypted: false,
        arrival_ms: None,
    }
}

/// Appends one batch after the other, each acknowledged before the next, and closes; stops at the
/// first failure.
fn work(rig: &LocalRig, models: &mut Models, seed: u64) {
    let rng = SeededRng::new(seed);
    let Ok(engine) = rig.open_local() else { return };
    for stamp in 0..ROUNDS {
        let which = rng.index(LOGS as usize);
        let model = &mut models[which];
        let Ok(log) = block_on(engine.open(LogId(which as u64 + 1))) else { return };
        rig.world.clock.advance_ms(1 + rng.below(20));
        let batch = batch(stamp, &rng);
        let first = model.assigned();
        let Ok(pending) = log.append(batch.builder(), None) else { return };
        model.batches.push(batch);
        let Ok(appended) = block_on(pending) else { return };
        model.acknowledge(first, appended);
        if stamp % 8 == 7 {
            log.trim(appended.arrival_ms - 60);
            model.trim(appended.arrival_ms - 60);
        }
        if stamp == ROUNDS / 2 && block_on(engine.close()).is_err() {
            return;
        }
        if stamp == ROUNDS / 2 {
            drop(log);
            drop(engine);
            return work_on(rig, models, &rng);
        }
    }
}

/// The second half, after a clean restart.
fn work_on(rig: &LocalRig, models: &mut Models, rng: &SeededRng) {
    let Ok(engine) = rig.open_local() else { return };
    for stamp in 100..100 + ROUNDS / 2 {
        let which = rng.index(LOGS as usize);
        let Ok(log) = block_on(engine.open(LogId(which as u64 + 1))) else { return };
        let batch = batch(stamp, rng);
        let first = models[which].assigned();
        let Ok(pending) = log.append(batch.builder(), None) else { return };
        models[which].batches.push(batch);
        let Ok(appended) = block_on(pending) else { return };
        models[which].acknowledge(first, appended);
    }
}

/// Opens and reads everything; what is there must be what the models say.
fn check(rig: &LocalRig, models: &mut Models, what: &str) {
    let engine = rig.open_local().unwrap_or_else(|e| panic!("{what}: {e}"));
    for (model, id) in models.iter_mut().zip(1..) {
        let log = block_on(engine.open(LogId(id))).unwrap();
        let tail = log.tail();
        assert!(tail.next_ordinal >= model.sure, "{what}: log {id} lost records: {tail:?}");
        model.restart(tail);
        let mut from = tail.first_ordinal;
        while from < tail.next_ordinal {
            let got = block_on(log.read(from, 7, 100_000));
            let got = got.unwrap_or_else(|e| panic!("{what}: log {id} at {from}: {e}"));
            model.check_read(from, (7, 100_000), &got);
            from = got.next_ordinal;
        }
    }
}

fn crash_at(seed: u64, at: u64, killed: bool, again: Option<u64>) {
    let what = format!("seed {seed}, ended after {at} changes, killed {killed}, then {again:?}");
    let (rig, mut models) = (LocalRig::new(seed), models());
    rig.world.disk.power_off_after(at);
    work(&rig, &mut models, seed);
    if killed {
        rig.world.disk.kill();
    } else {
        rig.world.disk.crash(seed ^ at);
    }
    if let Some(again) = again {
        rig.world.disk.power_off_after(again);
        drop(rig.open_local());
        rig.world.disk.crash(seed ^ at ^ again);
    }
    check(&rig, &mut models, &what);
    rig.world.disk.crash(at);
    check(&rig, &mut models, &format!("{what}, and a last power loss"));
}

fn changes_of_a_whole_run(seed: u64) -> u64 {
    let rig = LocalRig::new(seed);
    let before = rig.world.disk.changes();
    work(&rig, &mut models(), seed);
    rig.world.disk.changes() - before
}

#[test]
fn at_every_change() {
    simulate(2, |seed| {
        let changes = changes_of_a_whole_run(seed);
        assert!(changes > 60, "a history makes a journal and spills: {changes} changes");
        for at in 0..=changes {
            crash_at(seed, at, at % 3 == 0, None);
        }
    });
}

#[test]
fn at_changes_of_the_restart() {
    simulate(2, |seed| {
        let changes = changes_of_a_whole_run(seed);
        for at in (seed % 7..changes).step_by(7) {
            for again in 0..10 {
                crash_at(seed, at, again % 2 == 0, Some(again));
            }
        }
    });
}

/// Under relaxed durability many commits are written anew by a start; a kill at any moment of that
/// loses none of them.
#[test]
fn relaxed_kills_of_the_restart() {
    simulate(2, |seed| {
        for again in 0..60 {
            let (mut rig, mut models) = (LocalRig::new(seed), models());
            rig.options.durability = store::local::Durability::Relaxed;
            let engine = rig.open_local().unwrap();
            append_all(engine.as_ref(), &mut models, &SeededRng::new(seed));
            rig.world.disk.kill();
            drop(engine);
            rig.world.disk.power_off_after(again);
            drop(rig.open_local());
            rig.world.disk.kill();
            check(&rig, &mut models, &format!("seed {seed}, killed again after {again} changes"));
        }
    });
}

/// More than two journal files hold, too fast for a sync between.
fn append_all(engine: &dyn Logs, models: &mut Models, rng: &SeededRng) {
    for stamp in 0..ROUNDS {
        let which = rng.index(LOGS as usize);
        let log = block_on(engine.open(LogId(which as u64 + 1))).unwrap();
        let record = Written { key: b"k".to_vec(), data: stamp.to_le_bytes().repeat(8_000) };
        let batch = Batch { records: vec![record], encrypted: false, arrival_ms: None };
        let first = models[which].assigned();
        let pending = log.append(batch.builder(), None).unwrap();
        models[which].batches.push(batch);
        models[which].acknowledge(first, block_on(pending).unwrap());
    }
}

/// Logs come and go while the journal is recycled under them; the power goes at any time. Whatever
/// the checkpoint knew of a log that was being removed, the next start understands it.
#[test]
fn removals_beside_checkpoints() {
    simulate(40, |seed| {
        let (rig, rng) = (LocalRig::new(seed), SeededRng::new(seed));
        let engine = rig.open_local().unwrap();
        let busy = block_on(engine.open(LogId(1))).unwrap();
        rig.world.disk.power_off_after(20 + rng.below(400));
        let filling =
            rig.world.env().spawn("fill".to_owned(), move || while put(&*busy, 100_000).is_ok() {});
        // Each log takes batches over some files of the journal before it goes.
        for newest in 10..2_000 {
            let put = (newest - 8..newest).all(|id| {
                block_on(engine.open(LogId(id))).is_ok_and(|log| put(&*log, 2_000).is_ok())
            });
            if !put || block_on(engine.remove(&[LogId(newest - 8)])).is_err() {
                break;
            }
        }
        filling.unwrap().join().unwrap();
        assert!(rig.world.disk.is_off(), "seed {seed}: the history is too short");
        rig.world.disk.crash(seed);
        drop(engine);
        let engine = rig.open_local().unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        block_on(engine.close()).unwrap();
    });
}

fn put(log: &dyn Log, bytes: usize) -> store::Result<()> {
    let batch = Batch {
        records: vec![Written { key: b"k".to_vec(), data: vec![1; bytes] }],
        encrypted: false,
        arrival_ms: None,
    };
    block_on(log.append(batch.builder(), None)?).map(|_| ())
}
