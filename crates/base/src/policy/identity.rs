//! What a caller may do by his own policies, and how that meets what a resource lets him do.

use super::{Grant, Policy, Request};
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
    /// As `By`, but not more than each limit allows.
    Within(Arc<Bounded>),
}

/// Policies, and what limits them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bounded {
    /// What these allow together.
    pub policies: Vec<Arc<Policy>>,
    /// Each must allow it, too.
    pub limits: Vec<Limit>,
}

/// Policies that grant nothing, but bound what others grant; they allow together.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// What they are.
    pub of: Limits,
    /// The policies.
    pub policies: Vec<Arc<Policy>>,
}

/// Where a limit comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limits {
    /// The permissions boundary of a user or a role.
    Boundary,
    /// The policies that a session was begun with.
    Session,
}

impl Permissions {
    /// Whether they let the caller do this, as far as no resource has a say.
    ///
    /// # Errors
    /// Which of them is against it, or that none is for it.
    pub fn decide(&self, request: &Request<'_>) -> Result<(), Denial> {
        self.forbid(request)?;
        match self.grant(request) {
            true => self.bound(request),
            false => Err(Denial::NoIdentity),
        }
    }

    /// The same, within one more limit.
    #[must_use]
    pub fn limited(&self, limit: Limit) -> Self {
        let mut bounded = match self {
            Self::All => Bounded { policies: vec![Arc::new(Policy::everything())], limits: vec![] },
            Self::By(policies) => {
                let policies = policies.iter().cloned().map(Arc::new).collect();
                Bounded { policies, limits: vec![] }
            }
            Self::Within(bounded) => Bounded::clone(bounded),
        };
        bounded.limits.push(limit);
        Self::Within(Arc::new(bounded))
    }

    fn limits(&self) -> &[Limit] {
        match self {
            Self::All | Self::By(_) => &[],
            Self::Within(bounded) => &bounded.limits,
        }
    }

    /// Whether none forbids it.
    fn forbid(&self, request: &Request<'_>) -> Result<(), Denial> {
        let forbidden = match self {
            Self::All => false,
            Self::By(policies) => policies.iter().any(|p| p.denies(request)),
            Self::Within(bounded) => bounded.policies.iter().any(|p| p.denies(request)),
        };
        if forbidden {
            return Err(Denial::ByIdentity);
        }
        let limit = self.limits().iter().find(|l| l.policies.iter().any(|p| p.denies(request)));
        limit.map_or(Ok(()), |limit| Err(Denial::ByLimit(limit.of)))
    }

    /// Whether the policies that grant something grant this.
    fn grant(&self, request: &Request<'_>) -> bool {
        match self {
            Self::All => true,
            Self::By(policies) => policies.iter().any(|p| p.allows(request)),
            Self::Within(bounded) => bounded.policies.iter().any(|p| p.allows(request)),
        }
    }

    /// Whether every limit allows it.
    fn bound(&self, request: &Request<'_>) -> Result<(), Denial> {
        let limit = self.limits().iter().find(|l| !l.policies.iter().any(|p| p.allows(request)));
        limit.map_or(Ok(()), |limit| Err(Denial::NoLimit(limit.of)))
    }
}

/// Why a request is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    /// A policy of the caller forbids it.
    ByIdentity,
    /// A limit of the caller's forbids it.
    ByLimit(Limits),
    /// The resource's policy forbids it.
    ByResource,
    /// No policy of the caller allows it.
    NoIdentity,
    /// A limit of the caller's does not allow it.
    NoLimit(Limits),
    /// The resource is another account's, and its policy does not allow it.
    NoResource,
}

impl fmt::Display for Denial {
    /// Behind the action and the resource, in AWS's words but for the action's name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ByIdentity => "with an explicit deny in an identity-based policy",
            Self::ByLimit(Limits::Boundary) => "with an explicit deny in a permissions boundary",
            Self::ByLimit(Limits::Session) => "with an explicit deny in a session policy",
            Self::ByResource => "with an explicit deny in a resource-based policy",
            Self::NoIdentity => "because no identity-based policy allows",
            Self::NoLimit(Limits::Boundary) => "because no permissions boundary allows",
            Self::NoLimit(Limits::Session) => "because no session policy allows",
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
    let own = &request.cx.permissions;
    own.forbid(request)?;
    if policy.is_some_and(|policy| policy.denies(request)) {
        return Err(Denial::ByResource);
    }
    let bound = own.bound(request);
    let by_identity = match own.grant(request) {
        true => bound,
        false => Err(Denial::NoIdentity),
    };
    let grant = policy.filter(|_| can_share).and_then(|policy| policy.grants(request));
    match (is_owned, by_identity, grant) {
        (false, _, None) => Err(Denial::NoResource),
        // What names the caller himself, and not his role, passes his limits.
        (true, Err(_), Some(Grant::Caller)) => Ok(()),
        (true, Err(Denial::NoIdentity), Some(_)) => bound,
        (_, by_identity, _) => by_identity,
    }
}

/// Whether a caller may take on a role: as [`decide`], but a role that trusts an account leaves it
/// to the account's own policies who of it may.
///
/// # Errors
/// Why he may not.
pub fn decide_trust(request: &Request<'_>, trust: &Policy, is_owned: bool) -> Result<(), Denial> {
    let attached = Attached { is_owned, policy: Some(trust), can_share: true };
    decide(request, attached)?;
    match trust.grants(request) {
        None => Err(Denial::NoResource),
        Some(Grant::Account) => request.cx.permissions.decide(request),
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Context;
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
        let request = Request {
            cx: &cx,
            action: "kinesis:PutRecord",
            resource: STREAM,
            context: Context::default(),
        };
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

    fn arced(statement: &str) -> Vec<Arc<Policy>> {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
        vec![Arc::new(Policy::parse_identity(&text).unwrap())]
    }

    /// What puts and gets hear of a caller who may put, within these limits.
    fn within(limits: &[(Limits, &str)]) -> Permissions {
        let limits = limits.iter().map(|&(of, text)| Limit { of, policies: arced(text) });
        let policies = arced(r#"{"Effect":"Allow","Action":"kinesis:Put*","Resource":"*"}"#);
        Permissions::Within(Arc::new(Bounded { policies, limits: limits.collect() }))
    }

    const ALLOW_ALL: &str = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    const ALLOW_GET: &str = r#"{"Effect":"Allow","Action":"kinesis:Get*","Resource":"*"}"#;
    const DENY_PUT: &str = r#"{"Effect":"Allow","Action":"*","Resource":"*"},
        {"Effect":"Deny","Action":"kinesis:Put*","Resource":"*"}"#;

    #[test]
    fn limits_bound_what_policies_grant() {
        use Limits::{Boundary, Session};
        let allow = resource("Allow");
        check(within(&[]), true, None, Ok(()));
        check(within(&[(Boundary, ALLOW_ALL), (Session, ALLOW_ALL)]), true, None, Ok(()));
        for of in [Boundary, Session] {
            let none = Err(Denial::NoLimit(of));
            check(within(&[(of, ALLOW_GET)]), true, None, none);
            check(within(&[(Boundary, ALLOW_ALL), (of, ALLOW_GET)]), true, None, none);
            check(within(&[(of, ALLOW_GET)]), true, Some(&allow), none);
            check(within(&[(of, ALLOW_GET)]), false, Some(&allow), none);
            let forbidden = Err(Denial::ByLimit(of));
            check(within(&[(of, DENY_PUT)]), true, Some(&allow), forbidden);
        }
        let nothing = Limit { of: Session, policies: Vec::new() };
        let policies = arced(ALLOW_ALL);
        let bounded = Bounded { policies, limits: vec![nothing] };
        let none = Err(Denial::NoLimit(Session));
        check(Permissions::Within(Arc::new(bounded)), true, None, none);
        check(Permissions::Within(Arc::default()), true, None, Err(Denial::NoIdentity));
    }

    #[test]
    fn whoever_can_be_limited() {
        let limit = |text| Limit { of: Limits::Session, policies: arced(text) };
        let put = by(&[r#"{"Effect":"Allow","Action":"kinesis:Put*","Resource":"*"}"#]);
        for permissions in [Permissions::All, put, within(&[(Limits::Boundary, ALLOW_ALL)])] {
            check(permissions.limited(limit(ALLOW_ALL)), true, None, Ok(()));
            let refused = Err(Denial::NoLimit(Limits::Session));
            check(permissions.limited(limit(ALLOW_GET)), true, None, refused);
        }
    }

    /// A policy of a resource that names a caller passes his limits; one that names his role not.
    #[test]
    fn limits_and_names() {
        const SESSION: &str = "arn:aws:sts::000000000000:assumed-role/r/s";
        for (caller, principal, want) in [
            ("arn:aws:iam::000000000000:user/ann", "arn:aws:iam::000000000000:user/ann", true),
            (SESSION, SESSION, true),
            (SESSION, "arn:aws:iam::000000000000:role/r", false),
            (SESSION, "arn:aws:iam::000000000000:root", false),
            (SESSION, "*", false),
        ] {
            let policy = Policy::parse(&format!(
                r#"{{"Statement":{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},
                    "Action":"*"}}}}"#
            ))
            .unwrap();
            let permissions = within(&[(Limits::Session, ALLOW_GET)]);
            let cx = Cx::of_service(AccountId::DEFAULT, Region::default());
            let role_arn = (caller == SESSION).then(|| "arn:aws:iam::000000000000:role/r".into());
            let cx = Cx { permissions, caller_arn: caller.into(), role_arn, ..cx };
            let context = Context::default();
            let request = Request { cx: &cx, action: "sns:Publish", resource: STREAM, context };
            let attached = Attached { is_owned: true, policy: Some(&policy), can_share: true };
            assert_eq!(decide(&request, attached).is_ok(), want, "{caller} {principal}");
        }
    }

    #[test]
    fn roles_trust_accounts_and_callers() {
        const ROLE: &str = "arn:aws:iam::000000000000:role/r";
        const ANN: &str = "arn:aws:iam::000000000000:user/ann";
        let assume = r#"{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}"#;
        let deny = r#"{"Effect":"Deny","Action":"sts:*","Resource":"*"}"#;
        let decided = |principal: &str, is_owned, permissions| {
            let trust = Policy::parse(&format!(
                r#"{{"Statement":{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},
                    "Action":"sts:AssumeRole"}}}}"#
            ))
            .unwrap();
            let cx = Cx::of_service(AccountId::DEFAULT, Region::default());
            let cx = Cx { permissions, caller_arn: ANN.into(), ..cx };
            let context = Context::default();
            let request = Request { cx: &cx, action: "sts:AssumeRole", resource: ROLE, context };
            decide_trust(&request, &trust, is_owned)
        };
        let account = "000000000000";
        assert_eq!(decided(account, true, Permissions::All), Ok(()));
        assert_eq!(decided(account, true, by(&[])), Err(Denial::NoIdentity));
        assert_eq!(decided(account, true, by(&[assume])), Ok(()));
        assert_eq!(decided(ANN, true, by(&[])), Ok(()));
        assert_eq!(decided(ANN, true, by(&[deny])), Err(Denial::ByIdentity));
        assert_eq!(decided(ANN, false, by(&[])), Err(Denial::NoIdentity), "of another account");
        assert_eq!(decided(ANN, false, by(&[assume])), Ok(()));
        assert_eq!(decided("*", true, by(&[])), Ok(()));
        for is_owned in [true, false] {
            let other = decided("111111111111", is_owned, by(&[assume]));
            assert_eq!(other, Err(Denial::NoResource), "only its trust lets somebody in");
        }
    }
}
