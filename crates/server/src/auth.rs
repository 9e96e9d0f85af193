//! Who asks: from a signature to an account and a region, in two steps: [`Judge::hear`] sees the
//! head before the body is read, [`Judged::finish`] the body.

use crate::options::{AuthMode, Options};
use base::policy::Permissions;
use base::{AccountId, Region};
use bytes::Bytes;
use http::request::Parts as Head;
use parking_lot::RwLock;
use std::sync::Arc;
use wire::Refusal;
use wire::sigv4::{Addressee, Claim, Keyring, Parts, Principal, Unread, Vouched, payload_hash};

/// How signatures are judged.
pub(crate) struct Auth {
    mode: AuthMode,
    keys: RwLock<Arc<Keyring>>,
    account: AccountId,
    pub(crate) partition: &'static str,
}

/// Judges one request, by the keys of the moment when it came.
pub(crate) struct Judge<'s> {
    auth: &'s Auth,
    keys: Arc<Keyring>,
}

impl Auth {
    pub(crate) fn new(keys: Keyring, options: &Options) -> Self {
        let &Options { auth: mode, account, partition, .. } = options;
        Self { mode, keys: RwLock::new(Arc::new(keys)), account, partition }
    }

    pub(crate) fn mode(&self) -> AuthMode {
        self.mode
    }

    /// Has requests from now on judged by other keys.
    pub(crate) fn set_keys(&self, keys: Keyring) {
        *self.keys.write() = Arc::new(keys);
    }

    pub(crate) fn judge(&self) -> Judge<'_> {
        Judge { auth: self, keys: Arc::clone(&self.keys.read()) }
    }
}

impl Judge<'_> {
    /// Judges what a request's head tells of its signature, so that a body is read for nobody who
    /// shows none. `headers`: those of [`headers`].
    ///
    /// # Errors
    /// Those of [`Claim::read`]; when signatures are required also those of [`Vouched::read`].
    pub(crate) fn hear<'a>(
        &'a self,
        head: &'a Head,
        headers: &'a [(&'a str, &'a [u8])],
        to: Addressee<'_>,
        now_ms: i64,
    ) -> Result<Judged<'a>, Refusal> {
        let parts = Parts {
            method: head.method.as_str(),
            path: head.uri.path(),
            query: head.uri.query().unwrap_or_default(),
            headers,
        };
        Ok(match self.auth.mode {
            AuthMode::Any => Judged::Believed(self.believe(&Claim::read(&parts)?, now_ms)?),
            AuthMode::Required => {
                let vouched = Vouched::read(parts, &self.keys, to, now_ms)?;
                // Boxed, since every request would carry its size otherwise; an HMAC costs more.
                Judged::Vouched(Box::new(vouched))
            }
        })
    }

    /// Takes a credential at its word.
    ///
    /// Source: observed (answers to wrongly signed requests).
    fn believe(&self, claim: &Claim<'_>, now_ms: i64) -> Result<Principal, Refusal> {
        let credential = claim.credential();
        let region = Region::parse(credential.region).map_err(|_| {
            let text = format!(
                "Credential should be scoped to a valid region, not '{}'.",
                credential.region
            );
            Refusal::client("InvalidSignatureException", text)
        })?;
        // What was this server's and is over is refused even where any word is believed.
        let found = self.keys.find(credential.access_key_id, claim.token(), now_ms)?;
        if let Some((id, key)) = found {
            return Ok(Principal {
                account: key.account,
                region,
                caller_arn: Arc::clone(&key.caller_arn),
                access_key: Some(id),
                user_id: Some(Arc::clone(&key.user_id)),
                role_arn: key.role_arn.clone(),
                permissions: key.permissions.clone(),
            });
        }
        let account = AccountId::parse(credential.access_key_id).unwrap_or(self.auth.account);
        let caller_arn =
            ["arn:", self.auth.partition, ":iam::", account.as_str(), ":root"].concat().into();
        Ok(Principal {
            account,
            region,
            caller_arn,
            access_key: None,
            user_id: None,
            role_arn: None,
            permissions: Permissions::All,
        })
    }
}

/// A signature whose head is right.
pub(crate) enum Judged<'a> {
    /// Taken at its word.
    Believed(Principal),
    /// To be verified with the body.
    Vouched(Box<Vouched<'a>>),
}

impl Judged<'_> {
    /// Says who asks, once the body is there.
    ///
    /// # Errors
    /// Those of [`Vouched::verify`].
    pub(crate) fn finish(self, body: &Bytes, is_tls: bool) -> Result<Principal, Refusal> {
        match self {
            Self::Believed(principal) => Ok(principal),
            Self::Vouched(vouched) => vouched.verify(&payload_hash(body), is_tls),
        }
    }
}

impl Judged<'_> {
    /// Says who asks before the body is there; nothing when only its bytes can tell.
    ///
    /// # Errors
    /// Those of [`Vouched::verify_unread`].
    pub(crate) fn unread(&self, is_tls: bool) -> Result<Option<Unread>, Refusal> {
        match self {
            Self::Believed(principal) => {
                Ok(Some(Unread { principal: principal.clone(), sha256: None }))
            }
            Self::Vouched(vouched) => vouched.verify_unread(is_tls),
        }
    }
}

/// The headers a signature may cover; over HTTP/2 the host stands in the target.
pub(crate) fn headers(head: &Head) -> Vec<(&str, &[u8])> {
    let mut out = Vec::with_capacity(head.headers.len() + 1);
    out.extend(head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
    if let Some(authority) = head.uri.authority() {
        out.push((":authority", authority.as_str().as_bytes()));
    }
    out
}
