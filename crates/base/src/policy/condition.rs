//! The `Condition` member of a statement.
//!
//! A closed set of keys, each with the one family of operators that can tell its values apart, and
//! values that are read when the policy is: `StringEquals` on an address, or a misspelt date, would
//! hold for no request, and a denial with it would deny nothing.

use super::glob::matches;
use super::network::Network;
use super::{BadPolicy, Context, bad, texts};
use crate::{Cx, date};
use serde_json::{Map, Value};
use std::cmp::Ordering;
use std::net::IpAddr;

/// One operator on one key: the key's value must compare to one of the values.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Condition {
    key: Key,
    compare: Compare,
    negated: bool,
    /// Whether it holds for a request that does not have the key.
    holds_absent: bool,
}

/// What is known of a request, by its AWS name.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Key {
    CurrentTime,
    ExternalId,
    PassedToService,
    PrincipalAccount,
    PrincipalArn,
    PrincipalIsAwsService,
    PrincipalType,
    RequestedRegion,
    RoleSessionName,
    SecureTransport,
    SourceAccount,
    SourceArn,
    SourceIp,
    SourceOwner,
    UserId,
    UserName,
    ViaAwsService,
}

/// A key's value.
#[derive(Clone, Copy)]
enum Known<'a> {
    Text(&'a str),
    Flag(bool),
    Address(IpAddr),
    Seconds(i64),
}

/// Values, and how one of them is compared with the key's.
#[derive(Clone, Debug, PartialEq)]
enum Compare {
    Equals(Vec<String>),
    EqualsIgnoreCase(Vec<String>),
    Like(Vec<String>),
    /// Part by part, so that no `*` reaches over a colon.
    Arn(Vec<String>),
    Bool(Vec<bool>),
    Address(Vec<Network>),
    Date(&'static [Ordering], Vec<i64>),
    /// `true` asks for the key to be absent.
    Null(Vec<bool>),
}

impl Condition {
    pub(super) fn parse_all(operators: &Map<String, Value>) -> Result<Vec<Self>, BadPolicy> {
        let mut all = Vec::new();
        for (operator, keys) in operators {
            let Value::Object(keys) = keys else {
                return bad(format!("`{operator}` must be an object"));
            };
            if keys.is_empty() {
                return bad(format!("`{operator}` has no condition key"));
            }
            let of_operator = all.len();
            for (name, value) in keys {
                let condition = Self::parse(operator, name, value)?;
                if all[of_operator..].iter().any(|c: &Self| c.key == condition.key) {
                    return bad(format!("`{name}` stands twice in `{operator}`"));
                }
                all.push(condition);
            }
        }
        Ok(all)
    }

    fn parse(operator: &str, name: &str, value: &Value) -> Result<Self, BadPolicy> {
        let Some(key) = Key::named(name) else {
            return bad(format!("the condition key `{name}` is not supported"));
        };
        let (for_all, bare) = match operator.split_once(':') {
            Some(("ForAllValues", bare)) => (Some(true), bare),
            Some(("ForAnyValue", bare)) => (Some(false), bare),
            _ => (None, operator),
        };
        let (bare, if_exists) = match bare.strip_suffix("IfExists") {
            Some(bare) => (bare, true),
            None => (bare, false),
        };
        let values = condition_values(name, value)?;
        let Some((compare, negated)) = Compare::of(bare, values, name)? else {
            return bad(format!("the condition operator `{operator}` is not supported"));
        };
        let is_null = matches!(compare, Compare::Null(_));
        if is_null && (for_all.is_some() || if_exists) {
            return bad(format!("the condition operator `{operator}` is not supported"));
        }
        if !compare.suits(key) {
            return bad(format!("the operator `{operator}` cannot compare `{name}`"));
        }
        // Every key here has one value or none, so the two words for sets matter for none alone.
        // A key that the request does not have fails a comparison and passes its negation.
        let holds_absent = if_exists || for_all.unwrap_or(negated);
        Ok(Self { key, compare, negated, holds_absent })
    }

    pub(super) fn holds(&self, cx: &Cx, context: &Context<'_>) -> bool {
        let known = self.key.known(cx, context);
        match (&self.compare, known) {
            (Compare::Null(absent), known) => absent.contains(&known.is_none()),
            (_, None) => self.holds_absent,
            (compare, Some(known)) => compare.fits(known) != self.negated,
        }
    }
}

impl Compare {
    /// Reads an operator without what stands before and behind it, and the values it compares with.
    /// Tells whether it is negated; nothing when there is no such operator.
    fn of(
        operator: &str,
        values: Vec<String>,
        key: &str,
    ) -> Result<Option<(Self, bool)>, BadPolicy> {
        use Ordering::{Equal, Greater, Less};
        let dates = |orders| Ok(Self::Date(orders, read(&values, key, "a date", seconds)?));
        let flags = || read(&values, key, "`true` or `false`", flag);
        let addresses = || read(&values, key, "an address or a network", Network::parse);
        let arns = || read(&values, key, "an ARN", arn).map(Self::Arn);
        let (compare, negated) = match operator {
            "StringEquals" => (Self::Equals(values), false),
            "StringNotEquals" => (Self::Equals(values), true),
            "StringEqualsIgnoreCase" => (Self::EqualsIgnoreCase(values), false),
            "StringNotEqualsIgnoreCase" => (Self::EqualsIgnoreCase(values), true),
            "StringLike" => (Self::Like(values), false),
            "StringNotLike" => (Self::Like(values), true),
            "ArnEquals" | "ArnLike" => (arns()?, false),
            "ArnNotEquals" | "ArnNotLike" => (arns()?, true),
            "Bool" => (Self::Bool(flags()?), false),
            "Null" => (Self::Null(flags()?), false),
            "IpAddress" => (Self::Address(addresses()?), false),
            "NotIpAddress" => (Self::Address(addresses()?), true),
            "DateEquals" => (dates(&[Equal])?, false),
            "DateNotEquals" => (dates(&[Equal])?, true),
            "DateLessThan" => (dates(&[Less])?, false),
            "DateLessThanEquals" => (dates(&[Less, Equal])?, false),
            "DateGreaterThan" => (dates(&[Greater])?, false),
            "DateGreaterThanEquals" => (dates(&[Greater, Equal])?, false),
            _ => return Ok(None),
        };
        Ok(Some((compare, negated)))
    }

    /// Whether it can tell values of this key apart.
    fn suits(&self, key: Key) -> bool {
        match self {
            Self::Equals(_) | Self::EqualsIgnoreCase(_) | Self::Like(_) => matches!(
                key,
                Key::ExternalId
                    | Key::PassedToService
                    | Key::PrincipalAccount
                    | Key::PrincipalArn
                    | Key::PrincipalType
                    | Key::RequestedRegion
                    | Key::RoleSessionName
                    | Key::SourceAccount
                    | Key::SourceArn
                    | Key::SourceOwner
                    | Key::UserId
                    | Key::UserName
            ),
            Self::Arn(_) => matches!(key, Key::PrincipalArn | Key::SourceArn),
            Self::Bool(_) => matches!(
                key,
                Key::PrincipalIsAwsService | Key::SecureTransport | Key::ViaAwsService
            ),
            Self::Address(_) => key == Key::SourceIp,
            Self::Date(..) => key == Key::CurrentTime,
            Self::Null(_) => true,
        }
    }

    /// Whether the key's value compares to one of the values.
    fn fits(&self, known: Known<'_>) -> bool {
        match (self, known) {
            (Self::Equals(values), Known::Text(known)) => values.iter().any(|v| v == known),
            (Self::EqualsIgnoreCase(values), Known::Text(known)) => {
                values.iter().any(|v| v.eq_ignore_ascii_case(known))
            }
            (Self::Like(values), Known::Text(known)) => values.iter().any(|v| matches(v, known)),
            (Self::Arn(values), Known::Text(known)) => values.iter().any(|v| arn_matches(v, known)),
            (Self::Bool(values), Known::Flag(known)) => values.contains(&known),
            (Self::Address(values), Known::Address(known)) => values.iter().any(|v| v.has(known)),
            (Self::Date(orders, values), Known::Seconds(known)) => {
                values.iter().any(|value| orders.contains(&known.cmp(value)))
            }
            // `suits` lets nothing else through.
            _ => false,
        }
    }
}

impl Key {
    /// The key of this name, in whatever case.
    fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "aws:currenttime" => Self::CurrentTime,
            "aws:principalaccount" => Self::PrincipalAccount,
            "aws:principalarn" => Self::PrincipalArn,
            "aws:principalisawsservice" => Self::PrincipalIsAwsService,
            "aws:principaltype" => Self::PrincipalType,
            "aws:requestedregion" => Self::RequestedRegion,
            "aws:securetransport" => Self::SecureTransport,
            "aws:sourceaccount" => Self::SourceAccount,
            "aws:sourcearn" => Self::SourceArn,
            "aws:sourceip" => Self::SourceIp,
            "aws:sourceowner" => Self::SourceOwner,
            "aws:userid" => Self::UserId,
            "aws:username" => Self::UserName,
            "aws:viaawsservice" => Self::ViaAwsService,
            "iam:passedtoservice" => Self::PassedToService,
            "sts:externalid" => Self::ExternalId,
            "sts:rolesessionname" => Self::RoleSessionName,
            _ => return None,
        })
    }

    /// What the request has for it; nothing when it has none.
    fn known<'a>(self, cx: &'a Cx, context: &Context<'a>) -> Option<Known<'a>> {
        Some(match self {
            Self::CurrentTime => Known::Seconds(cx.origin.time_ms.div_euclid(1000)),
            Self::ExternalId => Known::Text(context.external_id?),
            Self::PassedToService => Known::Text(context.passed_to_service?),
            Self::PrincipalAccount => Known::Text(cx.account.as_str()),
            Self::PrincipalArn => Known::Text(cx.principal_arn()),
            Self::PrincipalIsAwsService => Known::Flag(context.service.is_some()),
            // No service asks in a user's stead.
            Self::ViaAwsService => Known::Flag(false),
            Self::PrincipalType => Known::Text(principal_type(cx)),
            Self::RequestedRegion => Known::Text(cx.region.as_str()),
            Self::RoleSessionName => Known::Text(context.role_session_name?),
            Self::SecureTransport => Known::Flag(cx.origin.is_tls),
            Self::SourceAccount => Known::Text(context.source_account?),
            Self::SourceArn => Known::Text(context.source_arn?),
            Self::SourceIp => Known::Address(cx.origin.address?),
            Self::SourceOwner => Known::Text(context.source_account.unwrap_or(cx.account.as_str())),
            Self::UserId => Known::Text(cx.user_id()),
            Self::UserName => Known::Text(cx.user_name()?),
        })
    }
}

fn principal_type(cx: &Cx) -> &'static str {
    match cx.role_arn {
        Some(_) => "AssumedRole",
        None if cx.user_name().is_some() => "User",
        None => "Account",
    }
}

fn read<T>(
    values: &[String],
    key: &str,
    wanted: &str,
    one: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, BadPolicy> {
    let wrong = |value| BadPolicy(format!("`{key}` must be {wanted}, not `{value}`"));
    values.iter().map(|value| one(value).ok_or_else(|| wrong(value))).collect()
}

fn flag(text: &str) -> Option<bool> {
    match () {
        () if text.eq_ignore_ascii_case("true") => Some(true),
        () if text.eq_ignore_ascii_case("false") => Some(false),
        () => None,
    }
}

/// A date as W3C writes it, or seconds since the epoch. Four digits are a year.
fn seconds(text: &str) -> Option<i64> {
    let seconds = text.parse().ok().filter(|_| text.len() != 4);
    seconds.or_else(|| Some(date::parse_iso(text)?.div_euclid(1000)))
}

/// A pattern of ARNs: six parts between colons, or `*` for all of them.
fn arn(text: &str) -> Option<String> {
    let parts = text.splitn(6, ':').count();
    (text == "*" || parts == 6 && text.starts_with("arn:")).then(|| text.to_owned())
}

fn arn_matches(pattern: &str, arn: &str) -> bool {
    let mut parts = arn.splitn(6, ':');
    let fits = |part: &str| parts.next().is_some_and(|of_arn| matches(part, of_arn));
    pattern == "*" || pattern.splitn(6, ':').all(fits)
}

/// Values may be written as booleans and numbers.
fn condition_values(key: &str, value: &Value) -> Result<Vec<String>, BadPolicy> {
    let text = |value: &Value| match value {
        Value::Bool(flag) => flag.to_string().into(),
        Value::Number(number) => number.to_string().into(),
        other => other.clone(),
    };
    match value {
        Value::Array(all) => texts(key, &Value::Array(all.iter().map(text).collect())),
        one => texts(key, &text(one)),
    }
}

#[cfg(test)]
mod tests;
