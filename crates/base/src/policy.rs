//! Policies of resources and of callers: parsing, validation and evaluation.
//!
//! ```text
//! JSON -> Policy::parse (whole grammar, closed) --\
//! JSON -> Policy::parse_identity -----------------> decide(request): deny wins, then allow
//! ```
//!
//! What is not understood is refused when the policy is stored, so that evaluation never guesses: a
//! denial that asks for what this server does not know would else deny nothing.

mod condition;
mod glob;
mod identity;
mod json;
mod network;

pub use identity::{Attached, Bounded, Denial, Limit, Limits, Permissions, decide, decide_trust};
pub use network::Network;

use crate::{AccountId, Cx};
use condition::Condition;
use glob::matches;
use serde_json::{Map, Value};
use std::fmt;

/// Longest policy document, in bytes.
pub const DOCUMENT_BYTES_MAX: usize = 20 * 1024;

/// Why a text is no policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadPolicy(String);

impl fmt::Display for BadPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadPolicy {}

fn bad<T>(message: impl Into<String>) -> Result<T, BadPolicy> {
    Err(BadPolicy(message.into()))
}

/// A policy that was understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    statements: Vec<Statement>,
}

/// A policy as it was stored, which an older version of this program may have understood otherwise.
#[derive(Clone, Debug, PartialEq)]
pub enum Stored {
    /// Understood.
    Policy(Policy),
    /// Not understood, for this reason: the policy allows nothing, and denies all if it may deny
    /// anything.
    Closed(Policy, BadPolicy),
}

/// What is asked of a policy.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Who asks, when and from where.
    pub cx: &'a Cx,
    /// Service and operation, as `kinesis:PutRecord`.
    pub action: &'a str,
    /// ARN of the resource.
    pub resource: &'a str,
    /// What the request has beside who asks for what.
    pub context: Context<'a>,
}

/// What some requests have that conditions ask for; what is missing is absent for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Context<'a> {
    /// The service that asks by itself, as `firehose.amazonaws.com`; `Request::cx` then says in
    /// which account, and no user or role is meant.
    pub service: Option<&'a str>,
    /// `sts:ExternalId`.
    pub external_id: Option<&'a str>,
    /// `sts:RoleSessionName`.
    pub role_session_name: Option<&'a str>,
    /// `aws:SourceArn`: for what the service asks.
    pub source_arn: Option<&'a str>,
    /// `aws:SourceAccount`: for whom the service asks.
    pub source_account: Option<&'a str>,
    /// `iam:PassedToService`: who gets the role.
    pub passed_to_service: Option<&'a str>,
}

/// By which name a policy lets a caller in, the most particular last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Grant {
    /// His account, or all but others.
    Account,
    /// `*`.
    Anyone,
    /// The role of the session that asks.
    Role,
    /// His own: a user, a session, a service.
    Caller,
}

/// What a policy hangs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holder {
    Resource,
    Caller,
}

#[derive(Clone, Debug, PartialEq)]
struct Statement {
    allow: bool,
    principals: Listed<Principal>,
    actions: Listed<String>,
    resources: Listed<String>,
    conditions: Vec<Condition>,
}

/// Either one of these, or anything but these.
#[derive(Clone, Debug, PartialEq)]
struct Listed<T> {
    items: Vec<T>,
    negated: bool,
}

impl<T> Listed<T> {
    fn has(&self, is: impl Fn(&T) -> bool) -> bool {
        self.items.iter().any(is) != self.negated
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Principal {
    Anyone,
    Account(AccountId),
    Arn(String),
    /// As `firehose.amazonaws.com`.
    Service(String),
    /// A federated user: nobody that calls this server.
    Other,
}

impl Policy {
    /// Reads a policy document.
    ///
    /// # Errors
    /// It is too long, no JSON, has a member twice, has members, values, condition keys or
    /// operators that are not known here, or a statement without effect, principal or action.
    pub fn parse(document: &str) -> Result<Self, BadPolicy> {
        Self::read(document, Holder::Resource)
    }

    /// Reads the document of a policy that hangs on a caller: a statement names no principal, but a
    /// resource.
    ///
    /// # Errors
    /// As [`Policy::parse`].
    pub fn parse_identity(document: &str) -> Result<Self, BadPolicy> {
        Self::read(document, Holder::Caller)
    }

    fn read(document: &str, holder: Holder) -> Result<Self, BadPolicy> {
        if document.len() > DOCUMENT_BYTES_MAX {
            return bad(format!("the policy is longer than {DOCUMENT_BYTES_MAX} bytes"));
        }
        let document = json::object(document)?;
        known(&document, &["Version", "Id", "Statement"])?;
        match document.get("Version") {
            None => {}
            Some(Value::String(v)) if v == "2012-10-17" || v == "2008-10-17" => {}
            Some(_) => return bad("`Version` must be `2012-10-17` or `2008-10-17`"),
        }
        let statements = match document.get("Statement") {
            Some(Value::Array(all)) if !all.is_empty() => {
                all.iter().map(|one| Statement::parse(one, holder)).collect::<Result<_, _>>()?
            }
            Some(one @ Value::Object(_)) => vec![Statement::parse(one, holder)?],
            _ => return bad("`Statement` must hold at least one statement"),
        };
        Ok(Self { statements })
    }

    /// Reads a document that was stored once: what is no longer understood must neither open nor
    /// stop the server.
    pub fn read_stored(document: &str) -> Stored {
        match Self::parse(document) {
            Ok(policy) => Stored::Policy(policy),
            // An escape can hide the word.
            Err(why) => {
                let may_deny = ["Deny", "\\u"].iter().any(|text| document.contains(text));
                let statements = Vec::from_iter(may_deny.then(|| Statement::of_all(false)));
                Stored::Closed(Self { statements }, why)
            }
        }
    }

    /// A policy that allows nothing and denies nothing.
    pub fn nothing() -> Self {
        Self { statements: Vec::new() }
    }

    /// A policy that allows everything.
    pub fn everything() -> Self {
        Self { statements: vec![Statement::of_all(true)] }
    }

    /// Whether some statement allows the request and none denies it.
    pub fn allows(&self, request: &Request<'_>) -> bool {
        let mut matching = self.statements.iter().filter(|s| s.applies(request)).peekable();
        matching.peek().is_some() && matching.all(|s| s.allow)
    }

    /// Whether some statement denies the request.
    pub fn denies(&self, request: &Request<'_>) -> bool {
        self.statements.iter().any(|s| !s.allow && s.applies(request))
    }

    /// By which name some statement allows the request, whatever others deny.
    pub(crate) fn grants(&self, request: &Request<'_>) -> Option<Grant> {
        self.statements.iter().filter(|s| s.allow).filter_map(|s| s.grants(request)).max()
    }

    /// Every action pattern that is named, as `kinesis:Put*`.
    pub fn actions(&self) -> impl Iterator<Item = &str> {
        self.statements.iter().flat_map(|s| s.actions.items.iter().map(String::as_str))
    }

    /// Whether some statement names resources.
    pub fn names_resources(&self) -> bool {
        self.statements.iter().any(|s| !s.resources.items.is_empty())
    }

    /// Whether every statement is about this resource: names it by a pattern, or names none.
    pub fn concerns(&self, resource: &str) -> bool {
        self.statements.iter().all(|s| s.resources.has(|r| matches(r, resource)))
    }
}

impl Statement {
    /// One that allows or denies everything.
    fn of_all(allow: bool) -> Self {
        let all = || Listed { items: vec!["*".to_owned()], negated: false };
        let principals = Listed { items: vec![Principal::Anyone], negated: false };
        Self { allow, principals, actions: all(), resources: all(), conditions: Vec::new() }
    }

    fn parse(value: &Value, holder: Holder) -> Result<Self, BadPolicy> {
        let Value::Object(members) = value else { return bad("a statement must be an object") };
        let names = [
            "Sid",
            "Effect",
            "Principal",
            "NotPrincipal",
            "Action",
            "NotAction",
            "Resource",
            "NotResource",
            "Condition",
        ];
        known(members, &names)?;
        let allow = match members.get("Effect").and_then(Value::as_str) {
            Some("Allow") => true,
            Some("Deny") => false,
            _ => return bad("`Effect` must be `Allow` or `Deny`"),
        };
        let principals = match (either(members, "Principal", "NotPrincipal")?, holder) {
            (Some((principals, negated)), Holder::Resource) => {
                Listed { items: parse_principals(principals)?, negated }
            }
            (None, Holder::Resource) => return bad("a statement needs a `Principal`"),
            (None, Holder::Caller) => Listed { items: vec![Principal::Anyone], negated: false },
            (Some(_), Holder::Caller) => return bad("a caller's policy has no `Principal`"),
        };
        let Some((actions, negated)) = either(members, "Action", "NotAction")? else {
            return bad("a statement needs an `Action`");
        };
        let actions = Listed { items: texts("Action", actions)?, negated };
        actions.items.iter().try_for_each(|action| check_action(action))?;
        let resources = match either(members, "Resource", "NotResource")? {
            Some((resources, negated)) => Listed { items: texts("Resource", resources)?, negated },
            None if holder == Holder::Caller => return bad("a statement needs a `Resource`"),
            // A resource policy may leave out the one resource it hangs on.
            None => Listed { items: Vec::new(), negated: true },
        };
        resources.items.iter().try_for_each(|resource| check_resource(resource))?;
        let conditions = match members.get("Condition") {
            None => Vec::new(),
            Some(Value::Object(operators)) => Condition::parse_all(operators)?,
            Some(_) => return bad("`Condition` must be an object"),
        };
        Ok(Self { allow, principals, actions, resources, conditions })
    }

    fn applies(&self, request: &Request<'_>) -> bool {
        self.principals.has(|p| p.is(request).is_some()) && self.fits(request)
    }

    fn grants(&self, request: &Request<'_>) -> Option<Grant> {
        let Listed { items, negated } = &self.principals;
        let grant = items.iter().filter_map(|p| p.is(request)).max();
        let grant = if *negated { grant.is_none().then_some(Grant::Account) } else { grant };
        grant.filter(|_| self.fits(request))
    }

    /// Whether it is about the request, whoever asks.
    fn fits(&self, request: &Request<'_>) -> bool {
        let action = request.action.to_ascii_lowercase();
        self.actions.has(|a| matches(&a.to_ascii_lowercase(), &action))
            && self.resources.has(|r| matches(r, request.resource))
            && self.conditions.iter().all(|c| c.holds(request.cx, &request.context))
    }
}

/// Refuses what is no action of a service, as `kinesis:Put*`.
fn check_action(action: &str) -> Result<(), BadPolicy> {
    if action == "*" {
        return Ok(());
    }
    let Some((service, name)) = action.split_once(':') else {
        return bad(format!("the action `{action}` names no service"));
    };
    let is_service = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    let is_name = |b: u8| b.is_ascii_alphanumeric() || b"*?-_".contains(&b);
    if service.is_empty() || name.is_empty() {
        return bad(format!("the action `{action}` names no service or does nothing"));
    }
    if !service.bytes().all(is_service) || !name.bytes().all(is_name) {
        return bad(format!("the action `{action}` is none"));
    }
    Ok(())
}

/// Refuses what is neither `*` nor an ARN of a partition of AWS's, with or without wildcards.
fn check_resource(resource: &str) -> Result<(), BadPolicy> {
    if resource == "*" {
        return Ok(());
    }
    let partition = resource.strip_prefix("arn:").map(|rest| rest.split(':').next());
    match partition.flatten() {
        Some(partition) if partition.starts_with("aws") || partition.contains(['*', '?']) => Ok(()),
        _ => bad(format!("the resource `{resource}` is neither an ARN nor `*`")),
    }
}

impl Principal {
    fn parse(text: &str) -> Result<Self, BadPolicy> {
        if text == "*" {
            return Ok(Self::Anyone);
        }
        if let Ok(account) = AccountId::parse(text) {
            return Ok(Self::Account(account));
        }
        let mut parts = text.splitn(6, ':');
        let (Some("arn"), Some(_), Some(service), Some(_), Some(account), Some(path)) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return bad(format!("the principal `{text}` is no account and no ARN"));
        };
        let account = AccountId::parse(account)
            .map_err(|e| BadPolicy(format!("the principal `{text}`: {e}")))?;
        if !matches!(service, "iam" | "sts") || path.contains(['*', '?']) {
            return bad(format!("the principal `{text}` is no account, user, role or session"));
        }
        Ok(if path == "root" { Self::Account(account) } else { Self::Arn(text.to_owned()) })
    }

    /// By which name it is who asks.
    fn is(&self, request: &Request<'_>) -> Option<Grant> {
        let (cx, service) = (request.cx, request.context.service);
        let is_so = |is_so: bool, grant| is_so.then_some(grant);
        match self {
            Self::Anyone => Some(Grant::Anyone),
            Self::Service(name) => is_so(service == Some(name), Grant::Caller),
            _ if service.is_some() => None,
            Self::Account(account) => is_so(*account == cx.account, Grant::Account),
            Self::Arn(arn) if after_partition(arn) == after_partition(&cx.caller_arn) => {
                Some(Grant::Caller)
            }
            Self::Arn(arn) => {
                let role_arn = cx.role_arn.as_deref();
                let is_role = role_arn.is_some_and(|r| after_partition(r) == after_partition(arn));
                is_so(is_role, Grant::Role)
            }
            Self::Other => None,
        }
    }
}

/// An ARN without what differs between the regions in which one user asks here.
fn after_partition(arn: &str) -> Option<&str> {
    arn.splitn(3, ':').nth(2)
}

fn parse_principals(value: &Value) -> Result<Vec<Principal>, BadPolicy> {
    match value {
        Value::String(text) if text == "*" => Ok(vec![Principal::Anyone]),
        Value::Object(kinds) if !kinds.is_empty() => {
            let mut all = Vec::new();
            for (kind, value) in kinds {
                let names = texts("Principal", value)?;
                match kind.as_str() {
                    "AWS" => {
                        for name in &names {
                            all.push(Principal::parse(name)?);
                        }
                    }
                    "Service" => all.extend(names.into_iter().map(Principal::Service)),
                    "Federated" | "CanonicalUser" => all.push(Principal::Other),
                    _ => return bad(format!("`{kind}` is no kind of principal")),
                }
            }
            Ok(all)
        }
        _ => bad("`Principal` must be `*` or an object"),
    }
}

/// One of two members that exclude each other, and whether it is the second.
fn either<'a>(
    members: &'a Map<String, Value>,
    name: &str,
    negated: &str,
) -> Result<Option<(&'a Value, bool)>, BadPolicy> {
    match (members.get(name), members.get(negated)) {
        (Some(_), Some(_)) => bad(format!("`{name}` and `{negated}` exclude each other")),
        (Some(value), None) => Ok(Some((value, false))),
        (None, Some(value)) => Ok(Some((value, true))),
        (None, None) => Ok(None),
    }
}

/// A text or a list of at least one.
fn texts(member: &str, value: &Value) -> Result<Vec<String>, BadPolicy> {
    let text = |one: &Value| match one {
        Value::String(text) if text.contains("${") => {
            bad(format!("policy variables, as in `{text}`, are not supported"))
        }
        Value::String(text) => Ok(text.clone()),
        _ => bad(format!("`{member}` must be a text or a list of texts")),
    };
    match value {
        Value::Array(all) if !all.is_empty() => all.iter().map(text).collect(),
        one => text(one).map(|text| vec![text]),
    }
}

fn known(members: &Map<String, Value>, names: &[&str]) -> Result<(), BadPolicy> {
    match members.keys().find(|name| !names.contains(&name.as_str())) {
        Some(name) => bad(format!("`{name}` is no member of a policy")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
