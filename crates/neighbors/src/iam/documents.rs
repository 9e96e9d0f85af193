//! Policy documents: read when they come, kept as they were sent, percent-encoded once in answers.

use super::errors::Result;
use super::texts;
use api::Text;
use base::policy::{Policy, Stored};
use std::fmt::Write as _;
use std::sync::Arc;

/// Longest managed policy (AWS's quota), in characters that are no white space.
pub(super) const MANAGED_CHARACTERS_MAX: usize = 6144;
/// Longest trust policy.
pub(super) const TRUST_CHARACTERS_MAX: usize = 2048;

/// Reads a policy that hangs on a user or a role.
///
/// # Errors
/// `MalformedPolicyDocument`.
pub(super) fn identity(document: &str) -> Result<Policy> {
    is_json(document)?;
    Policy::parse_identity(document).map_err(|flaw| {
        if any_statement(document, |statement| statement.get("Principal").is_some()) {
            return texts::prohibited_field("Principal");
        }
        let lacks = |what: &str| {
            let not = format!("Not{what}");
            any_statement(document, |of| of.get(what).is_none() && of.get(&not).is_none())
        };
        match (lacks("Action"), lacks("Resource")) {
            (true, _) => texts::must_contain("actions"),
            (false, true) => texts::must_contain("resources"),
            _ => texts::syntax_errors(&flaw),
        }
    })
}

/// Reads a managed policy.
///
/// # Errors
/// `LimitExceeded`, `MalformedPolicyDocument`.
pub(super) fn managed(document: &str) -> Result<Policy> {
    if size(document) > MANAGED_CHARACTERS_MAX {
        return Err(texts::quota("PolicySize", MANAGED_CHARACTERS_MAX));
    }
    identity(document)
}

/// Reads a policy that says who may take on a role.
///
/// # Errors
/// `LimitExceeded`, `MalformedPolicyDocument`.
pub(super) fn trust(document: &str) -> Result<Policy> {
    if size(document) > TRUST_CHARACTERS_MAX {
        return Err(texts::quota("ACLSizePerRole", TRUST_CHARACTERS_MAX));
    }
    is_json(document)?;
    let policy = Policy::parse(document).map_err(|flaw| {
        let flaw_text = flaw.to_string();
        match flaw_text.starts_with("the principal `") {
            true => texts::invalid_principal(&flaw_text),
            false => texts::syntax_errors(&flaw),
        }
    })?;
    if policy.names_resources() {
        return Err(texts::prohibited_field("Resource"));
    }
    let is_of_sts = |action: &str| {
        action.split_once(':').is_some_and(|(service, _)| service.eq_ignore_ascii_case("sts"))
    };
    if !policy.actions().all(is_of_sts) {
        return Err(texts::trust_is_for_sts());
    }
    Ok(policy)
}

/// A policy of a user or a role that was stored. One that is not understood lets nobody in, and is
/// told.
pub(super) fn stored_identity(of: &str, document: &str) -> Arc<Policy> {
    let policy = Policy::parse_identity(document).unwrap_or_else(|flaw| {
        tell(of, &flaw);
        match Policy::read_stored(document) {
            Stored::Closed(policy, _) => policy,
            // With a principal it is no policy of a caller; as one of a resource it may not count.
            Stored::Policy(_) => Policy::nothing(),
        }
    });
    Arc::new(policy)
}

/// A trust policy that was stored, as [`stored_identity`].
pub(super) fn stored_trust(of: &str, document: &str) -> Arc<Policy> {
    Arc::new(match Policy::read_stored(document) {
        Stored::Policy(policy) => policy,
        Stored::Closed(policy, flaw) => {
            tell(of, &flaw);
            policy
        }
    })
}

fn tell(of: &str, flaw: &base::policy::BadPolicy) {
    tracing::error!(
        of, error = %flaw,
        "a stored policy is not understood, so it lets nobody in: put it again or delete it"
    );
}

/// How AWS measures documents: characters that are no white space.
pub(super) fn size(document: &str) -> usize {
    document.chars().filter(|c| !c.is_whitespace()).count()
}

/// The document as answers hold it: RFC 3986, what the client wrote encoded once, never twice.
pub(super) fn encoded(document: &str) -> Text {
    let mut text = String::with_capacity(document.len() * 2);
    for byte in document.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                text.push(char::from(byte));
            }
            _ => write!(text, "%{byte:02X}").expect("writing to a string cannot fail"),
        }
    }
    text.into()
}

fn is_json(document: &str) -> Result<()> {
    match serde_json::from_str::<serde_json::Value>(document) {
        Ok(_) => Ok(()),
        Err(_) => Err(texts::policy_is_no_json()),
    }
}

/// Whether one of the statements is so.
fn any_statement(document: &str, is_so: impl Fn(&serde_json::Value) -> bool) -> bool {
    let Ok(document) = serde_json::from_str::<serde_json::Value>(document) else { return false };
    let statements = document.get("Statement");
    statements.is_some_and(|all| match all.as_array() {
        Some(all) => all.iter().any(is_so),
        None => is_so(all),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flaw<T: std::fmt::Debug>(read: Result<T>) -> String {
        let error = read.unwrap_err();
        format!("{}: {}", error.code().trim_end_matches("Exception"), error.message())
    }

    #[test]
    fn documents_are_encoded_once() {
        assert_eq!(
            encoded("{\"a\": \"b%3A-_.~*/é\"}"),
            "%7B%22a%22%3A%20%22b%253A-_.~%2A%2F%C3%A9%22%7D"
        );
        assert_eq!(size(" {\n\t\"a b\" }"), 6);
    }

    #[test]
    fn policies_of_callers() {
        let of = |statement: &str| identity(&format!(r#"{{"Statement":[{statement}]}}"#));
        of(r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#).unwrap();
        for (statement, want) in [
            (
                r#"{"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"}"#,
                "MalformedPolicyDocument: Has prohibited field Principal",
            ),
            (
                r#"{"Effect":"Allow","Resource":"*"}"#,
                "MalformedPolicyDocument: Policy statement must contain actions.",
            ),
            (
                r#"{"Effect":"Allow","Action":"*"}"#,
                "MalformedPolicyDocument: Policy statement must contain resources.",
            ),
            ("{", "MalformedPolicyDocument: This policy contains invalid Json"),
        ] {
            assert_eq!(flaw(of(statement)), want, "{statement}");
        }
        let long = "x".repeat(MANAGED_CHARACTERS_MAX + 1);
        assert_eq!(flaw(managed(&long)), "LimitExceeded: Cannot exceed quota for PolicySize: 6144");
    }

    #[test]
    fn trust_policies() {
        let of =
            |members: &str| trust(&format!(r#"{{"Statement":[{{"Effect":"Allow",{members}}}]}}"#));
        of(r#""Principal":{"Service":"firehose.amazonaws.com"},"Action":"sts:AssumeRole""#)
            .unwrap();
        of(r#""Principal":{"AWS":"111111111111"},"Action":["STS:AssumeRole","sts:TagSession"],
            "Condition":{"StringEquals":{"sts:ExternalId":"x","aws:SourceAccount":"1"}}"#)
        .unwrap();
        for (members, want) in [
            (
                r#""Principal":"*","Action":"sts:AssumeRole","Resource":"*""#,
                "MalformedPolicyDocument: Has prohibited field Resource",
            ),
            (
                r#""Principal":"*","Action":"s3:GetObject""#,
                "MalformedPolicyDocument: AssumeRole policy may only specify STS AssumeRole actions.",
            ),
            (
                r#""Principal":"*","Action":"*""#,
                "MalformedPolicyDocument: AssumeRole policy may only specify STS AssumeRole actions.",
            ),
            (
                r#""Principal":{"AWS":"ann"},"Action":"sts:AssumeRole""#,
                "MalformedPolicyDocument: Invalid principal in policy: the principal `ann` is no \
                 account and no ARN",
            ),
            (
                r#""Action":"sts:AssumeRole""#,
                "MalformedPolicyDocument: Syntax errors in policy: a statement needs a `Principal`",
            ),
        ] {
            assert_eq!(flaw(of(members)), want, "{members}");
        }
        let long = format!("{{\"Id\":\"{}\"}}", "x".repeat(TRUST_CHARACTERS_MAX));
        assert_eq!(
            flaw(trust(&long)),
            "LimitExceeded: Cannot exceed quota for ACLSizePerRole: 2048"
        );
    }

    #[test]
    fn stored_policies_never_open() {
        let fine = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
        assert_eq!(*stored_identity("x", fine), Policy::parse_identity(fine).unwrap());
        let public = r#"{"Statement":{"Effect":"Allow","Action":"*","Principal":"*"}}"#;
        assert_eq!(*stored_identity("x", public), Policy::nothing());
        assert_eq!(*stored_identity("x", "{"), Policy::nothing());
        assert_eq!(*stored_trust("x", "{"), Policy::nothing());
    }
}
