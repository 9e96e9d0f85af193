//! One call: encode, sign, send, decode; or a service in this process is asked.

use crate::retry::Attempts;
use crate::subscription::Subscription;
use crate::transport::Transport;
use crate::{Config, Error, ErrorKind, Retry};
use api::kinesis::{SubscribeToShardInput, ops};
use api::{Boxed, Handle, Operation};
use base::{Cx, Env};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, USER_AGENT};
use http::{HeaderValue, StatusCode};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use wire::sigv4::{Parts, Scope, Signer, payload_hash};
use wire::{ErrorBody, Protocol};

/// How subscriptions are asked for, whatever else is.
const JSON: Protocol = Protocol::Json11;
const X_AMZ_TARGET: &str = "x-amz-target";
const X_AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
const X_AMZ_SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("millweir/", env!("CARGO_PKG_VERSION")));

/// A client of one endpoint, region and key; cheap to clone.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    config: Config,
    way: Way,
    /// By signing name of the service.
    signers: Mutex<BTreeMap<&'static str, Arc<Signer>>>,
}

/// How a service is reached.
enum Way {
    Network(Box<Transport>),
    /// In this process, in the name of somebody.
    Here(Arc<dyn Handle>, Box<Cx>),
}

impl Client {
    /// Makes a client; no connection is opened yet.
    ///
    /// # Errors
    /// `Config` when the endpoint or the certificates are unusable.
    pub fn new(config: Config) -> Result<Self, Error> {
        let way = Way::Network(Box::new(Transport::new(&config)?));
        Ok(Self(Arc::new(Inner { config, way, signers: Mutex::default() })))
    }

    /// A client of a service in this process, in the name of `cx`: nothing is encoded, sent or
    /// checked against the model. Of `config` it is the retries and the environment that count.
    pub fn of_service(service: Arc<dyn Handle>, cx: Cx, config: Config) -> Self {
        let way = Way::Here(service, Box::new(cx));
        Self(Arc::new(Inner { config, way, signers: Mutex::default() }))
    }

    /// Does one operation, again after passing failures as [`Config::retry`] says.
    ///
    /// # Errors
    /// The last attempt's.
    /// # Cancel safety
    /// Dropping it leaves open whether the server does the call.
    pub async fn call<O: Operation>(&self, input: &O::Input) -> Result<O::Output, Error> {
        self.call_with::<O>(input, self.0.config.retry).await
    }

    /// As [`Client::call`], with these retries.
    ///
    /// # Errors
    /// The last attempt's.
    pub async fn call_with<O: Operation>(
        &self,
        input: &O::Input,
        retry: Retry,
    ) -> Result<O::Output, Error> {
        let protocol = self.0.config.protocol;
        let sent = match &self.0.way {
            Way::Network(transport) => Some((transport, O::encode(protocol.format(), input))),
            Way::Here(..) => None,
        };
        let mut attempts = Attempts::new(retry, self.env());
        let mut broken = false;
        loop {
            let done = match &sent {
                Some((transport, body)) => self.once::<O>(transport, body.clone()).await,
                None => self.here::<O>(input).await,
            };
            let done = done.map_err(|e| e.after(broken));
            match done {
                Err(e) if e.is_transient() => {
                    broken |= e.kind() == ErrorKind::Broken;
                    if !attempts.pause().await {
                        return Err(e);
                    }
                }
                done => return done,
            }
        }
    }

    /// Opens a fan-out subscription of one shard; one attempt.
    ///
    /// # Errors
    /// What the server answered before the first event, or the connection's trouble.
    pub async fn subscribe(&self, input: &SubscribeToShardInput) -> Result<Subscription, Error> {
        let transport = match &self.0.way {
            Way::Network(transport) => transport,
            Way::Here(..) => {
                let events = self.output::<ops::SubscribeToShard>(input).await?;
                return Ok(Subscription::of_events(*events.downcast().map_err(|_| mistyped())?));
            }
        };
        let body = ops::SubscribeToShard::encode(JSON.format(), input);
        let host = transport.host();
        let headers = self.headers::<ops::SubscribeToShard>((JSON, host), &body)?;
        let response = transport.head(headers, body).await?;
        let status = response.status();
        if status == StatusCode::OK {
            return Ok(Subscription::new(response.into_body()));
        }
        let body = transport.rest(response.into_body()).await?;
        Err(refusal(JSON, status, &body))
    }

    pub(crate) fn env(&self) -> &Env {
        &self.0.config.env
    }

    /// What a service in this process says.
    async fn output<O: Operation>(&self, input: &O::Input) -> Result<Boxed, Error> {
        let Way::Here(service, cx) = &self.0.way else { return Err(mistyped()) };
        let input = O::boxed(input).ok_or_else(mistyped)?;
        let called = service.call(cx, O::NAME, input).await;
        called.map_err(|e| Error::refused(e.status, e.code, e.message))
    }

    async fn here<O: Operation>(&self, input: &O::Input) -> Result<O::Output, Error> {
        let output = self.output::<O>(input).await?;
        output.downcast().map(|output| *output).map_err(|_| mistyped())
    }

    async fn once<O: Operation>(
        &self,
        transport: &Transport,
        body: Bytes,
    ) -> Result<O::Output, Error> {
        let protocol = self.0.config.protocol;
        let headers = self.headers::<O>((protocol, transport.host()), &body)?;
        let answer = transport.whole(headers, body).await?;
        if answer.status != StatusCode::OK {
            return Err(refusal(protocol, answer.status, &answer.body));
        }
        O::decode(protocol.format(), answer.body).map_err(|e| {
            let text = format!("unreadable answer to {}: {}", O::NAME, e.message);
            Error::local(ErrorKind::Malformed, text)
        })
    }

    fn headers<O: Operation>(
        &self,
        (protocol, host): (Protocol, &str),
        body: &[u8],
    ) -> Result<HeaderMap, Error> {
        let target = format!("{}.{}", O::TARGET_PREFIX, O::NAME);
        let covered = [
            ("content-type", protocol.content_type().as_bytes()),
            ("host", host.as_bytes()),
            (X_AMZ_TARGET, target.as_bytes()),
        ];
        let parts = Parts { method: "POST", path: "/", query: "", headers: &covered };
        let signer = self.signer(O::SIGNING_NAME);
        let signed = signer.sign(&parts, &payload_hash(body), self.env().clock.now_ms());
        let mut headers = HeaderMap::with_capacity(8);
        headers.insert(HOST, value(host)?);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(protocol.content_type()));
        headers.insert(X_AMZ_TARGET, value(&target)?);
        headers.insert(X_AMZ_DATE, value(&signed.x_amz_date)?);
        headers.insert(AUTHORIZATION, value(&signed.authorization)?);
        headers.insert(USER_AGENT, AGENT);
        if let Some(token) = &signer.credentials().session_token {
            headers.insert(X_AMZ_SECURITY_TOKEN, value(token.reveal())?);
        }
        Ok(headers)
    }

    fn signer(&self, service: &'static str) -> Arc<Signer> {
        let mut signers = self.0.signers.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || {
            let scope = Scope { region: &self.0.config.region, service };
            Arc::new(Signer::new(self.0.config.credentials.clone(), scope))
        };
        signers.entry(service).or_insert_with(make).clone()
    }
}

/// An operation or an output that is none of the service in this process.
fn mistyped() -> Error {
    Error::local(ErrorKind::Config, "the service in this process has no such operation")
}

/// The text is not repeated: it may be a session token.
fn value(text: &str) -> Result<HeaderValue, Error> {
    let wrong = |_| Error::local(ErrorKind::Config, "a key, token or host cannot be in a header");
    HeaderValue::from_str(text).map_err(wrong)
}

/// An error answer. A proxy's page is no error body: its status is all there is to tell then.
fn refusal(protocol: Protocol, status: StatusCode, body: &Bytes) -> Error {
    match ErrorBody::read(protocol.format(), body.clone()) {
        Ok(read) if !read.code.is_empty() => {
            Error::refused(status.as_u16(), read.code.as_str(), read.message.as_str())
        }
        _ => {
            let code = format!("Http{}", status.as_u16());
            Error::refused(status.as_u16(), code, status.canonical_reason().unwrap_or_default())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_answers() {
        let refusal = |status: u16, body: &'static [u8]| {
            let status = StatusCode::from_u16(status).unwrap();
            super::refusal(JSON, status, &Bytes::from_static(body))
        };
        let e = refusal(400, br#"{"__type":"ResourceNotFoundException","message":"no"}"#);
        assert_eq!((e.code(), e.message(), e.status()), ("ResourceNotFoundException", "no", 400));
        let e = refusal(502, b"<html>");
        assert_eq!((e.code(), e.message(), e.status()), ("Http502", "Bad Gateway", 502));
        assert!(e.is_transient());
    }
}
