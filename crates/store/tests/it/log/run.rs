//! A history: random operations on many logs of one engine, and checks after each.

use super::ModelLog;
use super::model::{Batch, Written};
use base::env::ClockGuard;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{Error, ErrorKind, Log, LogId, Logs, Pending, Result};
use testkit::sim_disk::{Fault, Op};
use testkit::{FakeEnv, SeededRng, block_on};

/// An engine under test.
pub(crate) trait Rig {
    /// Opens it, after the last one is gone.
    fn open(&self) -> Result<Arc<dyn Logs>>;
    /// The world that it runs in.
    fn world(&self) -> &FakeEnv;
    /// Keys that batches may be encrypted with.
    fn key_ids(&self) -> &[&str];
    /// A restart loses nothing that was acknowledged.
    fn is_durable(&self) -> bool;
    /// Neither does a power loss.
    fn survives_power_loss(&self) -> bool {
        self.is_durable()
    }
}

/// What a history is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mix {
    /// Operations.
    pub(crate) steps: usize,
    /// Logs that live at the same time.
    pub(crate) logs: usize,
    /// Batches on their way at the same time.
    pub(crate) flights: usize,
    /// Whether operations may fail without a power loss.
    pub(crate) faulty: bool,
}

struct Flight {
    pending: Pending,
    first: u64,
}

struct Open {
    log: Arc<dyn Log>,
    model: ModelLog,
    flights: Vec<Flight>,
}

/// A history on its way.
pub(crate) struct Run<'a> {
    rig: &'a dyn Rig,
    rng: SeededRng,
    mix: Mix,
    engine: Arc<dyn Logs>,
    logs: BTreeMap<u64, Open>,
    next_id: u64,
    stamp: u64,
    at: usize,
}

impl<'a> Run<'a> {
    pub(crate) fn new(rig: &'a dyn Rig, seed: u64, mix: Mix) -> Self {
        let engine = rig.open().unwrap();
        let rng = SeededRng::new(seed);
        Self { rig, rng, mix, engine, logs: BTreeMap::new(), next_id: 1, stamp: 0, at: 0 }
    }

    /// Runs the whole history and checks everything at its end.
    pub(crate) fn go(&mut self) {
        for at in 0..self.mix.steps {
            self.at = at;
            self.rig.world().env().pass();
            self.step();
            if self.rig.world().disk.is_off() {
                self.crash();
            }
        }
        self.finish();
    }

    /// Waits for everything on its way and reads everything back.
    pub(crate) fn finish(&mut self) {
        self.rig.world().disk.heal();
        self.land_all();
        self.read_all();
        if self.rig.is_durable() {
            self.restart(Self::close);
        }
    }

    fn step(&mut self) {
        if self.mix.faulty && self.rng.chance(12) {
            return self.trouble();
        }
        let durable = self.rig.is_durable();
        match self.rng.below(100) {
            0..=3 => self.open_log(),
            4..=40 => self.append(),
            41..=52 => self.land(),
            53..=72 => self.read(),
            73..=78 => self.find_arrival(),
            79..=82 => self.trim(),
            83..=89 => self.move_clock(),
            90 => self.seal(),
            91 => self.remove(),
            92..=93 => self.wait(),
            94 => self.read_all(),
            95 if durable => self.restart(Self::close),
            96 if durable => self.restart(Self::kill),
            97 if self.rig.survives_power_loss() => self.restart(Self::cut_power),
            98 if self.rig.survives_power_loss() => {
                self.rig.world().disk.power_off_after(self.rng.below(12));
            }
            _ => self.refused_appends(),
        }
    }

    /// A failure must have a cause.
    fn excuse(&self, e: &Error) {
        let off = self.rig.world().disk.is_off();
        let refused = matches!(e.kind(), ErrorKind::Unavailable | ErrorKind::Full);
        assert!(refused && (off || self.mix.faulty), "{:?}: {e}", e.kind());
    }

    /// Plans a fault, or ends the trouble that faults have made.
    fn trouble(&mut self) {
        let disk = &self.rig.world().disk;
        if self.rng.chance(40) && self.engine.trouble().is_some() {
            disk.heal();
            let end = [Self::close, Self::kill, Self::cut_power][self.rng.index(3)];
            return self.restart(end);
        }
        let ops = [Op::Write, Op::Sync, Op::Read, Op::SyncAll, Op::SyncDir, Op::Create, Op::Rename];
        let op =
            [ops[self.rng.index(ops.len())], Op::Remove, Op::Open, Op::Sync][self.rng.index(4)];
        let part = ["", ".journal", "/segments/", "checkpoint"][self.rng.index(4)];
        let fault = Fault::io(op).on(part).after(self.rng.below(6)).times(1 + self.rng.below(2));
        println!("{fault:?}");
        disk.fail(fault);
    }

    fn pick(&mut self) -> u64 {
        if self.logs.len() < self.mix.logs.min(2) {
            self.open_log();
        }
        let nth = self.rng.index(self.logs.len());
        *self.logs.keys().nth(nth).unwrap()
    }

    fn open_log(&mut self) {
        if self.logs.len() >= self.mix.logs {
            self.remove();
        }
        let id = self.next_id;
        self.next_id += 1;
        let log = block_on(self.engine.open(LogId(id))).unwrap();
        let (tail, mut model) = (log.tail(), ModelLog::default());
        if tail.next_ordinal > 0 && !self.rig.survives_power_loss() {
            model.begin_behind_gap();
        }
        let begin = model.assigned();
        assert_eq!((tail.first_ordinal, tail.next_ordinal), (begin, begin), "a new log is empty");
        assert_eq!((tail.last_arrival_ms, tail.sealed), (0, false));
        self.logs.insert(id, Open { log, model, flights: Vec::new() });
    }

    fn batch(&mut self) -> (Batch, Option<&'a str>) {
        let key_ids = self.rig.key_ids();
        let key_id =
            self.rng.chance(30).then(|| key_ids.get(self.rng.index(key_ids.len())).copied());
        let records = (0..=self.rng.below(6)).map(|_| self.record()).collect();
        let key_id = key_id.flatten();
        (Batch { records, encrypted: key_id.is_some(), arrival_ms: None }, key_id)
    }

    fn record(&mut self) -> Written {
        let len = match self.rng.below(20) {
            0 => 0,
            1 => 20_000 + self.rng.below(60_000),
            2..=4 => 1_000 + self.rng.below(8_000),
            _ => self.rng.below(300),
        };
        self.stamp += 1;
        let mut data = self.stamp.to_le_bytes().repeat(len as usize / 8 + 1);
        data.truncate(len as usize);
        let key = vec![b'k'; self.rng.index(20)];
        Written { key: [key, self.stamp.to_string().into_bytes()].concat(), data }
    }

    fn append(&mut self) {
        let id = self.pick();
        let (batch, key_id) = self.batch();
        let open = self.logs.get_mut(&id).unwrap();
        let first = open.model.assigned();
        match open.log.append(batch.builder(), key_id) {
            Ok(pending) => {
                assert!(!open.model.sealed, "a sealed log took a batch");
                open.model.batches.push(batch);
                open.flights.push(Flight { pending, first });
            }
            Err(e) if e.kind() == ErrorKind::Sealed => assert!(open.model.sealed, "{e}"),
            Err(e) => {
                assert!(matches!(e.kind(), ErrorKind::Unavailable | ErrorKind::Full), "{e}");
                self.excuse(&e);
            }
        }
        if self.rng.chance(40) || self.flights() > self.mix.flights {
            self.land();
        }
    }

    fn flights(&self) -> usize {
        self.logs.values().map(|open| open.flights.len()).sum()
    }

    /// Batches that no engine takes.
    fn refused_appends(&mut self) {
        let id = self.pick();
        let open = self.logs.get_mut(&id).unwrap();
        let empty = Batch { records: Vec::new(), encrypted: false, arrival_ms: None };
        let refused = open.log.append(empty.builder(), None).err().unwrap();
        let kind = refused.kind();
        let early = matches!(kind, ErrorKind::Unavailable | ErrorKind::Full | ErrorKind::Sealed);
        assert!(kind == ErrorKind::Invalid || early, "{refused}");
    }

    /// Waits for one batch, not always the oldest; sometimes gives up on it.
    fn land(&mut self) {
        let id = self.pick();
        let count = self.logs[&id].flights.len();
        if count == 0 {
            return;
        }
        let nth = self.rng.index(count);
        let open = self.logs.get_mut(&id).unwrap();
        let flight = open.flights.remove(nth);
        if !self.rng.chance(10) {
            self.settle(id, flight);
        }
    }

    fn settle(&mut self, id: u64, flight: Flight) {
        let result = block_on(flight.pending);
        let open = self.logs.get_mut(&id).unwrap();
        match result {
            Ok(appended) => {
                open.model.acknowledge(flight.first, appended);
                let tail = open.log.tail();
                open.model.see(tail);
            }
            Err(e) => self.excuse(&e),
        }
    }

    fn land_all(&mut self) {
        let ids: Vec<u64> = self.logs.keys().copied().collect();
        for id in ids {
            for flight in std::mem::take(&mut self.logs.get_mut(&id).unwrap().flights) {
                self.settle(id, flight);
            }
        }
    }

    fn limits(&self) -> (usize, usize) {
        let bytes = [1, 100, 10_000, 1 << 20][self.rng.index(4)];
        (1 + self.rng.index(20), bytes)
    }

    fn read(&mut self) {
        let id = self.pick();
        let limits = self.limits();
        let open = self.logs.get_mut(&id).unwrap();
        let tail = open.log.tail();
        open.model.see(tail);
        let from = self.rng.below(tail.next_ordinal + 1);
        let result = block_on(open.log.read(from, limits.0, limits.1));
        match result {
            Ok(got) => {
                assert!(from >= tail.first_ordinal, "{from} was trimmed: {tail:?}");
                assert!(from == tail.next_ordinal || got.next_ordinal > from, "{from}: {tail:?}");
                open.model.check_read(from, limits, &got);
            }
            Err(e) if e.kind() == ErrorKind::Trimmed => {
                let first = open.log.tail().first_ordinal;
                assert!(from < first, "{from} is kept: {first}");
            }
            Err(e) => self.excuse(&e),
        }
    }

    /// Reads every log from its first record to its tail.
    fn read_all(&mut self) {
        let limits = self.limits();
        let ids: Vec<u64> = self.logs.keys().copied().collect();
        for id in ids {
            let open = self.logs.get_mut(&id).unwrap();
            let tail = open.log.tail();
            open.model.see(tail);
            let mut from = tail.first_ordinal;
            while from < tail.next_ordinal {
                match block_on(open.log.read(from, limits.0, limits.1)) {
                    Ok(got) => {
                        assert!(got.next_ordinal > from, "log {id} at {from}: {tail:?}");
                        open.model.check_read(from, limits, &got);
                        from = got.next_ordinal;
                    }
                    Err(e) => return self.excuse(&e),
                }
            }
        }
    }

    /// An arrival time near those of a log.
    fn some_arrival(&self, id: u64) -> i64 {
        let batches = &self.logs[&id].model.batches;
        let known: Vec<i64> = batches.iter().filter_map(|batch| batch.arrival_ms).collect();
        let near = self.rng.below(3) as i64 - 1;
        match known.get(self.rng.index(known.len().max(1))) {
            Some(arrival_ms) => arrival_ms + near,
            None => self.rig.world().env().clock.now_ms(),
        }
    }

    fn find_arrival(&mut self) {
        let id = self.pick();
        for flight in std::mem::take(&mut self.logs.get_mut(&id).unwrap().flights) {
            self.settle(id, flight);
        }
        let arrival_ms = self.some_arrival(id);
        let open = self.logs.get_mut(&id).unwrap();
        let tail = open.log.tail();
        open.model.see(tail);
        match block_on(open.log.find_arrival(arrival_ms)) {
            Ok(got) if tail.next_ordinal == open.model.assigned() => {
                if let Some(want) = open.model.find_arrival(arrival_ms) {
                    assert_eq!(got, want, "first arrival from {arrival_ms}: {tail:?}");
                }
            }
            // Batches that nobody waits for may land meanwhile.
            Ok(got) => assert!(got >= tail.first_ordinal),
            Err(e) => self.excuse(&e),
        }
    }

    fn trim(&mut self) {
        if self.rng.chance(30) {
            return self.trim_to();
        }
        let id = self.pick();
        let arrival_ms = self.some_arrival(id);
        let open = self.logs.get_mut(&id).unwrap();
        open.model.trim(arrival_ms);
        open.log.trim(arrival_ms);
        let tail = open.log.tail();
        open.model.see(tail);
    }

    /// Also in the midst of a batch, and past what is durable.
    fn trim_to(&mut self) {
        let id = self.pick();
        let open = self.logs.get_mut(&id).unwrap();
        let durable = open.log.tail().next_ordinal;
        let ordinal = self.rng.below(open.model.assigned() + 2);
        open.model.trim_to(ordinal);
        open.log.trim_to(ordinal);
        let tail = open.log.tail();
        assert!(tail.first_ordinal >= ordinal.min(durable), "{ordinal} of {durable}: {tail:?}");
        open.model.see(tail);
    }

    fn move_clock(&mut self) {
        let clock = &self.rig.world().clock;
        match self.rng.below(12) {
            0 => clock.jump_by(-(self.rng.below(86_400_000) as i64)),
            1 => clock.jump_by(self.rng.below(86_400_000) as i64),
            2 => clock.advance_ms(self.rng.below(3_600_000)),
            _ => clock.advance_ms(self.rng.below(50)),
        }
    }

    fn seal(&mut self) {
        let id = self.pick();
        let open = self.logs.get_mut(&id).unwrap();
        match block_on(open.log.seal()) {
            Ok(tail) => {
                assert!(tail.sealed && open.log.tail().sealed);
                if !self.mix.faulty {
                    assert_eq!(tail.next_ordinal, open.model.assigned(), "all is durable");
                }
                open.model.sealed = true;
                open.model.see(tail);
            }
            Err(e) => {
                // It may be half done: only a restart tells.
                open.model.sealed = open.log.tail().sealed;
                self.excuse(&e);
            }
        }
    }

    fn remove(&mut self) {
        let id = self.pick();
        let Some(open) = self.logs.remove(&id) else { return };
        let removed = block_on(self.engine.remove(&[LogId(id)]));
        for flight in open.flights {
            drop(block_on(flight.pending));
        }
        match removed {
            Ok(()) => {
                let refused = block_on(open.log.read(0, 1, 1)).unwrap_err();
                assert_eq!(refused.kind(), ErrorKind::Removed, "{refused}");
                let (batch, _) = self.batch();
                let refused = open.log.append(batch.builder(), None).err().unwrap();
                assert_ne!(refused.kind(), ErrorKind::Internal, "{refused}");
                block_on(open.log.wait_beyond(u64::MAX - 1)).unwrap();
            }
            Err(e) => self.excuse(&e),
        }
    }

    /// Waits for a record that is there, or on its way.
    fn wait(&mut self) {
        let id = self.pick();
        let open = self.logs.get_mut(&id).unwrap();
        let tail = open.log.tail();
        let well = !self.rig.world().disk.is_off() && !self.mix.faulty;
        if tail.next_ordinal > 0 {
            block_on(open.log.wait_beyond(tail.next_ordinal - 1)).unwrap();
        }
        if well && open.model.assigned() > tail.next_ordinal && self.flights() > 0 {
            let last = self.logs[&id].model.last_start();
            let log = Arc::clone(&self.logs[&id].log);
            // The power may go on the way; then nothing is promised.
            if self.rig.world().disk.is_off() || self.rig.is_durable() {
                return;
            }
            block_on(log.wait_beyond(last)).unwrap();
            assert!(log.tail().next_ordinal > last);
        }
    }

    fn crash(&mut self) {
        self.restart(Self::cut_power);
    }

    fn close(&mut self) {
        println!("close");
        let closed = block_on(self.engine.close());
        if let Err(e) = &closed {
            self.excuse(e);
        }
        self.land_all();
        if closed.is_ok() && !self.mix.faulty {
            for open in self.logs.values_mut() {
                open.model.sure = open.model.assigned();
            }
        }
    }

    fn kill(&mut self) {
        println!("kill");
        self.rig.world().disk.kill();
        self.rest_in_peace();
    }

    fn cut_power(&mut self) {
        println!("power cut");
        self.rig.world().disk.crash(self.rng.next_u64());
        self.rest_in_peace();
    }

    /// What the dead program still acknowledged had been durable.
    fn rest_in_peace(&mut self) {
        for open in self.logs.values_mut() {
            for flight in std::mem::take(&mut open.flights) {
                if let Ok(appended) = block_on(flight.pending) {
                    open.model.acknowledge(flight.first, appended);
                }
            }
        }
    }

    /// Ends the engine, opens the next one and checks that it holds what it must.
    fn restart(&mut self, end: fn(&mut Self)) {
        end(self);
        println!("restart at step {}, disk changes {}", self.at, self.rig.world().disk.changes());
        for (id, open) in &self.logs {
            let (sure, assigned) = (open.model.sure, open.model.assigned());
            println!("  log {id}: sure {sure}, assigned {assigned}");
        }
        let models: Vec<(u64, ModelLog)> =
            std::mem::take(&mut self.logs).into_iter().map(|(id, o)| (id, o.model)).collect();
        let nothing: Arc<dyn Logs> = Arc::new(Nothing);
        drop(std::mem::replace(&mut self.engine, nothing));
        if self.rig.world().disk.is_off() {
            self.rig.world().disk.crash(self.rng.next_u64());
        }
        // Faults of a start are not this history's matter.
        self.rig.world().disk.heal();
        self.engine = self.rig.open().unwrap();
        for (id, mut model) in models {
            let log = block_on(self.engine.open(LogId(id))).unwrap();
            let sealed = model.sealed;
            model.restart(log.tail());
            if sealed {
                block_on(log.seal()).unwrap();
                model.sealed = true;
            }
            self.logs.insert(id, Open { log, model, flights: Vec::new() });
        }
        self.read_all();
    }
}

/// Stands where an engine was while the next one opens.
struct Nothing;

impl Logs for Nothing {
    fn open(&self, _id: LogId) -> store::Job<'_, Arc<dyn Log>> {
        Box::pin(async { Err(Error::new(ErrorKind::Unavailable, "no engine")) })
    }
    fn remove(&self, _ids: &[LogId]) -> store::Job<'_, ()> {
        Box::pin(std::future::ready(Ok(())))
    }
    fn clock(&self) -> &Arc<ClockGuard> {
        unreachable!("nothing has a time")
    }
    fn written(&self) -> Vec<LogId> {
        Vec::new()
    }
    fn close(&self) -> store::Job<'_, ()> {
        Box::pin(std::future::ready(Ok(())))
    }
    fn trouble(&self) -> Option<String> {
        None
    }
}
