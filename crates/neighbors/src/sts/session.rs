//! Sessions of roles: what is in a session token, and what stands behind one.
//!
//! ```text
//! token: base64 of { Session as JSON }, sealed under its access key's id
//! ```

use super::service::{Inner, Sts};
use crate::iam::RoleView;
use base::AccountId;
use base::policy::{Limit, Limits, Permissions};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// What a token says. The names are short, since clients send a token with every request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Session {
    /// The account of the role.
    #[serde(rename = "a")]
    pub(super) account: String,
    #[serde(rename = "r")]
    pub(super) role: String,
    /// Tells the role from another one of its name.
    #[serde(rename = "i")]
    pub(super) role_id: String,
    #[serde(rename = "s")]
    pub(super) name: String,
    #[serde(rename = "b")]
    pub(super) begun_ms: i64,
    #[serde(rename = "e")]
    pub(super) expires_ms: i64,
    /// The policy that it was begun with.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub(super) policy: Option<String>,
    /// ARNs of managed policies that it was begun with.
    #[serde(rename = "m", default, skip_serializing_if = "Vec::is_empty")]
    pub(super) managed: Vec<String>,
}

/// The session behind temporary credentials, as it is now.
#[derive(Clone)]
pub struct SessionView {
    /// The role's account.
    pub account: AccountId,
    /// `arn:<partition>:sts::<account>:assumed-role/<role>/<session>`.
    pub caller_arn: Arc<str>,
    /// `<role's id>:<session>`.
    pub user_id: String,
    /// The role's ARN.
    pub role_arn: Arc<str>,
    /// What requests are signed with.
    pub secret: String,
    /// What the role may do now, within what the session was begun with.
    pub permissions: Permissions,
    /// When it is over, in milliseconds since the epoch.
    pub expires_ms: i64,
}

impl fmt::Debug for SessionView {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("SessionView");
        shown.field("caller_arn", &self.caller_arn).finish_non_exhaustive()
    }
}

/// Why there is no session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SessionTrouble {
    /// This server did not make the token, or made it for another access key.
    Unknown,
    /// Its time is over.
    Expired,
    /// Its role was deleted; one that has its name now is another.
    RoleGone,
}

impl Sts {
    /// The session behind temporary credentials.
    ///
    /// # Errors
    /// [`SessionTrouble`].
    pub fn session(
        &self,
        access_key_id: &str,
        session_token: &str,
        now_ms: i64,
    ) -> Result<SessionView, SessionTrouble> {
        let inner = &self.inner;
        let session = inner.open(access_key_id, session_token).ok_or(SessionTrouble::Unknown)?;
        let account = AccountId::parse(&session.account).map_err(|_| SessionTrouble::Unknown)?;
        if now_ms >= session.expires_ms {
            return Err(SessionTrouble::Expired);
        }
        let role = inner.iam.role(account, &session.role);
        let role = role.filter(|role| role.id == session.role_id);
        let role = role.ok_or(SessionTrouble::RoleGone)?;
        Ok(SessionView {
            account,
            caller_arn: session.arn(&role).into(),
            user_id: session.user_id(),
            role_arn: role.arn.as_str().into(),
            secret: inner.secret_of(access_key_id),
            permissions: inner.permissions(access_key_id, &session, account, &role),
            expires_ms: session.expires_ms,
        })
    }
}

impl Inner {
    /// The token of a session.
    pub(super) fn seal(&self, access_key_id: &str, session: &Session) -> String {
        let plain = serde_json::to_vec(session).expect("a session is plain data");
        let sealed = self.tokens.seal(&*self.env.rng, access_key_id.as_bytes(), &plain);
        base64_simd::STANDARD.encode_to_string(sealed)
    }

    fn open(&self, access_key_id: &str, token: &str) -> Option<Session> {
        let sealed = base64_simd::STANDARD.decode_to_vec(token).ok()?;
        let plain = self.tokens.open(access_key_id.as_bytes(), &sealed)?;
        serde_json::from_slice(&plain).ok()
    }

    fn permissions(
        &self,
        access_key_id: &str,
        session: &Session,
        account: AccountId,
        role: &RoleView,
    ) -> Permissions {
        let Session { policy, managed, .. } = session;
        if policy.is_none() && managed.is_empty() {
            return role.permissions.clone();
        }
        let own = policy.iter().map(|document| self.policy_of(access_key_id, document));
        // One that is gone allows nothing.
        let managed = managed.iter().filter_map(|arn| self.iam.managed_policy(account, arn));
        let policies = own.chain(managed).collect();
        role.permissions.limited(Limit { of: Limits::Session, policies })
    }
}

impl Session {
    /// The ARN of who asks: without the role's path, as AWS has it.
    pub(super) fn arn(&self, role: &RoleView) -> String {
        let partition = role.arn.split(':').nth(1).unwrap_or("aws");
        let Self { account, role, name, .. } = self;
        format!("arn:{partition}:sts::{account}:assumed-role/{role}/{name}")
    }

    /// What AWS calls the unique id of who asks.
    pub(super) fn user_id(&self) -> String {
        format!("{}:{}", self.role_id, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        let session = Session {
            account: "000000000000".into(),
            role: "r".into(),
            role_id: "AROAABCDEFGHIJKLMNOPQ".into(),
            name: "s".into(),
            begun_ms: 1,
            expires_ms: 2,
            policy: None,
            managed: Vec::new(),
        };
        let text = serde_json::to_string(&session).unwrap();
        assert!(!text.contains("null") && text.len() < 110, "{text}");
        for session in [
            session.clone(),
            Session { policy: Some("{}".into()), managed: vec!["arn".into()], ..session },
        ] {
            kit::rows::check_round_trip(&session);
        }
    }
}
