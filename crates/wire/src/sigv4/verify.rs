//! What a server checks.

use super::canonical::{TERMINATOR, string_to_sign};
use super::claim::Form;
use super::{Claim, Credential, Key, Keyring, Parts, UNSIGNED_PAYLOAD, date};
use crate::Refusal;
use base::policy::Permissions;
use base::{AccountId, Region, hex};
use ring::hmac;
use std::sync::Arc;

/// How far a client's clock may be off, in milliseconds (observed: Kinesis answers `- 5 min.`).
const SKEW_MS: i64 = 5 * 60 * 1000;
/// Longest life of a query signature, in seconds: seven days.
const EXPIRES_SECONDS_MAX: i64 = 7 * 24 * 3600;

/// Who signed.
#[derive(Clone, Debug, PartialEq)]
pub struct Principal {
    /// The account of the key.
    pub account: AccountId,
    /// The region of the scope.
    pub region: Region,
    /// As `arn:aws:iam::123456789012:user/alice`.
    pub caller_arn: Arc<str>,
    /// Id of the key, when it is a configured one.
    pub access_key: Option<Arc<str>>,
    /// The unique id of its holder.
    pub user_id: Option<Arc<str>>,
    /// ARN of the role, when one of its sessions signed.
    pub role_arn: Option<Arc<str>>,
    /// What the key's user may do.
    pub permissions: Permissions,
}

/// What a request is addressed to.
#[derive(Clone, Copy, Debug)]
pub struct Addressee<'a> {
    /// The service's name in signatures.
    pub service: &'a str,
    /// Headers that the operation reads, which must be signed: [`crate::Operation::headers`].
    pub headers: &'a [&'a str],
}

/// A signature that is right as far as the head tells; the body decides the rest.
#[derive(Debug)]
pub struct Vouched<'a> {
    claim: Claim<'a>,
    parts: Parts<'a>,
    key_id: Arc<str>,
    key: Arc<Key>,
    signing_key: hmac::Key,
    signed_ms: i64,
    region: Region,
}

impl<'a> Vouched<'a> {
    /// Checks what needs no body of the signature of a request: form, scope, time, key, session
    /// token and what the signature covers.
    ///
    /// # Errors
    /// Those of [`Claim::read`]; `InvalidSignatureException` scope, time or coverage are wrong;
    /// `UnrecognizedClientException` no such key, or not its session token;
    /// `ExpiredTokenException`.
    pub fn read(
        parts: Parts<'a>,
        keys: &Keyring,
        to: Addressee<'_>,
        now_ms: i64,
    ) -> Result<Self, Refusal> {
        let claim = Claim::read(&parts)?;
        let credential = claim.credential();
        let signed_ms = signed_ms(&claim)?;
        let region = check_scope(&credential, to.service, signed_ms)?;
        check_time(&claim, signed_ms, now_ms)?;
        let found = keys.find(credential.access_key_id, claim.token.as_deref(), now_ms)?;
        let (key_id, key) = found.ok_or_else(unrecognized)?;
        let signing_key = keys.derived(&key, &credential);
        check_token(&claim, &key, &signing_key, now_ms)?;
        check_coverage(&claim, &parts, to.headers)?;
        Ok(Self { claim, parts, key_id, key, signing_key, signed_ms, region })
    }

    /// Checks the signature itself.
    ///
    /// `body_sha256`: [`super::payload_hash`] of the body as sent. `is_tls`: whether it came in a
    /// way that nobody could change it on; only then the signature may leave it out.
    ///
    /// # Errors
    /// `InvalidSignatureException` it is another.
    pub fn verify(&self, body_sha256: &str, is_tls: bool) -> Result<Principal, Refusal> {
        let payload = payload(&self.parts, body_sha256, is_tls)?;
        self.verify_payload(payload)
    }

    /// Checks the signature of a body that is not there yet: `None` when only its bytes can tell,
    /// else with the SHA-256 that they must have, where they must have one.
    ///
    /// # Errors
    /// `InvalidSignatureException` it is another.
    pub fn verify_unread(&self, is_tls: bool) -> Result<Option<Unread>, Refusal> {
        let is_hash =
            |told: &str| told.len() == 64 && told.bytes().all(|byte| byte.is_ascii_hexdigit());
        match self.parts.header("x-amz-content-sha256") {
            // Some clients sign the word for none and do not say so.
            None if is_tls => {
                let principal = self.verify_payload(UNSIGNED_PAYLOAD).ok();
                Ok(principal.map(|principal| Unread { principal, sha256: None }))
            }
            None => Ok(None),
            Some(UNSIGNED_PAYLOAD) => {
                let principal = self.verify("", is_tls)?;
                Ok(Some(Unread { principal, sha256: None }))
            }
            Some(told) if is_hash(told) => {
                let sha256 = told.to_ascii_lowercase();
                let principal = self.verify(&sha256, is_tls)?;
                Ok(Some(Unread { principal, sha256: Some(sha256) }))
            }
            Some(_) => Err(mismatch()),
        }
    }

    fn verify_payload(&self, payload: &str) -> Result<Principal, Refusal> {
        let Self { claim, parts, key_id, key, signing_key, signed_ms, region } = self;
        let Credential { date: day, region: in_region, service, .. } = claim.credential();
        let scope = format!("{day}/{in_region}/{service}/{TERMINATOR}");
        let signed_at = date::format(*signed_ms);
        let text = string_to_sign(parts, &claim.signed_headers, payload, (&signed_at, &scope));
        let signature: [u8; 32] = hex::decode(&claim.signature).ok_or_else(mismatch)?;
        hmac::verify(signing_key, text.as_bytes(), &signature).map_err(|_| mismatch())?;
        Ok(Principal {
            account: key.account,
            region: region.clone(),
            caller_arn: Arc::clone(&key.caller_arn),
            access_key: Some(Arc::clone(key_id)),
            user_id: Some(Arc::clone(&key.user_id)),
            role_arn: key.role_arn.clone(),
            permissions: key.permissions.clone(),
        })
    }
}

/// Who signed a body that is still to come.
#[derive(Clone, Debug, PartialEq)]
pub struct Unread {
    /// Who.
    pub principal: Principal,
    /// What the body's SHA-256 must be, in lower-case hexadecimal digits; none: anything.
    pub sha256: Option<String>,
}

/// Source: observed (answers to wrongly signed requests).
fn signed_ms(claim: &Claim<'_>) -> Result<i64, Refusal> {
    date::parse(&claim.date).ok_or_else(|| {
        let got = &claim.date;
        let text = format!("Date must be in ISO-8601 'basic format'. Got '{got}'.");
        Refusal::client("IncompleteSignatureException", text)
    })
}

/// Source: observed (answers to wrongly signed requests).
fn check_scope(
    credential: &Credential<'_>,
    service: &str,
    signed_ms: i64,
) -> Result<Region, Refusal> {
    let Credential { date: day, region, service: of_service, terminator, .. } = *credential;
    let region = Region::parse(region).map_err(|_| {
        invalid(format!("Credential should be scoped to a valid region, not '{region}'."))
    })?;
    if of_service != service {
        let text = format!("Credential should be scoped to correct service: '{service}'.");
        return Err(invalid(text));
    }
    if terminator != TERMINATOR {
        return Err(invalid(format!(
            "Credential should be scoped with a valid terminator: '{TERMINATOR}', not \
             '{terminator}'."
        )));
    }
    let at = date::format(signed_ms);
    if !(day.len() == 8 && at.starts_with(day)) {
        let of: String = at.chars().take(8).collect();
        return Err(invalid(format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from \
             HTTP: '{day}' != '{of}', from '{at}'."
        )));
    }
    Ok(region)
}

/// Source: observed (answers to wrongly signed requests).
fn check_time(claim: &Claim<'_>, signed_ms: i64, now_ms: i64) -> Result<(), Refusal> {
    let (at, now) = (date::format(signed_ms), date::format(now_ms));
    if signed_ms > now_ms + SKEW_MS {
        let bound = date::format(now_ms + SKEW_MS);
        return Err(invalid(format!(
            "Signature not yet current: {at} is still later than {bound} ({now} + 5 min.)"
        )));
    }
    let lifetime_ms = match (claim.form, &claim.expires) {
        (Form::Query, Some(seconds)) => expires_ms(seconds)?,
        _ => SKEW_MS,
    };
    if signed_ms + lifetime_ms >= now_ms {
        return Ok(());
    }
    if lifetime_ms == SKEW_MS {
        let bound = date::format(now_ms - SKEW_MS);
        return Err(invalid(format!(
            "Signature expired: {at} is now earlier than {bound} ({now} - 5 min.)"
        )));
    }
    let end = date::format(signed_ms + lifetime_ms);
    Err(invalid(format!("Signature expired: {now} is now later than {end}")))
}

/// Source: ours.
fn expires_ms(seconds: &str) -> Result<i64, Refusal> {
    let digits = Some(seconds).filter(|s| s.bytes().all(|b| b.is_ascii_digit()));
    let seconds = digits.and_then(|digits| digits.parse::<i64>().ok());
    let seconds = seconds.filter(|s| (0..=EXPIRES_SECONDS_MAX).contains(s));
    seconds.map(|s| s * 1000).ok_or_else(|| {
        let text =
            format!("X-Amz-Expires must be a number of seconds from 0 to {EXPIRES_SECONDS_MAX}.");
        Refusal::client("IncompleteSignatureException", text)
    })
}

/// Source: observed (answers to expired tokens).
fn check_token(
    claim: &Claim<'_>,
    key: &Key,
    signing_key: &hmac::Key,
    now_ms: i64,
) -> Result<(), Refusal> {
    match (&key.session_token, &claim.token) {
        (None, None) => Ok(()),
        (Some(want), Some(got)) => {
            // Comparing two HMACs takes the same time wherever the texts begin to differ.
            let want = hmac::sign(signing_key, want.reveal().as_bytes());
            hmac::verify(signing_key, got.as_bytes(), want.as_ref()).map_err(|_| unrecognized())?;
            match key.expires_ms {
                Some(end) if end <= now_ms => Err(Refusal::client(
                    "ExpiredTokenException",
                    "The security token included in the request is expired",
                )),
                _ => Ok(()),
            }
        }
        _ => Err(unrecognized()),
    }
}

/// A header that changes what the request means counts only under the signature.
///
/// Source: observed (answers to requests that do not sign their host).
fn check_coverage(claim: &Claim<'_>, parts: &Parts<'_>, meaning: &[&str]) -> Result<(), Refusal> {
    let covers = |name: &str| claim.signed_headers.split(';').any(|signed| signed == name);
    if !(covers("host") || covers(":authority")) {
        return Err(invalid(
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.".to_owned(),
        ));
    }
    let changes = |name: &str| {
        matches!(name, "x-amz-target" | "x-amz-security-token")
            || meaning.iter().any(|means| match means.strip_suffix('*') {
                Some(prefix) => name.starts_with(prefix),
                None => name == *means,
            })
    };
    match parts.headers.iter().find(|(name, _)| changes(name) && !covers(name)) {
        None => Ok(()),
        Some((name, _)) => {
            Err(invalid(format!("'{name}' must be a 'SignedHeader' in the AWS Authorization.")))
        }
    }
}

/// What stands for the body in the canonical request.
fn payload<'a>(parts: &Parts<'a>, body_sha256: &'a str, is_tls: bool) -> Result<&'a str, Refusal> {
    match parts.header("x-amz-content-sha256") {
        None => Ok(body_sha256),
        // Not `STREAMING-..`: the signatures of chunks would have to be checked, and no client of
        // these services sends any.
        Some(value) if value == UNSIGNED_PAYLOAD && is_tls => Ok(value),
        // The text is ours: AWS takes no plain connections to these services.
        Some(value) if value == UNSIGNED_PAYLOAD => Err(invalid(
            "'UNSIGNED-PAYLOAD' is accepted over TLS only. Sign the SHA-256 of the body."
                .to_owned(),
        )),
        Some(value) if value.eq_ignore_ascii_case(body_sha256) => Ok(value),
        Some(_) => Err(mismatch()),
    }
}

fn invalid(message: String) -> Refusal {
    Refusal::client("InvalidSignatureException", message)
}

/// Source: observed (answers to wrongly signed requests).
fn mismatch() -> Refusal {
    Refusal::client(
        "InvalidSignatureException",
        "The request signature we calculated does not match the signature you provided. Check your \
         AWS Secret Access Key and signing method. Consult the service documentation for details.",
    )
}

/// Source: observed (answers to unknown keys).
fn unrecognized() -> Refusal {
    Refusal::client(
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    )
}
