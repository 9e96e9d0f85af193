//! Who asks: from a signature to an account and a region.

use crate::options::AuthMode;
use base::{AccountId, Region};
use bytes::Bytes;
use http::request::Parts as Head;
use wire::Refusal;
use wire::sigv4::{Claim, Credential, Keyring, Parts, Principal, payload_hash, verify};

/// How signatures are judged.
pub(crate) struct Auth {
    mode: AuthMode,
    keys: Keyring,
    account: AccountId,
}

impl Auth {
    pub(crate) fn new(mode: AuthMode, keys: Keyring, account: AccountId) -> Self {
        Self { mode, keys, account }
    }

    /// Judges a request's signature.
    ///
    /// # Errors
    /// Those of [`Claim::read`]; when signatures are required also those of [`verify`].
    pub(crate) fn check(
        &self,
        head: &Head,
        body: &Bytes,
        service: &str,
        now_ms: impl FnOnce() -> i64,
    ) -> Result<Principal, Refusal> {
        let headers = headers(head);
        let parts = Parts {
            method: head.method.as_str(),
            path: head.uri.path(),
            query: head.uri.query().unwrap_or_default(),
            headers: &headers,
        };
        match self.mode {
            AuthMode::Any => self.believe(&Claim::read(&parts)?.credential()),
            AuthMode::Required => {
                verify(&parts, &payload_hash(body), &self.keys, service, now_ms())
            }
        }
    }

    /// Takes a credential at its word.
    fn believe(&self, credential: &Credential<'_>) -> Result<Principal, Refusal> {
        let region = Region::parse(credential.region).map_err(|_| {
            let text = format!(
                "Credential should be scoped to a valid region, not '{}'.",
                credential.region
            );
            Refusal::client("InvalidSignatureException", text)
        })?;
        let partition = region.partition();
        if let Some(key) = self.keys.get(credential.access_key_id) {
            let (account, name) = (key.account, &key.user_name);
            let caller_arn = format!("arn:{partition}:iam::{account}:user/{name}").into();
            return Ok(Principal { account, region, caller_arn });
        }
        let account = AccountId::parse(credential.access_key_id).unwrap_or(self.account);
        let caller_arn = ["arn:", partition, ":iam::", account.as_str(), ":root"].concat().into();
        Ok(Principal { account, region, caller_arn })
    }
}

/// The headers a signature may cover; over HTTP/2 the host stands in the target.
fn headers(head: &Head) -> Vec<(&str, &[u8])> {
    let mut out = Vec::with_capacity(head.headers.len() + 1);
    out.extend(head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
    if let Some(authority) = head.uri.authority() {
        out.push((":authority", authority.as_str().as_bytes()));
    }
    out
}
