//! Wall clocks that jump while the service runs.

use crate::house::{House, at_time, run};
use api::kinesis::*;
use std::time::Duration;
use testkit::env::START_MS;
use testkit::script::Stage as _;

const HOUR: Duration = Duration::from_hours(1);
const DAY_MS: i64 = 24 * 3_600_000;

impl House {
    /// Hours pass as for a service whose keeper looks all the time.
    async fn run_hours(&self, hours: u32) {
        for _ in 0..hours * 6 {
            self.pass(HOUR / 6).await;
        }
    }

    /// What a reader finds from a time on: the data, and when it arrived, in ms since the start.
    async fn since(&self, at: Option<i64>) -> Vec<(String, i64)> {
        let kind = at.map_or("TRIM_HORIZON".to_owned(), |at| at_time(START_MS + at));
        let at = self.iterator("s", "shardId-000000000000", &kind).await;
        let arrived = |r: &Record| r.approximate_arrival_timestamp.unwrap().0 - START_MS;
        let data = |r: &Record| String::from_utf8(r.data.to_vec()).unwrap();
        self.get(&at).await.records.iter().map(|r| (data(r), arrived(r))).collect()
    }

    fn in_doubt(&self) -> bool {
        let page = self.registry.render();
        page.contains("millweir_clock_in_doubt 1\n")
    }
}

fn all(records: &[(&str, i64)]) -> Vec<(String, i64)> {
    records.iter().map(|(data, at)| ((*data).to_owned(), *at)).collect()
}

/// A write while the clock is ahead, or behind, pins no shard to another time.
#[test]
fn a_clock_that_is_wrong_for_a_moment_leaves_no_trace() {
    for step_ms in [-400 * DAY_MS, -3 * 3_600_000, 2 * 3_600_000, 365 * DAY_MS] {
        run(async |house| {
            house.create("s", 1).await;
            let begun = house.now_ms() - START_MS;
            house.put("s", "k", "before").await.unwrap();
            house.fake.clock.jump_by(step_ms);
            house.put("s", "k", "during").await.unwrap();
            house.pass(HOUR / 2).await;
            assert!(house.in_doubt(), "{step_ms}");
            house.create("t", 1).await;
            let made = house.summary("t").await.unwrap().stream_creation_timestamp;
            assert!((made.0 - START_MS - begun).abs() < DAY_MS, "{made:?}");
            house.fake.clock.jump_by(-step_ms);
            let after = house.now_ms() - START_MS;
            house.put("s", "k", "after").await.unwrap();
            house.pass(Duration::from_secs(10)).await;
            assert!(!house.in_doubt(), "{step_ms}");
            let want = [("before", begun), ("during", begun), ("after", after)];
            assert_eq!(house.since(None).await, all(&want), "{step_ms}");
            assert_eq!(house.since(Some(after - 1)).await, all(&want[2..]), "{step_ms}");
            house.run_hours(48).await;
            assert_eq!(house.since(None).await, all(&[]), "{step_ms}");
        });
    }
}

/// The machine was paused, or its clock was late: after an hour retention goes on.
#[test]
fn retention_goes_on_after_a_suspend() {
    run(async |house| {
        house.create("s", 1).await;
        house.put("s", "k", "old").await.unwrap();
        house.fake.clock.jump_by(DAY_MS / 2);
        house.put("s", "k", "woken").await.unwrap();
        house.run_hours(2).await;
        assert!(!house.in_doubt());
        house.put("s", "k", "new").await.unwrap();
        let new = house.now_ms() - START_MS;
        house.run_hours(20).await;
        // Twelve hours were slept, and one was not trusted.
        assert_eq!(house.since(None).await.len(), 3, "none of them may be a day old");
        house.run_hours(3).await;
        house.pass(Duration::from_secs(10)).await;
        assert_eq!(house.since(None).await, all(&[("new", new)]));
        house.run_hours(2).await;
        assert_eq!(house.since(None).await, all(&[]));
        assert!(!house.in_doubt());
    });
}

/// A client whose clock is right asks by its own, while the server's is in doubt.
#[test]
fn now_is_no_future_while_the_clock_is_in_doubt() {
    run(async |house| {
        house.create("s", 1).await;
        house.put("s", "k", "old").await.unwrap();
        house.fake.clock.jump_by(DAY_MS);
        let now = house.now_ms() - START_MS;
        assert_eq!(house.since(Some(now)).await, all(&[]));
        let filter = format!("ShardFilter={{Type={}}}", at_time(house.now_ms()));
        house.check(&format!("shards s {filter} = [#0]")).await;
    });
}
