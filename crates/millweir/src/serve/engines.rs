//! The engines under the services: on disk, or in memory when told so.

use crate::config::options::{Encryption, Options};
use anyhow::{Context as _, Result};
use base::Env;
use base::metrics::Registry;
use kit::{KMS, KeySource, LocalDataKeys};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use store::catalog::{LocalCatalog, MemoryCatalog};
use store::local::{KeyRing, Local, LowSpaceHook, Recovery};
use store::memory::MemoryLog;
use store::{Catalog, Scope, Store, data_dir};

/// Pause between two warnings of a full disk.
const LOW_SPACE_PAUSE: Duration = Duration::from_mins(1);

/// What the services are built upon.
pub(super) struct Engines {
    pub(super) store: Arc<Store>,
    pub(super) keys: Arc<LocalDataKeys>,
}

impl Engines {
    /// What an owner should know although everything can be written.
    pub(super) fn notes(&self) -> Vec<String> {
        let of_keys = self.keys.troubles().iter().cloned();
        self.store.clock().trouble().into_iter().chain(of_keys).collect()
    }
}

/// Opens the engines; the data directory is locked as long as they live.
///
/// # Errors
/// What the store says, naming the directory.
pub(super) fn open(options: &Options, env: &Env, registry: &Registry) -> Result<Engines> {
    let ring: Arc<KeyRing> = Arc::default();
    if options.memory {
        let catalog: Arc<dyn Catalog> = MemoryCatalog::new();
        let keys = keys(options, env, (&ring, &catalog), None)?;
        let logs = MemoryLog::new(env.clone(), options.memory_engine);
        return Ok(Engines { store: Store::open(catalog, logs, false)?, keys });
    }
    let dir = data_dir::open(&options.data, env)?;
    let catalog: Arc<dyn Catalog> = LocalCatalog::open(dir.path(), env)
        .with_context(|| format!("the catalog of `{}`", dir.path().display()))?;
    let file = Some(options.encryption.keys_file.as_path());
    let keys = keys(options, env, (&ring, &catalog), file)?;
    // The catalog knows streams only after their logs are there.
    anyhow::ensure!(
        Local::is_in(&dir)? || catalog.scan(b"", None, 1).is_empty(),
        "`{}` holds a catalog, but the records are missing: restore the whole directory",
        dir.path().display()
    );
    let storage = store::local::Options {
        keys: ring,
        metrics: registry.clone(),
        low_space_hook: Some(warn_of_low_space(env)),
        ..options.storage.clone()
    };
    let (logs, recovery) = Local::open_in(&dir, storage)?;
    tell(&recovery);
    // With a damaged journal removals may have been cut as well.
    let forgive = options.storage.cut_damaged_journal;
    Ok(Engines { store: Store::open(catalog, logs, forgive)?, keys })
}

/// Warns once a minute while the disk fills up; past a further mark the engine refuses writes.
fn warn_of_low_space(env: &Env) -> LowSpaceHook {
    let (clock, last) = (env.clock.clone(), Mutex::new(None));
    LowSpaceHook(Arc::new(move |space| {
        let (now, mut last) =
            (clock.monotonic(), last.lock().unwrap_or_else(PoisonError::into_inner));
        if last.is_none_or(|last| now >= last + LOW_SPACE_PAUSE) {
            *last = Some(now);
            tracing::warn!(free_bytes = space.free_bytes, "the disk is nearly full");
        }
    }))
}

/// What the start found; torn bytes were never acknowledged, cut ones were.
fn tell(found: &Recovery) {
    let (took_ms, logs) = (found.took.as_millis() as u64, found.logs);
    let (commits, records) = (found.commits, found.records);
    tracing::debug!(took_ms, logs, commits, records, "the records are open");
    if found.torn_bytes > 0 {
        tracing::info!(bytes = found.torn_bytes, "an unacknowledged write was torn and dropped");
    }
    if found.cut_bytes > 0 {
        tracing::warn!(bytes = found.cut_bytes, "acknowledged bytes were given up as asked");
    }
}

fn keys(
    options: &Options,
    env: &Env,
    (ring, catalog): (&Arc<KeyRing>, &Arc<dyn Catalog>),
    file: Option<&Path>,
) -> Result<Arc<LocalDataKeys>> {
    let Encryption { given, make_keys, .. } = &options.encryption;
    let source = KeySource { file, given, make_keys: *make_keys };
    let rows = Scope::new(catalog.clone(), KMS);
    let keys = LocalDataKeys::open(env.clone(), ring.clone(), rows, source);
    Ok(Arc::new(keys.context("the encryption keys")?))
}
