//! `serve`: from the configuration to a server that answers, and back down.
//!
//! ```text
//! settings -> Options -> port -> engines -> services -> sockets -> banner, `Ready.`
//! SIGHUP, a changed file -> access keys and certificates are read again
//! SIGTERM, SIGINT -> sockets drain -> services stop -> engines flush -> exit
//! ```

mod banner;
mod engines;
mod issuer;
mod logging;
mod open_files;
mod reread;
pub(crate) mod services;
mod topic_pages;

use crate::cli::ServeArgs;
use crate::config::options::{AccessKey, Options, Tls};
use crate::config::settings::Flag;
use crate::config::table::{FLUSH_MAX, STOP_MAX};
use crate::stop::{Hangups, Stop, end_within};
use crate::{access, config, files, output};
use anyhow::{Context as _, Result};
use base::Env;
use base::metrics::{Definition, Registry};
use engines::Engines;
use issuer::Issued;
use neighbors::iam::derived_user_id;
use reread::Reread;
use server::tls::TlsOptions;
use server::{Loops, Port, Server};
use services::Services;
use std::num::NonZero;
use std::sync::Arc;
use topic_pages::TopicPages;
use wire::sigv4::{Key, Keyring};

static BUILD_INFO: Definition = Definition::ours("millweir_build_info", "What runs here.");

/// What machines read on stdout.
const READY: &str = "Ready.";

/// Serves until SIGTERM or SIGINT, or until the terminal that it runs in is closed.
///
/// # Errors
/// The configuration, the data directory or the address cannot be used.
pub(crate) async fn run(args: &ServeArgs) -> Result<()> {
    let mut options = Options::read(&config::load(args)?, files::read_for)?;
    let env = server::system_env();
    let log = logging::start(&options, &env)?;
    let loops = Loops::start(processors()).context("cannot start threads")?;
    open_files::make_room(&mut options, loops.threads().count());
    // First: a signal that comes before it listens would not bound a start that hangs.
    Stop::bound(STOP_MAX)?;
    let signals = (Stop::listen_but_hangup()?, Hangups::listen()?);
    let registry = Registry::default();
    // A port in use is told before anything is made or read for it.
    let port = Port::take(server_options(&options))?;
    let server = {
        // The directory of the authority lies in the data directory, so that must be ours first.
        access::trust_data(&options)?;
        let engines = engines::open(&options, &env, &registry)?;
        access::own_data(&options)?;
        Running::start(options, port, engines, (env, registry)).await?
    };
    for (thread, handle) in loops.threads() {
        drop(handle.spawn(store::local::relay(OnLoop(thread))));
    }
    log.clients_come();
    server.serve(loops, signals, args.flags()).await
}

struct Running {
    options: Options,
    engines: Arc<Engines>,
    services: Services,
    server: Server,
    env: Env,
}

impl Running {
    async fn start(
        options: Options,
        port: Port,
        engines: Engines,
        (env, registry): (Env, Registry),
    ) -> Result<Self> {
        registry.gauge(&BUILD_INFO, &banner::BUILD).set(1);
        let base_url = banner::base_url(&options, port.local_addr());
        let services = services::open(&options, &engines, (&env, &registry), base_url).await?;
        let keys = keyring(&options.access_keys, options.server.partition, &services.issuer);
        let server = Server::on(port, env.clone(), registry, services.all(), keys)?;
        let engines = Arc::new(engines);
        let (asked, noted) = (engines.clone(), engines.clone());
        let server = server
            .with_readiness(Arc::new(move || asked.store.troubles()))
            .with_notes(Arc::new(move || noted.notes()))
            .with_site(Arc::new(TopicPages(services.topics.clone())));
        Ok(Self { options, engines, services, server, env })
    }

    async fn serve(
        self,
        loops: Loops,
        (mut stop, hangups): (Stop, Hangups),
        flags: Vec<Flag>,
    ) -> Result<()> {
        let Self { options, engines, services, server, env } = self;
        let removals = tokio::spawn(engines.store.remove_logs(env.clock.clone()));
        let address = server.local_addr();
        output::lines_of_ours(&banner::text(&options, &server, &env));
        let lines = format!("listening {}://{address}\n{READY}", banner::scheme(&options));
        if let Err(error) = output::line(&lines) {
            // Whoever started the server does not listen any more; its clients still may.
            tracing::warn!(%error, "nobody reads stdout");
        }
        tracing::info!(%address, "serving");
        let issuer = Arc::clone(&services.issuer);
        let reread = Reread::new(&options, flags, (server.renewal(), issuer), env.clock.clone());
        let stopped = async {
            tokio::select! {
                _ = stop.next() => {}
                () = reread.run(hangups) => end_within(STOP_MAX),
            }
        };
        server.run(loops, stopped).await;
        tracing::info!("stopping");
        let flush = async {
            services.close().await;
            removals.abort();
            drop(removals.await);
            engines.store.close().await
        };
        finish(flush, engines.clone(), env.clock.sleep(FLUSH_MAX)).await?;
        tracing::info!("stopped");
        Ok(())
    }
}

/// Waits for `flush` until `cut` resolves; then `engines` are left as they are, because the drop of
/// an engine waits for its disk. What was acknowledged is in the journal: the next start reads it
/// from there.
async fn finish<E>(
    flush: impl Future<Output = store::Result<()>>,
    engines: E,
    cut: impl Future<Output = ()>,
) -> Result<()> {
    tokio::select! {
        flushed = flush => flushed.context("not everything could be flushed"),
        () = cut => {
            tracing::warn!("the stop was cut short");
            std::mem::forget(engines);
            Ok(())
        }
    }
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// A thread of the server, as the store sees it.
struct OnLoop(server::LoopThread);

impl store::local::LoopThread for OnLoop {
    fn may_block(&self) -> bool {
        self.0.may_block()
    }

    fn set_blocked(&self, blocked: bool) {
        self.0.set_blocked(blocked);
    }
}

fn server_options(options: &Options) -> server::Options {
    let tls = match &options.tls {
        Tls { files: Some((certificate, key)), .. } => {
            TlsOptions::Files { certificate: certificate.clone(), key: key.clone() }
        }
        Tls { names, .. } => TlsOptions::Generated {
            dir: (!options.memory).then(|| options.data.join(TLS_DIR)),
            // The address that the banner names, unless it stands for all of the machine's.
            names: names.iter().cloned().chain(listened_on(options)).collect(),
        },
    };
    server::Options { tls, ..options.server.clone() }
}

fn listened_on(options: &Options) -> Option<String> {
    let ip = options.server.listen.ip();
    (!ip.is_unspecified()).then(|| ip.to_string())
}

/// Directory of the certificate authority in the data directory.
pub(crate) const TLS_DIR: &str = "tls";

/// The configured keys, and behind them those that clients made.
fn keyring(keys: &[AccessKey], partition: &str, issuer: &Arc<Issued>) -> Keyring {
    let keys = Keyring::new(keys.iter().map(|key| {
        let known = Key {
            secret_access_key: key.secret.clone(),
            session_token: key.session_token.clone(),
            expires_ms: key.expires_ms,
            account: key.account,
            caller_arn: format!("arn:{partition}:iam::{}:user/{}", key.account, key.name).into(),
            user_id: derived_user_id(&key.id).into(),
            role_arn: None,
            permissions: key.permissions.clone(),
        };
        (key.id.clone(), known)
    }));
    keys.with_issuer(issuer.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};

    #[tokio::test]
    async fn engines_that_do_not_flush_in_time_are_not_waited_for() {
        let engines = Arc::new(());
        finish(ready(Ok(())), engines.clone(), pending()).await.unwrap();
        assert_eq!(Arc::strong_count(&engines), 1);
        finish(pending(), engines.clone(), ready(())).await.unwrap();
        assert_eq!(Arc::strong_count(&engines), 2, "the last drop would wait for the disk");
    }
}
