//! Commits on the thread that appends.

use super::*;
use base::env::{Clock, Sleep};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use testkit::sim_disk::{Fault, Op};

/// A loop on which nothing else happens, until somebody says otherwise.
#[derive(Clone, Default)]
struct Lonely(Arc<Seen>);

#[derive(Default)]
struct Seen {
    crowded: AtomicBool,
    blocked: AtomicBool,
    blocks: AtomicUsize,
    /// Whose end is looked at before and after; nobody else commits between.
    watched: Mutex<Option<(Arc<dyn Log>, u64)>>,
    /// Times that its end moved: this thread committed.
    commits: AtomicUsize,
}

impl LoopThread for Lonely {
    fn may_block(&self) -> bool {
        !self.0.crowded.load(Ordering::Relaxed)
    }

    fn set_blocked(&self, blocked: bool) {
        assert_ne!(self.0.blocked.swap(blocked, Ordering::Relaxed), blocked);
        self.0.blocks.fetch_add(usize::from(blocked), Ordering::Relaxed);
        if let Some((log, end)) = &mut *self.0.watched.lock() {
            let before = std::mem::replace(end, log.tail().next_ordinal);
            self.0.commits.fetch_add(usize::from(!blocked && *end > before), Ordering::Relaxed);
        }
    }
}

impl Lonely {
    /// Makes this thread its own; until what it returns is dropped.
    fn begin(&self) -> Pin<Box<dyn Future<Output = ()>>> {
        let mut relay: Pin<Box<dyn Future<Output = ()>>> = Box::pin(relay(self.clone()));
        assert!(relay.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        relay
    }

    fn watch(&self, log: &Arc<dyn Log>) {
        *self.0.watched.lock() = Some((Arc::clone(log), 0));
    }

    fn blocks(&self) -> usize {
        self.0.blocks.load(Ordering::Relaxed)
    }

    fn commits(&self) -> usize {
        self.0.commits.load(Ordering::Relaxed)
    }
}

fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// The commit thread waits for work.
fn until_asleep(world: &World) {
    until("the commit thread sleeps", || world.engine().queue.is_asleep());
}

#[test]
fn a_lone_append_is_durable_when_it_was_polled_once() {
    let mut world = World::new(still());
    let log = world.log(1);
    let lonely = Lonely::default();
    lonely.watch(&log);
    let relay = lonely.begin();
    for ordinal in 0..300 {
        until_asleep(&world);
        let mut pending = log.append(batch(&text(ordinal)), None).unwrap();
        assert_eq!(log.tail().next_ordinal, ordinal);
        // But for the first one of a file: there the commit thread changes files.
        if poll(&mut pending).map(|put| put.unwrap().first_ordinal) != Poll::Ready(ordinal) {
            assert_eq!(block_on(pending).unwrap().first_ordinal, ordinal);
        }
    }
    assert!((290..=300).contains(&lonely.blocks()), "{}", lonely.blocks());
    assert!((290..=300).contains(&lonely.commits()), "{}", lonely.commits());
    drop((relay, log));
    world.fake.disk.crash(3);
    world.start().unwrap();
    assert_eq!(world.log(1).tail().next_ordinal, 300);
    check_filled(&world.log(1));
}

#[test]
fn an_append_that_nobody_polls_is_committed_all_the_same() {
    let world = World::new(still());
    let log = world.log(1);
    let lonely = Lonely::default();
    let _relay = lonely.begin();
    until_asleep(&world);
    drop(log.append(batch("dropped"), None).unwrap());
    until("it is durable", || log.tail().next_ordinal == 1);
    until_asleep(&world);
    let kept = log.append(batch("waited for"), None).unwrap();
    block_on(log.wait_beyond(1)).unwrap();
    block_on(kept).unwrap();
    until_asleep(&world);
    let sealed = log.append(batch("sealed"), None).unwrap();
    assert_eq!(block_on(log.seal()).unwrap().next_ordinal, 3);
    block_on(sealed).unwrap();
}

#[test]
fn on_a_loop_with_others_the_commit_thread_commits() {
    let world = World::new(still());
    let log = world.log(1);
    let lonely = Lonely::default();
    let _relay = lonely.begin();
    until_asleep(&world);
    let pending = log.append(batch("x"), None).unwrap();
    // Between the append and its first poll.
    lonely.0.crowded.store(true, Ordering::Relaxed);
    block_on(pending).unwrap();
    world.fill(1, 20);
    assert_eq!(lonely.blocks(), 0);
}

#[test]
fn under_relaxed_durability_the_sync_is_not_forgotten() {
    let mut world = World::new(Options { durability: Durability::Relaxed, ..still() });
    let lonely = Lonely::default();
    let relay = lonely.begin();
    until_asleep(&world);
    world.fill(1, 3);
    assert_eq!(lonely.blocks(), 0);
    drop(relay);
    world.close();
}

#[test]
fn a_commit_that_fails_in_place_goes_on_in_another_file() {
    let mut world = World::new(small());
    world.fill(1, 5);
    until("files are made", || world.files("journal").len() == 3);
    let (log, lonely) = (world.log(1), Lonely::default());
    let relay = lonely.begin();
    until_asleep(&world);
    world.fake.disk.fail(Fault::io(Op::Sync).on("0000.journal").times(1));
    let failed = block_on(log.append(batch(&text(5)), None).unwrap()).unwrap_err();
    assert!(failed.to_string().contains("unknown"), "{failed}");
    block_on(log.wait_beyond(5)).unwrap();
    assert_eq!((lonely.blocks(), log.tail().next_ordinal), (1, 6));
    world.fill(1, 50);
    drop((relay, log));
    world.fake.disk.crash(7);
    world.start().unwrap();
    assert_eq!(world.log(1).tail().next_ordinal, 56);
    check_filled(&world.log(1));
}

/// No other file is free and the disk is full: only the commit thread may wait for one.
#[test]
fn a_commit_that_fails_in_place_does_not_keep_the_loop() {
    let fake = fake_env(1);
    let mut world = World { fake, options: still(), local: None };
    world.fake.disk.fail(Fault::no_space(Op::Write).on("0001.new").times(u64::MAX));
    world.start().unwrap();
    world.fill(1, 5);
    let log = world.log(1);
    let (answer, answered) = std::sync::mpsc::sync_channel(1);
    std::thread::scope(|s| {
        let (world, appender) = (&world, Arc::clone(&log));
        s.spawn(move || {
            let lonely = Lonely::default();
            let _relay = lonely.begin();
            until_asleep(world);
            world.fake.disk.fail(Fault::io(Op::Sync).on("0000.journal"));
            let mut pending = appender.append(batch(&text(5)), None).unwrap();
            let polled = poll(&mut pending);
            answer.send(polled.map(|put| put.unwrap_err().to_string())).unwrap();
        });
        let polled = answered.recv_timeout(Duration::from_secs(5));
        // Whatever came of it, the thread must end.
        world.fake.disk.heal();
        let Ok(Poll::Ready(failed)) = polled else { panic!("{polled:?}") };
        assert!(failed.contains("unknown"), "{failed}");
    });
    block_on(log.wait_beyond(5)).unwrap();
    drop(log);
    world.fake.disk.crash(4);
    world.start().unwrap();
    assert_eq!(world.log(1).tail().next_ordinal, 6);
    check_filled(&world.log(1));
}

/// A clock that breaks when it is told to.
struct Brittle(Arc<dyn Clock>, AtomicBool);

impl Clock for Brittle {
    fn now_ms(&self) -> i64 {
        self.0.now_ms()
    }

    fn monotonic(&self) -> Duration {
        // The keeper looks at it too.
        let name = std::thread::current().name().map(str::to_owned);
        assert!(!self.1.load(Ordering::Relaxed) || name.as_deref() == Some("log-keep"));
        self.0.monotonic()
    }

    fn uptime(&self) -> Duration {
        self.0.uptime()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        self.0.sleep(duration)
    }
}

#[test]
fn nothing_follows_a_commit_that_panicked() {
    for in_place in [true, false] {
        let fake = fake_env(1);
        let clock = Arc::new(Brittle(fake.env().clock, AtomicBool::new(false)));
        let env = Env { clock: clock.clone(), ..fake.env() };
        let (local, _) = Local::open(Path::new(DIR), &env, still()).unwrap();
        let log = block_on(local.open(LogId(1))).unwrap();
        let lonely = Lonely::default();
        let _relay = in_place.then(|| lonely.begin());
        assert_eq!(put(&log, "before"), 0);
        until("the commit thread sleeps", || local.engine.queue.is_asleep());
        let pending = log.append(batch("x"), None).unwrap();
        clock.1.store(true, Ordering::Relaxed);
        if in_place {
            let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                drop(block_on(pending));
            }));
            assert!(caught.is_err());
            assert!(!lonely.0.blocked.load(Ordering::Relaxed));
        } else {
            let told = block_on(pending).map(drop);
            // The thread may have been faster than the clock broke.
            drop(told.map(|()| block_on(log.append(batch("y"), None).unwrap()).unwrap_err()));
        }
        clock.1.store(false, Ordering::Relaxed);
        assert!(local.trouble().is_some_and(|why| why.contains("panic")));
        assert!(log.append(batch("z"), None).is_err());
        assert_eq!(data(&log, 0)[0], "before");
        drop((log, local));
        fake.disk.crash(2);
        let (local, _) = Local::open(Path::new(DIR), &fake.env(), still()).unwrap();
        let log = block_on(local.open(LogId(1))).unwrap();
        assert_eq!(data(&log, 0)[0], "before");
        put(&log, "after");
    }
}

#[test]
fn loops_and_the_commit_thread_take_turns() {
    const APPENDS: u64 = 400;
    let mut world = World::new(small());
    let (start, in_place) = (std::sync::Barrier::new(4), AtomicUsize::new(0));
    std::thread::scope(|s| {
        for thread in 0..4 {
            let (world, start, in_place) = (&world, &start, &in_place);
            s.spawn(move || {
                let lonely = Lonely::default();
                // The last one is no loop.
                let _relay = (thread < 3).then(|| lonely.begin());
                // A log of its own, and one for all.
                let (own, shared) = (world.log(thread), world.log(9));
                lonely.watch(&own);
                start.wait();
                for at in 0..APPENDS {
                    assert_eq!(put(&own, &text(at)), at);
                    put(&shared, "shared");
                }
                in_place.fetch_add(lonely.commits(), Ordering::Relaxed);
            });
        }
    });
    assert_ne!(in_place.into_inner(), 0);
    let check = |world: &World| {
        for thread in 0..4 {
            assert_eq!(world.log(thread).tail().next_ordinal, APPENDS);
            check_filled(&world.log(thread));
        }
        assert_eq!(world.log(9).tail().next_ordinal, 4 * APPENDS);
    };
    check(&world);
    world.fake.disk.crash(5);
    world.start().unwrap();
    check(&world);
}
