//! The engine as its owner sees it, on simulated and on real disks.

mod clock;
mod damage;
mod faults;
mod in_place;
mod life;
mod trimming;

use super::testing::os_env;
use super::*;
use crate::{BatchBuilder, Log};
use testkit::{FakeEnv, block_on, fake_env};

const DIR: &str = "/data";

/// Bounds so small that a few hundred records turn everything over.
fn small() -> Options {
    Options {
        journal_first_bytes: 1 << 20,
        journal_file_bytes_max: 1 << 20,
        journal_files_max: 3,
        batch_bytes_max: 256 << 10,
        commit_bytes_max: 64 << 10,
        cache_bytes_max: 0,
        spill_bytes: 8 << 10,
        segment_bytes_max: 32 << 10,
        ..Options::default()
    }
}

/// As `small`, but nothing is spilled before the test says so.
fn still() -> Options {
    Options { spill_bytes: 1 << 30, cache_bytes_max: 1 << 30, ..small() }
}

/// A simulated world and the engine in it.
struct World {
    fake: FakeEnv,
    options: Options,
    local: Option<Arc<Local>>,
}

impl World {
    fn new(options: Options) -> Self {
        let mut world = Self { fake: fake_env(1), options, local: None };
        world.start().unwrap();
        world
    }

    fn start(&mut self) -> Result<Recovery> {
        self.local = None;
        let (local, recovery) =
            Local::open(Path::new(DIR), &self.fake.env(), self.options.clone())?;
        self.local = Some(local);
        Ok(recovery)
    }

    /// Lets a second pass and has the keeper see it.
    fn tick(&self) {
        self.fake.clock.advance(std::time::Duration::from_secs(1));
        self.engine().keeper.poke();
    }

    /// Ends the program without a word and starts it again.
    fn kill(&mut self) -> Result<Recovery> {
        self.fake.disk.kill();
        self.start()
    }

    fn close(&mut self) {
        block_on(self.local().close()).unwrap();
        self.local = None;
    }

    /// As if the program had ended before the second had passed in which the roster vouches for the
    /// newest commits.
    fn forget_newest(&self) {
        self.change_roster(|roster| roster.durable_lsn = 0);
    }

    fn change_roster(&self, change: impl FnOnce(&mut roster::Roster)) {
        let (env, dir) = (self.fake.env(), Path::new(DIR).join("journal"));
        let mut keep = roster::Keep::default();
        keep.now = roster::Roster::load(&env, &dir).unwrap().unwrap();
        keep.change(&env, &dir, change).unwrap();
    }

    fn verify(&self) -> Result<Report> {
        verify(&*data_dir::look(Path::new(DIR), &self.fake.env())?, |_| ())
    }

    fn local(&self) -> &Local {
        self.local.as_deref().unwrap()
    }

    fn log(&self, id: u64) -> Arc<dyn Log> {
        block_on(self.local().open(LogId(id))).unwrap()
    }

    fn engine(&self) -> &Engine {
        &self.local().engine
    }

    /// Appends records of 1,000 bytes, one commit each.
    fn fill(&self, id: u64, records: u64) {
        let log = self.log(id);
        for _ in 0..records {
            let next = log.tail().next_ordinal;
            assert_eq!(put(&log, &text(next)), next);
        }
    }

    fn spill(&self, id: u64) {
        let log = Arc::clone(&self.engine().logs.lock()[&LogId(id)]);
        log.spill(&mut buffer::Buffer::default()).unwrap();
    }

    /// Files of a kind, in order.
    fn files(&self, suffix: &str) -> Vec<std::path::PathBuf> {
        let is = |p: &std::path::PathBuf| p.extension().is_some_and(|e| e == suffix);
        self.fake.disk.files().into_iter().filter(is).collect()
    }
}

fn text(ordinal: u64) -> String {
    format!("{ordinal:04}").repeat(250)
}

fn batch(data: &str) -> BatchBuilder {
    let mut batch = BatchBuilder::default();
    batch.push(b"key", data.as_bytes());
    batch
}

fn put(log: &Arc<dyn Log>, data: &str) -> u64 {
    block_on(log.append(batch(data), None).unwrap()).unwrap().first_ordinal
}

fn data(log: &Arc<dyn Log>, from: u64) -> Vec<String> {
    let read = block_on(log.read(from, 1000, 1 << 20)).unwrap();
    read.records.iter().map(|r| String::from_utf8(r.data.to_vec()).unwrap()).collect()
}

/// Reads the whole log and compares it with what `fill` wrote.
fn check_filled(log: &Arc<dyn Log>) {
    let tail = log.tail();
    let mut at = tail.first_ordinal;
    while at < tail.next_ordinal {
        let read = block_on(log.read(at, 100, 1 << 20)).unwrap();
        let mut next = at;
        for record in &read.records {
            assert_eq!(record.data, text(record.ordinal));
            check_step(next, record.ordinal);
            next = record.ordinal + 1;
        }
        check_step(next, read.next_ordinal);
        assert!(read.next_ordinal > at);
        at = read.next_ordinal;
    }
}

/// Ordinals are dense but for whole gaps.
fn check_step(from: u64, to: u64) {
    assert_eq!(to.checked_sub(from).unwrap() % u64::from(frame::GAP_ORDINALS), 0, "{from} {to}");
}

/// Waits for something that another thread does.
fn until(what: &str, done: impl Fn() -> bool) {
    for _ in 0..100_000 {
        if done() {
            return;
        }
        std::thread::yield_now();
        std::thread::park_timeout(std::time::Duration::from_micros(100));
    }
    panic!("never: {what}");
}
