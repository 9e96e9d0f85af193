//! CloudWatch in the real program.

use crate::support::Running;
use api::Timestamp;
use api::cloudwatch::{
    Dimension, GetMetricStatisticsInput, MetricDatum, PutMetricDataInput, Statistic, ops,
};
use client::{Client, Config, Retry};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Semaphore;
use wire::Protocol;

const PUTTERS: usize = 8;

fn client(server: &Running, retry: Retry) -> Client {
    let protocol = Protocol::Json10;
    Client::new(Config { protocol, retry, ..Config::new(server.endpoint()) }).unwrap()
}

fn datum(putter: usize) -> PutMetricDataInput {
    let dimension = Dimension { name: "Putter".into(), value: putter.to_string().into() };
    let datum = MetricDatum {
        metric_name: "ones".into(),
        dimensions: Some(vec![dimension]),
        value: Some(1.0),
        ..MetricDatum::default()
    };
    PutMetricDataInput {
        namespace: "kill".into(),
        metric_data: Some(vec![datum]),
        ..PutMetricDataInput::default()
    }
}

/// How many values of a putter there are.
async fn count(client: &Client, putter: usize) -> u64 {
    let now_ms = client::system_env().clock.now_ms();
    let input = GetMetricStatisticsInput {
        namespace: "kill".into(),
        metric_name: "ones".into(),
        dimensions: Some(vec![Dimension {
            name: "Putter".into(),
            value: putter.to_string().into(),
        }]),
        start_time: Timestamp(now_ms - 3_600_000),
        end_time: Timestamp(now_ms + 3_600_000),
        period: 60,
        statistics: Some(vec![Statistic::SampleCount]),
        ..GetMetricStatisticsInput::default()
    };
    let answer = client.call::<ops::GetMetricStatistics>(&input).await.unwrap();
    let datapoints = answer.datapoints.unwrap_or_default();
    datapoints.iter().filter_map(|point| point.sample_count).sum::<f64>() as u64
}

/// Every acknowledged value is there after `kill -9`, and at most one of each putter was not
/// acknowledged.
#[tokio::test(flavor = "multi_thread")]
async fn values_outlive_kill_9() {
    let mut server = Running::start(&[]);
    let once = Arc::new(client(&server, Retry::NONE));
    let acked: Arc<Vec<AtomicU64>> = Arc::new((0..PUTTERS).map(|_| AtomicU64::new(0)).collect());
    let all = Arc::new(Semaphore::new(0));
    let putters: Vec<_> = (0..PUTTERS)
        .map(|putter| {
            let (client, acked, all) = (once.clone(), acked.clone(), all.clone());
            tokio::spawn(async move {
                while client.call::<ops::PutMetricData>(&datum(putter)).await.is_ok() {
                    acked[putter].fetch_add(1, Ordering::Relaxed);
                    all.add_permits(1);
                }
            })
        })
        .collect();
    drop(all.acquire_many(300).await.unwrap());
    server.kill();
    for putter in putters {
        putter.await.unwrap();
    }
    server.restart();
    let patient = client(&server, Retry::default());
    for (putter, acked) in acked.iter().enumerate() {
        let (acked, found) = (acked.load(Ordering::Relaxed), count(&patient, putter).await);
        assert!((acked..=acked + 1).contains(&found), "{putter}: {found} of {acked}");
    }
}

/// The commands, as people use them.
#[test]
fn metrics_and_alarms_on_the_command_line() {
    let server = Running::start(&[]);
    let run = |line: &str| server.run(&line.split(' ').collect::<Vec<_>>());
    assert_eq!(run("metrics ls --output text"), "");
    assert_eq!(run("alarm put busy N m --above 5"), "alarm busy watches m\n");
    let listed = run("alarm ls --output text");
    assert!(listed.starts_with("busy\tINSUFFICIENT_DATA\t"), "{listed}");
    let tested = run("alarm test busy --output text");
    let want = "\tStateUpdate\tAlarm updated from INSUFFICIENT_DATA to ALARM\n";
    assert!(tested.ends_with(want), "{tested}");
    let listed = run("alarm ls --state alarm --output text");
    assert!(listed.contains("A test by millweir alarm test"), "{listed}");
    assert_eq!(run("metrics get N m --output json"), "[]\n");
    let drawn = run("metrics watch N m --times 1");
    assert!(drawn.starts_with("N m Sum   last no values\n"), "{drawn}");
}
