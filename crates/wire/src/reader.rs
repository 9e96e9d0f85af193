//! Bodies to shapes: one concrete reader for all formats, decoding and checking in one pass.
//!
//! ```text
//! body -> token (json.rs | cbor.rs) -> typed value (here) -> rule check -> member of a shape
//! ```
//!
//! * A value of the wrong type stops at once with SerializationException.
//! * A value that breaks a rule is noted in `violations` and reading goes on; [`decode`] then
//!   answers with all of them in one ValidationException.
//! * Null is the same as absent. Unknown members are skipped, whatever they hold. Of two members of
//!   one name the last wins. At most [`DEPTH_MAX`] containers nest.
//! * What a head or a form carries is text: from `loose_from` on a number, a truth value or a time
//!   may be spelled as a string, and an empty string is an empty list.
//! * [`decode_lenient`] (clients, journals of our own) checks no rule: missing required members are
//!   empty, an enum value that the model does not know makes an optional member absent.
//!
//! # Cost per record of PutRecords (JSON)
//!
//! A record is `{"Data":"..","PartitionKey":".."}`. Bytes read: once by `memchr` (end of string) and
//! once by the base64 decoder. Bytes written: the decoded data, once, into the request's arena. No
//! allocation: text is a slice of the body, data a slice of the arena; each slice is one reference
//! count up and, much later, one down. A key is compared with the member expected next before it is
//! looked at as a string. For 1 KiB of data that is about 1.4 KiB read twice and 1 KiB written; of
//! some 300 ns a record `bench/codec` finds 40 in 100 in the base64 decoder.
//!
//! The arena is one allocation per request, sized by what is left of the body when the first blob
//! is met; a handler that keeps one record's data keeps the arena.

mod cbor;
mod json;
#[cfg(test)]
mod tests;
mod value;

use crate::rules::Member;
use crate::violations::{Constraint, Shown, Step, Violations};
use crate::{Format, Refusal, Text};
use bytes::{Bytes, BytesMut};

/// Most containers inside each other, in known and in unknown members: 32 levels of an item of
/// DynamoDB take two each.
pub const DEPTH_MAX: usize = 80;

/// What stops a reader at once.
pub type Read<T> = Result<T, Box<Refusal>>;

/// A syntax error: AWS answers with no message.
#[cold]
pub(crate) fn syntax<T>() -> Read<T> {
    Err(Box::new(Refusal::serialization("")))
}

/// A value of the wrong type.
#[cold]
pub(crate) fn wrong<T>(message: impl Into<std::borrow::Cow<'static, str>>) -> Read<T> {
    Err(Box::new(Refusal::serialization(message)))
}

/// Decodes and checks a request's body.
///
/// # Errors
/// `SerializationException` for bad syntax or a value of the wrong type, `ValidationException` for
/// broken constraints.
pub fn decode<T>(
    format: Format,
    body: Bytes,
    read: impl FnOnce(&mut Reader) -> Read<Option<T>>,
) -> Result<T, Refusal> {
    finish(Reader::new(format, body, true), read)
}

/// Decodes an answer's body without checking constraints.
///
/// # Errors
/// `SerializationException` for bad syntax or a value of the wrong type.
pub fn decode_lenient<T>(
    format: Format,
    body: Bytes,
    read: impl FnOnce(&mut Reader) -> Read<Option<T>>,
) -> Result<T, Refusal> {
    finish(Reader::new(format, body, false), read)
}

/// As [`decode`] of JSON whose values from `loose_from` on may all be spelled as strings.
///
/// # Errors
/// As [`decode`].
pub(crate) fn decode_loose<T>(
    body: Bytes,
    loose_from: usize,
    read: impl FnOnce(&mut Reader) -> Read<Option<T>>,
) -> Result<T, Refusal> {
    let mut reader = Reader::new(Format::Json, body, true);
    reader.loose_from = loose_from;
    finish(reader, read)
}

/// Checks that a body is a structure, whatever it holds.
///
/// # Errors
/// `SerializationException`.
pub fn check_syntax(format: Format, body: Bytes) -> Result<(), Refusal> {
    decode_lenient(format, body, |r| {
        if !r.structure(&[])? {
            return Ok(None);
        }
        while r.member()?.is_some() {}
        r.end();
        Ok(Some(()))
    })
}

fn finish<T>(
    mut reader: Reader,
    read: impl FnOnce(&mut Reader) -> Read<Option<T>>,
) -> Result<T, Refusal> {
    let value = read(&mut reader).map_err(|refusal| *refusal)?;
    let Some(value) = value.filter(|_| reader.at_end()) else {
        return Err(Refusal::serialization(""));
    };
    match reader.violations.into_refusal() {
        None => Ok(value),
        Some(refusal) => Err(refusal),
    }
}

/// Bytes of a string that may not be decoded yet.
#[derive(Clone, Debug)]
pub(crate) enum Raw {
    /// `body[start..end]` is the string.
    Slice(usize, usize),
    /// `body[start..end]` is the string with JSON escapes in it.
    Escaped(usize, usize),
    /// The string was put together from CBOR chunks.
    Owned(Box<Bytes>),
}

/// A number as the body spells it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    /// `body[start..end]`, checked for JSON's grammar.
    Spelled(usize, usize),
    Int(i64),
    Float(f64),
}

/// The next value, or its beginning when it is a container.
#[derive(Clone, Debug)]
pub(crate) enum Token {
    Null,
    Bool(bool),
    Number(Number),
    Text(Raw),
    /// A CBOR byte string.
    Blob(Raw),
    /// Elements to come, `INDEFINITE` when not declared.
    List(u64),
    /// Entries to come, `INDEFINITE` when not declared.
    Map(u64),
}

/// A container without a declared length; JSON's are all so.
pub(crate) const INDEFINITE: u64 = u64::MAX;

/// What a container is being read as.
#[derive(Clone, Copy)]
enum Kind {
    Structure(&'static [Member]),
    List,
    Map,
    Unknown,
}

/// A container being read.
struct Frame {
    kind: Kind,
    /// Elements or entries still to come in CBOR, or `INDEFINITE`.
    left: u64,
    /// Whether an element or entry was read: JSON wants a comma then.
    begun: bool,
    /// Position of the member, element or entry being read.
    current: u32,
    /// Position of the member that is looked for first.
    next: u32,
    /// A structure's members met so far, one bit each.
    met: u64,
    /// The key of the entry being read, of maps only.
    key: Option<Text>,
    /// The rule that an element or a value broke, described.
    broken: Option<Box<Constraint>>,
    /// Where the first element or entry stands.
    from: usize,
}

/// A body being read.
pub struct Reader {
    format: Format,
    strict: bool,
    body: Bytes,
    at: usize,
    frames: Vec<Frame>,
    arena: BytesMut,
    violations: Violations,
    /// Values behind this place may be spelled as strings.
    loose_from: usize,
}

impl Reader {
    fn new(format: Format, body: Bytes, strict: bool) -> Self {
        let frames = Vec::with_capacity(8);
        let (arena, violations) = (BytesMut::new(), Violations::default());
        let loose_from = usize::MAX;
        Self { format, strict, body, at: 0, frames, arena, violations, loose_from }
    }

    #[inline]
    fn token(&mut self) -> Read<Token> {
        match self.format {
            Format::Json => self.json_token(),
            Format::Cbor | Format::RpcCbor => self.cbor_token(),
            Format::Xml => syntax(),
        }
    }

    /// Whether nothing but white space is left.
    fn at_end(&mut self) -> bool {
        if self.format == Format::Json {
            self.json_space();
        }
        self.at == self.body.len()
    }

    /// Whether the value that was just read may be spelled as a string.
    fn is_loose(&self) -> bool {
        self.at > self.loose_from
    }

    #[cfg(test)]
    pub(crate) fn text_of_body(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn enter(&mut self, kind: Kind, left: u64) -> Read<()> {
        if self.frames.len() == DEPTH_MAX {
            return syntax();
        }
        let (key, broken, from) = (None, None, self.at);
        self.frames.push(Frame {
            kind,
            left,
            begun: false,
            current: 0,
            next: 0,
            met: 0,
            key,
            broken,
            from,
        });
        Ok(())
    }

    #[inline]
    fn top(&mut self) -> &mut Frame {
        self.frames.last_mut().expect("a container is read between its begin and its end")
    }

    /// Begins a structure; false when it is null.
    ///
    /// Source: observed (kinesalite's suite).
    pub fn structure(&mut self, members: &'static [Member]) -> Read<bool> {
        match self.token()? {
            Token::Map(left) => {
                self.enter(Kind::Structure(members), left)?;
                Ok(true)
            }
            Token::Null => Ok(false),
            Token::List(_) => wrong("Start of list found where not expected"),
            _ => wrong("Expected null"),
        }
    }

    /// The position of the next member that the model knows; its value comes next. None at the end
    /// of the structure, which [`Reader::end`] must follow.
    pub fn member(&mut self) -> Read<Option<usize>> {
        while self.next_item(true)? {
            let frame = self.top();
            let (Kind::Structure(members), begin) = (frame.kind, frame.next as usize) else {
                return syntax();
            };
            let index = if let Some(index) = self.plain_member(members, begin) {
                index
            } else {
                let raw = self.key()?;
                let name = self.text_of(&raw)?;
                let Some(index) = members.iter().position(|m| m.name == name.as_str()) else {
                    self.skip()?;
                    continue;
                };
                index
            };
            let frame = self.top();
            frame.current = index as u32;
            frame.next = index as u32 + 1;
            let repeated = frame.met >> index & 1 == 1;
            frame.met |= 1 << index;
            if repeated {
                self.violations.forget(path(&self.frames));
            }
            return Ok(Some(index));
        }
        Ok(None)
    }

    /// Passes over the next key when it is a member's name, spelled plainly.
    ///
    /// Why before anything is decoded: nearly every key of a body is one, and mostly the one behind
    /// the key before, so that one comparison stands for a token, a check and a search.
    #[inline]
    fn plain_member(&mut self, members: &'static [Member], begin: usize) -> Option<usize> {
        let json = self.format == Format::Json;
        if json {
            self.json_space();
        }
        let rest = &self.body[self.at..];
        let spelled = |m: &Member| {
            if json {
                rest.get(1) == m.key.as_bytes().get(1) && rest.starts_with(m.key.as_bytes())
            } else {
                let head = 0x60 | m.name.len() as u8;
                m.name.len() < 24
                    && rest.split_first().is_some_and(|(first, behind)| {
                        *first == head && behind.starts_with(m.name.as_bytes())
                    })
            }
        };
        let (before, after) = members.split_at_checked(begin)?;
        let index = match after.iter().position(spelled) {
            Some(at) => begin + at,
            None => before.iter().position(spelled)?,
        };
        let member = members.get(index)?;
        self.at += if json { member.key.len() } else { 1 + member.name.len() };
        Some(index)
    }

    /// A required member's value; notes a violation when it is absent.
    pub fn required<T: Default>(&mut self, index: usize, value: Option<T>) -> T {
        if value.is_none() && self.strict {
            self.top().current = index as u32;
            self.violate(Constraint::NotNull, Shown::Null);
        }
        value.unwrap_or_default()
    }

    /// Ends a structure.
    pub fn end(&mut self) {
        self.frames.pop();
    }

    /// Steps to the next element or entry of the innermost container; false at its end.
    #[inline]
    fn next_item(&mut self, entries: bool) -> Read<bool> {
        match self.format {
            Format::Json => self.json_next(if entries { b'}' } else { b']' }),
            Format::Cbor | Format::RpcCbor => self.cbor_next(),
            Format::Xml => syntax(),
        }
    }

    /// The key of an entry; its value comes next.
    #[inline]
    fn key(&mut self) -> Read<Raw> {
        match self.format {
            Format::Json => self.json_key(),
            Format::Cbor | Format::RpcCbor => match self.cbor_token()? {
                Token::Text(raw) => Ok(raw),
                _ => syntax(),
            },
            Format::Xml => syntax(),
        }
    }

    /// Passes over a value of any kind, checking its syntax.
    fn skip(&mut self) -> Read<()> {
        match self.token()? {
            Token::Text(raw) => self.check_text(&raw),
            Token::List(left) => {
                self.enter(Kind::Unknown, left)?;
                while self.next_item(false)? {
                    self.skip()?;
                }
                self.end();
                Ok(())
            }
            Token::Map(left) => {
                self.enter(Kind::Unknown, left)?;
                while self.next_item(true)? {
                    let key = self.key()?;
                    self.check_text(&key)?;
                    self.skip()?;
                }
                self.end();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Notes that the value being read breaks a rule.
    fn violate(&mut self, constraint: Constraint, value: Shown<'_>) {
        self.violations.push(path(&self.frames), constraint, value);
    }
}

fn path(frames: &[Frame]) -> impl Iterator<Item = Step<'_>> + Clone {
    frames.iter().map(|frame| match frame.kind {
        Kind::Structure(members) => {
            let name = members.get(frame.current as usize).map_or("", Member::name);
            Step::Member(frame.current, name)
        }
        Kind::List => Step::Element(frame.current),
        Kind::Map | Kind::Unknown => Step::Entry(frame.current, frame.key.as_deref().unwrap_or("")),
    })
}
