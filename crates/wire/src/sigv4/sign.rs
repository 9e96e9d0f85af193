//! What a client does.

use super::canonical::{ALGORITHM, TERMINATOR, signing_key, string_to_sign};
use super::{Parts, Secret, date};
use base::hex;
use ring::hmac;
use std::sync::{Mutex, PoisonError};

/// What a client signs with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Names the key.
    pub access_key_id: String,
    /// Signs.
    pub secret_access_key: Secret,
    /// Goes along with temporary keys.
    pub session_token: Option<Secret>,
}

/// Where a signature is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope<'a> {
    /// As `us-east-1`.
    pub region: &'a str,
    /// Signing name of the service, as `kinesis`.
    pub service: &'a str,
}

/// The headers to add to a request; a session token goes into `x-amz-security-token` as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// Value of `x-amz-date`.
    pub x_amz_date: String,
    /// Value of `authorization`.
    pub authorization: String,
}

/// Signs one request.
///
/// `parts.headers`: what is to be covered, `host` (or `:authority`) among it; `x-amz-date` and
/// `x-amz-security-token` are added by this function. `payload`: [`super::payload_hash`] of the
/// body, or [`super::UNSIGNED_PAYLOAD`] when the header `x-amz-content-sha256` says so.
pub fn sign(
    parts: &Parts<'_>,
    payload: &str,
    credentials: &Credentials,
    scope: Scope<'_>,
    now_ms: i64,
) -> Signed {
    Signer::new(credentials.clone(), scope).sign(parts, payload, now_ms)
}

/// Signs many requests with one key; the derived key of the day is kept.
#[derive(Debug)]
pub struct Signer {
    credentials: Credentials,
    region: String,
    service: String,
    /// The day and its key.
    of_day: Mutex<Option<(String, hmac::Key)>>,
}

impl Signer {
    /// A signer for one region and service.
    pub fn new(credentials: Credentials, scope: Scope<'_>) -> Self {
        let (region, service) = (scope.region.to_owned(), scope.service.to_owned());
        Self { credentials, region, service, of_day: Mutex::new(None) }
    }

    /// What is signed with.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Signs one request; see [`sign`].
    pub fn sign(&self, parts: &Parts<'_>, payload: &str, now_ms: i64) -> Signed {
        let x_amz_date = date::format(now_ms);
        let day: String = x_amz_date.chars().take(8).collect();
        let mut headers = parts.headers.to_vec();
        headers.push(("x-amz-date", x_amz_date.as_bytes()));
        if let Some(token) = &self.credentials.session_token {
            headers.push(("x-amz-security-token", token.reveal().as_bytes()));
        }
        let mut names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        names.dedup();
        let signed = names.join(";");
        let scope = format!("{day}/{}/{}/{TERMINATOR}", self.region, self.service);
        let parts = Parts { headers: &headers, ..*parts };
        let text = string_to_sign(&parts, &signed, payload, (&x_amz_date, &scope));
        let signature = hex::encode(hmac::sign(&self.key_of(day), text.as_bytes()).as_ref());
        let key_id = &self.credentials.access_key_id;
        let authorization = format!(
            "{ALGORITHM} Credential={key_id}/{scope}, SignedHeaders={signed}, Signature={signature}"
        );
        Signed { x_amz_date, authorization }
    }

    fn key_of(&self, day: String) -> hmac::Key {
        let mut kept = self.of_day.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some((of, key)) if *of == day => key.clone(),
            _ => {
                let secret = self.credentials.secret_access_key.reveal();
                let key = signing_key(secret, &day, &self.region, &self.service);
                kept.insert((day, key)).1.clone()
            }
        }
    }
}
