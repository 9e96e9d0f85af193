//! Random histories against an ordered map, the same for both engines.

use super::*;
use store::catalog::MemoryCatalog;
use testkit::simulate;

/// Compares everything that the door can answer.
fn compare(catalog: &dyn Catalog, model: &Model, rng: &SeededRng) {
    assert_eq!(&rows(catalog), model);
    let key = key(rng);
    assert_eq!(catalog.get(&key).as_deref(), model.get(&key).map(Vec::as_slice));
    let prefix = [&b"a/"[..], b"ab", b"b/0", b"zz"][rng.index(4)];
    let rows_max = rng.index(6);
    let want: Vec<_> = model
        .iter()
        .filter(|(k, _)| k.starts_with(prefix) && **k > key)
        .take(rows_max)
        .map(|(k, v)| (Bytes::from(k.clone()), Bytes::from(v.clone())))
        .collect();
    assert_eq!(catalog.scan(prefix, Some(&key), rows_max), want);
}

fn run(catalog: &dyn Catalog, rng: &SeededRng, model: &mut Model, steps: usize) {
    let mut maybe = Model::new();
    for _ in 0..steps {
        assert!(step(catalog, rng, model, &mut maybe), "the disk is well");
        compare(catalog, model, rng);
    }
}

#[test]
fn memory() {
    simulate(20, |seed| {
        let rng = SeededRng::new(seed);
        run(MemoryCatalog::new().as_ref(), &rng, &mut Model::new(), 60);
    });
}

#[test]
fn local_with_restarts() {
    simulate(20, |seed| {
        let (world, rng, mut model) = (world(seed), SeededRng::new(seed), Model::new());
        for life in 0..6 {
            let catalog = open(&world).unwrap();
            compare(catalog.as_ref(), &model, &rng);
            run(catalog.as_ref(), &rng, &mut model, 5 + rng.index(20));
            drop(catalog);
            let damages = LocalCatalog::verify(Path::new(DATA), &world.env()).unwrap().damages;
            assert_eq!(damages, [], "life {life}");
            if rng.chance(50) {
                world.disk.crash(seed + life);
            }
        }
    });
}

#[test]
fn local_on_real_files() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(base::env::OsDisk);
    let env = base::Env { disk, ..testkit::fake_env(1).env() };
    let (rng, mut model) = (SeededRng::new(1), Model::new());
    for _ in 0..3 {
        let catalog = LocalCatalog::open_with(dir.path(), &env, OPTIONS).unwrap();
        compare(catalog.as_ref(), &model, &rng);
        run(catalog.as_ref(), &rng, &mut model, 30);
        drop(catalog);
        assert_eq!(LocalCatalog::verify(dir.path(), &env).unwrap().damages, []);
    }
}

#[test]
fn two_generations_and_no_more() {
    let (world, rng, mut model) = (world(1), SeededRng::new(1), Model::new());
    let catalog = open(&world).unwrap();
    run(catalog.as_ref(), &rng, &mut model, 200);
    let files = world.disk.files();
    let count =
        |prefix: &str| files.iter().filter(|f| f.to_string_lossy().contains(prefix)).count();
    assert_eq!(count("snapshot-"), 2, "{files:?}");
    assert!(count("log-") <= 4, "{files:?}");
    assert_eq!(count(".tmp"), 0, "{files:?}");
}

#[test]
fn threads_never_lose_an_increment() {
    simulate(20, |seed| {
        let world = world(seed);
        let catalog = open(&world).unwrap();
        let threads = [(); 4].map(|()| {
            let catalog = Arc::clone(&catalog);
            let work = move || (0..50).for_each(|_| increment(&*catalog));
            world.env().spawn("increment".to_owned(), work).unwrap()
        });
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(catalog.get(b"n").as_deref(), Some(&b"200"[..]));
    });
}

fn increment(catalog: &dyn Catalog) {
    loop {
        let now = catalog.get(b"n");
        let n = now.as_deref().map_or(0, |n| std::str::from_utf8(n).unwrap().parse().unwrap());
        let mut transaction = Transaction::default();
        transaction.check(b"n".to_vec(), now);
        transaction.put(b"n".to_vec(), (n + 1_u32).to_string().into_bytes());
        match block_on(catalog.commit(transaction)) {
            Ok(()) => return,
            Err(e) => assert_eq!(e.kind(), ErrorKind::Conflict),
        }
    }
}

#[test]
fn too_large_is_invalid_and_a_large_one_gets_a_larger_log() {
    let world = world(1);
    let catalog = open(&world).unwrap();
    let commit = |bytes: usize| {
        let mut transaction = Transaction::default();
        transaction.put(b"big".to_vec(), vec![7; bytes]);
        block_on(catalog.commit(transaction))
    };
    assert_eq!(commit(64 << 10).unwrap_err().kind(), ErrorKind::Invalid);
    commit(63 << 10).unwrap();
    drop(catalog);
    assert_eq!(open(&world).unwrap().get(b"big").map(|v| v.len()), Some(63 << 10));
}

/// A reshard of 10,000 shards whose stream has the longest name: 40,000 rows.
#[test]
fn the_largest_reshard_is_one_transaction() {
    let world = world(1);
    let open = || LocalCatalog::open(Path::new(DATA), &world.env()).unwrap();
    let catalog = open();
    let mut transaction = Transaction::default();
    for shard in 0..40_000_u32 {
        let key = format!("{shard:0170}").into_bytes();
        transaction.put(key, vec![b'r'; 310]);
    }
    block_on(catalog.commit(transaction)).unwrap();
    drop(catalog);
    world.disk.kill();
    assert_eq!(open().scan(b"", None, usize::MAX).len(), 40_000);
}
