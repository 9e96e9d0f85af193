//! `AssumeRole`.

use crate::iam::{RoleView, new_access_key_id};
use crate::sts::service::{Result, Sts};
use crate::sts::session::Session;
use crate::sts::texts;
use api::Timestamp;
use api::sts::{AssumeRoleRequest, AssumeRoleResponse, AssumedRoleUser, Credentials};
use base::policy::{Context, Policy, Request, decide_trust};
use base::{AccountId, Cx};

/// Length of a session that says nothing else, and the most of one that a session began (model's
/// documentation).
const SECONDS: i32 = 3600;
/// Most managed policies of a session (model's documentation).
const ARNS_MAX: usize = 10;
/// Room of a session's policies in characters (model's documentation of `Policy`).
const PACKED_MAX: usize = 2048;

/// Begins a session of a role, if the role trusts the caller and his policies let him.
///
/// Session tags are taken and forgotten: no condition that this server knows asks for them.
///
/// # Errors
/// `AccessDenied`, also for a role that is not there; `Validation`; `MalformedPolicyDocument`;
/// `PackedPolicyTooLarge`.
pub(super) fn assume_role(
    service: &Sts,
    cx: &Cx,
    input: &AssumeRoleRequest,
) -> Result<AssumeRoleResponse> {
    let inner = &service.inner;
    check_supported(input)?;
    let arn = input.role_arn.as_str();
    let name = role_name(arn).ok_or_else(|| texts::invalid_arn(arn))?;
    let (account, role) =
        inner.iam.role_by_arn(arn).ok_or_else(|| texts::denied(cx, "AssumeRole", arn))?;
    check_trust(cx, input, account, &role)?;
    let seconds = seconds(cx, input, &role)?;
    let (managed, packed_percent) = limits(service, input, account)?;

    let now_ms = inner.env.clock.now_ms();
    let session = Session {
        account: account.to_string(),
        role: name.to_owned(),
        role_id: role.id.clone(),
        name: input.role_session_name.to_string(),
        begun_ms: now_ms,
        // Expirations have no fractions (observed).
        expires_ms: (now_ms.div_euclid(1000) + i64::from(seconds)) * 1000,
        policy: input.policy.as_ref().map(ToString::to_string),
        managed,
    };
    let access_key_id = new_access_key_id(&*inner.env.rng, "ASIA");
    let credentials = Credentials {
        secret_access_key: inner.secret_of(&access_key_id).into(),
        session_token: inner.seal(&access_key_id, &session).into(),
        expiration: Timestamp(session.expires_ms),
        access_key_id: access_key_id.into(),
    };
    let (assumed_role_id, arn) = (session.user_id().into(), session.arn(&role).into());
    Ok(AssumeRoleResponse {
        credentials: Some(credentials),
        assumed_role_user: Some(AssumedRoleUser { assumed_role_id, arn }),
        packed_policy_size: packed_percent,
        ..AssumeRoleResponse::default()
    })
}

fn check_supported(input: &AssumeRoleRequest) -> Result<()> {
    for (is_there, name) in [
        (input.serial_number.is_some() || input.token_code.is_some(), "SerialNumber"),
        (input.source_identity.is_some(), "SourceIdentity"),
        (input.provided_contexts.is_some(), "ProvidedContexts"),
    ] {
        if is_there {
            return Err(texts::unsupported(name));
        }
    }
    Ok(())
}

/// The name of a role in its ARN.
fn role_name(arn: &str) -> Option<&str> {
    let path = arn.strip_prefix("arn:")?.splitn(5, ':').nth(4)?;
    path.strip_prefix("role/")?.rsplit('/').next().filter(|name| !name.is_empty())
}

/// Whether the role trusts the caller, and the caller's own policies let him.
fn check_trust(
    cx: &Cx,
    input: &AssumeRoleRequest,
    account: AccountId,
    role: &RoleView,
) -> Result<()> {
    let context = Context {
        external_id: input.external_id.as_deref(),
        role_session_name: Some(input.role_session_name.as_str()),
        ..Context::default()
    };
    let tags = input.tags.as_ref().is_some_and(|tags| !tags.is_empty());
    let actions = [Some("AssumeRole"), tags.then_some("TagSession")];
    for action in actions.into_iter().flatten() {
        let named = format!("sts:{action}");
        let request = Request { cx, action: &named, resource: &role.arn, context };
        decide_trust(&request, &role.trust, account == cx.account)
            .map_err(|_| texts::denied(cx, action, &input.role_arn))?;
    }
    Ok(())
}

/// How long the session is.
fn seconds(cx: &Cx, input: &AssumeRoleRequest, role: &RoleView) -> Result<i32> {
    let seconds = input.duration_seconds.unwrap_or(SECONDS);
    let is_chained = cx.role_arn.is_some();
    match () {
        () if is_chained && seconds > SECONDS => Err(texts::longer_than_chained()),
        () if seconds > role.session_seconds_max => Err(texts::longer_than_role()),
        () => Ok(seconds),
    }
}

/// The managed policies that limit the session, and how much of their room all its policies take,
/// in percent: nothing when it has none.
fn limits(
    service: &Sts,
    input: &AssumeRoleRequest,
    account: AccountId,
) -> Result<(Vec<String>, Option<i32>)> {
    let mut managed = Vec::new();
    for descriptor in input.policy_arns.iter().flatten() {
        let arn = descriptor.arn.as_deref().unwrap_or_default();
        if service.inner.iam.managed_policy(account, arn).is_none() {
            return Err(texts::no_such_policy(arn));
        }
        managed.push(arn.to_owned());
    }
    if managed.len() > ARNS_MAX {
        return Err(texts::too_many_arns(managed.len(), ARNS_MAX));
    }
    let policy = input.policy.as_deref();
    let arns: usize = managed.iter().map(String::len).sum();
    let packed = policy.map_or(0, |policy| policy.chars().count()) + arns;
    let percent = (packed * 100).div_ceil(PACKED_MAX);
    if percent > 100 {
        return Err(texts::too_large(percent));
    }
    if let Some(policy) = policy {
        if serde_json::from_str::<serde_json::Value>(policy).is_err() {
            return Err(texts::policy_is_no_json());
        }
        Policy::parse_identity(policy).map_err(|flaw| texts::syntax_errors(&flaw))?;
    }
    Ok((managed, (packed > 0).then_some(percent as i32)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_roles() {
        for (arn, want) in [
            ("arn:aws:iam::000000000000:role/r", Some("r")),
            ("arn:aws:iam::000000000000:role/a/b/r", Some("r")),
            ("arn:aws:iam::000000000000:role/", None),
            ("arn:aws:iam::000000000000:user/u", None),
            ("arn:aws:iam::000000000000", None),
            ("role/r-and-some-more-text", None),
        ] {
            assert_eq!(role_name(arn), want, "{arn}");
        }
    }
}
