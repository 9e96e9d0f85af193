//! The `Condition` member of a statement.

use super::glob::matches;
use super::{BadPolicy, Request, bad, texts};
use serde_json::{Map, Value};

/// One operator on one key: the key's value must compare to one of the values.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Condition {
    compare: Compare,
    negated: bool,
    /// Holds when the request does not know the key.
    if_exists: bool,
    key: String,
    values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Compare {
    Equals,
    EqualsIgnoreCase,
    Like,
    /// `true` asks for the key to be absent.
    Null,
}

impl Condition {
    pub(super) fn parse_all(operators: &Map<String, Value>) -> Result<Vec<Self>, BadPolicy> {
        let mut all = Vec::new();
        for (operator, keys) in operators {
            let (name, if_exists) = match operator.strip_suffix("IfExists") {
                Some(name) => (name, true),
                None => (operator.as_str(), false),
            };
            let Some((compare, negated)) = operator_of(name) else {
                return bad(format!("the condition operator `{operator}` is not supported"));
            };
            let Value::Object(keys) = keys else {
                return bad(format!("`{operator}` must be an object"));
            };
            for (key, value) in keys {
                let key = key.to_ascii_lowercase();
                let values = condition_values(&key, value)?;
                all.push(Self { compare, negated, if_exists, key, values });
            }
        }
        Ok(all)
    }

    pub(super) fn holds(&self, request: &Request<'_>) -> bool {
        let value = context(&self.key, request);
        if self.compare == Compare::Null {
            return self.values.iter().any(|v| (v == "true") == value.is_none());
        }
        // A key the request does not have fails a comparison and passes its negation, as in IAM.
        let Some(value) = value else { return self.if_exists || self.negated };
        let fits = self.values.iter().any(|wanted| match self.compare {
            Compare::Equals => value == wanted,
            Compare::EqualsIgnoreCase => value.eq_ignore_ascii_case(wanted),
            Compare::Like => matches(wanted, value),
            Compare::Null => false,
        });
        fits != self.negated
    }
}

fn operator_of(name: &str) -> Option<(Compare, bool)> {
    Some(match name {
        "StringEquals" => (Compare::Equals, false),
        "StringNotEquals" => (Compare::Equals, true),
        "StringEqualsIgnoreCase" | "Bool" => (Compare::EqualsIgnoreCase, false),
        "StringNotEqualsIgnoreCase" => (Compare::EqualsIgnoreCase, true),
        "StringLike" | "ArnEquals" | "ArnLike" => (Compare::Like, false),
        "StringNotLike" | "ArnNotEquals" | "ArnNotLike" => (Compare::Like, true),
        "Null" => (Compare::Null, false),
        _ => return None,
    })
}

/// Values may be booleans where `Bool` and `Null` ask for them.
fn condition_values(key: &str, value: &Value) -> Result<Vec<String>, BadPolicy> {
    match value {
        Value::Bool(flag) => Ok(vec![flag.to_string()]),
        other => texts(key, other),
    }
}

/// What is known of the caller under a lower-case key.
fn context<'a>(key: &str, request: &'a Request<'_>) -> Option<&'a str> {
    match key {
        "aws:principalaccount" => Some(request.account.as_str()),
        "aws:principalarn" => Some(request.caller_arn),
        _ => None,
    }
}
