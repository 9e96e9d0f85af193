//! The engines under the services: on disk, or in memory when told so.

use crate::config::options::Options;
use crate::keys::LocalKeys;
use anyhow::{Context as _, Result};
use base::Env;
use base::metrics::Registry;
use std::path::Path;
use std::sync::Arc;
use store::catalog::{LocalCatalog, MemoryCatalog};
use store::local::{KeyRing, Local};
use store::memory::MemoryLog;
use store::{Catalog, ShardLog, directory};
use streams::Keys;

/// What the services are built upon.
pub(super) struct Engines {
    pub(super) catalog: Arc<dyn Catalog>,
    pub(super) logs: Arc<dyn ShardLog>,
    pub(super) keys: Arc<dyn Keys>,
    /// The catalog on disk, which can become read-only.
    durable: Option<Arc<LocalCatalog>>,
}

impl Engines {
    /// Why nothing can be written now.
    pub(super) fn troubles(&self) -> Vec<String> {
        let catalog = self.durable.as_ref().and_then(|catalog| catalog.trouble());
        self.logs.trouble().into_iter().chain(catalog).collect()
    }
}

/// Opens the engines; the data directory is locked as long as they live.
///
/// # Errors
/// What the store says, naming the directory.
pub(super) fn open(options: &Options, env: &Env, registry: &Registry) -> Result<Engines> {
    let ring: Arc<KeyRing> = Arc::default();
    if options.memory {
        return Ok(Engines {
            catalog: MemoryCatalog::new(),
            logs: MemoryLog::new(env.clone(), options.memory_engine),
            keys: keys(options, env, &ring, None)?,
            durable: None,
        });
    }
    let dir = directory::open(&options.data, env)?;
    let keys = keys(options, env, &ring, Some(&options.encryption.keys_file))?;
    let catalog = LocalCatalog::open(dir.path(), env.clone())
        .with_context(|| format!("the catalog of `{}`", dir.path().display()))?;
    let storage =
        store::local::Options { keys: ring, metrics: registry.clone(), ..options.storage.clone() };
    let (logs, recovery) = Local::open_in(&dir, storage)?;
    tracing::info!(?recovery, "the records are open");
    // It saves a wake-up per append and ends with the runtime.
    tokio::spawn(logs.acker());
    Ok(Engines { catalog: catalog.clone(), logs, keys, durable: Some(catalog) })
}

fn keys(
    options: &Options,
    env: &Env,
    ring: &Arc<KeyRing>,
    file: Option<&Path>,
) -> Result<Arc<dyn Keys>> {
    let encryption = &options.encryption;
    let keys =
        LocalKeys::open(env.clone(), ring.clone(), &encryption.given, file, encryption.make_keys);
    Ok(Arc::new(keys.context("the encryption keys")?))
}
