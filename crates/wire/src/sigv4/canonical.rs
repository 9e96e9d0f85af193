//! The canonical request and what is hashed of it.
//!
//! Rules (botocore, JavaScript, Rust and C++ SDKs agree on them): the path is normalised and
//! encoded once more than it was sent; query parameters are decoded, encoded alike and sorted;
//! header values are trimmed and inner blanks collapsed; repeated headers are joined by a comma.

use super::Parts;
use base::hex;
use ring::{digest, hmac};
use std::fmt::Write as _;

/// Name of the algorithm, as it opens the header and the string to sign.
pub(crate) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// What ends every scope.
pub(crate) const TERMINATOR: &str = "aws4_request";

/// SHA-256 of a body in lower-case hexadecimal digits, as the canonical request ends.
pub fn payload_hash(body: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, body).as_ref())
}

/// What HMAC is computed over.
///
/// `signed` are the names of the covered headers, sorted, joined by semicolons; `scope` is
/// `date/region/service/aws4_request`; `payload` the hash of the body or a word in its place.
pub(crate) fn string_to_sign(
    parts: &Parts<'_>,
    signed: &str,
    payload: &str,
    (date, scope): (&str, &str),
) -> String {
    let request = request(parts, signed, payload);
    let hash = payload_hash(request.as_bytes());
    format!("{ALGORITHM}\n{date}\n{scope}\n{hash}")
}

/// The canonical request.
pub(crate) fn request(parts: &Parts<'_>, signed: &str, payload: &str) -> String {
    let mut out = String::with_capacity(1024);
    out.push_str(parts.method);
    out.push('\n');
    put_path(&mut out, parts.path);
    out.push('\n');
    put_query(&mut out, parts.query);
    out.push('\n');
    for name in signed.split(';') {
        out.push_str(name);
        out.push(':');
        put_values(&mut out, parts, name);
        out.push('\n');
    }
    out.push('\n');
    out.push_str(signed);
    out.push('\n');
    out.push_str(payload);
    out
}

fn put_values(out: &mut String, parts: &Parts<'_>, name: &str) {
    for (at, value) in parts.values(name).enumerate() {
        if at > 0 {
            out.push(',');
        }
        let text = String::from_utf8_lossy(value);
        for (at, word) in text.split_ascii_whitespace().enumerate() {
            if at > 0 {
                out.push(' ');
            }
            out.push_str(word);
        }
    }
}

fn put_path(out: &mut String, path: &str) {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(kept.pop()),
            other => kept.push(other),
        }
    }
    for segment in &kept {
        out.push('/');
        put_encoded(out, segment.as_bytes());
    }
    if kept.is_empty() || path.ends_with('/') {
        out.push('/');
    }
}

fn put_query(out: &mut String, query: &str) {
    let mut pairs: Vec<(String, String)> = pairs(query)
        .map(|(name, value)| (encoded(&decoded(name)), encoded(&decoded(value))))
        .filter(|(name, _)| name != "X-Amz-Signature")
        .collect();
    pairs.sort();
    for (at, (name, value)) in pairs.iter().enumerate() {
        let and = if at > 0 { "&" } else { "" };
        write!(out, "{and}{name}={value}").expect("writing to a string cannot fail");
    }
}

/// The parameters of a query, still encoded.
pub(crate) fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query.split('&').filter(|p| !p.is_empty()).map(|p| p.split_once('=').unwrap_or((p, "")))
}

/// Undoes percent-encoding; a sign that opens no escape stands for itself.
pub(crate) fn decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|b| char::from(*b).to_digit(16));
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 2;
            }
            (b'+', _, _) => out.push(b' '),
            (other, _, _) => out.push(other),
        }
        at += 1;
    }
    out
}

fn encoded(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    put_encoded(&mut out, bytes);
    out
}

fn put_encoded(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(*byte));
        } else {
            write!(out, "%{byte:02X}").expect("writing to a string cannot fail");
        }
    }
}

/// The key that signs everything of one date, region and service.
pub(crate) fn signing_key(secret: &str, date: &str, region: &str, service: &str) -> hmac::Key {
    let mut key = hmac::Key::new(hmac::HMAC_SHA256, format!("AWS4{secret}").as_bytes());
    for step in [date, region, service, TERMINATOR] {
        key = hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&key, step.as_bytes()).as_ref());
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_normalised_and_encoded_once_more() {
        let check = |path: &str, want: &str| {
            let mut out = String::new();
            put_path(&mut out, path);
            assert_eq!(out, want, "{path}");
        };
        check("/", "/");
        check("", "/");
        check("//", "/");
        check("/a/../..", "/");
        check("/./a//b/", "/a/b/");
        check("/v1/arn%3Aaws", "/v1/arn%253Aaws");
    }

    #[test]
    fn queries_are_sorted_by_encoded_name_then_value() {
        let check = |query: &str, want: &str| {
            let mut out = String::new();
            put_query(&mut out, query);
            assert_eq!(out, want, "{query}");
        };
        check("", "");
        check("b=2&a=2&a=1", "a=1&a=2&b=2");
        check("a&b=%2f", "a=&b=%2F");
        check("a=x+y&a=%zz&X-Amz-Signature=abc", "a=%25zz&a=x%20y");
    }

    #[test]
    fn header_values_lose_blanks_and_join() {
        let headers: &[(&str, &[u8])] =
            &[("a", b"  x   y\t z "), ("host", b"h:1"), ("a", b"2"), ("a", b"")];
        let parts = Parts { method: "POST", path: "/", query: "", headers };
        let text = request(&parts, "a;host", "HASH");
        assert_eq!(text, "POST\n/\n\na:x y z,2,\nhost:h:1\n\na;host\nHASH");
    }

    #[test]
    fn authority_and_host_stand_for_each_other() {
        let headers: &[(&str, &[u8])] = &[(":authority", b"h:1")];
        let parts = Parts { method: "POST", path: "/", query: "", headers };
        assert!(request(&parts, "host", "H").contains("\nhost:h:1\n"));
        assert!(request(&parts, ":authority", "H").contains("\n:authority:h:1\n"));
        let headers: &[(&str, &[u8])] = &[("host", b"h:2")];
        let parts = Parts { headers, ..parts };
        assert!(request(&parts, ":authority", "H").contains("\n:authority:h:2\n"));
    }
}
