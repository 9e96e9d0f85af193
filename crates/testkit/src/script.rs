//! Calls and answers as text, for tests that are scripts.
//!
//! ```text
//! line    = 'let' name text | [ times 'x' ] call { ' ; ' call }
//! call    = [ '@' account [ '/' region ] ] ( command | operation members ) [ outcome ]
//! outcome = '=' ( members | value ) | '!' code [ ': ' message ]
//! members = { key '=' value }
//! value   = word | "'" text "'" | '[' values ']' | '{' members '}'
//! ```
//!
//! An operation's members are AWS's and go through the reader and the writer of its JSON. `x*9` is
//! nine of x, `$name` a value kept before, `$i` the number of the time. In an answer a key may be a
//! path, through lists too, and `length`; `_` is anything but null, and a `$name` that is not known
//! yet keeps what stands there. An outcome on a line of its own is one more of the call above; a
//! call without one must succeed. What commands there are, a service's tests say.

use base::{AccountId, Cx, Origin, Region, RequestId};
use bytes::Bytes;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashSet};
use std::future::Future;
use wire::{Call, Content, Payload, Protocol, Refusal, Service};

/// Values that a script keeps.
pub type Names = BTreeMap<String, String>;

/// How a service's tests are written down.
pub struct Dialect {
    /// All words of the API's model.
    pub model: HashSet<&'static str>,
    /// A word that stands for another, as a shard's number for its id.
    pub word: fn(&str) -> String,
    /// Members that are blobs, written as their text.
    pub blobs: &'static [&'static str],
}

impl Dialect {
    /// The words of a model, with words that are what they are and no blobs.
    pub fn of(model: &'static str) -> Self {
        Self { model: model.split('"').collect(), word: str::to_owned, blobs: &[] }
    }
}

/// What a script is done to.
pub trait Stage {
    /// How it is written down.
    fn dialect(&self) -> &Dialect;
    /// The values that are kept.
    fn names(&mut self) -> &mut Names;
    /// Does one thing: a command, or an operation.
    fn act(&mut self, call: &str) -> impl Future<Output = Result<Value, Refusal>>;

    /// Does what each line says, and compares.
    fn check(&mut self, script: &str) -> impl Future<Output = ()> {
        async {
            let mut lines = statements(script).into_iter().peekable();
            while let Some((i, line)) = lines.next() {
                if let Some((name, text)) =
                    line.strip_prefix("let ").and_then(|l| l.split_once(' '))
                {
                    self.names().insert(name.to_owned(), text.to_owned());
                    continue;
                }
                self.names().insert("i".to_owned(), i.to_string());
                let (call, outcome) = parts(line);
                let got = self.act(call).await;
                let mut outcomes: Vec<_> = outcome.into_iter().collect();
                while let Some((_, more)) = lines.next_if(|(_, line)| line.starts_with(['=', '!']))
                {
                    outcomes.push(more);
                }
                assert!(got.is_ok() || !outcomes.is_empty(), "{line}\n  got {got:?}");
                for outcome in outcomes {
                    assert!(self.is(outcome, &got), "{line}\n  {outcome}\n  got {got:?}");
                }
            }
        }
    }

    /// Whether a line comes out as it says.
    fn holds(&mut self, line: &str) -> impl Future<Output = bool> {
        async move {
            let (call, outcome) = parts(line);
            let got = self.act(call).await;
            outcome.map_or(got.is_ok(), |outcome| self.is(outcome, &got))
        }
    }

    /// Whether something came out as an outcome says.
    fn is(&mut self, outcome: &str, got: &Result<Value, Refusal>) -> bool {
        let (kind, want) = outcome.split_at(2);
        match (kind, got) {
            ("! ", Err(e)) => {
                let want = with_names(self.names(), want);
                let has_message = want.contains(": ");
                want == if has_message {
                    format!("{}: {}", e.code, e.message)
                } else {
                    e.code.into()
                }
            }
            ("= ", Ok(got)) => {
                let names = self.names().clone();
                let mut notation = Notation { rest: want, names: &names, dialect: self.dialect() };
                let is_members = want.contains('=') && !want.starts_with('[');
                let want = if is_members { notation.members().into() } else { notation.value() };
                fits(self.names(), &want, got)
            }
            _ => false,
        }
    }
}

/// An operation's members as they are.
pub fn members(dialect: &Dialect, names: &Names, text: &str) -> Value {
    Value::Object(Notation { rest: text, names, dialect }.members())
}

/// Who asks, and for what: `@account/region` before a call.
pub fn caller(call: &str) -> (Option<(&str, &str)>, &str) {
    let Some((who, call)) = call.strip_prefix('@').and_then(|call| call.split_once(' ')) else {
        return (None, call);
    };
    (Some(who.split_once('/').unwrap_or((who, "us-east-1"))), call)
}

/// The context of a request of the user `ann` of an account in a region.
///
/// # Panics
/// When there can be none of these names.
pub fn cx(account: &str, region: &str) -> Cx {
    let caller_arn = format!("arn:aws:iam::{account}:user/ann").into();
    let account = AccountId::parse(account).expect("an account");
    let region = Region::parse(region).expect("a region");
    let request_id = RequestId::from_random([7; 16]);
    let user_id = Some("AIDAANN".into());
    let origin = Origin::default();
    Cx { request_id, caller_arn, user_id, origin, ..Cx::of_service(account, region) }
}

/// Calls an operation as the wire does.
///
/// # Errors
/// As the client would hear it.
/// # Panics
/// The service has no such operation.
pub async fn answer(
    service: &dyn Service,
    cx: Cx,
    operation: &str,
    body: &Value,
) -> Result<Bytes, Refusal> {
    let operation = service.routes().find(operation).expect("an operation of the service");
    let (protocol, body) = (Protocol::Json11, Payload::Whole(body.to_string().into()));
    let call = Call { cx, operation, protocol, head: None, body };
    match service.call(call).await?.content {
        Content::Whole(bytes) => Ok(bytes),
        Content::Long(mut long) => Ok(long.next_piece(long.bytes_left())),
        Content::Stream(_) => Ok(Bytes::new()),
    }
}

/// All that is to be done, each with the number of the time of its line.
fn statements(script: &str) -> Vec<(u32, &str)> {
    let mut all = Vec::new();
    for line in script.lines().map(str::trim) {
        let times = line.split_once("x ").and_then(|(n, line)| Some((n.parse().ok()?, line)));
        let (times, line) = times.unwrap_or((1, line));
        for i in 0..times {
            all.extend(line.split(" ; ").map(|one| (i, one.trim())));
        }
    }
    all.retain(|(_, one)| !one.is_empty() && !one.starts_with("//"));
    all
}

/// A line's call, and what must come of it: behind a mark outside of quotes.
fn parts(line: &str) -> (&str, Option<&str>) {
    let mut is_quoted = false;
    for (at, byte) in line.bytes().enumerate() {
        is_quoted ^= byte == b'\'';
        let rest = line.get(at..).unwrap_or_default();
        if !is_quoted && (rest.starts_with(" = ") || rest.starts_with(" ! ")) {
            let (call, outcome) = line.split_at(at);
            return (call, Some(outcome.trim_start()));
        }
    }
    (line, None)
}

/// What stands at a path; lists are walked through.
pub fn at(value: &Value, path: &str) -> Value {
    path.split('.').filter(|member| !member.is_empty()).fold(value.clone(), |value, member| {
        match value {
            Value::Array(all) if member == "length" => all.len().into(),
            Value::Array(all) => all.iter().map(|one| one[member].clone()).collect(),
            one => one[member].clone(),
        }
    })
}

fn fits(names: &mut Names, want: &Value, got: &Value) -> bool {
    match (want, got) {
        (Value::String(_) | Value::Object(_), Value::Null) => false,
        (Value::String(want), _) if want == "_" => true,
        (Value::String(want), got) if want.starts_with('$') => {
            let got = got.as_str().map_or_else(|| got.to_string(), str::to_owned);
            names.insert(want.replace('$', ""), got).is_none()
        }
        (Value::Object(want), got) => {
            want.iter().all(|(path, want)| fits(names, want, &at(got, path)))
        }
        (Value::Array(want), Value::Array(got)) => {
            want.len() == got.len()
                && want.iter().zip(got).all(|(want, got)| fits(names, want, got))
        }
        (want, got) => want == got,
    }
}

/// Text with the values of the names in it.
pub fn with_names(names: &Names, text: &str) -> String {
    let mut parts = text.split('$');
    let mut known = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(part.len());
        let (name, rest) = part.split_at(end);
        known += &names.get(name).map_or_else(|| format!("${name}"), Clone::clone);
        known += rest;
    }
    known
}

/// What is still to be read.
struct Notation<'a> {
    rest: &'a str,
    names: &'a Names,
    dialect: &'a Dialect,
}

impl<'a> Notation<'a> {
    /// Takes up to one of these, or the end.
    fn until(&mut self, ends: &[char]) -> &'a str {
        let (taken, rest) = self.rest.split_at(self.rest.find(ends).unwrap_or(self.rest.len()));
        self.rest = rest;
        taken
    }

    /// Takes this if it is next, after white space and commas.
    fn take(&mut self, next: char) -> bool {
        self.rest = self.rest.trim_start_matches([' ', ',']);
        let rest = self.rest.strip_prefix(next);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn members(&mut self) -> Map<String, Value> {
        let mut members = Map::new();
        while !self.take('}') && !self.rest.is_empty() {
            let key = self.until(&['=']);
            self.rest = self.rest.strip_prefix('=').expect("a value");
            // A member that nobody has would be ignored, and be null in every answer.
            for word in key.split('.').filter(|word| word.starts_with(char::is_uppercase)) {
                let is_known = word == "length" || self.dialect.model.contains(word);
                assert!(is_known || key.contains(':'), "{key} is none of the API's");
            }
            let mut value = self.value();
            if self.dialect.blobs.iter().any(|blob| key.split('.').next_back() == Some(blob)) {
                value = encoded(value);
            }
            members.insert(key.trim_matches('\'').to_owned(), value);
        }
        members
    }

    fn value(&mut self) -> Value {
        let (value, times) = (self.once(), self.times());
        match value {
            Value::String(text) => text.repeat(times).into(),
            value => value,
        }
    }

    fn times(&mut self) -> usize {
        let Some(rest) = self.rest.strip_prefix('*') else { return 1 };
        self.rest = rest;
        self.until(&[' ', ',', ']', '}']).parse().expect("how often")
    }

    fn once(&mut self) -> Value {
        if self.rest.starts_with([' ', ',']) {
            return Value::String(String::new());
        }
        if self.take('{') {
            return Value::Object(self.members());
        }
        if self.take('[') {
            let mut all = Vec::new();
            while !self.take(']') {
                assert!(!self.rest.is_empty(), "an open list");
                let (value, times) = (self.once(), self.times());
                all.extend(std::iter::repeat_n(value, times));
            }
            return Value::Array(all);
        }
        if self.take('\'') {
            let text = with_names(self.names, self.until(&['\'']));
            assert!(self.take('\''), "an open quote");
            return Value::String(text);
        }
        let word = with_names(self.names, self.until(&[' ', ',', ']', '}', '*']));
        // Long ones, as a record's, are texts.
        let number = if word.len() < 20 { serde_json::from_str(&word).ok() } else { None };
        number.unwrap_or_else(|| (self.dialect.word)(&word).into())
    }
}

/// A blob as JSON has it.
fn encoded(value: Value) -> Value {
    match value {
        Value::String(text) if text != "_" => base64_simd::STANDARD.encode_to_string(text).into(),
        Value::Array(all) => all.into_iter().map(encoded).collect(),
        value => value,
    }
}
