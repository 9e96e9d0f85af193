//! REST-JSON: an operation is a method and a path; members travel in the path, the query, headers
//! and the body.
//!
//! What the head carries is put behind the body's members as JSON text, so that one pass reads and
//! checks all of them; a payload of bytes stays as it came.

use super::query::{percent, unescape};
use crate::rules::Member;
use crate::service::Head;
use crate::{Format, Payload, Read, Reader, Refusal, Writer};
use bytes::{Bytes, BytesMut};

pub(super) const CONTENT_TYPE: &str = "application/json";
/// The header that names an error.
pub(super) const ERROR_TYPE: &str = "x-amzn-errortype";

/// Where a member travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A label of the path.
    Path,
    /// A parameter of the query.
    Query,
    /// All parameters of the query that no other member has, as a map.
    QueryRest,
    /// A header.
    Header,
    /// All headers whose names begin so, as a map.
    Prefix,
}

/// A member that travels in the head.
#[derive(Clone, Copy, Debug)]
pub struct Located {
    /// The member.
    pub member: Member,
    /// Where.
    pub place: Place,
    /// Its name there; headers in lower case.
    pub name: &'static str,
    /// Whether it may be there more than once.
    pub is_list: bool,
}

/// What the body is.
#[derive(Clone, Copy, Debug)]
pub enum InBody {
    /// A structure of the members that are nowhere else.
    Members,
    /// One member, a structure, alone.
    Structure(Member),
    /// One member, bytes as they are.
    Blob,
}

/// How an input travels.
#[derive(Clone, Copy, Debug)]
pub struct RestInput {
    /// Members of the head.
    pub located: &'static [Located],
    /// The body.
    pub body: InBody,
}

impl RestInput {
    /// All in the body, as in every other protocol.
    pub const BODY: RestInput = RestInput { located: &[], body: InBody::Members };
}

/// Whether a path is one of this pattern, as `/functions/{Name}/tags`; `{Key+}` takes slashes too.
pub fn finds(pattern: &str, path: &str) -> bool {
    labels(pattern, path).is_some()
}

/// Whether a path means what it says: signatures are made over paths in which `//`, `.` and `..`
/// are resolved, so one that has such would be signed as another.
fn is_resolved(path: &str) -> bool {
    let words = path.strip_prefix('/').unwrap_or(path);
    // A slash behind the last word changes nothing.
    let words = words.strip_suffix('/').unwrap_or(words);
    words.is_empty() || !words.split('/').any(|word| matches!(word, "" | "." | ".."))
}

/// The labels of a path.
fn labels<'p>(pattern: &'p str, path: &str) -> Option<Vec<(&'p str, String)>> {
    if !is_resolved(path) {
        return None;
    }
    let pattern = pattern.split('?').next().unwrap_or_default();
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    let mut labels = Vec::new();
    loop {
        let (want, got) = match (wanted.next(), given.next()) {
            // A slash behind the last word changes nothing.
            (None, None | Some("")) | (Some(""), None) => return Some(labels),
            (Some(want), Some(got)) => (want, got),
            _ => return None,
        };
        let label = want.strip_prefix('{').and_then(|label| label.strip_suffix('}'));
        match label {
            None if want == got => {}
            None => return None,
            Some(_) if got.is_empty() => return None,
            Some(label) => match label.strip_suffix('+') {
                None => labels.push((label, text(&percent(got.as_bytes())))),
                Some(greedy) => {
                    let after = wanted.clone().count();
                    let mut words = vec![got];
                    words.extend(given.by_ref());
                    let ours = words.len().checked_sub(after).filter(|ours| *ours > 0)?;
                    labels.push((greedy, text(&percent(words[..ours].join("/").as_bytes()))));
                    let rest = words[ours..].iter().zip(wanted);
                    return rest.into_iter().all(|(got, want)| *got == want).then_some(labels);
                }
            },
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Reads and checks an input; gives it with the body, where the body is bytes.
pub(crate) fn read<T>(
    (pattern, head): (&str, &Head),
    input: RestInput,
    body: Payload,
    read: impl FnOnce(&mut Reader) -> Read<Option<T>>,
) -> Result<(T, Payload), Refusal> {
    let (members, raw) = match input.body {
        InBody::Blob => (Bytes::new(), body),
        _ => (body.whole()?, Payload::default()),
    };
    let members = members.trim_ascii();
    let mut out = BytesMut::with_capacity(members.len() + 512);
    match input.body {
        InBody::Structure(member) if !members.is_empty() => {
            crate::check_syntax(Format::Json, Bytes::copy_from_slice(members))?;
            out.extend_from_slice(b"{");
            out.extend_from_slice(member.key.as_bytes());
            out.extend_from_slice(members);
        }
        _ if members.is_empty() => out.extend_from_slice(b"{"),
        // Whatever this is, it is no structure: the reader says so.
        _ if members.last() != Some(&b'}') => {
            return crate::decode(Format::Json, Bytes::copy_from_slice(members), read)
                .map(|value| (value, raw));
        }
        _ => out.extend_from_slice(&members[..members.len() - 1]),
    }
    let loose_from = out.len();
    let is_first = out.iter().rev().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    let located = located(pattern, head, input.located);
    // Without its brackets.
    let located = &located[1..located.len() - 1];
    if !is_first && !located.is_empty() {
        out.extend_from_slice(b",");
    }
    out.extend_from_slice(located);
    out.extend_from_slice(b"}");
    crate::decode_loose(out.freeze(), loose_from, read).map(|value| (value, raw))
}

/// The members of the head as JSON; one that is not there is null, so that the body cannot tell it.
fn located(pattern: &str, head: &Head, located: &[Located]) -> Bytes {
    let labels = labels(pattern, &head.path).unwrap_or_default();
    let fields = head.query.split('&').filter(|field| !field.is_empty());
    let query: Vec<(String, String)> = fields
        .map(|field| {
            let (name, value) = field.split_once('=').unwrap_or((field, ""));
            let plain = |text: &str| unescape(text.as_bytes()).into_owned();
            (plain(name), plain(value))
        })
        .collect();
    let mut w = Writer::new(Format::Json, 256);
    w.begin();
    for member in located {
        w.key(member.member);
        let named = |all: &[(String, String)]| -> Vec<String> {
            let same = all.iter().filter(|(name, _)| name == member.name);
            same.map(|(_, value)| value.clone()).collect()
        };
        match member.place {
            Place::Path => {
                let label = labels.iter().find(|(name, _)| *name == member.name);
                put(&mut w, member.is_list, label.map(|(_, value)| value.clone()).into_iter());
            }
            Place::Query => put(&mut w, member.is_list, named(&query).into_iter()),
            Place::Header if member.is_list => {
                let lines = named(&head.headers);
                let parts = lines.iter().flat_map(|line| line.split(','));
                let parts: Vec<String> = parts.map(|part| part.trim().to_owned()).collect();
                put(&mut w, true, parts.into_iter());
            }
            Place::Header => put(&mut w, false, named(&head.headers).into_iter()),
            Place::QueryRest => {
                let known = |name: &str| {
                    located.iter().any(|other| other.place == Place::Query && other.name == name)
                };
                put_map(&mut w, query.iter().filter(|(name, _)| !known(name)), "");
            }
            Place::Prefix => {
                let ours = head.headers.iter().filter(|(name, _)| name.starts_with(member.name));
                put_map(&mut w, ours, member.name);
            }
        }
    }
    w.end();
    w.finish()
}

fn put(w: &mut Writer, is_list: bool, values: impl ExactSizeIterator<Item = String>) {
    if values.len() == 0 {
        return w.null();
    }
    if is_list {
        w.begin_list(values.len());
        for value in values {
            w.element();
            w.text(&value);
        }
        w.end_list();
    } else if let Some(value) = values.last() {
        w.text(&value);
    }
}

fn put_map<'p>(w: &mut Writer, pairs: impl Iterator<Item = &'p (String, String)>, prefix: &str) {
    let pairs: Vec<_> = pairs.collect();
    w.begin_map(pairs.len());
    for (name, value) in pairs {
        w.map_key(name.strip_prefix(prefix).unwrap_or(name));
        w.text(value);
    }
    w.end_map();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_find_paths() {
        let check = |pattern: &str, path: &str, want: Option<&[(&str, &str)]>| {
            let got = labels(pattern, path);
            let got: Option<Vec<(&str, &str)>> =
                got.as_ref().map(|got| got.iter().map(|(n, v)| (*n, v.as_str())).collect());
            assert_eq!(got.as_deref(), want, "{pattern} {path}");
        };
        check("/a/{B}/c", "/a/x%2Fy/c", Some(&[("B", "x/y")]));
        check("/a/{B}/c", "/a/x/c/", Some(&[("B", "x")]));
        check("/a/{B}/c/", "/a/x/c", Some(&[("B", "x")]));
        check("/a/{B}/c", "/a//c", None);
        check("/a/{B}/c", "/a/x/d", None);
        check("/a/{B}", "/a/x/c", None);
        check("/a/{K+}", "/a/x/y", Some(&[("K", "x/y")]));
        check("/a/{K+}/end", "/a/x/y/end", Some(&[("K", "x/y")]));
        check("/a/{K+}/end", "/a/x/y/not", None);
        check("/a/{K+}/end", "/a/end", None);
        check("/a?fixed", "/a", Some(&[]));
        // Signed as `/a/y`.
        for other in ["/a/x//../y", "/a/x/../y", "/a/./y", "/a/x//b/c", "//a/x", "/a/x//"] {
            check("/a/{B}", other, None);
            check("/a/{K+}", other, None);
        }
    }

    fn seen(input: RestInput, head: &Head, body: &'static str) -> String {
        let mut seen = String::new();
        let body = Payload::Whole(Bytes::from_static(body.as_bytes()));
        let _refused = read(("/f/{Name}", head), input, body, |r| {
            seen = r.text_of_body();
            Ok(None::<()>)
        });
        seen
    }

    #[test]
    fn the_head_joins_the_body() {
        const LOCATED: &[Located] = &[
            Located {
                member: Member::new("\"Name\":"),
                place: Place::Path,
                name: "Name",
                is_list: false,
            },
            Located {
                member: Member::new("\"Tags\":"),
                place: Place::Query,
                name: "tag",
                is_list: true,
            },
            Located {
                member: Member::new("\"Kind\":"),
                place: Place::Header,
                name: "x-kind",
                is_list: false,
            },
            Located {
                member: Member::new("\"Meta\":"),
                place: Place::Prefix,
                name: "x-meta-",
                is_list: false,
            },
        ];
        let head = Head {
            path: "/f/n".into(),
            query: "tag=a&tag=b%20c&other=1".into(),
            headers: vec![("x-meta-a".into(), "1".into()), ("host".into(), "h".into())],
        };
        let all = r#""Name":"n","Tags":["a","b c"],"Kind":null,"Meta":{"a":"1"}"#;
        let input = RestInput { located: LOCATED, body: InBody::Members };
        assert_eq!(seen(input, &head, ""), format!("{{{all}}}"));
        assert_eq!(seen(input, &head, " { } "), format!("{{ {all}}}"));
        assert_eq!(seen(input, &head, r#"{"A":1}"#), format!(r#"{{"A":1,{all}}}"#));
        assert_eq!(seen(input, &head, "[]"), "[]", "no structure");
        let one = InBody::Structure(Member::new("\"P\":"));
        let input = RestInput { located: LOCATED, body: one };
        assert_eq!(seen(input, &head, r#"{"A":1}"#), format!(r#"{{"P":{{"A":1}},{all}}}"#));
        assert_eq!(seen(input, &head, ""), format!("{{{all}}}"));
        let input = RestInput { located: &[], body: InBody::Blob };
        assert_eq!(seen(input, &head, "bytes"), "{}");
    }
}
