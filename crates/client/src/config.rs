//! What a client must be told.

use base::Env;
use std::time::Duration;
use wire::Protocol;
use wire::sigv4::{Credentials, Secret};

/// How often and how fast a refused call is sent again.
///
/// Sent again are throttling, answers from 500 on, and broken connections. After a broken
/// connection the first attempt may have been done: a record can then be written twice, and what
/// was made or taken away is refused the second time, see [`Error::tells_done`](crate::Error).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retry {
    /// Attempts in all, at least 1.
    pub attempts_max: u32,
    /// Pause before the second attempt; each further one doubles it. Halved at random.
    pub pause: Duration,
    /// Longest pause.
    pub pause_max: Duration,
}

impl Retry {
    /// One attempt.
    pub const NONE: Retry =
        Retry { attempts_max: 1, pause: Duration::ZERO, pause_max: Duration::ZERO };
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts_max: 4,
            pause: Duration::from_millis(50),
            pause_max: Duration::from_secs(2),
        }
    }
}

/// Time for one call from the first byte sent to the last byte read.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// Options of a [`Client`](crate::Client).
#[derive(Clone, Debug)]
pub struct Config {
    /// `http://` or `https://`, host, port; no path.
    pub endpoint: String,
    /// Region of the signature's scope.
    pub region: String,
    /// Who signs.
    pub credentials: Credentials,
    /// How requests are written. SubscribeToShard is always JSON, as AWS's own clients do it.
    pub protocol: Protocol,
    /// Certificates (PEM) that `https` endpoints may chain to.
    pub ca_pem: Option<Vec<u8>>,
    /// Retries of one call.
    pub retry: Retry,
    /// Time for one attempt; a subscription must only begin within it.
    pub timeout: Duration,
    /// Time, randomness and files.
    pub env: Env,
}

impl Config {
    /// A client of `endpoint` in `us-east-1` as `test`/`test`, JSON, default retries.
    pub fn new(endpoint: impl Into<String>) -> Self {
        let credentials = Credentials {
            access_key_id: "test".into(),
            secret_access_key: Secret::new("test"),
            session_token: None,
        };
        Self {
            endpoint: endpoint.into(),
            region: base::Region::default().as_str().to_owned(),
            credentials,
            protocol: Protocol::Json11,
            ca_pem: None,
            retry: Retry::default(),
            timeout: CALL_TIMEOUT,
            env: crate::system_env(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let mut config = Config::new("http://127.0.0.1:1");
        config.credentials.secret_access_key = Secret::new("canary");
        config.credentials.session_token = Some(Secret::new("canary"));
        assert!(!format!("{config:?}").contains("canary"));
    }
}
