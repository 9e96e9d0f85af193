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
    /// Open connections; more wait in the kernel's queue.
    pub connections_max: usize,
    /// Requests in flight on all connections; past it one is refused before its body is read, with
    /// `ServiceUnavailableException`.
    pub requests_max: usize,
    /// Bytes of request bodies held at once by all requests.
    pub body_bytes_in_flight_max: usize,
    /// Longest wait for room among those bytes; then `ServiceUnavailableException`.
    pub body_room_timeout: Duration,
    /// Bytes of large answers that clients have not taken yet; past it such an answer becomes
    /// `ServiceUnavailableException`. One connection has an eighth, or one answer.
    pub answer_bytes_in_flight_max: usize,
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

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 8192,
            requests_max: 16 << 10,
            body_bytes_in_flight_max: 256 << 20,
            body_room_timeout: Duration::from_secs(5),
            answer_bytes_in_flight_max: 512 << 20,
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(20),
            idle_timeout: Duration::from_mins(2),
            shutdown_timeout: Duration::from_secs(8),
            header_bytes_max: 64 << 10,
            http2_streams_max: 128,
        }
    }
}
