//! Posts: from an address to an answer.

use crate::guard::Guard;
use crate::names::{Names, SystemNames};
use crate::target::Target;
use crate::webhook::{SIGNATURE_HEADER, signature};
use crate::{Options, Trouble, tls};
use base::Env;
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Addresses of a name that are tried.
const ADDRESSES_MAX: usize = 4;
/// Who posts, unless the post says something else.
const AGENT: &str = "Millweir";

/// What is posted.
#[derive(Clone, Debug, Default)]
pub struct Post {
    /// Names in lower case, and values. `host` and the length are not among them.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Bytes,
}

/// What came of a post.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// As 200.
    pub status: u16,
    /// Its beginning, up to `answer_bytes_max`.
    pub body: Bytes,
    /// Whether that is all of it.
    pub is_whole: bool,
}

/// Sends posts; cheap to clone.
#[derive(Clone)]
pub struct Poster {
    env: Env,
    guard: Arc<Guard>,
    names: Arc<dyn Names>,
    tls: Arc<ClientConfig>,
    connect_timeout: Duration,
    total_timeout: Duration,
    answer_bytes_max: usize,
}

impl Poster {
    /// # Errors
    /// `Refused` the roots are unreadable.
    pub fn new(env: Env, options: &Options) -> Result<Self, Trouble> {
        Ok(Self {
            env,
            guard: Arc::new(Guard::new(options)),
            names: Arc::new(SystemNames),
            tls: tls::config(&options.roots_pem)?,
            connect_timeout: options.connect_timeout,
            total_timeout: options.total_timeout,
            answer_bytes_max: options.answer_bytes_max,
        })
    }

    /// With another way to resolve names.
    #[must_use]
    pub fn with_names(self, names: Arc<dyn Names>) -> Self {
        Self { names, ..self }
    }

    /// Whether an address has the form of one that may be posted to. Where its name points is not
    /// looked at: that may be another place when it is posted to.
    ///
    /// # Errors
    /// `Refused`.
    pub fn check(&self, url: &str) -> Result<(), Trouble> {
        let target = Target::parse(url)?;
        self.guard.check_port(target.port)?;
        match target.host.parse() {
            Ok(address) => self.check_address(&target.host, address),
            Err(_) => Ok(()),
        }
    }

    /// Posts to an address, over a connection of its own.
    ///
    /// Any status is an answer, redirects too.
    ///
    /// # Errors
    /// `Refused` the address may not be reached; `Unreachable`; `Broken` what came is no answer.
    /// # Cancel safety
    /// Dropped while it waits, the post may or may not have arrived.
    pub async fn post(&self, url: &str, post: Post) -> Result<Answer, Trouble> {
        let target = Target::parse(url)?;
        self.guard.check_port(target.port)?;
        let request = request(&target, post)?;
        self.within(self.total_timeout, async {
            let stream = self.within(self.connect_timeout, self.connect(&target)).await?;
            if !target.is_tls {
                return self.exchange(stream, request).await;
            }
            let stream = self.within(self.connect_timeout, self.secure(&target, stream)).await?;
            self.exchange(stream, request).await
        })
        .await
    }

    /// Posts JSON as a plain webhook, whose signature is described at [`signature`] and in its
    /// module: header `x-millweir-signature: t=<unix seconds>,v1=<hex HMAC-SHA-256 of "t.body">`.
    ///
    /// # Errors
    /// As [`Poster::post`].
    pub async fn post_signed(
        &self,
        url: &str,
        body: Bytes,
        secret: &[u8],
    ) -> Result<Answer, Trouble> {
        let now_s = self.env.clock.now_ms().div_euclid(1000);
        let headers = vec![
            ("content-type", "application/json".to_owned()),
            (SIGNATURE_HEADER, signature(secret, now_s, &body)),
        ];
        self.post(url, Post { headers, body }).await
    }

    fn check_address(&self, host: &str, address: IpAddr) -> Result<(), Trouble> {
        if self.guard.allows(host, address) {
            return Ok(());
        }
        Err(Trouble::refused(format!("`{host}` is at {address}, which must not be posted to")))
    }

    /// A connection to the first address that is allowed and answers.
    async fn connect(&self, target: &Target) -> Result<TcpStream, Trouble> {
        let host = &target.host;
        let found = self.names.find(host).await;
        let found =
            found.map_err(|e| Trouble::unreachable(format!("cannot find `{host}`: {e}")))?;
        let mut last = Trouble::unreachable(format!("`{host}` has no address"));
        for address in found.into_iter().take(ADDRESSES_MAX) {
            if let Err(refused) = self.check_address(host, address) {
                last = refused;
                continue;
            }
            match TcpStream::connect(SocketAddr::new(address, target.port)).await {
                Ok(stream) => {
                    // Fails only where the connection is gone, which the exchange tells.
                    let _gone = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Err(e) => {
                    let port = target.port;
                    let text = format!("cannot connect to `{host}` port {port}: {e}");
                    last = Trouble::unreachable(text);
                }
            }
        }
        Err(last)
    }

    async fn secure(
        &self,
        target: &Target,
        stream: TcpStream,
    ) -> Result<impl AsyncRead + AsyncWrite + Unpin + use<>, Trouble> {
        let host = &target.host;
        let name = ServerName::try_from(host.clone());
        let name = name.map_err(|_| Trouble::refused(format!("`{host}` is no name for TLS")))?;
        let secured = TlsConnector::from(self.tls.clone()).connect(name, stream).await;
        secured.map_err(|e| Trouble::unreachable(format!("no TLS with `{host}`: {e}")))
    }

    async fn exchange(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin,
        request: Request<Full<Bytes>>,
    ) -> Result<Answer, Trouble> {
        let broken = |e: hyper::Error| Trouble::broken(format!("no answer: {e}"));
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        let exchange = async {
            let response = sender.send_request(request).await.map_err(broken)?;
            self.read(response).await
        };
        let (mut exchange, mut connection) = (pin!(exchange), pin!(connection));
        tokio::select! {
            biased;
            answer = &mut exchange => answer,
            // What came before its end is still there.
            _ended = &mut connection => exchange.await,
        }
    }

    async fn read(&self, response: Response<Incoming>) -> Result<Answer, Trouble> {
        let status = response.status().as_u16();
        let (mut body, mut read) = (response.into_body(), BytesMut::new());
        let answer = |read: BytesMut, is_whole| Answer { status, body: read.freeze(), is_whole };
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|e| Trouble::broken(format!("the answer broke off: {e}")))?;
            let Ok(data) = frame.into_data() else { continue };
            let room = self.answer_bytes_max - read.len();
            if data.len() > room {
                read.extend_from_slice(&data[..room]);
                return Ok(answer(read, false));
            }
            read.extend_from_slice(&data);
        }
        Ok(answer(read, true))
    }

    async fn within<T>(
        &self,
        timeout: Duration,
        work: impl Future<Output = Result<T, Trouble>>,
    ) -> Result<T, Trouble> {
        tokio::select! {
            biased;
            done = work => done,
            () = self.env.clock.sleep(timeout) => {
                Err(Trouble::unreachable(format!("no answer within {timeout:?}")))
            }
        }
    }
}

fn request(target: &Target, post: Post) -> Result<Request<Full<Bytes>>, Trouble> {
    let wrong = |e: http::Error| Trouble::refused(format!("this cannot be posted: {e}"));
    let mut request =
        Request::post(&target.path_and_query).body(Full::new(post.body)).map_err(wrong)?;
    let headers = request.headers_mut();
    let value = |text: &str| HeaderValue::from_str(text).map_err(|e| wrong(e.into()));
    headers.insert(HOST, value(&target.authority)?);
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    for (name, text) in &post.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|e| wrong(e.into()))?;
        headers.insert(name, value(text)?);
    }
    Ok(request)
}

#[cfg(test)]
mod tests;
