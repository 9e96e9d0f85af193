//! What a caller may do by his own policies, and how that meets what a resource lets him do.

use super::{Policy, Request};
use std::fmt;
use std::sync::Arc;

/// What the policies of a caller let him do.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Permissions {
    /// Everything in his account: a key without policies, and the service itself.
    #[default]
    All,
    /// What these allow together; a denial in one of them wins.
    By(Arc<[Policy]>),
}

/// Why a request is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    /// A policy of the caller forbids it.
    ByIdentity,
    /// The resource's policy forbids it.
    ByResource,
    /// No policy of the caller allows it.
    NoIdentity,
    /// The resource is another account's, and its policy does not allow it.
    NoResource,
}

impl fmt::Display for Denial {
    /// Behind the action and the resource, in AWS's words but for the action's name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ByIdentity => "with an explicit deny in an identity-based policy",
            Self::ByResource => "with an explicit deny in a resource-based policy",
            Self::NoIdentity => "because no identity-based policy allows",
            Self::NoResource => "because no resource-based policy allows",
        })
    }
}

/// A resource as far as it decides.
#[derive(Clone, Copy, Debug)]
pub struct Attached<'a> {
    /// Whether the caller's account owns it.
    pub is_owned: bool,
    /// Its policy.
    pub policy: Option<&'a Policy>,
    /// Whether a policy can allow this to others than its owner.
    pub can_share: bool,
}

impl Attached<'_> {
    /// What has no policy of its own, in the caller's account.
    pub const OWNED: Attached<'static> =
        Attached { is_owned: true, policy: None, can_share: false };
}

/// Whether a request is allowed: the one place where the policies of the caller and of the resource
/// meet. A denial wins; in one account either may allow, between two both must.
///
/// # Errors
/// Why it is not.
pub fn decide(request: &Request<'_>, attached: Attached<'_>) -> Result<(), Denial> {
    let Attached { is_owned, policy, can_share } = attached;
    let own: &[Policy] = match &request.cx.permissions {
        Permissions::All => &[],
        Permissions::By(policies) => policies,
    };
    if own.iter().any(|policy| policy.denies(request)) {
        return Err(Denial::ByIdentity);
    }
    if policy.is_some_and(|policy| policy.denies(request)) {
        return Err(Denial::ByResource);
    }
    let by_identity = request.cx.permissions == Permissions::All
        || own.iter().any(|policy| policy.allows(request));
    let by_resource = can_share && policy.is_some_and(|policy| policy.allows(request));
    match (is_owned, by_identity, by_resource) {
        (false, _, false) => Err(Denial::NoResource),
        (true, false, false) | (false, false, true) => Err(Denial::NoIdentity),
        (true, ..) | (false, true, true) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AccountId, Cx, Region};

    const STREAM: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/a";

    fn by(statements: &[&str]) -> Permissions {
        let policies = statements.iter().map(|statement| {
            let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
            Policy::parse_identity(&text).unwrap()
        });
        Permissions::By(policies.collect())
    }

    fn resource(effect: &str) -> Policy {
        Policy::parse(&format!(
            r#"{{"Statement":{{"Effect":"{effect}","Principal":"*","Action":"kinesis:*"}}}}"#
        ))
        .unwrap()
    }

    fn check(
        permissions: Permissions,
        is_owned: bool,
        policy: Option<&Policy>,
        want: Result<(), Denial>,
    ) {
        let cx = Cx { permissions, ..Cx::of_service(AccountId::DEFAULT, Region::default()) };
        let request = Request { cx: &cx, action: "kinesis:PutRecord", resource: STREAM };
        let got = decide(&request, Attached { is_owned, policy, can_share: true });
        assert_eq!(got, want, "owned {is_owned}, {policy:?}, {:?}", cx.permissions);
    }

    #[test]
    fn policies_of_caller_and_resource_meet() {
        let (allow, deny) = (resource("Allow"), resource("Deny"));
        let put = || by(&[r#"{"Effect":"Allow","Action":"kinesis:Put*","Resource":"*"}"#]);
        let get = || by(&[r#"{"Effect":"Allow","Action":"kinesis:Get*","Resource":"*"}"#]);
        let elsewhere = || {
            by(&[r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:kinesis:*:*:stream/b"}"#])
        };
        let never = || {
            by(&[
                r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#,
                r#"{"Effect":"Deny","Action":"kinesis:PutRecord","Resource":"*"}"#,
            ])
        };
        check(Permissions::All, true, None, Ok(()));
        check(Permissions::All, true, Some(&deny), Err(Denial::ByResource));
        check(Permissions::All, false, None, Err(Denial::NoResource));
        check(Permissions::All, false, Some(&allow), Ok(()));
        check(put(), true, None, Ok(()));
        check(put(), false, Some(&allow), Ok(()));
        check(put(), false, None, Err(Denial::NoResource));
        check(put(), true, Some(&deny), Err(Denial::ByResource));
        for other in [get(), elsewhere(), by(&[])] {
            check(other.clone(), true, None, Err(Denial::NoIdentity));
            check(other.clone(), true, Some(&allow), Ok(()));
            check(other, false, Some(&allow), Err(Denial::NoIdentity));
        }
        check(never(), true, Some(&allow), Err(Denial::ByIdentity));
        check(never(), false, Some(&allow), Err(Denial::ByIdentity));
    }

    #[test]
    fn a_policy_of_a_caller_names_no_principal_but_a_resource() {
        for (statement, want) in [
            (r#"{"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"}"#, "`Principal`"),
            (r#"{"Effect":"Allow","Action":"*"}"#, "`Resource`"),
            (r#"{"Effect":"Allow","Resource":"*"}"#, "`Action`"),
        ] {
            let text = format!(r#"{{"Statement":[{statement}]}}"#);
            let refused = Policy::parse_identity(&text).unwrap_err().to_string();
            assert!(refused.contains(want), "{statement}: {refused}");
        }
    }
}
