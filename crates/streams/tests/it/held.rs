//! An engine whose disk does not answer: what waits for it, and what must not.

use crate::house::{House, run_over};
use base::env::ClockGuard;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use store::memory::MemoryLog;
use store::{BatchBuilder, ErrorKind, Job, Log, LogId, Logs, Pending, RecordBatch, Tail};
use testkit::script::Stage as _;
use tokio::sync::watch;

/// Logs whose seals a test can hold back, and which it can give to another owner.
struct HeldLogs {
    inner: Arc<MemoryLog>,
    gate: watch::Sender<bool>,
    fenced: Arc<AtomicBool>,
}

struct HeldLog {
    inner: Arc<dyn Log>,
    gate: watch::Receiver<bool>,
    fenced: Arc<AtomicBool>,
}

fn run_held<F: AsyncFnOnce(&mut House, &HeldLogs)>(test: F) {
    let gate = watch::Sender::new(true);
    let held = |inner| Arc::new(HeldLogs { inner, gate, fenced: Arc::default() });
    run_over(held, async |house, logs| test(house, logs).await);
}

impl HeldLog {
    fn refuse_fenced(&self) -> store::Result<()> {
        if self.fenced.load(Ordering::Relaxed) {
            return Err(store::Error::new(ErrorKind::Fenced, "another process owns the log"));
        }
        Ok(())
    }
}

impl Logs for HeldLogs {
    fn open(&self, id: LogId) -> Job<'_, Arc<dyn Log>> {
        Box::pin(async move {
            let (inner, gate) = (self.inner.open(id).await?, self.gate.subscribe());
            Ok(Arc::new(HeldLog { inner, gate, fenced: self.fenced.clone() }) as Arc<dyn Log>)
        })
    }

    fn remove(&self, ids: &[LogId]) -> Job<'_, ()> {
        self.inner.remove(ids)
    }

    fn clock(&self) -> &Arc<ClockGuard> {
        self.inner.clock()
    }

    fn written(&self) -> Vec<LogId> {
        self.inner.written()
    }

    fn close(&self) -> Job<'_, ()> {
        self.inner.close()
    }

    fn trouble(&self) -> Option<String> {
        self.inner.trouble()
    }
}

impl Log for HeldLog {
    fn append(&self, batch: BatchBuilder, key_id: Option<&str>) -> store::Result<Pending> {
        self.refuse_fenced()?;
        self.inner.append(batch, key_id)
    }

    fn tail(&self) -> Tail {
        self.inner.tail()
    }

    fn read(&self, from: u64, records_max: usize, bytes_max: usize) -> Job<'_, RecordBatch> {
        Box::pin(async move {
            self.refuse_fenced()?;
            self.inner.read(from, records_max, bytes_max).await
        })
    }

    fn find_arrival(&self, arrival_ms: i64) -> Job<'_, u64> {
        self.inner.find_arrival(arrival_ms)
    }

    fn wait_beyond(&self, beyond: u64) -> Job<'_, ()> {
        self.inner.wait_beyond(beyond)
    }

    fn seal(&self) -> Job<'_, Tail> {
        let mut gate = self.gate.clone();
        Box::pin(async move {
            gate.wait_for(|open| *open).await.expect("the sender lives as long as the logs");
            self.inner.seal().await
        })
    }

    fn trim(&self, arrival_ms: i64) {
        self.inner.trim(arrival_ms);
    }

    fn trim_to(&self, ordinal: u64) {
        self.inner.trim_to(ordinal);
    }
}

/// A split waits for the disk of the records; streams of other accounts, and its own end, do not.
#[test]
fn a_split_that_waits_holds_up_nobody() {
    run_held(async |house, logs| {
        house.check("create a 1 \n create gone 1").await;
        logs.gate.send_replace(false);
        let script = "split a #0
            split gone #0 ; rest ; summary a = StreamStatus=UPDATING
            @111111111111 CreateStream StreamName=b ShardCount=1
            DeleteStream StreamName=gone
            rest
            @111111111111 summary b = StreamStatus=ACTIVE
            summary gone ! ResourceNotFoundException";
        house.check(script).await;
        logs.gate.send_replace(true);
        house.check("rest \n summary a = StreamStatus=ACTIVE \n shards a = [_ _ _]").await;
    });
}

/// Where another process owns a log its stream is not gone, and no writer waits for its children.
#[test]
fn a_log_of_another_owner_is_no_reshard_and_no_deletion() {
    run_held(async |house, logs| {
        house.check("create a 1 \n iterator a #0 TRIM_HORIZON = $at \n put a k x").await;
        logs.fenced.store(true, Ordering::Relaxed);
        // Nobody moves the clock: what waited for five seconds would wait for ever.
        let unavailable = "ServiceUnavailableException";
        house.check(&format!("put a k x ! {unavailable} \n get $at ! {unavailable}")).await;
    });
}
