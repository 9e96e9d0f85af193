//! Bytes to the endpoint and back: kept connections, TLS, time-outs, a bound on answers.

use crate::{Config, Error, ErrorKind};
use base::Env;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// Largest answer read: GetRecords gives 10 MiB of data, a third more in base64, and keys.
const ANSWER_BYTES_MAX: usize = 64 << 20;
/// Below the idle time-out of servers and proxies, so that a kept connection is rarely a dead one.
const IDLE_MAX: Duration = Duration::from_secs(20);

/// A connection pool to one endpoint.
#[derive(Clone)]
pub(crate) struct Transport {
    http: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    uri: Uri,
    timeout: Duration,
    env: Env,
}

/// A whole answer.
pub(crate) struct Whole {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

impl Transport {
    /// # Errors
    /// `Config` when the endpoint is no `http` or `https` address or the certificates are
    /// unreadable.
    pub(crate) fn new(config: &Config) -> Result<Self, Error> {
        let uri = endpoint(&config.endpoint)?;
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(config.timeout));
        let tls = tls(config.ca_pem.as_deref(), uri.scheme_str() == Some("https"))?;
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        let http = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE_MAX)
            .build::<_, Full<Bytes>>(connector);
        Ok(Self { http, uri, timeout: config.timeout, env: config.env.clone() })
    }

    /// What stands in the `host` header.
    pub(crate) fn host(&self) -> &str {
        self.uri.authority().map_or("", |authority| authority.as_str())
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn whole(&self, headers: HeaderMap, body: Bytes) -> Result<Whole, Error> {
        self.timed(async {
            let response = self.send(headers, body).await?;
            let status = response.status();
            Ok(Whole { status, body: read(response.into_body()).await? })
        })
        .await
    }

    /// Sends a request and reads the answer's head within the time-out.
    pub(crate) async fn head(
        &self,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response<Incoming>, Error> {
        self.timed(self.send(headers, body)).await
    }

    /// Reads the rest of an answer within the time-out.
    pub(crate) async fn rest(&self, body: Incoming) -> Result<Bytes, Error> {
        self.timed(read(body)).await
    }

    async fn send(&self, headers: HeaderMap, body: Bytes) -> Result<Response<Incoming>, Error> {
        let mut request = Request::post(self.uri.clone())
            .body(Full::new(body))
            .expect("the address was checked when the client was made");
        *request.headers_mut() = headers;
        self.http.request(request).await.map_err(|e| {
            let kind = if e.is_connect() { ErrorKind::Unreachable } else { ErrorKind::Broken };
            Error::local(kind, format!("no answer from {}: {}", self.uri, chain(&e)))
        })
    }

    async fn timed<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        tokio::select! {
            done = work => done,
            () = self.env.clock.sleep(self.timeout) => {
                let text = format!("no answer from {} within {:?}", self.uri, self.timeout);
                Err(Error::local(ErrorKind::Broken, text))
            }
        }
    }
}

fn endpoint(text: &str) -> Result<Uri, Error> {
    if text.contains('@') {
        // The address is not repeated: what stands before the `@` is a secret.
        let text = "the endpoint must be without a user name or password";
        return Err(Error::local(ErrorKind::Config, text));
    }
    let wrong = |why: &str| Error::local(ErrorKind::Config, format!("endpoint `{text}`: {why}"));
    let uri: Uri = text.trim_end_matches('/').parse().map_err(|_| wrong("not an address"))?;
    let authority = uri.authority().filter(|_| matches!(uri.scheme_str(), Some("http" | "https")));
    let Some(authority) = authority else {
        return Err(wrong("must be as in `http://127.0.0.1:4566`"));
    };
    // A port that is no number counts as none there, and the scheme's would be taken.
    if authority.port_u16().is_none() && authority.as_str() != authority.host() {
        return Err(wrong("the port must be a number up to 65535"));
    }
    if uri.path() != "/" || uri.query().is_some() {
        return Err(wrong("must have no path"));
    }
    Ok(uri)
}

/// Why roots are demanded for `https` only: a plain endpoint needs none, and an empty store would
/// fail later with a text that names no remedy.
fn tls(ca_pem: Option<&[u8]>, wanted: bool) -> Result<ClientConfig, Error> {
    let wrong = |why: String| Error::local(ErrorKind::Config, why);
    let mut roots = RootCertStore::empty();
    for cert in CertificateDer::pem_slice_iter(ca_pem.unwrap_or_default()) {
        let cert = cert.map_err(|e| wrong(format!("unreadable certificate: {e}")))?;
        roots.add(cert).map_err(|e| wrong(format!("unusable certificate: {e}")))?;
    }
    if wanted && roots.is_empty() {
        return Err(wrong("an `https` endpoint needs the certificate that it chains to".into()));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| wrong(e.to_string()))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

async fn read(body: Incoming) -> Result<Bytes, Error> {
    match Limited::new(body, ANSWER_BYTES_MAX).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        // Why not as one that broke off: the next one would be as large.
        Err(e) if e.is::<LengthLimitError>() => {
            let text = format!("the answer is larger than {ANSWER_BYTES_MAX} bytes");
            Err(Error::local(ErrorKind::Malformed, text))
        }
        Err(e) => Err(Error::local(ErrorKind::Broken, format!("the answer broke off: {e}"))),
    }
}

/// An error with its causes: hyper's own text names none of them.
pub(crate) fn chain(e: &dyn std::error::Error) -> String {
    let mut text = e.to_string();
    let mut next = e.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints() {
        assert_eq!(endpoint("http://127.0.0.1:4566/").unwrap().port_u16(), Some(4566));
        for bad in ["", "127.0.0.1:4566", "ftp://a", "http://a/b", "http://a?b", "http://"] {
            assert_eq!(endpoint(bad).unwrap_err().kind(), ErrorKind::Config, "{bad}");
        }
    }

    #[test]
    fn https_without_roots_is_refused_at_once() {
        assert!(tls(None, false).is_ok());
        assert!(tls(None, true).unwrap_err().message().contains("certificate"));
        let garbage = b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
        assert!(tls(Some(garbage), true).is_err());
    }
}
