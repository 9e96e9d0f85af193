//! What a request says of its signature, before anything is believed.

use super::Parts;
use super::canonical::{ALGORITHM, decoded, pairs};
use crate::Refusal;
use crate::violations::show_cut;
use memchr::{memchr2, memrchr};
use std::borrow::Cow;

/// Where the signature stood.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    /// In the `Authorization` header.
    Header,
    /// In the query.
    Query,
}

/// A signature that is present and well formed; nothing of it has been verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim<'a> {
    pub(crate) form: Form,
    pub(crate) credential: Cow<'a, str>,
    pub(crate) signed_headers: Cow<'a, str>,
    pub(crate) signature: Cow<'a, str>,
    pub(crate) date: Cow<'a, str>,
    pub(crate) token: Option<Cow<'a, str>>,
    pub(crate) expires: Option<Cow<'a, str>>,
}

/// The five elements of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credential<'a> {
    /// Names the key.
    pub access_key_id: &'a str,
    /// As `20150830`.
    pub date: &'a str,
    /// As `us-east-1`; any text.
    pub region: &'a str,
    /// As `kinesis`; any text.
    pub service: &'a str,
    /// `aws4_request`, when it is right.
    pub terminator: &'a str,
}

impl<'a> Claim<'a> {
    /// Finds the signature of a request.
    ///
    /// # Errors
    /// `MissingAuthenticationTokenException` none; `IncompleteSignatureException` parts of it are
    /// missing or of no form; `InvalidSignatureException` one in the header and one in the query.
    /// Texts as AWS writes them.
    ///
    /// Source: observed (kinesalite's suite).
    pub fn read(parts: &Parts<'a>) -> Result<Self, Refusal> {
        let header = parts.header("authorization");
        let in_query = parts.query.contains("X-Amz-Algorithm")
            && pairs(parts.query).any(|(name, _)| name == "X-Amz-Algorithm");
        let claim = match (header, in_query) {
            (Some(_), true) => Err(Refusal::client(
                "InvalidSignatureException",
                "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP \
                 header.",
            )),
            (Some(header), false) => Self::from_header(parts, header),
            (None, true) => Self::from_query(parts),
            (None, false) => Err(Refusal::client(
                "MissingAuthenticationTokenException",
                "Missing Authentication Token",
            )),
        }?;
        match claim.credential.bytes().filter(|b| *b == b'/').count() {
            4.. => Ok(claim),
            _ => Err(incomplete(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. \
                 keyid/date/region/service/term, got '{}'",
                claim.credential
            ))),
        }
    }

    /// The session token that the request shows.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The elements of the credential.
    pub fn credential(&self) -> Credential<'_> {
        let mut rest: &str = &self.credential;
        let mut last = || {
            let (before, element) = cut(rest, memrchr(b'/', rest.as_bytes())).unwrap_or(("", rest));
            rest = before;
            element
        };
        let (terminator, service, region, date) = (last(), last(), last(), last());
        Credential { access_key_id: rest, date, region, service, terminator }
    }

    /// Source: observed (kinesalite's suite).
    fn from_header(parts: &Parts<'a>, header: &'a str) -> Result<Self, Refusal> {
        let (algorithm, mut rest) = split_once(header.trim_start()).unwrap_or((header, ""));
        let (mut credential, mut signature, mut signed_headers) = (None, None, None);
        while !rest.is_empty() {
            let (pair, behind) = split_once(rest).unwrap_or((rest, ""));
            let pair = pair.trim();
            if let Some(value) = pair.strip_prefix("Credential=") {
                credential = Some(value);
            } else if let Some(value) = pair.strip_prefix("SignedHeaders=") {
                signed_headers = Some(value);
            } else if let Some(value) = pair.strip_prefix("Signature=") {
                signature = Some(value);
            }
            rest = behind;
        }
        let present = |value: Option<&'a str>| value.filter(|v| !v.is_empty());
        let found = (present(credential), present(signature), present(signed_headers));
        let date = present(parts.header("x-amz-date")).or_else(|| present(parts.header("date")));
        let (Some(credential), Some(signature), Some(signed_headers), Some(date)) =
            (found.0, found.1, found.2, date)
        else {
            let given = [found.0.is_some(), found.1.is_some(), found.2.is_some(), date.is_some()];
            return Err(header_incomplete(given, header));
        };
        if algorithm != ALGORITHM {
            return Err(incomplete(format!("Unsupported AWS 'algorithm': '{algorithm}'.")));
        }
        Ok(Self {
            form: Form::Header,
            credential: credential.into(),
            signed_headers: signed_headers.into(),
            signature: signature.into(),
            date: date.into(),
            token: parts.header("x-amz-security-token").map(Cow::Borrowed),
            expires: None,
        })
    }

    /// Source: observed (kinesalite's suite).
    fn from_query(parts: &Parts<'a>) -> Result<Self, Refusal> {
        let value = |wanted: &str| {
            let (_, value) = pairs(parts.query).find(|(name, _)| *name == wanted)?;
            Some(String::from_utf8_lossy(&decoded(value)).into_owned()).filter(|v| !v.is_empty())
        };
        let names = [
            "X-Amz-Algorithm",
            "X-Amz-Credential",
            "X-Amz-Signature",
            "X-Amz-SignedHeaders",
            "X-Amz-Date",
        ];
        let [Some(algorithm), Some(credential), Some(signature), Some(signed_headers), Some(date)] =
            names.map(value)
        else {
            let mut text = String::new();
            for name in names.iter().filter(|name| value(name).is_none()) {
                text.push_str("AWS query-string parameters must include '");
                text.push_str(name);
                text.push_str("'. ");
            }
            return Err(incomplete(text + "Re-examine the query-string parameters."));
        };
        if algorithm != ALGORITHM {
            return Err(incomplete(format!("Unsupported AWS 'algorithm': '{algorithm}'.")));
        }
        let token = value("X-Amz-Security-Token").map(Cow::Owned);
        Ok(Self {
            form: Form::Query,
            credential: credential.into(),
            signed_headers: signed_headers.into(),
            signature: signature.into(),
            date: date.into(),
            token: token.or(parts.header("x-amz-security-token").map(Cow::Borrowed)),
            expires: value("X-Amz-Expires").map(Cow::Owned),
        })
    }
}

/// What stands before and behind the first space or comma.
fn split_once(text: &str) -> Option<(&str, &str)> {
    // The standard library's search for either of two is several times slower.
    cut(text, memchr2(b' ', b',', text.as_bytes()))
}

/// What stands before and behind the ASCII character at `at`.
fn cut(text: &str, at: Option<usize>) -> Option<(&str, &str)> {
    Some((text.get(..at?)?, text.get(at? + 1..)?))
}

/// Source: observed (kinesalite's suite).
fn header_incomplete(given: [bool; 4], header: &str) -> Refusal {
    let needs = [
        "Authorization header requires 'Credential' parameter. ",
        "Authorization header requires 'Signature' parameter. ",
        "Authorization header requires 'SignedHeaders' parameter. ",
        "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ",
    ];
    let texts: String =
        needs.iter().zip(given).filter(|(_, given)| !given).map(|(text, _)| *text).collect();
    let mut echo = String::new();
    show_cut(header, &mut echo);
    incomplete(format!("{texts}Authorization={echo}"))
}

fn incomplete(message: String) -> Refusal {
    Refusal::client("IncompleteSignatureException", message)
}
