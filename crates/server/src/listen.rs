//! The listening socket, and the life of a server.

use crate::admin::{Admin, Notes, Readiness, Token};
use crate::auth::Auth;
use crate::connection::{self, Accepted, Http};
use crate::crowd::{Crowd, Place};
use crate::ids::RequestIds;
use crate::loops::Loops;
use crate::meters::Meters;
use crate::options::{AuthMode, Options};
use crate::shared::{Shared, Stopping};
use crate::site::Site;
use crate::tls::{Tls, TlsError};
use base::Env;
use base::budget::Budget;
use base::metrics::Registry;
use std::fmt;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use wire::Service;
use wire::sigv4::Keyring;

/// Connections that wait in the kernel's queue.
const BACKLOG: u32 = 1024;
/// Connections that were told to go and are not gone yet, when one more is taken.
const LEAVING_MAX: usize = 16;
/// Pause after an accept that failed for want of file descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Time for the last requests to notice that their connections are gone.
const LANDING_MAX: Duration = Duration::from_millis(250);

/// Why a server does not start.
#[derive(Debug)]
pub enum Error {
    /// The address cannot be listened on.
    Listen(SocketAddr, io::Error),
    /// There are no certificates.
    Tls(TlsError),
    /// Signatures are required and there is no key that could make one.
    NoKeys,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen(address, error) => write!(f, "cannot listen on {address}: {error}"),
            Self::Tls(error) => write!(f, "TLS: {error}"),
            Self::NoKeys => f.write_str("`auth = \"required\"` needs at least one configured key"),
        }
    }
}

impl std::error::Error for Error {}

/// A port that was taken before there is anything to serve on it: connections wait in the kernel's
/// queue.
pub struct Port {
    options: Options,
    listener: TcpListener,
    address: SocketAddr,
}

impl Port {
    /// Takes the port that `options` name.
    ///
    /// # Errors
    /// [`Error::Listen`].
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn take(options: Options) -> Result<Self, Error> {
        let (listener, address) =
            listen(options.listen).map_err(|e| Error::Listen(options.listen, e))?;
        Ok(Self { options, listener, address })
    }

    /// Where connections arrive.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }
}

/// Changes what a server believes and shows while it runs.
#[derive(Clone)]
pub struct Renewal {
    auth: Arc<Auth>,
    tls: Option<Arc<Tls>>,
}

impl Renewal {
    /// Has every request that comes from now on judged by these keys, also on connections that are
    /// open.
    pub fn set_keys(&self, keys: Keyring) {
        self.auth.set_keys(keys);
    }

    /// Reads the certificate's files again, or issues another one; the old one stays when that
    /// fails.
    pub fn renew_certificate(&self) {
        if let Some(tls) = &self.tls {
            tls.renew();
        }
    }
}

/// A server that listens.
pub struct Server {
    shared: Shared,
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<Arc<Tls>>,
    stop: watch::Sender<bool>,
}

impl Server {
    /// As [`Server::on`] the port that `options` name.
    ///
    /// # Errors
    /// See [`Error`].
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn bind(
        options: Options,
        env: Env,
        registry: Registry,
        services: Vec<Arc<dyn Service>>,
        credentials: Keyring,
    ) -> Result<Self, Error> {
        Self::on(Port::take(options)?, env, registry, services, credentials)
    }

    /// Makes or reads certificates for a port that was taken. Connections are accepted once it
    /// runs.
    ///
    /// # Errors
    /// [`Error::Tls`] and [`Error::NoKeys`].
    pub fn on(
        port: Port,
        env: Env,
        registry: Registry,
        services: Vec<Arc<dyn Service>>,
        credentials: Keyring,
    ) -> Result<Self, Error> {
        let Port { options, listener, address } = port;
        if options.auth == AuthMode::Required && credentials.is_empty() {
            return Err(Error::NoKeys);
        }
        let tls = Tls::new(&options.tls, &env).map_err(Error::Tls)?.map(Arc::new);
        let (stop, stopping) = Stopping::new();
        let budget = Budget::new(options.limits.budget_bytes());
        let meters = Meters::new(&registry, &services);
        let shared = Shared {
            auth: Arc::new(Auth::new(credentials, &options)),
            admin: Admin {
                registry,
                readiness: None,
                notes: None,
                version: options.version,
                started_ms: env.clock.now_ms(),
                loopback: address.ip().is_loopback(),
                host_names: with_machine(options.host_names),
                token: options.metrics_token.as_ref().and_then(Token::new),
                open_metrics: options.open_metrics,
                stopping: stopping.clone(),
                budget: Arc::clone(&budget),
                memory: meters.memory.clone(),
                connections: meters.connections.clone(),
                disk: Arc::clone(&env.disk),
                services: services.iter().map(|service| service.routes().signing_name).collect(),
            },
            sites: Vec::new(),
            meters,
            origins: options.cors_origins,
            ids: RequestIds::new(&*env.rng),
            crowd: Crowd::new(options.limits.places(), Arc::clone(&budget)),
            budget,
            flights: Arc::default(),
            limits: options.limits,
            tls_only: options.tls_only,
            env,
            services,
            stopping,
        };
        Ok(Self { shared, listener, address, tls, stop })
    }

    /// Asks `readiness` whenever a health page is read.
    #[must_use]
    pub fn with_readiness(mut self, readiness: Readiness) -> Self {
        self.shared.admin.readiness = Some(readiness);
        self
    }

    /// Asks for `notes` whenever a health page is read: they stand there, and change nothing else.
    #[must_use]
    pub fn with_notes(mut self, notes: Notes) -> Self {
        self.shared.admin.notes = Some(notes);
        self
    }

    /// Answers what `site` has, before any service is asked.
    #[must_use]
    pub fn with_site(mut self, site: Arc<dyn Site>) -> Self {
        self.shared.sites.push(site);
        self
    }

    /// Where the server listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// A handle for what may change while the server runs.
    pub fn renewal(&self) -> Renewal {
        Renewal { auth: Arc::clone(&self.shared.auth), tls: self.tls.clone() }
    }

    /// The certificate that clients must trust, in PEM, when it is of our own authority.
    pub fn ca_pem(&self) -> Option<&str> {
        self.tls.as_ref().and_then(|tls| tls.ca_pem())
    }

    /// Serves on `loops` until `shutdown` resolves, then lets requests in flight end for at most
    /// `shutdown_timeout`. Event streams end at once and cleanly; no handler runs afterwards,
    /// unless its thread is blocked.
    pub async fn run(self, loops: Loops, shutdown: impl Future<Output = ()>) {
        let Self { shared, listener, tls, stop, .. } = self;
        let limits = shared.limits;
        let http = Arc::new(Http::new(&limits, &shared.env.clock));
        let shared = Arc::new(shared);
        let mut connections = JoinSet::new();
        let host = Host { shared: &shared, http: &http, tls: tls.as_ref(), loops: &loops };
        let accepting = accept(&host, &listener, &mut connections);
        tokio::select! {
            () = accepting => {}
            () = renew(&shared, tls.as_ref()) => {}
            () = shutdown => {}
        }
        drop(listener);
        stop.send_replace(true);
        let clock = Arc::clone(&shared.env.clock);
        tokio::select! {
            () = async { while connections.join_next().await.is_some() {} } => {}
            () = clock.sleep(limits.shutdown_timeout) => {
                tracing::warn!(left = connections.len(), "connections cut at shutdown");
            }
        }
        tokio::select! {
            () = connections.shutdown() => {}
            // A thread that waits for the disk cannot be cut.
            () = clock.sleep(LANDING_MAX) => tracing::warn!("a connection's thread is blocked"),
        }
        // Streams of HTTP/2 run beside their connections and end soon after them; what their
        // handlers use may be closed only then.
        tokio::select! {
            () = shared.flights.landed() => {}
            () = clock.sleep(LANDING_MAX) => tracing::warn!("requests go on after the stop"),
        }
    }
}

/// The names under which the server may be meant, with the machine's own.
fn with_machine(mut host_names: Vec<String>) -> Vec<String> {
    host_names.push(rustix::system::uname().nodename().to_string_lossy().into_owned());
    host_names
}

fn listen(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    let listener = socket.listen(BACKLOG)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// What each connection is given.
struct Host<'a> {
    shared: &'a Arc<Shared>,
    http: &'a Arc<Http>,
    tls: Option<&'a Arc<Tls>>,
    loops: &'a Loops,
}

/// Accepts connections for ever; who finds no place, though others gave way, is closed.
async fn accept(host: &Host<'_>, listener: &TcpListener, connections: &mut JoinSet<()>) {
    let shared = host.shared;
    let connections_max = shared.limits.places() + LEAVING_MAX;
    loop {
        shared.meters.connections.set(connections.len() as u64);
        let room = connections.len() < connections_max;
        tokio::select! {
            accepted = listener.accept(), if room => {
                let begun = accepted.and_then(|(socket, from)| {
                    match shared.crowd.enter(from.ip()) {
                        Some(place) => host.spawn(socket, place, connections),
                        None => {
                            tracing::warn!("a connection found no place");
                            Ok(())
                        }
                    }
                });
                if let Err(error) = begun {
                    tracing::warn!(%error, "a connection could not be accepted");
                    shared.env.clock.sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(ended) = connections.join_next() => note_end(shared, ended),
        }
    }
}

impl Host<'_> {
    fn spawn(
        &self,
        socket: TcpStream,
        place: Place,
        connections: &mut JoinSet<()>,
    ) -> io::Result<()> {
        let (shared, http) = (Arc::clone(self.shared), Arc::clone(self.http));
        let tls = self.tls.cloned();
        let seat = self.loops.seat();
        // The loop that serves a socket must be the one that watches it.
        let socket = socket.into_std()?;
        let handle = seat.handle();
        let served = async move {
            match TcpStream::from_std(socket) {
                Ok(socket) => {
                    let accepted = Accepted { socket, seat, place: Arc::new(place) };
                    connection::serve(shared, http, tls, accepted).await;
                }
                Err(error) => tracing::warn!(%error, "a connection could not be served"),
            }
        };
        connections.spawn_on(served, &handle);
        Ok(())
    }
}

/// A panic outside of a service call takes its connection along, nothing else.
fn note_end(shared: &Shared, ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        shared.meters.panics.add(1);
        tracing::error!(%error, "a connection ended in a panic");
    }
}

/// Renews the server's certificate for ever.
async fn renew(shared: &Shared, tls: Option<&Arc<Tls>>) {
    let Some(tls) = tls else { return pending().await };
    loop {
        shared.env.clock.sleep(tls.renewal()).await;
        tls.renew();
    }
}
