//! Calls and answers as text.
//!
//! ```text
//! line    = 'let' name text | [ times 'x' ] call { ' ; ' call }
//! call    = [ '@' account [ '/' region ] ] ( command | operation members ) [ outcome ]
//! outcome = '=' ( members | value ) | '!' code [ ': ' message ]
//! members = { key '=' value }
//! value   = word | "'" text "'" | '[' values ']' | '{' members '}'
//! ```
//!
//! An operation's members are AWS's and go through the reader and the writer of its JSON. A blob
//! is written as its text, `#3` is `shardId-000000000003`, `x*9` is nine of it, `$name` a value
//! kept before, `$i` the number of the time. In an answer a key may be a path, through lists too,
//! and `length`; `_` is anything but null, and a `$name` that is not known yet keeps what stands
//! there. An outcome on a line of its own is one more of the call above; a call without one
//! must succeed. The commands are those of `House::act` and [`spelled`].

/// Tests that are scripts: its name, maybe other options than the defaults, its lines.
macro_rules! cases {
    ($($(#[$doc:meta])* $name:ident $(($options:expr))?: $script:literal)*) => {
        $($(#[$doc])* #[test] fn $name() {
            crate::house::check_with(cases!(@ $($options)?), $script);
        })*
    };
    (@) => { streams::Options::default() };
    (@ $options:expr) => { $options };
}
pub(crate) use cases;

use crate::house::{House, answer, check_cover, cx, shard_id, texts};
use base64_simd::STANDARD;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;
use std::time::Duration;
use wire::{Format, Refusal, Writer};

pub(crate) type Names = BTreeMap<String, String>;

impl House {
    /// Does what each line says, and compares.
    pub(crate) async fn check(&mut self, script: &str) {
        let mut lines = statements(script).into_iter().peekable();
        while let Some((i, line)) = lines.next() {
            if let Some((name, text)) = line.strip_prefix("let ").and_then(|l| l.split_once(' ')) {
                self.names.insert(name.to_owned(), text.to_owned());
                continue;
            }
            self.names.insert("i".to_owned(), i.to_string());
            let (call, outcome) = parts(line);
            let got = self.act(call).await;
            let mut outcomes: Vec<_> = outcome.into_iter().collect();
            while let Some((_, more)) = lines.next_if(|(_, line)| line.starts_with(['=', '!'])) {
                outcomes.push(more);
            }
            assert!(got.is_ok() || !outcomes.is_empty(), "{line}\n  got {got:?}");
            for outcome in outcomes {
                assert!(self.is(outcome, &got), "{line}\n  {outcome}\n  got {got:?}");
            }
        }
    }

    /// Whether a line comes out as it says.
    pub(crate) async fn holds(&mut self, line: &str) -> bool {
        let (call, outcome) = parts(line);
        let got = self.act(call).await;
        outcome.map_or(got.is_ok(), |outcome| self.is(outcome, &got))
    }

    fn is(&mut self, outcome: &str, got: &Result<Value, Refusal>) -> bool {
        let (kind, want) = outcome.split_at(2);
        match (kind, got) {
            ("! ", Err(e)) => {
                let want = with_names(&self.names, want);
                let has_message = want.contains(": ");
                want == if has_message {
                    format!("{}: {}", e.code, e.message)
                } else {
                    e.code.into()
                }
            }
            ("= ", Ok(got)) => {
                let mut notation = Notation { rest: want, names: &self.names };
                let is_members = want.contains('=') && !want.starts_with('[');
                let want = if is_members { notation.members().into() } else { notation.value() };
                fits(&mut self.names, &want, got)
            }
            _ => false,
        }
    }

    /// Does one thing.
    pub(crate) async fn act(&mut self, call: &str) -> Result<Value, Refusal> {
        match *call.split(' ').collect::<Vec<_>>() {
            ["rest"] => self.rest().await,
            ["settle"] => self.settle().await,
            ["restart"] => self.restart().await,
            ["pass", time] => self.pass(duration(time)).await,
            ["advance", time] => self.fake.clock.advance(duration(time)),
            ["jump", ms] => self.fake.clock.jump_by(ms.parse().unwrap()),
            ["active", name] => self.active(name).await,
            ["create", name, shards] => self.create(name, shards.parse().unwrap()).await,
            ["delete", name] => self.delete(name).await,
            // In its middle.
            ["split", name, shard] => self.split(name, shard).await?,
            ["cover", name] => check_cover(&self.shards(name).await),
            ["read", name, shard] => return Ok(self.read(name, shard).await.into()),
            // As much as one call gives from such a place on.
            ["read", name, shard, ref place @ ..] => {
                let iterator = format!("iterator {name} {shard} {}", place.join(" "));
                let iterator = self.call(&iterator).await?;
                let records = self.get(iterator.as_str().unwrap()).await.records;
                return Ok(texts(&records).into());
            }
            ["consumer", stream, name] => {
                return Ok(self.consumer(stream, name).await.as_str().into());
            }
            ["subscribe", name, consumer, shard, ref place @ ..] => {
                let events = self.subscribe(consumer, shard, &place.join(" ")).await;
                self.events.insert(name.to_owned(), events);
            }
            ["event", name] => return self.event(name).await,
            ["half-split", name, shard] => self.half_split(name, shard).await,
            ["commit"] => {
                self.catalog.set_open(true);
                self.settle().await;
            }
            ["allow", name, action, resource] => {
                let effect = r#""Allow","Principal":{"AWS":"111111111111"}"#;
                self.state(name, effect, action, resource);
            }
            ["deny", name, action, resource] => {
                self.state(name, r#""Deny","Principal":"*""#, action, resource);
            }
            ["rows", prefix] => return Ok(self.rows(prefix).into()),
            ["metric", name, ref labels @ ..] => return Ok(self.metric(name, labels).into()),
            _ => return self.call(call).await,
        }
        Ok(Value::Null)
    }

    /// What a subscription has to say without any time passing: an event, or that it is at its
    /// end, or nothing.
    async fn event(&mut self, name: &str) -> Result<Value, Refusal> {
        let mut events = self.events.remove(name).expect("a subscription of this name");
        let item = events.poll(self).await;
        self.events.insert(name.to_owned(), events);
        match item {
            None => Ok("nothing".into()),
            Some(None) => Ok("end".into()),
            Some(Some(event)) => {
                let mut w = Writer::new(Format::Json, 512);
                event?.write(&mut w);
                Ok(serde_json::from_slice(&w.finish()).unwrap())
            }
        }
    }

    /// Keeps a policy of one statement.
    fn state(&mut self, name: &str, effect: &str, action: &str, resource: &str) {
        let resource = with_names(&self.names, resource);
        let what = format!(r#""Action":"{action}","Resource":"{resource}""#);
        let statement = format!(r#"{{"Effect":{effect},{what}}}"#);
        let document = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
        self.names.insert(name.to_owned(), document);
    }

    /// Calls an operation as the wire does, and gives its answer.
    pub(crate) async fn call(&self, call: &str) -> Result<Value, Refusal> {
        let (who, call) = match call.strip_prefix('@') {
            Some(call) => call.split_once(' ').unwrap(),
            None => ("", call),
        };
        let (account, region) = who.split_once('/').unwrap_or((who, "us-east-1"));
        let cx = if who.is_empty() { self.cx.clone() } else { cx(account, region) };
        let (call, part) = spelled(&self.names, call);
        let (operation, members) = call.split_once(' ').unwrap_or((&call, ""));
        let body = self::members(&self.names, members);
        let body = answer(&self.streams, cx, operation, body).await?;
        let nothing = body.is_empty();
        let answer = if nothing { Value::Null } else { serde_json::from_slice(&body).unwrap() };
        Ok(at(&answer, part))
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

/// A line's call, and what must come of it.
fn parts(line: &str) -> (&str, Option<&str>) {
    let at = [" = ", " ! "].iter().filter_map(|mark| line.find(mark)).min();
    at.map_or((line, None), |at| {
        let (call, outcome) = line.split_at(at);
        (call, Some(outcome.trim_start()))
    })
}

/// A call as it is without the short words for those that are made all the time, and the part of
/// its answer that is meant. A name can stand for how it begins.
fn spelled(names: &Names, call: &str) -> (String, &'static str) {
    let (begin, rest) = call.split_at(call.find([' ', '=']).unwrap_or(call.len()));
    let call = with_names(names, begin) + rest;
    let words: Vec<_> = call.splitn(5, ' ').collect();
    let more = |from: usize| words.get(from..).unwrap_or_default().join(" ");
    // A number is an id, too.
    let id = |shard: &str| format!("'{}'", shard_id(shard));
    let named = |operation: &str| format!("{operation} StreamName={}", words[1]);
    match *words {
        ["summary", _] => (named("DescribeStreamSummary"), "StreamDescriptionSummary"),
        ["shards", ..] => (format!("{} {}", named("ListShards"), more(2)), "Shards.ShardId"),
        ["put", _, key, ..] => {
            (format!("{} PartitionKey={key} Data={}", named("PutRecord"), more(3)), "")
        }
        ["register", _, consumer, ..] => {
            let name = format!("ConsumerName={consumer} {}", more(3));
            let register = "RegisterStreamConsumer StreamARN=$stream";
            (format!("{register}/{} {name}", words[1]), "Consumer")
        }
        ["get", at, ..] => (format!("GetRecords ShardIterator={at} {}", more(2)), ""),
        ["iterator", _, shard, ..] => {
            let members = format!("ShardId={} ShardIteratorType={}", id(shard), more(3));
            (format!("{} {members}", named("GetShardIterator")), "ShardIterator")
        }
        ["split", _, shard, at] => {
            let members = format!("ShardToSplit={} NewStartingHashKey='{at}'", id(shard));
            (format!("{} {members}", named("SplitShard")), "")
        }
        ["merge", _, lower, upper] => {
            let (lower, upper) = (id(lower), id(upper));
            let members = format!("ShardToMerge={lower} AdjacentShardToMerge={upper}");
            (format!("{} {members}", named("MergeShards")), "")
        }
        ["scale", _, target] => {
            let members = format!("TargetShardCount={target} ScalingType=UNIFORM_SCALING");
            (format!("{} {members}", named("UpdateShardCount")), "")
        }
        _ => (call, ""),
    }
}

/// As `20ms`, `5s`, `1h`.
fn duration(text: &str) -> Duration {
    let (number, unit) = text.split_at(text.find(char::is_alphabetic).unwrap());
    let number = number.parse().unwrap();
    match unit {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        _ => Duration::from_hours(number),
    }
}

/// What stands at a path; lists are walked through.
fn at(value: &Value, path: &str) -> Value {
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
fn with_names(names: &Names, text: &str) -> String {
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

/// An operation's members as they are.
pub(crate) fn members(names: &Names, text: &str) -> Value {
    Value::Object(Notation { rest: text, names }.members())
}

/// All words of the API's model.
static MODEL: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!("../../../../model/kinesis.json").split('"').collect());

/// What is still to be read.
struct Notation<'a> {
    rest: &'a str,
    names: &'a Names,
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
            if key.starts_with(char::is_uppercase) && !key.contains(':') {
                let has = |word| word == "length" || MODEL.contains(word);
                assert!(key.split('.').all(has), "{key} is none of the API's");
            }
            let mut value = self.value();
            if key == "Data" || key.ends_with(".Data") {
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
        // Numbers of records are texts.
        let number = if word.len() < 20 { serde_json::from_str(&word).ok() } else { None };
        number.unwrap_or_else(|| shard_id(&word).into())
    }
}

/// A blob as JSON has it.
fn encoded(value: Value) -> Value {
    match value {
        Value::String(text) if text != "_" => STANDARD.encode_to_string(text).into(),
        Value::Array(all) => all.into_iter().map(encoded).collect(),
        value => value,
    }
}
