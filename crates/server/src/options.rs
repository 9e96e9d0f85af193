//! What a server can be told; plain data.

use crate::tls::TlsOptions;
use base::AccountId;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use wire::sigv4::Secret;

/// How much a signature must prove.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AuthMode {
    /// A signature must be present and well formed; it is not verified.
    #[default]
    Any,
    /// A signature must be right, by a configured key.
    Required,
}

/// Everything about a server but its services and keys.
#[derive(Clone, Debug)]
pub struct Options {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where certificates come from.
    pub tls: TlsOptions,
    /// Whether connections without TLS are closed.
    pub tls_only: bool,
    /// How much a signature must prove.
    pub auth: AuthMode,
    /// The account of keys that name none.
    pub account: AccountId,
    /// The partition of what is in no region: accounts' roots, users, roles.
    pub partition: &'static str,
    /// Names, beside loopback ones and the machine's, under which the health and metrics pages
    /// answer when the server listens on loopback only; with [`AuthMode::Any`] all else too.
    pub host_names: Vec<String>,
    /// Origins of web pages that may call under [`AuthMode::Required`], as `https://a.example`;
    /// `*` for all. Under [`AuthMode::Any`] none may.
    pub cors_origins: Vec<String>,
    /// With which a client may read the metrics, as a bearer token; without one those on this
    /// machine may, as long as the server listens on loopback.
    pub metrics_token: Option<Secret>,
    /// Whether clients off this machine may read the metrics where there is no token.
    pub open_metrics: bool,
    /// Shown by the health pages.
    pub version: String,
    /// Bounds.
    pub limits: Limits,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, PORT)),
            tls: TlsOptions::default(),
            tls_only: false,
            auth: AuthMode::Any,
            account: AccountId::DEFAULT,
            partition: "aws",
            host_names: Vec::new(),
            cors_origins: vec!["*".to_owned()],
            metrics_token: None,
            open_metrics: false,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            limits: Limits::default(),
        }
    }
}

/// The port that AWS emulators have made known.
const PORT: u16 = 4566;

/// Bounds on what clients can hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Open connections; for one more an idle one is closed. Fewer when a quarter of the memory is
    /// too little for so many.
    pub connections_max: usize,
    /// Memory that all clients together may cause: connections, heads, bodies, windows, answers and
    /// events. Who finds no room in it gets `ServiceUnavailableException`.
    pub memory_bytes_max: usize,
    /// Longest wait for room in it.
    pub room_timeout: Duration,
    /// Time for a TLS handshake and for the head of an HTTP/1.1 request, from the first byte on.
    pub header_timeout: Duration,
    /// Time in which a body must bring another 16 KiB, or end; all of it must come in this time and
    /// a second for each 64 KiB.
    pub body_timeout: Duration,
    /// Time after which a connection without requests is closed, one that takes no bytes of an
    /// event stream or a large answer is cut, and a stream of HTTP/2 that takes none is reset.
    pub idle_timeout: Duration,
    /// Time that requests in flight have when the server stops.
    pub shutdown_timeout: Duration,
    /// Bytes of one request's head, over HTTP/2 16 KiB at most.
    pub header_bytes_max: u32,
    /// Concurrent streams of one HTTP/2 connection.
    pub http2_streams_max: u32,
}

/// Memory of a connection that does nothing beyond HTTP/1.1: its task, and a small buffer of HTTP
/// and of what it says of itself (measured: 11 KiB of HTTP/1.1 that just spoke).
const CONNECTION_BYTES: usize = 16 << 10;
/// Part of the memory that connections may have as such.
const CONNECTIONS_PART: usize = 4;

impl Limits {
    /// Connections that there is memory for.
    pub(crate) fn places(&self) -> usize {
        let most = self.memory_bytes_max / CONNECTIONS_PART / CONNECTION_BYTES;
        self.connections_max.min(most).max(1)
    }

    /// Memory that is left for what they do.
    pub(crate) fn budget_bytes(&self) -> usize {
        self.memory_bytes_max.saturating_sub(self.places() * CONNECTION_BYTES)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 8192,
            memory_bytes_max: 768 << 20,
            room_timeout: Duration::from_secs(5),
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(20),
            idle_timeout: Duration::from_mins(2),
            shutdown_timeout: Duration::from_secs(8),
            header_bytes_max: 64 << 10,
            http2_streams_max: 128,
        }
    }
}
