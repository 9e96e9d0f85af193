//! The catalog: what every test of it shares.

mod crash;
mod faults;
mod flips;
mod histories;
mod model;

use bytes::Bytes;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use store::catalog::{LocalCatalog, LocalCatalogOptions};
use store::{Catalog, ErrorKind, Result, Transaction};
use testkit::sim_disk::{Fault, Op};
use testkit::{FakeEnv, SeededRng, block_on};

const DATA: &str = "/data";

/// Small logs, so that a short history rotates them.
const OPTIONS: LocalCatalogOptions = LocalCatalogOptions {
    log_bytes: 48 << 10,
    transaction_bytes_max: 64 << 10,
    waiting_bytes_max: 1 << 20,
};

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

/// A world with an empty data directory.
fn world(seed: u64) -> FakeEnv {
    let world = testkit::fake_env(seed);
    make_data(&world);
    world
}

fn make_data(world: &FakeEnv) {
    let disk = &world.env().disk;
    disk.create_dir_all(Path::new(DATA)).unwrap();
    disk.sync_dir(Path::new("/")).unwrap();
}

fn open(world: &FakeEnv) -> Result<Arc<LocalCatalog>> {
    LocalCatalog::open_with(Path::new(DATA), &world.env(), OPTIONS)
}

fn key(rng: &SeededRng) -> Vec<u8> {
    format!("{}/{:02}", ["a", "ab", "b"][rng.index(3)], rng.below(12)).into_bytes()
}

fn value(rng: &SeededRng) -> Vec<u8> {
    let len = if rng.chance(5) { 3_000 + rng.below(6_000) } else { rng.below(60) };
    let byte = rng.next_u64() as u8;
    (0..len).map(|i| byte.wrapping_add(i as u8)).collect()
}

fn transaction(rng: &SeededRng, model: &Model) -> Transaction {
    let mut transaction = Transaction::default();
    for _ in 0..rng.below(3) {
        let key = key(rng);
        let value = model.get(&key).cloned().map(Bytes::from);
        // One check in five is wrong.
        let value = if rng.chance(20) { Some(Bytes::from_static(b"not this")) } else { value };
        transaction.check(key, value);
    }
    for _ in 0..rng.below(5) {
        if rng.chance(30) {
            transaction.remove(key(rng));
        } else {
            transaction.put(key(rng), value(rng));
        }
    }
    transaction
}

fn holds(transaction: &Transaction, model: &Model) -> bool {
    transaction
        .checks
        .iter()
        .all(|(key, value)| model.get(key).map(Vec::as_slice) == value.as_deref())
}

fn apply(transaction: &Transaction, model: &mut Model) {
    for (key, value) in &transaction.writes {
        match value {
            Some(value) => model.insert(key.clone(), value.clone()),
            None => model.remove(key),
        };
    }
}

/// Every row of a catalog, through the door.
fn rows(catalog: &dyn Catalog) -> Model {
    let rows = catalog.scan(b"", None, usize::MAX);
    rows.into_iter().map(|(key, value)| (key.to_vec(), value.to_vec())).collect()
}

/// Commits a random transaction and holds the answer against the model; false when the disk failed,
/// after which the outcome is unknown.
fn step(catalog: &dyn Catalog, rng: &SeededRng, model: &mut Model, maybe: &mut Model) -> bool {
    let transaction = transaction(rng, model);
    let holds = holds(&transaction, model);
    maybe.clone_from(model);
    apply(&transaction, maybe);
    match block_on(catalog.commit(transaction)) {
        Ok(()) => {
            assert!(holds, "a wrong check passed");
            model.clone_from(maybe);
            true
        }
        Err(e) if e.kind() == ErrorKind::Conflict => {
            assert!(!holds, "a right check failed");
            maybe.clone_from(model);
            true
        }
        Err(e) => {
            assert!(matches!(e.kind(), ErrorKind::Unavailable | ErrorKind::Full), "{e}");
            if !holds {
                maybe.clone_from(model);
            }
            false
        }
    }
}

#[test]
fn what_is_accepted_before_a_close_is_there_after_it() {
    let world = world(1);
    let catalog = open(&world).unwrap();
    let put = |key: &str| {
        let mut transaction = Transaction::default();
        transaction.put(key.into(), b"v".to_vec());
        transaction
    };
    let accepted: Vec<_> = (0..9).map(|n| catalog.commit(put(&format!("a{n}")))).collect();
    assert_eq!(catalog.trouble(), None);
    block_on(catalog.close()).unwrap();
    assert_eq!(block_on(catalog.commit(put("b"))).unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(catalog.trouble().unwrap(), "the catalog is closed");
    block_on(catalog.close()).unwrap();
    assert_eq!(catalog.trouble().unwrap(), "the catalog is closed", "closed again");
    drop(accepted);
    drop(catalog);
    world.disk.crash(1);
    assert_eq!(open(&world).unwrap().scan(b"", None, 99).len(), 9);
}

/// Two that close it both wait for what was accepted; a failed commit is its caller's alone.
#[test]
fn a_close_is_no_failed_commit() {
    let world = world(1);
    let catalog = open(&world).unwrap();
    world.disk.fail(Fault::io(Op::Write).times(9));
    let mut transaction = Transaction::default();
    transaction.put(b"a".to_vec(), b"v".to_vec());
    let failed = catalog.commit(transaction);
    let (first, second) = (catalog.close(), catalog.close());
    assert!(block_on(failed).is_err());
    block_on(second).unwrap();
    block_on(first).unwrap();
}
