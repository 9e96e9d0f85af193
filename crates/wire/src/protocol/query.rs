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
use std::collections::BTreeMap;
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

/// What the names of a form below one dot hold.
#[derive(Default)]
struct Node {
    value: Option<String>,
    inside: BTreeMap<String, Node>,
}

/// Reads and checks a form as `read` reads a body.
pub(crate) fn read<T>(
    form: &Bytes,
    read: impl FnOnce(&mut Reader) -> Read<Option<T>>,
) -> Result<T, Refusal> {
    let mut root = Node::default();
    for (name, value) in pairs(form) {
        if matches!(&*name, "Action" | "Version") {
            continue;
        }
        let mut node = &mut root;
        for (depth, word) in name.split('.').enumerate() {
            if depth == DEPTH_MAX {
                return Err(malformed("a name has too many dots"));
            }
            node = node.inside.entry(word.to_owned()).or_default();
        }
        node.value = Some(value.into_owned());
    }
    let mut w = Writer::new(Format::Json, form.len() * 2);
    put_structure(&mut w, &root);
    crate::decode_loose(w.finish(), 0, read)
}

/// Source: ours.
fn malformed(text: &'static str) -> Refusal {
    Refusal::client("MalformedInput", text)
}

fn put_structure(w: &mut Writer, node: &Node) {
    w.begin_map(node.inside.len());
    for (name, inner) in &node.inside {
        w.map_key(name);
        put(w, inner);
    }
    w.end_map();
}

fn put(w: &mut Writer, node: &Node) {
    if node.inside.is_empty() {
        return w.text(node.value.as_deref().unwrap_or_default());
    }
    if let Some(elements) = numbered(node).or_else(|| numbered(only(node, "member")?)) {
        w.begin_list(elements.len());
        for element in elements {
            w.element();
            put(w, element);
        }
        w.end_list();
    } else if let Some(entries) = only(node, "entry").and_then(numbered) {
        w.begin_map(entries.len());
        for entry in entries {
            // The names stand in this order in both spellings that models have.
            let key = entry.inside.get("key").or_else(|| entry.inside.get("Name"));
            let value = entry.inside.get("value").or_else(|| entry.inside.get("Value"));
            w.map_key(key.and_then(|key| key.value.as_deref()).unwrap_or_default());
            put(w, value.unwrap_or(&Node::default()));
        }
        w.end_map();
    } else {
        put_structure(w, node);
    }
}

fn only<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    (node.inside.len() == 1).then(|| node.inside.get(name)).flatten()
}

/// What is inside by its numbers, when all names are numbers.
fn numbered(node: &Node) -> Option<Vec<&Node>> {
    let number = |name: &String| name.parse::<u32>().ok();
    let numbers: Option<Vec<_>> =
        node.inside.iter().map(|(name, inner)| Some((number(name)?, inner))).collect();
    let mut numbers = numbers.filter(|numbers| !numbers.is_empty())?;
    numbers.sort_by_key(|(number, _)| *number);
    Some(numbers.into_iter().map(|(_, inner)| inner).collect())
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

/// An error as XML.
pub(super) fn error(refusal: &Refusal, request_id: &str) -> Bytes {
    let code = refusal.extra.as_ref().and_then(|extra| extra.query_code).unwrap_or(refusal.code);
    let mut w = Writer::behind(Format::Xml, b"<ErrorResponse><Error>".to_vec());
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

    #[test]
    fn the_action_is_found() {
        assert_eq!(action(b"Version=1&Action=Do+It").as_deref(), Some("Do It"));
        assert_eq!(action(b"Version=1"), None);
    }
}
