//! One call: encode, sign, send, decode.

use crate::retry::Attempts;
use crate::subscription::Subscription;
use crate::transport::Transport;
use crate::{Config, Error, ErrorKind, Retry};
use api::Operation;
use api::kinesis::{SubscribeToShardInput, ops};
use base::Env;
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
    transport: Transport,
    /// By signing name of the service.
    signers: Mutex<BTreeMap<&'static str, Arc<Signer>>>,
}

impl Client {
    /// Makes a client; no connection is opened yet.
    ///
    /// # Errors
    /// `Config` when the endpoint or the certificates are unusable.
    pub fn new(config: Config) -> Result<Self, Error> {
        let transport = Transport::new(&config)?;
        Ok(Self(Arc::new(Inner { config, transport, signers: Mutex::default() })))
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
        let body = O::encode(protocol.format(), input);
        let mut attempts = Attempts::new(retry, self.env());
        let mut broken = false;
        loop {
            let done = self.once::<O>(protocol, body.clone()).await.map_err(|e| e.after(broken));
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
        let body = ops::SubscribeToShard::encode(JSON.format(), input);
        let headers = self.headers::<ops::SubscribeToShard>(JSON, &body)?;
        let response = self.0.transport.head(headers, body).await?;
        let status = response.status();
        if status == StatusCode::OK {
            return Ok(Subscription::new(response.into_body()));
        }
        let body = self.0.transport.rest(response.into_body()).await?;
        Err(refusal(JSON, status, &body))
    }

    pub(crate) fn env(&self) -> &Env {
        &self.0.config.env
    }

    async fn once<O: Operation>(
        &self,
        protocol: Protocol,
        body: Bytes,
    ) -> Result<O::Output, Error> {
        let headers = self.headers::<O>(protocol, &body)?;
        let answer = self.0.transport.whole(headers, body).await?;
        if answer.status != StatusCode::OK {
            return Err(refusal(protocol, answer.status, &answer.body));
        }
        O::decode(protocol.format(), answer.body).map_err(|e| {
            let text = format!("unreadable answer to {}: {}", O::NAME, e.message);
            Error::local(ErrorKind::Malformed, text)
        })
    }

    fn headers<O: Operation>(&self, protocol: Protocol, body: &[u8]) -> Result<HeaderMap, Error> {
        let target = format!("{}.{}", O::TARGET_PREFIX, O::NAME);
        let host = self.0.transport.host();
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
