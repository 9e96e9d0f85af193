//! The query protocol: a form of flat names in, XML out.
//!
//! A form becomes JSON text in one pass and is then read as such, where a scalar may be spelled as
//! a string. What a name means shows in it: `A.member.1` is the first element of the list `A`,
//! `A.1` of a flattened one, `A.entry.1.key` and `.value` an entry of the map `A`.

use super::Refusal;
use crate::rules::Member;
use crate::{Answer, Format, Read, Reader, Routes, Writer};
use bytes::Bytes;
use std::borrow::Cow;
use std::fmt::Write as _;

pub(super) const CONTENT_TYPE: &str = "text/xml";
/// The header that tells a service's old name of an error.
pub(super) const ERROR: &str = "x-amzn-query-error";
/// Dots in a name; deeper is nothing that a model has.
const DEPTH_MAX: usize = 32;

/// Whose fault an error is, in the words of the protocol.
pub(super) fn fault(refusal: &Refusal) -> &'static str {
    if refusal.status < 500 { "Sender" } else { "Receiver" }
}

/// The name of the operation that a form asks for.
pub fn action(form: &[u8]) -> Option<String> {
    pairs(form).find(|(name, _)| name == "Action").map(|(_, value)| value.into_owned())
}

fn pairs(form: &[u8]) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    let fields = form.split(|byte| *byte == b'&').filter(|field| !field.is_empty());
    fields.map(|field| {
        let at = field.iter().position(|byte| *byte == b'=').unwrap_or(field.len());
        (unescape(&field[..at]), unescape(field.get(at + 1..).unwrap_or_default()))
    })
}

/// Percent signs and pluses of a form; what is no UTF-8 is replaced, as browsers do.
pub(super) fn unescape(text: &[u8]) -> Cow<'_, str> {
    if !text.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return String::from_utf8_lossy(text);
    }
    let plain: Vec<u8> = text.iter().map(|b| if *b == b'+' { b' ' } else { *b }).collect();
    Cow::Owned(String::from_utf8_lossy(&percent(&plain)).into_owned())
}

/// Resolves percent signs; one without two digits behind it stands for itself.
pub(super) fn percent(text: &[u8]) -> Vec<u8> {
    let digit = |at: usize| text.get(at).and_then(|byte| (*byte as char).to_digit(16));
    let (mut out, mut at) = (Vec::with_capacity(text.len()), 0);
    while let Some(&byte) = text.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

/// A pair of a form, its name apart at the dots.
struct Field<'f> {
    words: Vec<&'f str>,
    value: &'f str,
}

/// Reads and checks a form as `read` reads a body.
///
/// Pairs are sorted by their names, so that what belongs together is a run of them; nothing is made
/// for a word alone, whatever a client writes.
pub(crate) fn read<T>(
    form: &Bytes,
    read: impl FnOnce(&mut Reader) -> Read<Option<T>>,
) -> Result<T, Refusal> {
    let pairs: Vec<(Cow<'_, str>, Cow<'_, str>)> =
        pairs(form).filter(|(name, _)| !matches!(&**name, "Action" | "Version")).collect();
    let mut fields: Vec<Field<'_>> = pairs
        .iter()
        .map(|(name, value)| Field { words: name.split('.').collect(), value })
        .collect();
    if fields.iter().any(|field| field.words.len() > DEPTH_MAX) {
        return Err(malformed("a name has too many dots"));
    }
    // Stable: of two pairs of one name the last counts.
    fields.sort_by(|a, b| a.words.cmp(&b.words));
    let mut w = Writer::new(Format::Json, form.len() * 2);
    put_structure(&mut w, &fields, 0);
    crate::decode_loose(w.finish(), 0, read)
}

/// Source: ours.
fn malformed(text: &'static str) -> Refusal {
    Refusal::client("MalformedInput", text)
}

/// Runs of fields that have the same word at this depth, with it.
fn runs<'r, 'f>(
    fields: &'r [Field<'f>],
    depth: usize,
) -> impl Iterator<Item = (&'f str, &'r [Field<'f>])> + Clone {
    fields
        .chunk_by(move |a, b| a.words.get(depth) == b.words.get(depth))
        .map(move |run| (run[0].words.get(depth).copied().unwrap_or_default(), run))
}

fn put_structure(w: &mut Writer, fields: &[Field<'_>], depth: usize) {
    w.begin_map(runs(fields, depth).count());
    for (name, run) in runs(fields, depth) {
        w.map_key(name);
        put(w, run, depth + 1);
    }
    w.end_map();
}

/// Writes what a run of fields holds behind so many words.
fn put(w: &mut Writer, fields: &[Field<'_>], depth: usize) {
    // Those that end here come first.
    let inside = &fields[fields.partition_point(|field| field.words.len() <= depth)..];
    if inside.is_empty() {
        return w.text(fields.last().map_or("", |field| field.value));
    }
    let behind = |word: &str| {
        let all = inside.iter().all(|f| f.words[depth] == word && f.words.len() > depth + 1);
        numbered(inside, depth + 1).filter(|_| all)
    };
    if let Some(elements) = numbered(inside, depth) {
        put_list(w, &elements, depth + 1);
    } else if let Some(elements) = behind("member") {
        put_list(w, &elements, depth + 2);
    } else if let Some(entries) = behind("entry") {
        w.begin_map(entries.len());
        for entry in entries {
            put_entry(w, entry, depth + 2);
        }
        w.end_map();
    } else {
        put_structure(w, inside, depth);
    }
}

fn put_list(w: &mut Writer, elements: &[&[Field<'_>]], depth: usize) {
    w.begin_list(elements.len());
    for element in elements {
        w.element();
        put(w, element, depth);
    }
    w.end_list();
}

/// An entry of a map: its key and its value, in both spellings that models have.
fn put_entry(w: &mut Writer, entry: &[Field<'_>], depth: usize) {
    let named = |names: [&str; 2]| runs(entry, depth).find(|(name, _)| names.contains(name));
    let key = named(["key", "Name"]).and_then(|(_, run)| run.last());
    w.map_key(key.map_or("", |field| field.value));
    match named(["value", "Value"]) {
        Some((_, value)) => put(w, value, depth + 1),
        None => w.text(""),
    }
}

/// The runs by their numbers, when all words at this depth are numbers.
fn numbered<'r, 'f>(fields: &'r [Field<'f>], depth: usize) -> Option<Vec<&'r [Field<'f>]>> {
    let numbers: Option<Vec<(u32, &[Field<'_>])>> =
        runs(fields, depth).map(|(word, run)| Some((word.parse().ok()?, run))).collect();
    let mut numbers = numbers?;
    numbers.sort_by_key(|(number, _)| *number);
    Some(numbers.into_iter().map(|(_, run)| run).collect())
}

/// Begins an answer: the output's members come next.
pub(crate) fn begin(routes: &Routes, operation: &str, bytes_hint: usize) -> Writer {
    let mut head = String::with_capacity(bytes_hint + 256);
    let space = routes.xml_namespace;
    put_text(&mut head, format_args!("<{operation}Response xmlns=\"{space}\"><{operation}Result>"));
    Writer::behind(Format::Xml, head.into_bytes())
}

/// Ends an answer; without a writer the operation has no output.
pub(crate) fn answer(
    routes: &Routes,
    operation: &str,
    written: Option<Writer>,
    request_id: &str,
) -> Answer {
    let mut text = match written {
        Some(w) => {
            let mut out = w.into_buffer();
            out.extend_from_slice(format!("</{operation}Result>").as_bytes());
            out
        }
        None => format!("<{operation}Response xmlns=\"{}\">", routes.xml_namespace).into_bytes(),
    };
    let end = format!(
        "<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>\
         </{operation}Response>"
    );
    text.extend_from_slice(end.as_bytes());
    Answer::whole(Bytes::from(text))
}

/// An error as XML, in the service's name space if it has one.
pub(super) fn error(refusal: &Refusal, request_id: &str, xml_namespace: &str) -> Bytes {
    let code = refusal.extra.as_ref().and_then(|extra| extra.query_code);
    let code = code.unwrap_or_else(|| common_code(refusal.code));
    let head = match xml_namespace {
        "" => "<ErrorResponse><Error>".to_owned(),
        space => format!("<ErrorResponse xmlns=\"{space}\"><Error>"),
    };
    let mut w = Writer::behind(Format::Xml, head.into_bytes());
    let mut text = |member: Member, text: &str| {
        w.key(member);
        w.text(text);
    };
    text(Member::new("\"Type\":"), fault(refusal));
    text(Member::new("\"Code\":"), code);
    text(Member::new("\"Message\":"), refusal.bounded_message());
    if let Some(members) = refusal.extra.as_ref().and_then(|extra| extra.members.as_ref()) {
        members.write(&mut w);
    }
    let mut out = w.into_buffer();
    let end = format!("</Error><RequestId>{request_id}</RequestId></ErrorResponse>");
    out.extend_from_slice(end.as_bytes());
    Bytes::from(out)
}

/// The status of an error: those about who asks are 403 in this protocol.
pub(super) fn status(refusal: &Refusal) -> u16 {
    match refusal.code {
        "AccessDeniedException"
        | "ExpiredTokenException"
        | "InvalidSignatureException"
        | "MissingAuthenticationTokenException"
        | "UnrecognizedClientException" => 403,
        _ => refusal.status,
    }
}

/// What errors that all services have are called in this protocol (AWS's documentation of common
/// errors).
fn common_code(code: &'static str) -> &'static str {
    match code {
        "AccessDeniedException" => "AccessDenied",
        "ExpiredTokenException" => "ExpiredToken",
        "IncompleteSignatureException" => "IncompleteSignature",
        "InternalFailureException" => "InternalFailure",
        "InvalidSignatureException" => "SignatureDoesNotMatch",
        "MissingAuthenticationTokenException" => "MissingAuthenticationToken",
        "ServiceUnavailableException" => "ServiceUnavailable",
        "ThrottlingException" => "Throttling",
        "UnrecognizedClientException" => "InvalidClientTokenId",
        "ValidationException" => "ValidationError",
        other => other,
    }
}

fn put_text(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("writing to a string cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(form: &str) -> String {
        let mut seen = String::new();
        let form = Bytes::copy_from_slice(form.as_bytes());
        let _refused = read(&form, |r| {
            seen = r.text_of_body();
            Ok(None::<()>)
        });
        seen
    }

    #[test]
    fn names_tell_lists_maps_and_structures() {
        for (form, want) in [
            ("Action=A&Version=1", "{}"),
            ("A=1&B=x%20y+z", r#"{"A":"1","B":"x y z"}"#),
            ("A.member.2=b&A.member.1=a&A.member.10=c", r#"{"A":["a","b","c"]}"#),
            ("A.1.B=x&A.2.B=y", r#"{"A":[{"B":"x"},{"B":"y"}]}"#),
            ("A.entry.1.key=k&A.entry.1.value=v", r#"{"A":{"k":"v"}}"#),
            ("A.entry.1.Name=k&A.entry.1.Value.B=v", r#"{"A":{"k":{"B":"v"}}}"#),
            ("A.B.member.1.C=%22", r#"{"A":{"B":[{"C":"\""}]}}"#),
            ("A=%zz%4", r#"{"A":"%zz%4"}"#),
            ("A", r#"{"A":""}"#),
            ("A=1&A=2", r#"{"A":"2"}"#),
            ("A=1&A.B=2", r#"{"A":{"B":"2"}}"#),
            ("A.entry.1.key=k", r#"{"A":{"k":""}}"#),
            ("B.x=1&A=2&B.y=3", r#"{"A":"2","B":{"x":"1","y":"3"}}"#),
        ] {
            assert_eq!(json(form), want, "{form}");
        }
    }

    #[test]
    fn deep_names_are_refused() {
        let deep = Bytes::from(format!("{}=1", vec!["a"; 40].join(".")));
        let refused = read(&deep, |_| Ok(Some(()))).unwrap_err();
        assert_eq!(refused.code, "MalformedInput");
    }

    /// What a form makes is bounded by what it is: each word of a name was a node once.
    #[test]
    fn a_form_of_long_names_makes_no_more_than_text() {
        let pairs: Vec<String> =
            (0..10_000).map(|n| format!("{n}x{}=1", ".a".repeat(DEPTH_MAX - 1))).collect();
        let form = pairs.join("&");
        assert!(json(&form).len() < 4 * form.len());
    }

    #[test]
    fn the_action_is_found() {
        assert_eq!(action(b"Version=1&Action=Do+It").as_deref(), Some("Do It"));
        assert_eq!(action(b"Version=1"), None);
    }
}
