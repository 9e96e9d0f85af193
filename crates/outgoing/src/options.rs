//! What a server's owner can choose about posts.

use crate::Allowed;
use std::time::Duration;

/// Options of all posts.
#[derive(Clone, Debug)]
pub struct Options {
    /// Addresses and names that may be reached although they are internal.
    pub allowed: Vec<Allowed>,
    /// Whether this machine itself may be reached: when the server listens there alone, so that
    /// whoever can ask it for a post can reach the machine anyway.
    pub is_loopback_allowed: bool,
    /// Ports below 1024 that may be reached beside 80 and 443.
    pub ports: Vec<u16>,
    /// Longest time until a connection stands, with its name and its TLS.
    pub connect_timeout: Duration,
    /// Longest time of a whole post.
    pub total_timeout: Duration,
    /// Most bytes of an answer that are read.
    pub answer_bytes_max: usize,
    /// Certificates, PEM, that `https` addresses must chain to, see [`crate::system_roots`].
    pub roots_pem: Vec<u8>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            allowed: Vec::new(),
            is_loopback_allowed: false,
            ports: Vec::new(),
            connect_timeout: Duration::from_secs(5),
            total_timeout: Duration::from_secs(15),
            answer_bytes_max: 64 << 10,
            roots_pem: Vec::new(),
        }
    }
}
