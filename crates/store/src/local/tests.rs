//! The engine as its owner sees it, on the operating system's files.

use super::testing::os_env;
use super::*;
use crate::{BatchBuilder, Log};
use testkit::block_on;

fn batch(records: &[(&str, &str)]) -> BatchBuilder {
    let mut batch = BatchBuilder::default();
    for (key, data) in records {
        batch.push(key.as_bytes(), data.as_bytes());
    }
    batch
}

fn put(log: &Arc<dyn Log>, data: &str) -> u64 {
    block_on(log.append(batch(&[("k", data)]), None).unwrap()).unwrap().first_ordinal
}

fn data(log: &Arc<dyn Log>, from: u64) -> Vec<String> {
    let read = block_on(log.read(from, 1000, 1 << 20)).unwrap();
    read.records.iter().map(|r| String::from_utf8(r.data.to_vec()).unwrap()).collect()
}

#[test]
fn what_was_acknowledged_is_there_after_drop_and_after_close() {
    let (dir, env) = (tempfile::tempdir().unwrap(), os_env());
    for round in 0..4_u64 {
        let (local, recovery) = Local::open(dir.path(), &env, Options::default()).unwrap();
        assert_eq!(recovery.fresh, round == 0);
        let log = local.open(LogId(7)).unwrap();
        assert_eq!(log.tail().next_ordinal, round * 2);
        assert_eq!(put(&log, &format!("a{round}")), round * 2);
        assert_eq!(put(&log, &format!("b{round}")), round * 2 + 1);
        let want: Vec<_> = (0..=round).flat_map(|n| [format!("a{n}"), format!("b{n}")]).collect();
        assert_eq!(data(&log, 0), want);
        if round % 2 == 1 {
            block_on(local.close()).unwrap();
        }
    }
}
