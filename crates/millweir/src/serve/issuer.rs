//! Keys that clients make at run time: those of IAM's users and of STS's sessions.

use neighbors::iam::Iam;
use neighbors::sts::{SessionTrouble, Sts};
use wire::Refusal;
use wire::sigv4::{Issuer, Key, Secret};

/// Who knows them.
pub(crate) struct Issued {
    pub(super) iam: Iam,
    pub(super) sts: Sts,
}

impl Issuer for Issued {
    fn find(
        &self,
        access_key_id: &str,
        session_token: Option<&str>,
        now_ms: i64,
    ) -> Result<Option<Key>, Refusal> {
        let Some(token) = session_token else {
            let key = self.iam.key(access_key_id);
            if key.is_none() && self.iam.is_switched_off(access_key_id) {
                return Err(refused(SessionTrouble::RoleGone));
            }
            return Ok(key.map(|key| Key {
                secret_access_key: Secret::new(key.secret),
                session_token: None,
                expires_ms: None,
                account: key.account,
                caller_arn: key.user_arn,
                user_id: key.user_id.into(),
                role_arn: None,
                permissions: key.permissions,
            }));
        };
        let session = match self.sts.session(access_key_id, token, now_ms) {
            // No session of this server's.
            Err(SessionTrouble::Unknown) => return Ok(None),
            session => session.map_err(refused)?,
        };
        Ok(Some(Key {
            secret_access_key: Secret::new(session.secret),
            session_token: Some(Secret::new(token)),
            expires_ms: Some(session.expires_ms),
            account: session.account,
            caller_arn: session.caller_arn,
            user_id: session.user_id.into(),
            role_arn: Some(session.role_arn),
            permissions: session.permissions,
        }))
    }
}

/// Source: observed (answers to expired and to forged tokens).
fn refused(trouble: SessionTrouble) -> Refusal {
    match trouble {
        SessionTrouble::Expired => Refusal::client(
            "ExpiredTokenException",
            "The security token included in the request is expired",
        ),
        _ => Refusal::client(
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ),
    }
}
